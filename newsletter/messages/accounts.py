"""Mails to people with an account here: the link to a new password, and the bytes of what Django and Wagtail write."""

from __future__ import annotations

import copy
import re
from email.charset import QP, Charset
from typing import cast

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from wagtail.users.models import UserProfile

from newsletter.models import Notice

LINE_END = re.compile(rb"\r\n|\r|\n")
QUOTED = Charset("utf-8")  # not every relay takes 8 bits (RFC 6152)
QUOTED.body_encoding = QP


class NoSuchAccount(Exception):
    """Nobody who may sign in has this address."""


def account_message(notice: Notice) -> tuple[str, bytes]:
    """Whom a mail to somebody with an account goes to, and the finished mail.

    Raises:
        NoSuchAccount: a new password was asked for, and nobody has this address.
    """
    if notice.kind == Notice.Kind.ACCOUNT:
        return notice.address, bytes(notice.message or b"")
    people = cast(list[User], list(PasswordResetForm().get_users(notice.address)))
    if not people:
        raise NoSuchAccount
    # To the address as it is kept, not as it was typed: look-alikes must not lead a link elsewhere.
    address = people[0].email
    people = [person for person in people if person.email.lower() == address.lower()]
    with translation.override(UserProfile.get_for_user(people[0]).get_preferred_language()):
        words = render_to_string(
            "emails/accounts/password.txt",
            {
                "accounts": [(person.get_username(), _password_url(person)) for person in people],
                "site": settings.SITE_URL,
                "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
            },
        )
    subject, _blank, body = words.strip().partition("\n\n")
    return address, wire_bytes(EmailMessage(subject, f"{body}\n", to=[address]), notice.message_id)


def wire_bytes(message: EmailMessage, message_id: str) -> bytes:
    """One of Django's messages as it goes over the wire: ASCII, if its headers allow, and CRLF at the end of lines.

    Args:
        message: any subclass.
        message_id: takes the place of its own.

    Raises:
        BadHeaderError: a header has a line break.
    """
    message = copy.copy(message)
    message.encoding = QUOTED
    message.extra_headers = {
        # RFC 3834: nobody's automatic reply may answer an automatic mail.
        "Auto-Submitted": "auto-generated",
        **{name: value for name, value in message.extra_headers.items() if name.lower() != "message-id"},
        "Message-ID": message_id,
    }
    return LINE_END.sub(b"\r\n", message.message().as_bytes())


def _password_url(person: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    token = default_token_generator.make_token(person)
    return f"{settings.SITE_URL}{reverse('wagtailadmin_password_reset_confirm', args=[uid, token])}"
