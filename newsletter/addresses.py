"""Mail addresses and the names before them: which are one and the same, how they are hidden, what outlives them."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import unquote

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from content.text_cleaning import clean_line

LONGEST = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
LONGEST_NAME = 120
LONGEST_TYPED = 1000  # characters that are looked at; an address with a name and brackets around it is shorter
NO_BREAK_SPACE = re.compile("(?<=[^\\s@])[\u00a0\u2007\u202f]+(?=[^\\s@])")
WRAPPED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>(?P<rest>[^<>@]*)")
# What no address begins or ends with (RFC 5322, atext), and what people and programs set around one.
BEFORE, BEHIND = ' ,;:<(["“”„«»\u2039\u203a\u2018', " .,;:!?>)]}\"“”«»\u2039\u203a\u2019'`|*_"
# Signs that may well begin an address: they go only where their other half stands behind it.
PAIRS = {"'": "'", "`": "`", "*": "*", "_": "_", "|": "|", "{": "}"}
REMARK = re.compile(r" *\([^()@]*\)$")
ADDRESS = re.compile(r"[^\s@<>,;]@[^\s@<>,;]")


class InvalidAddress(ValueError):
    """The text is no address that we can write to. Its message says why, in plain words."""


class Address(NamedTuple):
    """An address as mail is sent to it, and the key under which it is one and the same."""

    email: str
    key: str


def parse(text: str) -> Address:
    """Read an address a person typed.

    What stands around it by accident is taken off: a name, brackets, `mailto:`, quotation marks, a comma, invisible
    signs and blanks of every kind. The domain is written in ASCII (IDNA), the rest as typed. Letters outside ASCII
    before the @ are refused: not every relay carries them (RFC 6531), and look-alikes hide there.

    Raises:
        InvalidAddress: with a message for the person who typed it.
    """
    text = _unwrapped(text[:LONGEST_TYPED])
    local, _at, _domain = text.rpartition("@")
    if not text:
        raise InvalidAddress(_("Please enter your email address."))
    if len(text) > LONGEST:
        raise InvalidAddress(_("This is too long for an email address. Please check it."))
    if len(ADDRESS.findall(text)) > 1:
        raise InvalidAddress(_("This is more than one address. Please enter one."))
    if " " in text and '"' not in text:
        raise InvalidAddress(_("There is a space inside this address. Please leave only the address itself."))
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


def _unwrapped(text: str) -> str:
    """The address alone, out of what was typed or pasted; a text that holds more than one stays as it is."""
    line = clean_line(NO_BREAK_SPACE.sub(_joined, text))
    wrapped = WRAPPED.fullmatch(line)
    if wrapped and ("@" not in wrapped["name"] or _bare(wrapped["name"]) == _bare(wrapped["address"])):
        line = wrapped["address"]
    return _bare(line)


def _bare(text: str) -> str:
    """The text without `mailto:` before it and punctuation around it."""
    text = REMARK.sub("", text).lstrip(BEFORE)
    if text[:7].lower() == "mailto:":
        # RFC 6068: percent-encoded, with headers behind a question mark.
        local, _at, domain = unquote(text[7:]).partition("@")
        text = f"{local}@{domain.partition('?')[0]}"
    text = text.lstrip(BEFORE)
    end = len(text.rstrip(BEHIND))
    begin = int(end > 0 and text[0] in PAIRS and PAIRS[text[0]] in text[end:])
    return re.sub(" *@ *", "@", text[begin:end])


def _joined(space: re.Match[str]) -> str:
    """Nothing for a no-break space that broke an address in two; a plain space for one between two things.

    It joins what no reading would keep apart: `mar ia@school.org` and `maria@school .org`, but neither
    `Maria maria@school.org` nor `maria@school.org Maple` with such a space.
    """
    before, behind = space.string[: space.start()], space.string[space.end() :]
    if before.split() != [before] or behind.split() != [behind]:
        return " "
    _local, in_domain, domain = before.rpartition("@")
    if in_domain:
        return "" if behind.startswith(".") or "." not in domain.rstrip(".") else " "
    return " " if before[:1].isupper() else ""


def address_key(email: str) -> str:
    """The key under which an address is one and the same: trimmed, IDNA, lower case.

    Raises:
        InvalidAddress: when it is no address that we can write to.
    """
    return parse(email).key


def tidy_name(text: str) -> str:
    """A person's name on one line, without invisible signs, at most 120 characters."""
    return clean_line(text[:1000])[:LONGEST_NAME].rstrip()


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
