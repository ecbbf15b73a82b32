"""Machines follow every link of a mail before its reader does. Nothing in the database may notice."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from django.apps import apps
from django.test import Client

from newsletter import delivery, notices
from newsletter.models import Notice
from tests.sink import Sink

DRAWN = {"content.CreditedRendition"}  # made from a picture when it is first looked at


def links_of(raw):
    """Every address of ours that a mail holds, in its headers, its text and its HTML."""
    message = message_from_bytes(raw, policy=policy.default)
    headers = " ".join(message[name] or "" for name in ("List-Unsubscribe", "List-Archive", "List-Help"))
    text = message.get_body(["plain"]).get_content()
    soup = BeautifulSoup(message.get_body(["html"]).get_content(), "html.parser")
    found = {tag.get("href") or tag.get("src") for tag in soup.select("[href], [src]")}
    found.update(re.findall(r"https?://[^\s<>]+", f"{headers} {text}"))
    return {link for link in found if link.startswith("http://testserver/")}


def everything():
    """All rows of all tables but `DRAWN`."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.label not in DRAWN]
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


@pytest.fixture
def mails(issue, maria, sam, people, settings):
    """A digest in English and in Spanish, and a notice of every kind that subscribers get."""
    people("luz@school.example", language="es")
    kinds = [kind for kind in Notice.Kind if kind not in (Notice.Kind.PASSWORD, Notice.Kind.ACCOUNT)]
    for kind in kinds:
        notices.queue(sam if kind in (Notice.Kind.CONFIRMATION, Notice.Kind.REMINDER) else maria, kind)
    with Sink() as sink:
        settings.SMTP_URLS, settings.LOCAL_MAILBOX = [sink.url], False
        mailing = delivery.schedule(issue)
        delivery.send_until_idle(mailing, wait=False)
        assert len(sink.taken) == 2 + len(kinds)
        return [taken.raw for taken in sink.taken]


def test_following_every_link_of_every_mail_twice_changes_nothing(mails):
    links = set().union(*map(links_of, mails))
    rooms = {urlsplit(link).path.removeprefix("/es").split("/")[2] for link in links if "/newsletter/" in link}
    assert rooms >= {"confirm", "unsubscribe", "preferences", "issues", "export", "erase"}
    before = everything()
    scanner = Client(enforce_csrf_checks=True)
    for _time in range(2):
        for link in sorted(links):
            for visit in (scanner.get, scanner.head):
                answer = visit(link.removeprefix("http://testserver"))
                assert answer.status_code == 200 and (answer.getvalue() or visit == scanner.head), link
    assert everything() == before
