"""Puts the message of a claimed row into its envelope; each variant is cut at its slots once per run of a sender."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from newsletter import links, messages
from newsletter.delivery.ledger import Kind, Row
from newsletter.delivery.replies import ADDRESS, DISCONNECTED, UNWRITABLE, Verdict, backoff
from newsletter.models import Dispatch, Notice, Variant
from newsletter.smtp import Message

logger = logging.getLogger(__name__)

MOST_VARIANTS = 512
_variants: dict[int | None, tuple[str, messages.Template]] = {}


def enclose(row: Row) -> Message | Verdict:
    """The message of a row, ready to go; or what to write down when it can not be made."""
    try:
        sender = return_address("d" if row.kind is Kind.DELIVERY else "n", row.pk)
        recipient = messages.wire_address(row.address)
        if row.kind is Kind.NOTICE:
            return Message(row, sender, recipient, messages.signed(_notice(row)))
        assert row.variant is not None
        language, template = _variant(row.variant)
        data = messages.signed(_delivery(row, language, template))
        filled_in = recipient + row.message_id + settings.SITE_URL  # in headers; bodies are quoted
        return Message(row, sender, recipient, data, template.dotless, template.ascii and filled_in.isascii())
    except ValueError as error:
        return Verdict(Dispatch.State.FAILED, ADDRESS, f"No message can be addressed to it: {error}")
    except DatabaseError as error:
        return Verdict(Dispatch.State.QUEUED, DISCONNECTED, f"The database was away: {error}", attempt=False)
    except Exception as error:
        logger.exception("The message of %s %s could not be written.", row.kind, row.pk)
        words, wait = f"The message could not be written: {error}", backoff(row.attempts)
        return Verdict(Dispatch.State.QUEUED, UNWRITABLE, words, wait, pauses=row.kind is Kind.DELIVERY)


def return_address(kind: str, pk: int) -> str:
    """Where a bounce of this one message comes back to."""
    return f"bounce+{links.return_token(kind, pk)}@{bounce_domain()}"


def bounce_domain() -> str:
    """BOUNCE_DOMAIN, else the domain of MAIL_FROM."""
    return settings.BOUNCE_DOMAIN or mail_domain()


def mail_domain() -> str:
    """The domain our Message-IDs end in: that of MAIL_FROM."""
    return parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2] or settings.SITE_HOST or "localhost"


def _delivery(row: Row, language: str, template: messages.Template) -> bytes:
    assert row.public_id is not None
    unsubscribe, preferences = links.personal_urls(row.public_id, row.mailing, language)
    date = _local(int(time.time()))
    return messages.fill(template, messages.Slots(row.address, row.message_id, date, unsubscribe, preferences))


@lru_cache(maxsize=2)
def _local(second: int) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(second, UTC))


def _notice(row: Row) -> bytes:
    return messages.notice_message(Notice.objects.select_related("subscription__subscriber").get(pk=row.pk))


def forget_variants() -> None:
    """Read variants anew: after a restore the number of one that was sent before may name another."""
    _variants.clear()


def is_at_hand(row: Row) -> bool:
    """Whether the message of a row can be made without asking the database."""
    return row.variant in _variants


def _variant(pk: int) -> tuple[str, messages.Template]:
    if pk not in _variants:
        if len(_variants) >= MOST_VARIANTS:
            _variants.pop(next(iter(_variants)))
        language, template = Variant.objects.values_list("language", "template").get(pk=pk)
        _variants[pk] = language, messages.Template.parse(template)
    return _variants[pk]
