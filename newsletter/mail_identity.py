"""How our mails are told from others: the domain they name, their Message-IDs, and the addresses that answers come to.

Every Message-ID and every return address is made here and read here. A Message-ID is `<KIND.RANDOM@DOMAIN>`, or
`<d.MAILING.SUBSCRIBER.RANDOM@DOMAIN>` for a delivery, so that a delivery is found by the index of its mailing and
subscriber. Copies that were resent before have `<d.RANDOM@DOMAIN>`, and notices the domain for bounces.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Literal, NamedTuple
from urllib.parse import quote

import idna
from django.conf import settings

from newsletter import links

Kind = Literal["d", "n", "test"]  # a delivery, a notice, a test copy

UNSUBSCRIBE_TOKEN = re.compile(
    r"(?<![\w+-])(?:bounce\+)?(u[0-9a-f]{32}-[0-9a-z]{1,13}-[0-9a-f]{12})(?![\w-])", re.IGNORECASE
)
RETURN_TOKEN = re.compile(r"\bbounce\+([a-z]{1,8}-[0-9a-z]{1,13}-[0-9a-f]{20})@", re.IGNORECASE)
MESSAGE_ID = re.compile(r"<(d|n|test)\.(?:(\d{1,18})\.(\d{1,18})\.)?[0-9a-f]{24,32}@[^\s<>@]{1,255}>")


class MessageId(NamedTuple):
    """A Message-ID of ours, as it was written into the mail, and what it says; zeros where it says nothing."""

    text: str
    kind: str
    mailing: int = 0
    subscriber: int = 0


def mail_domain() -> str:
    """The domain our mail is from: that of MAIL_FROM, else the host of SITE_URL. In ASCII (RFC 5890)."""
    domain = parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2] or settings.SITE_HOST or "localhost"
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


def bounce_domain() -> str:
    """The domain that bounces come back to: BOUNCE_DOMAIN, else that of our mail."""
    return settings.BOUNCE_DOMAIN or mail_domain()


def return_address(kind: str, pk: int, domain: str = "") -> str:
    """Where a bounce of this one message comes back to: an address in the domain for bounces, if not in this one."""
    return f"bounce+{links.return_token(kind, pk)}@{domain or bounce_domain()}"


def takes_bounces() -> bool:
    """Whether there is a place where bounces are read: a mailbox, or a domain whose mail is piped to us."""
    return bool(settings.BOUNCE_MAILBOX_URL or settings.BOUNCE_DOMAIN)


def unsubscribe_mailto(token: str) -> str:
    """Where a reader writes to unsubscribe (RFC 2369), as a `mailto:`; empty where there is no such mailbox.

    Where bounces are read, the mail comes there and is obeyed by itself: to the same mailbox, as no other is sure to
    exist. Else people get it, at MAIL_REPLY_TO, with the token in its subject.

    Args:
        token: as `links.unsubscribe_mail_token` makes it, or what stands in its place in a template; a test copy has
            none.
    """
    if token and takes_bounces():
        return f"mailto:bounce+{token}@{bounce_domain()}?subject=unsubscribe"
    address = quote(parseaddr(settings.MAIL_REPLY_TO)[1], safe="@+!$'*/=^_~")
    subject = f"unsubscribe%20{token}" if token else "unsubscribe"
    return f"mailto:{address}?subject={subject}" if address else ""


def new_message_id(kind: Kind) -> str:
    """A Message-ID that nobody can guess, for a notice or a test copy."""
    return f"<{kind}.{secrets.token_hex(16)}@{mail_domain()}>"


def delivery_message_id(mailing: int, subscriber: int) -> str:
    """A Message-ID that nobody can guess, for a delivery; `delivery_message_id_sql` writes the same."""
    before, after = _around(mailing)
    return f"{before}{subscriber}.{secrets.token_hex(16)}{after}"


def delivery_message_id_sql(mailing: int, subscriber: str, vendor: str) -> tuple[str, tuple[str, str]]:
    """A new Message-ID for each row of a statement, as an SQL expression and its parameters.

    Args:
        mailing: the primary key of the mailing.
        subscriber: the column with the subscriber's primary key.
        vendor: of the database, as Django calls it.
    """
    random = {"postgresql": "replace(gen_random_uuid()::text, '-', '')", "sqlite": "lower(hex(randomblob(16)))"}
    return f"%s || {subscriber} || '.' || {random[vendor]} || %s", _around(mailing)


def message_ids(text: str) -> Iterator[MessageId]:
    """Every Message-ID in a text that has the form of ours, also of mails that were sent long ago."""
    for found in MESSAGE_ID.finditer(text):
        yield MessageId(found[0], found[1], int(found[2] or 0), int(found[3] or 0))


def _around(mailing: int) -> tuple[str, str]:
    """What stands before the subscriber and behind the random part in the Message-ID of a delivery."""
    return f"<d.{mailing}.", f"@{mail_domain()}>"
