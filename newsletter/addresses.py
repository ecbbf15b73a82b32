"""Mail addresses and the names before them: which are one and the same, how they are hidden, what outlives them."""

from __future__ import annotations

import ipaddress
import unicodedata
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

LONGEST = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
BLANKS = " \t\r\n"
LONGEST_NAME = 120
UNPRINTABLE = {"Cc", "Cs", "Cn", "Zl", "Zp"}  # Unicode: control, surrogate, unassigned, line and paragraph ends


class InvalidAddress(ValueError):
    """The text is no address that we can write to. Its message says why, in plain words."""


class Address(NamedTuple):
    """An address as mail is sent to it, and the key under which it is one and the same."""

    email: str
    key: str


def parse(text: str) -> Address:
    """Read an address a person typed.

    The domain is written in ASCII (IDNA), the rest as typed; only plain blanks around it are taken off. Letters
    outside ASCII before the @ are refused: not every relay carries them (RFC 6531), and look-alikes hide there.

    Raises:
        InvalidAddress: with a message for the person who typed it.
    """
    text = text.strip(BLANKS)
    local, _at, _domain = text.rpartition("@")
    if not text:
        raise InvalidAddress(_("Please enter your email address."))
    if len(text) > LONGEST:
        raise InvalidAddress(_("This is too long for an email address. Please check it."))
    if not local.isascii():
        raise InvalidAddress(_("We can not write to addresses with letters like “é” before the @. Please use another."))
    try:
        # `.test` names (RFC 6761) are let in, so that one can rehearse with addresses that belong to nobody.
        found = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, strict=True, test_environment=True
        )
    except EmailNotValidError as error:
        raise InvalidAddress(
            _("This does not look like an email address. It should read like name@school.org.")
        ) from error
    if "." not in found.ascii_domain:
        raise InvalidAddress(_("The part after the @ is not complete. It should read like school.org."))
    email = f"{found.local_part}@{found.ascii_domain}"
    return Address(email, email.lower())


def address_key(email: str) -> str:
    """The key under which an address is one and the same: trimmed, IDNA, lower case.

    Raises:
        InvalidAddress: when it is no address that we can write to.
    """
    return parse(email).key


def tidy_name(text: str) -> str:
    """A person's name on one line: single blanks, no control characters, at most 120 characters."""
    signs = (" " if unicodedata.category(sign) in UNPRINTABLE else sign for sign in text[:1000])
    return " ".join("".join(signs).split())[:LONGEST_NAME].rstrip()


def masked(email: str) -> str:
    """An address that its owner knows again and a stranger can not use: `m•••@e•••.org`."""
    local, _at, domain = email.rpartition("@")
    name, _dot, rest = domain.partition(".")
    return f"{local[:1]}•••@{name[:1]}•••.{rest}"


def keyed_hash(text: str, secret: str | None = None) -> str:
    """HMAC-SHA256 of a text in hex, keyed with SECRET_KEY or another secret: equal texts, equal hashes."""
    return salted_hmac("newsletter.addresses", text, secret=secret, algorithm="sha256").hexdigest()


def erased_key(key: str, secret: str | None = None) -> str:
    """What is kept of an erased address, so that no import brings the person back."""
    return f"erased:{keyed_hash(key, secret)}"


def suppression_keys(key: str) -> list[str]:
    """Every form in which an address may stand among the suppressions, older secret keys included."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [key, *(erased_key(key, secret) for secret in secrets)]


def network(ip: str) -> str:
    """The network a request came from: /24 for IPv4, /64 for IPv6 (IPv4 in disguise counts as IPv4)."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))
