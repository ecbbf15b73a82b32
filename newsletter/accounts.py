"""Mails to people with an account here: all that Django and Wagtail send leaves through the ledger."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.http import HttpRequest
from wagtail.admin.forms.auth import PasswordResetForm as WagtailsForm

from newsletter import limits, messages, notices
from newsletter.mail_identity import new_message_id
from newsletter.models import Attempt, Notice

logger = logging.getLogger(__name__)


class LedgerBackend(BaseEmailBackend):
    """Django's EMAIL_BACKEND: queues each mail, once for each of its recipients."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Queue mails.

        Returns:
            How many were queued for somebody.

        Raises:
            BadHeaderError: one of them has a line break in a header; none is queued.
        """
        with transaction.atomic():
            return sum(map(_queue, email_messages))


def _queue(message: EmailMessage) -> bool:
    recipients = message.recipients()
    for recipient in recipients:
        message_id = new_message_id("n")
        data = messages.wire_bytes(message, message_id)
        notices.queue_for_account(parseaddr(recipient)[1], Notice.Kind.ACCOUNT, data, message_id)
    return bool(recipients)


class PasswordResetForm(WagtailsForm):
    """Takes an address, and leaves all else to the sender: it looks for the account and writes the link.

    So neither the answer nor its time tells whether there is an account.
    """

    def save(self, *_arguments: Any, request: HttpRequest, **_options: Any) -> None:
        """Queue the mail.

        Raises:
            TooManyAttempts: the address, or the network, has asked too often; whether there is an account or not.
        """
        address = self.cleaned_data["email"]
        limits.attempt(Attempt.Action.RESET, address, request.META["REMOTE_ADDR"])
        notices.queue_for_account(address, Notice.Kind.PASSWORD)
        logger.info("A link to a new password was asked for.")
