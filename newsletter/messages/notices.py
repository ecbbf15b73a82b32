"""Automatic mails to one person: words from `templates/emails/notices/`, in the same frame as an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from content.models import Organisation
from newsletter import notices
from newsletter.links import unsubscribe_mail_token
from newsletter.messages import bodies
from newsletter.messages.letters import letter
from newsletter.messages.slots import Slots, fill
from newsletter.messages.tree import archive_url, home_url, postal_address
from newsletter.models import Notice

LINK = re.compile(r"\[(?P<words>[^\]]+)\]\s+(?P<url>https?://\S+)")


class Paragraph(NamedTuple):
    """Some words; with an address, the words of a link, and of a button where it is what the mail is for."""

    words: str
    url: str = ""
    is_button: bool = False


class Words(NamedTuple):
    """What a notice says: its subject, its paragraphs, and why it was sent."""

    subject: str
    paragraphs: list[Paragraph]
    reason: str


def notice_message(notice: Notice) -> bytes:
    """The finished mail of a notice, in its subscriber's language.

    The words are written in one plain file per kind: the subject, then paragraphs with an empty line between
    them. `[Words] address` is a link, the first one a button; the last paragraph says why the mail was sent.
    """
    subscription = notice.subscription
    assert subscription is not None
    newsletter, language = subscription.newsletter, subscription.subscriber.spoken_language
    links = notices.words(notice)
    written = _words(notice, language, links)
    context = {
        "words": written,
        "newsletter": newsletter.name,
        "organisation": Organisation.load().name,
        "home_url": home_url(language),
        "archive_url": archive_url(language),
        "postal_address": postal_address(),
        "unsubscribe": links["unsubscribe_url"],
        "preferences": links["preferences_url"],
    }
    slots = Slots(
        to=subscription.subscriber.email,
        message_id=notice.message_id,
        date=timezone.localtime(),
        unsubscribe=links["unsubscribe_url"],
        preferences=links["preferences_url"],
        unsubscribe_token=unsubscribe_mail_token(subscription.public_id, None),
    )
    both = bodies.render("notice", language, context)
    # RFC 3834: nobody's automatic reply may answer an automatic mail.
    template = letter(newsletter, written.subject, both, language, notice.kind, b"Auto-Submitted: auto-generated")
    return fill(template, slots)


def _words(notice: Notice, language: str, links: dict[str, object]) -> Words:
    context = {**links, "organisation": Organisation.load().name, "site": settings.SITE_URL}
    with translation.override(language):
        source = render_to_string(f"emails/notices/{notice.kind}.txt", context)
    subject, *texts, reason = [" ".join(part.split()) for part in re.split(r"\n\s*\n", source.strip())]
    return Words(subject, list(_paragraphs(texts)), reason)


def _paragraphs(texts: list[str]) -> Iterator[Paragraph]:
    first = True
    for text in texts:
        link = LINK.fullmatch(text)
        yield Paragraph(link["words"], link["url"], first) if link else Paragraph(text)
        first = first and link is None
