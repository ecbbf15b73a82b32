"""A backup holds database and media; a restored site sends nothing by itself, however it was restored."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from newsletter import delivery, synthetic
from newsletter.delivery import rounds, witness
from newsletter.models import Delivery, LedgerMark, Mailing, Notice, Subscriber, Subscription
from newsletter.site import found
from resource_center import backups, dumps
from tests.live import ROOT
from tests.newsletter.issues import an_issue
from tests.sink import Rule, Sink

READERS = 60
LATER = Rule(at="rcpt", say="451 4.3.0 Come again", to="reader1")


@pytest.fixture
def sink():
    with Sink() as sink:
        yield sink


@pytest.fixture
def site(live_database, settings, tmp_path, sink):
    """A site in use, with 60 confirmed readers and a file that somebody uploaded."""
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path / "var", str(tmp_path / "var" / "media")
    settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
    picture = tmp_path / "var" / "media" / "original_images" / "school.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture" * 1000)
    newsletter = found().newsletter
    synthetic.subscribers(newsletter, READERS)
    return newsletter


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "site.tar"


@pytest.fixture
def half_sent(site, sink, archive):
    """A mailing that is under way, as it was when the backup was made; then it went out to everybody."""
    sink.rules.append(LATER)
    mailing = delivery.send(an_issue())
    rounds.work_on(mailing.pk)
    counts = delivery.counts(mailing)
    assert (counts["sent"], counts["queued"]) == (49, 11)
    backups.make(archive)
    sink.rules.clear()
    everything_is_due()
    rounds.work_on(mailing.pk)
    mailing.refresh_from_db()
    assert mailing.state == "sent"
    assert len(sink.taken) == READERS
    return mailing


def everything_is_due():
    Delivery.objects.filter(state="queued").update(due_at=timezone.now())


def let_it_run(mailing):
    """Everything that sends by itself, a few times over."""
    everything_is_due()
    for _time in range(3):
        rounds.tick()
        rounds.work_on(mailing.pk)
        rounds.work_on_notices()
    mailing.refresh_from_db()


def test_a_restored_mailing_sends_nothing_until_a_person_resumes_it(half_sent, sink, archive):
    facts = backups.restore(archive, replace=True)
    assert facts["paused"] == 1
    let_it_run(half_sent)
    assert len(sink.taken) == READERS
    assert half_sent.state == "paused"
    assert half_sent.restored_at
    assert "11 readers have no record here" in half_sent.pause_reason
    assert "restored from a backup of" in half_sent.pause_reason
    assert delivery.counts(half_sent) == {
        "recipients": READERS,
        "queued": 11,
        "in_flight": 0,
        "sent": 49,
        "failed": 0,
        "skipped": 0,
        "bounced": 0,
    }
    delivery.resume(half_sent)
    let_it_run(half_sent)
    assert half_sent.state == "sent"
    copies = Counter((taken.recipient, taken.message_id) for taken in sink.taken)
    assert len(copies) == READERS
    assert sorted(copies.values()) == [1] * 49 + [2] * 11


def test_a_restored_mailing_that_is_cancelled_leaves_it_at_what_is_recorded(half_sent, sink, archive):
    backups.restore(archive, replace=True)
    delivery.cancel(half_sent)
    let_it_run(half_sent)
    assert delivery.counts(half_sent)["skipped"] == 11
    assert len(sink.taken) == READERS


def test_what_was_only_scheduled_when_the_backup_was_made_is_not_sent_again(site, sink, archive):
    mailing = delivery.schedule(an_issue(), timezone.now() + timedelta(hours=1))
    rounds.tick()
    backups.make(archive)
    Mailing.objects.update(scheduled_for=timezone.now())
    rounds.work_on(mailing.pk)
    assert len(sink.taken) == READERS
    backups.restore(archive, replace=True)
    Mailing.objects.update(scheduled_for=timezone.now())
    let_it_run(mailing)
    assert (mailing.state, len(sink.taken)) == ("paused", READERS)
    assert f"Resuming sends it to {READERS} readers" in mailing.pause_reason


def test_a_database_that_was_put_back_by_other_means_is_noticed_as_well(half_sent, site, sink, archive, tmp_path):
    with tarfile.open(archive) as tar:
        by_hand = tmp_path / "by-hand"
        by_hand.write_bytes(tar.extractfile(dumps.file_name()).read())
    dumps.load(by_hand, then="SELECT 1")
    half_sent.refresh_from_db()
    assert half_sent.state == "sending"
    let_it_run(half_sent)
    assert (half_sent.state, len(sink.taken)) == ("paused", READERS)
    assert "older than the last mail that was sent from here" in half_sent.pause_reason
    delivery.resume(half_sent)
    let_it_run(half_sent)
    assert (half_sent.state, len(sink.taken)) == ("sent", READERS + 11)


def test_the_same_backup_restored_twice_is_noticed_twice(half_sent, sink, archive, settings):
    for _time in range(2):
        backups.restore(archive, replace=True)
        delivery.resume(half_sent)
        let_it_run(half_sent)
    assert len(sink.taken) == READERS + 2 * 11
    assert len(list(settings.DATA_DIR.glob("before-restore-*"))) == 2
    with tarfile.open(archive) as tar:
        tar.extract(dumps.file_name(), archive.parent, filter="data")
    dumps.load(archive.parent / dumps.file_name(), then="SELECT 1")
    let_it_run(half_sent)
    assert (half_sent.state, len(sink.taken)) == ("paused", READERS + 2 * 11)


def test_a_newcomer_trusts_a_database_that_others_work_with_and_no_other(site, settings, tmp_path):
    mailing = delivery.send(an_issue())
    rounds.tick()
    settings.DATA_DIR = tmp_path / "another host"
    rounds.tick()
    mailing.refresh_from_db()
    assert mailing.state == "sending"
    LedgerMark.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    rounds.tick()
    mailing.refresh_from_db()
    assert mailing.state == "sending"
    LedgerMark.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    settings.DATA_DIR = tmp_path / "a new host after a disaster"
    rounds.tick()
    mailing.refresh_from_db()
    assert mailing.state == "paused"
    assert "brought here after nobody had worked with it" in mailing.pause_reason


def test_notices_that_were_due_are_not_sent_again_and_later_ones_are(site):
    subscription = Subscription.objects.first()
    for hour, number in ((-1, "due"), (1, "later")):
        due_at = timezone.now() + timedelta(hours=hour)
        Notice.objects.create(subscription=subscription, kind="welcome", due_at=due_at, message_id=f"<{number}@x>")
    assert delivery.hold("It was restored.") == 0
    assert dict(Notice.objects.values_list("message_id", "state")) == {"<due@x>": "skipped", "<later@x>": "queued"}


def test_a_mark_that_can_not_be_kept_stops_no_mail(site, settings, tmp_path):
    (tmp_path / "a file").touch()
    settings.DATA_DIR = tmp_path / "a file"
    witness.look()
    witness.look()
    assert LedgerMark.objects.get().mark == 2


def test_database_and_media_come_back_as_they_were(site, archive, settings, tmp_path):
    call_command("backup", archive)
    assert archive.stat().st_mode & 0o777 == 0o600
    assert {file.name for file in tmp_path.iterdir()} == {"var", "site.tar"}
    Subscriber.objects.filter(email__startswith="reader1").delete()
    (tmp_path / "var" / "media" / "original_images" / "school.jpg").write_bytes(b"spoilt")
    call_command("restore", archive, replace=True)
    assert Subscriber.objects.count() == READERS
    picture = tmp_path / "var" / "media" / "original_images" / "school.jpg"
    assert picture.read_bytes() == b"a picture" * 1000
    [aside] = settings.DATA_DIR.glob("before-restore-*")
    assert (aside / "media" / "original_images" / "school.jpg").read_bytes() == b"spoilt"
    assert (aside / dumps.file_name()).stat().st_size > 0
    assert not list(settings.DATA_DIR.glob(".restore-*"))


def test_a_site_in_use_is_not_overwritten_by_accident(site, archive):
    backups.make(archive)
    with pytest.raises(CommandError, match="There is a site here already: --replace"):
        call_command("restore", archive)
    assert Subscriber.objects.count() == READERS


def test_a_folder_takes_a_backup_and_the_latest_of_it_is_restored(site, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    made = backups.make(folder)
    assert made["path"].startswith(f"{folder}/resource-center-20")
    assert (made["counts"]["subscribers"], made["media"]) == (READERS, 1)
    assert backups.restore(folder, replace=True)["made_at"] == made["made_at"]


def rewritten(archive, change):
    """The archive with its members put through `change(name, bytes)`; None leaves one out."""
    spoilt = archive.with_name("spoilt.tar")
    with tarfile.open(archive) as old, tarfile.open(spoilt, "w") as new:
        for member in old:
            data = change(member.name, old.extractfile(member).read())
            if data is not None:
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    return spoilt


def manifest(**changes):
    return lambda name, data: json.dumps({**json.loads(data), **changes}).encode() if name == "manifest.json" else data


OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
FLAWS = {
    "its end is missing": lambda name, data: None if name == "end.json" else data,
    "its sum is wrong": lambda name, data: data.replace(b"a picture", b"A picture"),
    "it knows content.9999_from_the_future": manifest(migrations=["content.9999_from_the_future"]),
    "made by a newer version": manifest(format=99),
}


@pytest.mark.parametrize("why", FLAWS)
def test_an_archive_that_is_broken_or_newer_changes_nothing(site, archive, why):
    backups.make(archive)
    Subscriber.objects.first().delete()
    with pytest.raises(backups.BackupRefused, match=why) as refused:
        backups.restore(rewritten(archive, FLAWS[why]), replace=True)
    assert "\n" not in str(refused.value)
    assert Subscriber.objects.count() == READERS - 1


@pytest.mark.parametrize("name", ["media/../../escaped", "/tmp/escaped", "media", "escaped"])
def test_nothing_of_an_archive_is_written_elsewhere(site, archive, name):
    backups.make(archive)
    with tarfile.open(archive) as old, tarfile.open(archive.with_name("spoilt.tar"), "w") as new:
        new.addfile(old.getmember("manifest.json"), old.extractfile("manifest.json"))
        new.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(backups.BackupRefused, match="does not belong into it"):
        backups.restore(archive.with_name("spoilt.tar"), replace=True)


def test_the_backup_of_another_kind_of_database_is_refused(site, archive):
    backups.make(archive)
    with pytest.raises(backups.BackupRefused, match="set DATABASE_URL"):
        backups.restore(rewritten(archive, manifest(database=OTHER[connection.vendor])), replace=True)


@pytest.mark.parametrize("name", ["site.tar", "site.tar.gz"])
def test_half_an_archive_is_refused(site, tmp_path, name):
    archive = tmp_path / name
    backups.make(archive)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(backups.BackupRefused, match="no backup of a site, or a broken one"):
        backups.restore(archive, replace=True)


def test_what_is_no_archive_is_refused_in_one_line(site, tmp_path):
    for path in (tmp_path / "nothing", tmp_path, shutil.copy(__file__, tmp_path / "text.tar")):
        with pytest.raises(CommandError) as refused:
            call_command("restore", path, replace=True)
        assert "\n" not in str(refused.value)


def test_a_backup_that_can_not_be_written_is_refused_in_one_line(site, tmp_path):
    for path in (tmp_path / "no such folder" / "site.tar", "/proc/site.tar"):
        with pytest.raises(CommandError, match="can not be written"):
            call_command("backup", path)


def test_without_postgresqls_programs_one_line_says_what_to_install(site, archive, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    if connection.vendor == "sqlite":  # which needs none
        call_command("backup", archive)
        return
    with pytest.raises(CommandError, match=r"pg_dump is not here: install .* \(postgresql-client\)"):
        call_command("backup", archive)


@pytest.fixture
def elsewhere(tmp_path, request):
    """Runs `manage.py` with the settings of a new machine: an empty folder, an empty database."""
    names = {"DJANGO_SETTINGS_MODULE": "resource_center.settings", "DATA_DIR": str(tmp_path / "elsewhere")}
    if connection.vendor == "postgresql":
        names["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    environment = {**os.environ, "SECRET_KEY": "another-key-" + "0123456789" * 5, **names}

    def manage(*arguments):
        command = [sys.executable, "manage.py", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    return manage


def test_a_backup_comes_to_life_on_a_new_machine(half_sent, archive, elsewhere, tmp_path):
    said = elsewhere("restore", archive)
    assert f"{READERS} subscribers" in said
    assert "Paused mailings: 1." in said
    assert "SECRET_KEY is not the one of the backup" in said
    assert json.loads(elsewhere("mailing_status", half_sent.pk, "--json"))["state"] == "paused"
    assert "may have got this mailing since" in elsewhere("mailing_status", half_sent.pk)
    picture = tmp_path / "elsewhere" / "media" / "original_images" / "school.jpg"
    assert picture.read_bytes() == b"a picture" * 1000
