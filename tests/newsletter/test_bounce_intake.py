"""Mails that come back find their message by what only we could have written, and change nothing otherwise."""

from __future__ import annotations

import io
import json
import mailbox
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter import bounces, delivery, links, notices
from newsletter.mail_identity import return_address
from newsletter.models import Bounce, Delivery, Notice, Subscription, Suppression
from tests.newsletter.issues import an_issue

FOLDER = Path(__file__).resolve().parent.parent / "data" / "bounces"
REPORT = (FOLDER / "postfix-unknown.eml").read_bytes()


@pytest.fixture
def hers(newsletter, maria, people):
    """Maria's delivery; Omar has one too."""
    people("omar@school.example")
    delivery.send_until_idle(delivery.schedule(an_issue()))
    return Delivery.objects.get(subscriber=maria.subscriber)


def to(row, raw=REPORT):
    """A mail that came to the return address of a row."""
    address = return_address("n" if isinstance(row, Notice) else "d", row.pk)
    return raw.replace(b"Delivered-To: bounce@bounces.library.example", f"Delivered-To: {address}".encode())


def suppressed():
    return set(Suppression.objects.values_list("address_key", flat=True))


def test_a_report_to_the_return_address_of_a_message_counts(hers):
    assert bounces.take(to(hers)).recorded == 1
    assert suppressed() == {hers.address_key}
    bounce = hers.bounces.get()
    assert (bounce.kind, bounce.status) == ("hard", "5.1.1")
    assert "User unknown in virtual mailbox table" in bounce.detail


@pytest.mark.parametrize("header", ["To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Received"])
def test_the_return_address_is_found_where_servers_write_it(hers, header):
    address = return_address("d", hers.pk)
    value = (
        f"from mx by us for <{address}>; Tue, 3 Nov 2026" if header == "Received" else f"Bounces <{address.upper()}>"
    )
    assert bounces.take(f"{header}: {value}\n".encode() + REPORT).recorded == 1


def test_the_envelope_sender_of_the_returned_message_counts(hers):
    raw = REPORT.replace(b"Return-Path: <bounce@", f"Return-Path: <{return_address('d', hers.pk)}>\nX-A: <".encode())
    assert bounces.take(raw).recorded == 1


@pytest.mark.parametrize("where", ["postfix-unknown", "arf-rfc", "qmail-unknown"])
def test_a_message_id_of_ours_counts(hers, where):
    raw = (FOLDER / f"{where}.eml").read_bytes()
    raw = raw.replace(b"<october.1@library.example>", hers.message_id.encode())
    raw = raw.replace(b"of the message.\n", f"of the message.\n\nMessage-ID: {hers.message_id}\n".encode())
    assert bounces.take(raw.replace(b"a copy of", f"a copy of {hers.message_id}".encode())).recorded == 1
    assert suppressed() == {hers.address_key}


def test_a_forged_bounce_changes_nothing(hers):
    token = links.return_token("d", hers.pk)
    forged = f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}"
    for line in (
        f"To: bounce+{forged}@bounces.resource-center.example",
        f"To: {hers.address}",
        "Message-ID: <d.00000000000000000000000000000000@resource-center.example>",
        "To: bounce+d-1-aaaaaaaaaaaaaaaa@bounces.resource-center.example",
    ):
        raw = f"{line}\n".encode() + REPORT.replace(b"ines.ortega@school.example", hers.address.encode())
        receipt = bounces.take(raw)
        assert receipt.recorded == 0 and receipt.findings[0].kind == "hard"
    assert not Bounce.objects.exists() and not Suppression.objects.exists()
    assert Delivery.objects.get(pk=hers.pk).state == "sent"


def test_a_mail_that_comes_twice_counts_once(hers):
    assert [bounces.take(to(hers)).recorded for _time in range(3)] == [1, 0, 0]
    other_way = b"Received: from elsewhere\n" + to(hers)
    assert bounces.take(other_way).recorded == 0


def test_a_mail_without_a_message_id_counts_once_too(hers):
    raw = b"\n".join(line for line in to(hers).split(b"\n") if not line.startswith(b"Message-ID"))
    assert [bounces.take(b"X-Way: %d\n" % way + raw).recorded for way in range(2)] == [1, 0]


def test_a_delay_and_the_failure_after_it_are_two_events(hers):
    delayed = (FOLDER / "postfix-delayed.eml").read_bytes()
    assert bounces.take(to(hers, delayed)).recorded == 1
    assert Delivery.objects.get(pk=hers.pk).state == "sent"
    assert bounces.take(to(hers)).recorded == 1
    assert Delivery.objects.get(pk=hers.pk).state == "bounced"


def test_of_several_recipients_ours_decides(hers):
    raw = (FOLDER / "postfix-two-recipients.eml").read_bytes()
    bounces.take(to(hers, raw.replace(b"two@school.example", hers.address.encode())))
    assert hers.bounces.get().kind == "soft" and not Suppression.objects.exists()


def test_of_several_strangers_the_mildest_decides(hers):
    """A list that we write to has a dead member: the list itself is well."""
    bounces.take(to(hers, (FOLDER / "postfix-two-recipients.eml").read_bytes()))
    assert hers.bounces.get().kind == "soft"


def test_a_complaint_about_many_messages_is_many_complaints(hers):
    omars = Delivery.objects.exclude(pk=hers.pk).get()
    raw = (FOLDER / "arf-rfc.eml").read_bytes()
    lines = "".join(f"Original-Rcpt-To: <{row.address}>\nX-Message: {row.message_id}\n" for row in (hers, omars))
    bounces.take(raw.replace(b"Original-Rcpt-To: <ruth@provider.example>\n", lines.encode()))
    assert suppressed() == {hers.address_key, omars.address_key}


def test_a_reply_of_a_person_to_the_return_address_is_kept_as_not_understood(hers):
    raw = f"To: {return_address('d', hers.pk)}\n".encode() + (FOLDER / "person.eml").read_bytes()
    assert bounces.take(raw).recorded == 1
    assert hers.bounces.values_list("kind", "detail").get() == ("unknown", "Re: Your October digest")
    assert Delivery.objects.get(pk=hers.pk).state == "sent"


def test_a_confirmation_that_comes_back_is_known_too(sam):
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    delivery.work_on_notices()
    assert bounces.take(to(Notice.objects.get())).recorded == 1
    assert Subscription.objects.get(pk=sam.pk).status == "bounced"


# --- process_bounces


def run(*arguments):
    out = io.StringIO()
    call_command("process_bounces", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def mails(hers, tmp_path):
    """A folder: a bounce of ours, a stranger's, a complaint, a person's mail, and what is no mail."""
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "1.eml").write_bytes(to(hers))
    for number, name in enumerate(("gmail-quota", "arf-rfc", "person"), 2):
        (folder / f"{number}.eml").write_bytes((FOLDER / f"{name}.eml").read_bytes())
    (folder / "manifest.json").write_text("{}")
    return folder


COUNTS = {"read": 4, "hard": 1, "soft": 1, "complaints": 1, "unrecognised": 1}
RESULTS = [
    ("hard", "ines.ortega@school.example", "5.1.1"),
    ("soft", "pat.doe@gmail.example", "5.2.2"),
    ("complaint", "ruth@provider.example", ""),
]


def checked(answer):
    results = answer.pop("results")
    assert answer == COUNTS
    assert [tuple(result[key] for key in ("kind", "recipient", "status")) for result in results] == RESULTS
    return [result["file"] for result in results]


def test_a_folder_of_mails(mails, hers):
    assert checked(run(str(mails))) == ["1.eml", "2.eml", "3.eml"]
    assert suppressed() == {hers.address_key}
    run(str(mails))
    assert Bounce.objects.count() == 1


def test_a_maildir(mails, hers, tmp_path):
    box = mailbox.Maildir(tmp_path / "box")
    for file in sorted(mails.glob("*.eml")):
        (tmp_path / "box" / "new" / file.stem).write_bytes(file.read_bytes())
    box.close()
    assert checked(run(str(tmp_path / "box"))) == ["1", "2", "3"]


def test_an_mbox(mails, tmp_path):
    path = tmp_path / "box"
    box = mailbox.mbox(path)
    for file in sorted(mails.glob("*.eml")):
        box.add(file.read_bytes() + b"\nFrom here on we go.\n")
    box.close()
    assert checked(run(str(path))) == ["box:1", "box:2", "box:3"]


def test_one_file(mails):
    assert run(str(mails / "1.eml"))["results"][0]["kind"] == "hard"


def test_standard_input(mails, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO((mails / "1.eml").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    [result] = run("-")["results"]
    assert result == {"file": "-", "kind": "hard", "recipient": "ines.ortega@school.example", "status": "5.1.1"}


def test_what_can_not_be_read_is_reported_and_the_rest_is_done(mails, capsys):
    (mails / "0.eml").symlink_to(mails / "nowhere")
    with pytest.raises(CommandError, match=r"0\.eml: No such file"):
        call_command("process_bounces", str(mails), "--json")
    assert json.loads(capsys.readouterr().out)["read"] == 4


def test_no_such_place(tmp_path):
    with pytest.raises(CommandError, match="No such file") as error:
        call_command("process_bounces", str(tmp_path / "nowhere"))
    assert error.value.returncode == 1


@pytest.mark.parametrize("arguments", [[], ["x", "--mailbox"], ["--mailbox"]])
def test_wrong_usage(arguments):
    with pytest.raises(CommandError) as error:
        call_command("process_bounces", *arguments)
    assert error.value.returncode == 2


@pytest.mark.django_db
def test_the_corpus_changes_nothing_of_ours(corpus, hers):
    answer = run(str(corpus / "bounces"))
    assert answer["read"] == 40 and answer["hard"] > 0
    assert not Bounce.objects.exists()
