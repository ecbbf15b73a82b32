"""A mail of ours is known again by its Message-ID alone, whoever made the mail and whenever it went."""

from __future__ import annotations

import email
import re
import uuid
from datetime import date
from pathlib import Path

import pytest

from newsletter import bounces, delivery, messages, notices
from newsletter.mail_identity import mail_domain, message_ids
from newsletter.models import Delivery, Notice
from tests.newsletter.issues import an_issue

REPORT = (Path(__file__).resolve().parent.parent / "data" / "bounces" / "postfix-unknown.eml").read_bytes()


@pytest.fixture
def hers(newsletter, maria):
    """Maria's delivery."""
    delivery.send_until_idle(delivery.schedule(an_issue()))
    return Delivery.objects.get(subscriber=maria.subscriber)


@pytest.fixture
def resent(hers):
    """The second copy that a person sent her."""
    row = delivery.resend(hers)
    delivery.send_until_idle(row.mailing)
    row.refresh_from_db()
    return row


def report_about(message_id):
    """A bounce that names a message of ours by its Message-ID and nothing else."""
    return REPORT.replace(b"<october.1@library.example>", message_id.encode())


def test_a_bounce_of_a_resent_copy_is_recorded_by_its_message_id(resent, hers):
    assert bounces.take(report_about(resent.message_id)).recorded == 1
    assert [bounce.delivery for bounce in resent.bounces.all()] == [resent]
    assert not hers.bounces.exists()


def test_a_bounce_of_a_copy_resent_before_is_recorded_too(resent):
    """Message-IDs of resent copies once said nothing but that they are a delivery's."""
    resent.message_id = f"<d.{uuid.uuid4().hex}@an-earlier-domain.example>"
    resent.save()
    assert bounces.take(report_about(resent.message_id)).recorded == 1
    assert resent.bounces.get().kind == "hard"


def test_a_bounce_of_a_notice_sent_before_is_recorded(sam):
    """Message-IDs of notices once were shorter and named the domain for bounces."""
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    delivery.work_on_notices()
    Notice.objects.update(message_id=f"<n.{24 * 'a'}@bounces.resource-center.example>")
    assert bounces.take(report_about(Notice.objects.get().message_id)).recorded == 1


def test_a_message_id_that_was_made_up_finds_nothing(resent, hers):
    for made_up in (f"<d.{uuid.uuid4().hex}@x.example>", re.sub(r"\.[0-9a-f]{32}@", f".{32 * '0'}@", hers.message_id)):
        assert bounces.take(report_about(made_up)).recorded == 0


def test_every_mail_has_a_message_id_of_one_form_in_one_domain(resent, hers, sam, settings):
    notices.queue(sam, Notice.Kind.CONFIRMATION)
    test_copy = email.message_from_bytes(messages.test_message(an_issue(date(2026, 11, 1)), "editor@x.example", "en"))
    made = [hers.message_id, resent.message_id, Notice.objects.get().message_id, test_copy["Message-ID"]]
    read = [next(message_ids(text)) for text in made]
    assert [name.text for name in read] == made
    assert [name.kind for name in read] == ["d", "d", "n", "test"]
    assert {(name.mailing, name.subscriber) for name in read[:2]} == {(hers.mailing_id, hers.subscriber_id)}
    assert {text.rpartition("@")[2] for text in made} == {f"{mail_domain()}>"}
    assert test_copy["List-Id"].endswith(f".{mail_domain()}>")


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("Library <hello@library.example>", "library.example"),
        ("hola@niños.example", "xn--nios-hqa.example"),
        ("", "testserver"),
    ],
)
def test_our_mail_domain_is_that_of_the_sender_else_of_the_site(settings, sender, domain):
    settings.MAIL_FROM, settings.SITE_HOST = sender, "testserver"
    assert mail_domain() == domain
