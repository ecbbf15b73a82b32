"""Puts the message of a claimed row into its envelope; each variant is read and cut at its slots once."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from newsletter import links, messages
from newsletter.delivery.ledger import Kind, Row
from newsletter.delivery.replies import ADDRESS, DISCONNECTED, UNWRITABLE, Verdict, backoff
from newsletter.mail_identity import bounce_domain, return_address
from newsletter.models import Dispatch, Notice, Variant
from newsletter.smtp import Message

logger = logging.getLogger(__name__)

MOST_VARIANTS = 512
NO_ACCOUNT = "no account"  # why nobody was sent a new password


class _Variant(NamedTuple):
    """What the messages of one variant have in common."""

    template: messages.Template
    links: links.Personal
    ascii: bool


class Envelopes:
    """Puts the messages of claimed rows into their envelopes, for one run of a sender.

    The next run reads variants anew: after a restore the number of one that was sent before may name another.
    """

    def __init__(self) -> None:
        self._variants: dict[int, _Variant] = {}
        self._domain = bounce_domain()

    def at_hand(self, row: Row) -> bool:
        """Whether the message of a row can be made without asking the database."""
        return row.variant in self._variants

    def enclose(self, row: Row) -> Message | Verdict:
        """The message of a row, ready to go; or what to write down when it can not be made."""
        try:
            sender = return_address("n" if row.kind is Kind.NOTICE else "d", row.pk, self._domain)
            if row.kind is Kind.NOTICE:
                address, notice = _notice(row)
                return Message(row, sender, messages.wire_address(address), messages.signed(notice))
            recipient = messages.wire_address(row.address)
            variant = self._variant(row)
            data = messages.signed(_delivery(row, variant))
            # The address and the Message-ID stand in headers; bodies are quoted.
            ascii_only = variant.ascii and recipient.isascii() and row.message_id.isascii()
            return Message(row, sender, recipient, data, variant.template.dotless, ascii_only)
        except messages.NoSuchAccount:
            return Verdict(Dispatch.State.SKIPPED, NO_ACCOUNT, attempt=False)
        except ValueError as error:
            return Verdict(Dispatch.State.FAILED, ADDRESS, f"No message can be addressed to it: {error}")
        except DatabaseError as error:
            return Verdict(Dispatch.State.QUEUED, DISCONNECTED, f"The database was away: {error}", attempt=False)
        except Exception as error:
            logger.exception("The message of %s %s could not be written.", row.kind, row.pk)
            words, wait = f"The message could not be written: {error}", backoff(row.attempts)
            return Verdict(Dispatch.State.QUEUED, UNWRITABLE, words, wait, pauses=row.kind is Kind.DELIVERY)

    def _variant(self, row: Row) -> _Variant:
        assert row.variant is not None
        known = self._variants.get(row.variant)
        if known is None:
            if len(self._variants) >= MOST_VARIANTS:
                self._variants.pop(next(iter(self._variants)))
            language, found = Variant.objects.values_list("language", "template").get(pk=row.variant)
            template = messages.Template.parse(found)
            ascii_only = template.ascii and settings.SITE_URL.isascii()
            known = _Variant(template, links.Personal(row.mailing, language), ascii_only)
            self._variants[row.variant] = known
        return known


def _delivery(row: Row, variant: _Variant) -> bytes:
    assert row.public_id is not None
    date = _local(int(time.time()))
    return messages.fill(
        variant.template, messages.Slots(row.address, row.message_id, date, *variant.links.urls(row.public_id))
    )


@lru_cache(maxsize=2)
def _local(second: int) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(second, UTC))


def _notice(row: Row) -> tuple[str, bytes]:
    notice = Notice.objects.select_related("subscription__subscriber").get(pk=row.pk)
    return (row.address, messages.notice_message(notice)) if notice.subscription else messages.account_message(notice)
