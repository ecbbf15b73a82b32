"""Signed addresses: what the links in our mails carry, and how a bounce finds its delivery again.

A token holds a public id and a number, and 128 bits of HMAC-SHA256 under a key of its own purpose, so that a link
to unsubscribe can never confirm. Tokens are made from facts alone: the same mail, made again, has the same links.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import base36_to_int, int_to_base36

from content import languages

CONFIRM, PREFERENCES, UNSUBSCRIBE, EXPORT, ERASE = "confirm", "preferences", "unsubscribe", "export", "erase"
COPIES = "copies"
LIFETIMES = {CONFIRM: timedelta(hours=72), EXPORT: timedelta(hours=1), ERASE: timedelta(hours=1)}
SIGNATURE_BYTES = 16
URL_SAFE = bytes.maketrans(b"+/", b"-_")
MAIL_TOKEN = re.compile(r"u[0-9a-f]{32}-[0-9a-z]{1,13}-[0-9a-f]{12}").fullmatch
URL_UNSAFE = bytes.maketrans(b"-_", b"+/")
# A token before the @ of an address: 64 characters with all that stands there (RFC 5321), and capitals may get lost.
RETURN_SIGNATURE_BYTES = 10
MAIL_SIGNATURE_BYTES = 6  # beside a public id that nobody can guess


class Token:
    """A token at the end of a path: written with a slash behind it, and read without one too.

    Who drops the slash must not be redirected, since RFC 8058 (section 3.1) has mail services follow no redirect.
    Mail programs also take for a part of the link what stands behind it in the text: a dot, a bracket, a blank, some
    of it encoded once more. No token ends like that, so it is dropped.
    """

    regex = r"[\s\S]+"

    def to_python(self, text: str) -> str:
        text = html.unescape(unquote(text))
        end = len(text)
        while end and not (text[end - 1].isascii() and (text[end - 1].isalnum() or text[end - 1] in "-_")):
            end -= 1
        return text[:end]

    def to_url(self, token: str) -> str:
        return f"{token}/"


class UnknownLink(Exception):
    """No link of ours: altered, cut short, or made for another purpose."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: whose subscription, and the mailing it came with or the microsecond it was made."""

    purpose: str
    public_id: str
    number: int

    @property
    def mailing_id(self) -> int | None:
        """The mailing this link was sent with; None when it came with a notice."""
        return self.number or None

    @property
    def made_at(self) -> datetime:
        return datetime.fromtimestamp(self.number / 1_000_000, UTC)

    @property
    def expired(self) -> bool:
        lifetime = LIFETIMES.get(self.purpose)
        return lifetime is not None and self.made_at + lifetime < timezone.now()


def confirm_url(public_id: str, made_at: datetime, language: str) -> str:
    """Where a subscription is confirmed; works for 72 hours after `made_at`."""
    return _url(CONFIRM, public_id, _moment(made_at), language)


def export_url(public_id: str, made_at: datetime, language: str) -> str:
    """Where a person takes a copy of their data; works for an hour after `made_at`."""
    return _url(EXPORT, public_id, _moment(made_at), language)


def erase_url(public_id: str, made_at: datetime, language: str) -> str:
    """Where a person has their data erased; works for an hour after `made_at`."""
    return _url(ERASE, public_id, _moment(made_at), language)


def preferences_url(public_id: str, language: str) -> str:
    """Where a subscriber changes their choices; never expires."""
    return _url(PREFERENCES, public_id, 0, language)


def unsubscribe_url(public_id: str, mailing_id: int | None, language: str) -> str:
    """Where a subscription ends, by button or by RFC 8058 one-click; never expires."""
    return _url(UNSUBSCRIBE, public_id, mailing_id or 0, language)


def unsubscribe_mail_token(public_id: str, mailing_id: int | None) -> str:
    """The middle of an address that a subscription ends by writing to: `bounce+<token>@...`; never expires."""
    number = int_to_base36(mailing_id or 0)
    return _mail_token(public_id, number, _digest(UNSUBSCRIBE, f"{public_id}.{number}", settings.SECRET_KEY))


def copies_url(public_id: str, language: str) -> str:
    """Where somebody who got a test copy ends them, and their subscription; never expires."""
    return _url(COPIES, public_id, 0, language)


class Personal:
    """The ways out in the messages of one mailing and language, and the link to one's preferences."""

    def __init__(self, mailing_id: int | None, language: str) -> None:
        self._secret = settings.SECRET_KEY
        self._leave = f"{settings.SITE_URL}{_path(UNSUBSCRIBE, language)}"
        self._prefer = f"{settings.SITE_URL}{_path(PREFERENCES, language)}"
        self._number = int_to_base36(mailing_id or 0)

    def urls(self, public_id: str) -> tuple[str, str, str]:
        """As `unsubscribe_url`, `preferences_url` and `unsubscribe_mail_token` make them, for one reader."""
        leave, prefer = f"{public_id}.{self._number}", f"{public_id}.0"
        digest = _digest(UNSUBSCRIBE, leave, self._secret)  # for the link and the mail, which show other parts of it
        return (
            f"{self._leave}{leave}.{_shown(digest)}/",
            f"{self._prefer}{prefer}.{_mark(PREFERENCES, prefer, self._secret)}/",
            _mail_token(public_id, self._number, digest),
        )


def read(purpose: str, token: str) -> Link:
    """What a token of this purpose says; see `Link.expired` for its age.

    Raises:
        UnknownLink: when we did not make it for this purpose.
    """
    text, _dot, signature = token.rpartition(".")
    public_id, _dot, number = text.partition(".")
    if not token.isascii() or not any(hmac.compare_digest(signature, mark) for mark in _marks(purpose, text)):
        raise UnknownLink
    return Link(purpose, public_id, base36_to_int(number))


def read_unsubscribe_mail_token(token: str) -> Link:
    """What a token of `unsubscribe_mail_token` says; capitals are forgiven.

    Raises:
        UnknownLink: when we did not make it.
    """
    if not MAIL_TOKEN(token.lower()):
        raise UnknownLink
    person, number, mark = token.lower()[1:].split("-")
    public_id = _shown(bytes.fromhex(person))
    text = f"{public_id}.{number}"
    if not any(hmac.compare_digest(mark, _mail_mark(_digest(UNSUBSCRIBE, text, secret))) for secret in _secrets()):
        raise UnknownLink
    return Link(UNSUBSCRIBE, public_id, base36_to_int(number))


def return_token(kind: str, pk: int) -> str:
    """The middle of an envelope sender `bounce+<token>@...`: small letters, digits and hyphens only.

    Args:
        kind: what went out, such as `d` for a delivery or `n` for a notice; letters only.
        pk: its primary key.
    """
    text = f"{kind}-{int_to_base36(pk)}"
    return f"{text}-{_return_mark(text, settings.SECRET_KEY)}"


def read_return_token(token: str) -> tuple[str, int]:
    """The kind and primary key a return token was made for; capitals are forgiven, as some servers change them.

    Raises:
        UnknownLink: when we did not make it.
    """
    text, _hyphen, mark = token.lower().rpartition("-")
    kind, _hyphen, number = text.partition("-")
    if not token.isascii() or not any(hmac.compare_digest(mark, _return_mark(text, secret)) for secret in _secrets()):
        raise UnknownLink
    return kind, base36_to_int(number)


def _moment(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _url(purpose: str, public_id: str, number: int, language: str) -> str:
    text = f"{public_id}.{int_to_base36(number)}"
    return f"{settings.SITE_URL}{_path(purpose, language)}{text}.{_mark(purpose, text, settings.SECRET_KEY)}/"


@lru_cache(maxsize=64)
def _path(purpose: str, language: str) -> str:
    with translation.override(languages.spoken(language)):
        return reverse(f"newsletter_{purpose}", args=["token"]).removesuffix("token/")


def _secrets() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _marks(purpose: str, text: str) -> list[str]:
    return [_mark(purpose, text, secret) for secret in _secrets()]


def _mark(purpose: str, text: str, secret: str) -> str:
    return _shown(_digest(purpose, text, secret))


def _shown(digest: bytes) -> str:
    """The first 16 bytes as letters that an address may hold, as public ids are written too."""
    return binascii.b2a_base64(digest[:SIGNATURE_BYTES], newline=False).translate(URL_SAFE, b"=").decode()


def _mail_token(public_id: str, number: str, digest: bytes) -> str:
    person = binascii.a2b_base64(public_id.encode().translate(URL_UNSAFE) + b"==").hex()
    return f"u{person}-{number}-{_mail_mark(digest)}"


def _mail_mark(digest: bytes) -> str:
    """A part of a signature that no link shows."""
    return digest[SIGNATURE_BYTES : SIGNATURE_BYTES + MAIL_SIGNATURE_BYTES].hex()


def _return_mark(text: str, secret: str) -> str:
    return _digest("return", text, secret)[:RETURN_SIGNATURE_BYTES].hex()


def _digest(purpose: str, text: str, secret: str) -> bytes:
    # A copy of what has taken in the key is cheaper than to take it in once more, three times a message.
    begun = _begun(purpose, secret).copy()
    begun.update(text.encode())
    return begun.digest()


@lru_cache(maxsize=64)
def _begun(purpose: str, secret: str) -> hmac.HMAC:
    return hmac.new(hashlib.sha256(f"newsletter.links {purpose} {secret}".encode()).digest(), digestmod="sha256")
