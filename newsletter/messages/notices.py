"""Automatic mails to one person: words from `templates/emails/notices/`, in the same frame as an issue."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from content.models import Organisation
from newsletter import notices
from newsletter.messages import bodies
from newsletter.messages.letters import letter
from newsletter.messages.slots import Slots, fill
from newsletter.messages.tree import absolute, archive_url, postal_address
from newsletter.models import Notice

BUTTON = re.compile(r"\[(?P<words>[^\]]+)\]\s+(?P<url>https?://\S+)")


class Paragraph(NamedTuple):
    """Some words, or with an address the words of a button."""

    words: str
    url: str = ""


class Words(NamedTuple):
    """What a notice says: its subject, its paragraphs, and why it was sent."""

    subject: str
    paragraphs: list[Paragraph]
    reason: str


def notice_message(notice: Notice) -> bytes:
    """The finished mail of a notice, in its subscriber's language.

    The words are written in one plain file per kind: the subject, then paragraphs with an empty line between
    them. `[Words] address` is a button; the last paragraph says why the mail was sent.
    """
    subscription = notice.subscription
    newsletter, language = subscription.newsletter, subscription.subscriber.language
    links = notices.words(notice)
    written = _words(notice, language, links)
    context = {
        "words": written,
        "newsletter": newsletter.name,
        "organisation": Organisation.load().name,
        "home_url": absolute("/"),
        "archive_url": archive_url(language),
        "postal_address": postal_address(),
        "unsubscribe": links["unsubscribe_url"],
        "preferences": links["preferences_url"],
    }
    slots = Slots(
        to=subscription.subscriber.email,
        message_id=notice.message_id,
        date=timezone.now(),
        unsubscribe=links["unsubscribe_url"],
        preferences=links["preferences_url"],
    )
    both = bodies.render("notice", language, context)
    # RFC 3834: nobody's automatic reply may answer an automatic mail.
    template = letter(newsletter, written.subject, both, language, notice.kind, b"Auto-Submitted: auto-generated")
    return fill(template, slots)


def _words(notice: Notice, language: str, links: dict[str, object]) -> Words:
    context = {**links, "organisation": Organisation.load().name, "site": settings.SITE_URL}
    with translation.override(language):
        source = render_to_string(f"emails/notices/{notice.kind}.txt", context)
    subject, *paragraphs, reason = [" ".join(part.split()) for part in re.split(r"\n\s*\n", source.strip())]
    return Words(subject, [_paragraph(part) for part in paragraphs], reason)


def _paragraph(text: str) -> Paragraph:
    button = BUTTON.fullmatch(text)
    return Paragraph(button["words"], button["url"]) if button else Paragraph(text)
