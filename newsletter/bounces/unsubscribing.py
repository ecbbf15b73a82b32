"""Mails by which readers unsubscribe: mail programs write them for whoever presses their "Unsubscribe" (RFC 2369).

A mail to the signed address of a message ends the subscription, whatever it says and whoever it is from. So does a
mail with the subject "unsubscribe" that answers a message of ours, as programs write to the plain addresses of older
mails. Where there is nothing but a sender's name, which anybody may forge, that address gets a link and decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db import transaction

from newsletter import links, notices, subscribers
from newsletter.bounces import autoreplies, identity
from newsletter.bounces.findings import address_in
from newsletter.bounces.mail import Mail
from newsletter.bounces.recognition import is_surely_bounce
from newsletter.bounces.record import Report, event_id, record
from newsletter.mail_identity import UNSUBSCRIBE_TOKEN
from newsletter.models import Bounce, Delivery, Notice, Subscription

BODY = re.compile(r"\bunsubscribe\b", re.IGNORECASE)
BEGINNING = 500  # characters of a mail without a subject
_SUBJECT = r"\W*unsubscribe\b\W*(?:u[0-9a-f]{32}-\S{1,40})?"
PLAIN_SUBJECT = re.compile(_SUBJECT, re.IGNORECASE)
SUBJECT = re.compile(rf"\W*(?:(?:re|aw|sv|rv|fwd?)\s*:\s*)*{_SUBJECT}", re.IGNORECASE)
STANDING = [Subscription.Status.PENDING, Subscription.Status.CONFIRMED]
SOURCE = "mail"
MOST = 10  # tokens of one mail


def obey(mail: Mail, raw: bytes) -> int | None:
    """End the subscriptions that a reader asks by this mail to end.

    Returns:
        How many ended; None when it is no such mail, or proves nothing.

    Raises:
        DatabaseError: it could not be recorded.
    """
    if _is_no_wish(mail):
        return None
    signed = _signed(mail)
    if signed:
        return sum(_end(mail, subscription, message, link.mailing_id) for link, subscription, message in signed)
    if not _says_unsubscribe(mail):
        return None
    messages = _answered(mail, raw)
    if messages:
        return sum(_end_for(mail, message) for message in messages)
    return 0 if _offer_link(address_in(mail.header("from"))) else None


def _is_no_wish(mail: Mail) -> bool:
    """Whether nobody asked for this mail: a report, a bounce or an automatic reply (RFC 3834) that came by mistake.

    Some mail programs mark what they write for somebody who unsubscribes as automatic too; it has the subject that our
    address asks for, or none.
    """
    subject = mail.header("subject")
    return (
        mail.header("return-path") == "<>"
        or bool(mail.status or mail.feedback)
        or mail.headers.get_content_type() == "multipart/report"
        or (is_surely_bounce(mail) and not SUBJECT.fullmatch(subject))
        or bool(autoreplies.SUBJECT.match(subject))
        or (autoreplies.is_automatic(mail) and bool(subject) and not PLAIN_SUBJECT.fullmatch(subject))
    )


def _says_unsubscribe(mail: Mail) -> bool:
    subject = mail.header("subject")
    return bool(SUBJECT.fullmatch(subject) if subject else BODY.search(mail.prose[:BEGINNING]))


def _signed(mail: Mail) -> list[tuple[links.Link, Subscription, Delivery | Notice | None]]:
    """Whose subscriptions the signed addresses are about that a mail came to, and the messages that held these."""
    places = [*identity.envelope(mail), mail.header("subject")]
    tokens = dict.fromkeys(token.lower() for text in places for token in UNSUBSCRIBE_TOKEN.findall(text))
    found = []
    for token in list(tokens)[:MOST]:
        try:
            link = links.read_unsubscribe_mail_token(token)
        except links.UnknownLink:
            continue
        for subscription in Subscription.objects.filter(public_id=link.public_id):
            found.append((link, subscription, _message(subscription, link.mailing_id)))
    return found


def _message(subscription: Subscription, mailing_id: int | None) -> Delivery | Notice | None:
    """The last message that came with this mailing, or with none."""
    if mailing_id is None:
        return Notice.objects.filter(subscription=subscription).order_by("-pk").first()
    sent = Delivery.objects.filter(mailing=mailing_id, subscriber=subscription.subscriber_id)
    return sent.order_by("-generation").first()


def _answered(mail: Mail, raw: bytes) -> Sequence[Delivery | Notice]:
    """The messages that a mail answers. One that is only quoted counts for its own reader: others may have got it."""
    sender = address_in(mail.header("from"))
    quoted = (message for message in identity.subjects(mail, raw) if sender == identity.address_of(message))
    return identity.answered(mail) or list(quoted)


@transaction.atomic
def _end(mail: Mail, subscription: Subscription, message: Delivery | Notice | None, mailing_id: int | None) -> bool:
    """False when it had ended before, or when this very mail was obeyed before: who came back since is left alone."""
    if message is not None and not _is_new(mail, message):
        return False
    return subscribers.unsubscribe(subscription, mailing_id=mailing_id, source=SOURCE)


@transaction.atomic
def _end_for(mail: Mail, message: Delivery | Notice) -> bool:
    return _is_new(mail, message) and subscribers.unsubscribe_reader(message, source=SOURCE)


def _is_new(mail: Mail, message: Delivery | Notice) -> bool:
    """Write down that the message arrived, as this answer shows. False when that is known from the same mail."""
    report = Report(
        Bounce.Kind.DELIVERED,
        event_id(mail, "unsubscribe", type(message).__name__, str(message.pk)),
        delivery=message.pk if isinstance(message, Delivery) else None,
        notice=message.pk if isinstance(message, Notice) else None,
        detail=mail.header("subject") or "unsubscribe",
    )
    return record(report)


def _offer_link(address: str) -> bool:
    """Mail a link to unsubscribe to an address, if it is subscribed to anything. Whether it is."""
    found = Subscription.objects.filter(subscriber__address_key=address, status__in=STANDING) if address else []
    for subscription in found:
        notices.queue(subscription, Notice.Kind.UNSUBSCRIBE)
    return bool(found)
