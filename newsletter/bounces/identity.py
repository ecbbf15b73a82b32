"""Which message of ours a mail is about: by a return token, which we signed, or by a Message-ID that we made up.

Nobody else knows either, so a mail without them is a forgery, or somebody else's, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from newsletter import links
from newsletter.bounces.mail import Mail, every_header
from newsletter.mail_identity import RETURN_TOKEN, message_ids
from newsletter.models import Delivery, Notice

# Where servers write to whom they brought a mail.
ENVELOPE = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc", "received")
MOST = 100  # messages of ours in one mail


def subjects(mail: Mail, raw: bytes) -> list[Delivery | Notice]:
    """The deliveries and notices a mail is about.

    The address it came to decides. Where that was rewritten, the returned message has the same address as its
    envelope sender, and its own Message-ID.
    """
    return _by_tokens(envelope(mail)) or _by_tokens(_texts(mail, raw)) or _by_message_ids(_texts(mail, raw))


def answered(mail: Mail) -> list[Delivery | Notice]:
    """The messages that a mail answers: sent to their return address, or in reply to their Message-ID."""
    return _by_tokens(envelope(mail)) or _by_message_ids(every_header(mail.headers, "in-reply-to"))


def address_of(message: Delivery | Notice) -> str:
    """Whom a message was for, in small letters; empty after an erasure, and once a mail to an account went out."""
    subscription = message.subscription if isinstance(message, Notice) else None
    return (subscription.subscriber.email if subscription else message.address).lower()


def envelope(mail: Mail) -> list[str]:
    """Where a mail came to, as far as servers write it down."""
    return [text for name in ENVELOPE for text in every_header(mail.headers, name)]


def _texts(mail: Mail, raw: bytes) -> Iterator[str]:
    yield raw.decode("latin-1")
    yield mail.prose  # unfolded and decoded
    for copy in mail.returned:
        yield from (str(value) for value in copy.values())


def _by_tokens(texts: Iterable[str]) -> list[Delivery | Notice]:
    tokens = dict.fromkeys(token.lower() for text in texts for token in RETURN_TOKEN.findall(text))
    found: list[Delivery | Notice] = []
    for token in list(tokens)[:MOST]:
        try:
            kind, pk = links.read_return_token(token)
        except links.UnknownLink:
            continue
        found += Delivery.objects.filter(pk=pk) if kind == "d" else Notice.objects.filter(pk=pk)
    return found


def _by_message_ids(texts: Iterable[str]) -> list[Delivery | Notice]:
    ids = list(dict.fromkeys(name for text in texts for name in message_ids(text)))[:MOST]
    found: list[Delivery | Notice] = []
    for name in ids:
        if name.mailing:
            found += Delivery.objects.filter(mailing=name.mailing, subscriber=name.subscriber, message_id=name.text)
    resent = [name.text for name in ids if name.kind == "d" and not name.mailing]
    if resent:
        found += _resent(resent)
    found += Notice.objects.filter(message_id__in=[name.text for name in ids if name.kind == "n"])
    return found


def _resent(ids: list[str]) -> Iterable[Delivery]:
    # SQLite uses an index of some rows only where it reads the condition word for word.
    return Delivery.objects.filter(RawSQL("generation > 1", (), BooleanField()), message_id__in=ids)
