"""Who may read everybody's mail: superusers, and without login only the person at the machine that runs the demo."""

from __future__ import annotations

import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.models import Permission, User

from newsletter.mailbox import LocalMailbox, keys
from newsletter.smtp import Message, send_now
from tests.conftest import need
from tests.live import LiveSite
from tests.nginx import Nginx

pytestmark = pytest.mark.once

PARTS = ("", "html/", "text/", "raw/", "headers/")
MARKS = {
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Proto": "",
    "X-Forwarded-Prefix": "/",
    "Forwarded": "for=127.0.0.1",
    "Via": "1.1 proxy",
    "X-Real-IP": "127.0.0.1",
    "CF-Connecting-IP": "127.0.0.1",
    "CF-Ray": "8f00",
    "CDN-Loop": "cdn.example",
    "True-Client-IP": "127.0.0.1",
    "Fastly-Client-IP": "127.0.0.1",
    "X-Client-IP": "127.0.0.1",
    "X-Cluster-Client-IP": "127.0.0.1",
    "X-Azure-ClientIP": "127.0.0.1",
    "X-Original-Forwarded-For": "127.0.0.1",
    "X-Original-Host": "www.example.org",
    "X-Envoy-External-Address": "127.0.0.1",
    "X-Forwarded": "for=127.0.0.1",
    "X-ProxyUser-Ip": "127.0.0.1",
    "X-Remote-Addr": "127.0.0.1",
    "X-Scheme": "https",
}


@pytest.fixture
def addresses(settings, tmp_path, newsletter):
    """The addresses of a mailbox with one mail in it."""
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    session = LocalMailbox().connect()
    mail = b"Subject: A new password\r\n\r\nhttp://testserver/admin/password_reset/confirm/MQ/secret/"
    assert send_now(session, Message(1, "bounce+x@house.example", "ada@house.example", mail)).taken
    [key] = keys()
    return ["/mailbox/", *(f"/mailbox/{key}/{part}" for part in PARTS)]


@pytest.fixture
def demo(settings):
    settings.MAILBOX_WITHOUT_LOGIN = True


def answers(client, addresses, **request) -> set[int]:
    return {client.get(address, **request).status_code for address in addresses}


def test_everywhere_but_in_the_demo_a_login_is_needed_also_from_this_machine(client, addresses):
    assert answers(client, addresses) == {404}
    assert answers(client, addresses, REMOTE_ADDR="::1") == {404}


def test_superusers_alone_may_look_and_other_editors_may_not(client, addresses):
    editor = User.objects.create_user("editor", password="x", is_staff=True)
    editor.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.force_login(editor)
    assert answers(client, addresses) == {404}
    client.force_login(User.objects.create_superuser("ada", password="x"))
    assert answers(client, addresses) == {200}
    assert answers(client, addresses, REMOTE_ADDR="203.0.113.7") == {200}


def test_the_demo_is_open_to_this_machine_alone(client, addresses, demo):
    for near in ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"):
        assert answers(client, addresses, REMOTE_ADDR=near) == {200}
    for far in ("203.0.113.7", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "", "127.evil", "unix:"):
        assert answers(client, addresses, REMOTE_ADDR=far) == {404}, far


@pytest.mark.parametrize("mark", MARKS)
def test_whatever_bears_the_mark_of_a_proxy_needs_a_login(client, addresses, demo, mark):
    assert answers(client, addresses, headers={mark: MARKS[mark]}) == {404}


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def signed_in(url: str, password: str) -> requests.Session:
    """A browser in which the demo's admin has signed in."""
    session = requests.Session()
    session.get(f"{url}/admin/login/", timeout=30).raise_for_status()
    login = {"username": "admin", "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    answer = session.post(f"{url}/admin/login/?next=/healthz", login, allow_redirects=False, timeout=30)
    assert urlsplit(answer.headers["Location"]).path == "/healthz"
    return session


def test_a_bare_proxy_opens_no_mailbox_but_the_demos_own(tmp_path):
    nginx = need("nginx")
    with LiveSite(tmp_path, "demo") as demo:
        assert status(f"{demo.url}/mailbox/") == 200
        assert status(f"{demo.url}/mailbox/", **{"X-Real-IP": "198.51.100.7"}) == 404
        with Nginx(nginx, tmp_path / "a", demo.url, "proxy_set_header X-Forwarded-For $remote_addr;") as proxy:
            assert status(f"{proxy.url}/mailbox/") == 404
        password = (tmp_path / "var" / "admin_password").read_text().strip()
    # The same folder, with all that the demo has kept in it.
    with LiveSite(tmp_path, "run") as run, Nginx(nginx, tmp_path / "b", run.url) as proxy:
        assert status(f"{run.url}/mailbox/") == status(f"{proxy.url}/mailbox/") == 404
        admin = signed_in(proxy.url, password)
        assert admin.get(f"{proxy.url}/mailbox/", timeout=30).status_code == 200
        said = run.wait(lambda: said if "Ready." in (said := run.log.read_text()) else "", 30, "the site to be ready")
        assert f"No mail leaves this machine: without SMTP_URL or ESP all of it stays in {tmp_path}/var/mailbox" in said
