"""The embedded broker, and what stands on it: the cache, whose absence fails no page."""

import stat
import subprocess
import time

import pytest
from django.core.cache.backends.base import InvalidCacheBackendError
from django.utils.module_loading import import_string
from redis import Redis

from resource_center import broker

pytestmark = pytest.mark.once


def serve(folder) -> subprocess.Popen:
    """Start the broker and wait for its answer."""
    server = subprocess.Popen(broker.command(folder), stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            with Redis.from_url(broker.embedded_url(folder)) as client:
                client.ping()
            return server
        except Exception:
            time.sleep(0.1)
    raise InvalidCacheBackendError("the broker did not answer within 10 s")


@pytest.fixture
def server(tmp_path):
    running = serve(tmp_path)
    yield running
    running.kill()
    running.wait()


def cache(folder):
    kind = import_string("resource_center.cache.ForgivingRedisCache")
    return kind(broker.embedded_url(folder), {"OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1}})


def test_the_socket_is_for_this_account_alone(server, tmp_path):
    assert stat.S_IMODE(broker.socket_path(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(broker.socket_path(tmp_path).parent.stat().st_mode) == 0o700


def test_what_was_queued_survives_a_kill(server, tmp_path):
    with Redis.from_url(broker.embedded_url(tmp_path)) as client:
        client.rpush("celery", "task")
        time.sleep(1.2)  # The append-only file is written out every second.
    server.kill()
    server.wait()
    again = serve(tmp_path)
    with Redis.from_url(broker.embedded_url(tmp_path)) as client:
        assert client.lrange("celery", 0, -1) == [b"task"]
    again.kill()
    again.wait()


def test_a_long_folder_gets_a_short_private_socket(tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    running = serve(folder)
    path = broker.socket_path(folder)
    assert len(str(path)) <= 100
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    running.kill()
    running.wait()
    path.unlink()
    path.parent.rmdir()


def test_a_folder_that_somebody_else_made_is_not_used(tmp_path):
    target = tmp_path / "elsewhere"
    target.mkdir()
    (tmp_path / "valkey").symlink_to(target)
    with pytest.raises(broker.BrokerUnavailable):
        broker.command(tmp_path)


def test_the_cache_keeps_and_forgets(server, tmp_path):
    there = cache(tmp_path)
    there.set("a", 1)
    assert there.get("a") == 1
    assert there.get_many(["a", "b"]) == {"a": 1}
    assert there.add("a", 2) is False
    there.delete("a")
    assert there.get("a", "gone") == "gone"
    there.close()


def test_a_cache_that_does_not_answer_counts_as_empty(tmp_path, caplog):
    nowhere = cache(tmp_path)
    nowhere.set("a", 1)
    assert nowhere.get("a", "nothing") == "nothing"
    assert nowhere.get_many(["a"]) == {}
    assert nowhere.has_key("a") is False
    assert nowhere.add("a", 1) is False
    assert nowhere.delete("a") is False
    assert nowhere.set_many({"a": 1}) == []
    assert caplog.text.count("The cache does not answer") == 1  # asked once, then left in peace


def test_the_cache_is_asked_again_when_it_is_back(tmp_path):
    there = cache(tmp_path)
    there.get("a")
    running = serve(tmp_path)
    there.silent_until = 0.0
    there.set("a", 1)
    assert there.get("a") == 1
    there.close()
    running.kill()
    running.wait()
