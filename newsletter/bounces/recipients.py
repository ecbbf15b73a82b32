"""Whom a bounce in plain words is about: many servers list, name or only quote the recipients, each in its own way."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator

from flufl.bounce import all_failures

from newsletter import diagnosis
from newsletter.bounces import transcripts
from newsletter.bounces.findings import ADDRESS, address_in
from newsletter.bounces.mail import Mail
from newsletter.bounces.quotations import quoted_recipient, senders
from newsletter.bounces.recognition import SENDERS, SUBJECTS
from newsletter.diagnosis.phrases import any_of

logger = logging.getLogger(__name__)

LONGEST = 50_000  # characters that are searched for recipients
NEAR = 60  # characters before an address that say what it is for
# `<name@host>:`, `  name@host`, `  * name@host`, `name@host on 3/2/26`: a line that begins a recipient.
LISTED = re.compile(
    r"^[ \t>*\-]{0,12}(?:\d{1,3}[.)][ \t]*)?(?:[\"']?(?!\d)[\w .'-]{0,40}[\"']?[ \t]*(?=[<(]))?"
    r"[<(]?(?:mailto:|smtp:|rfc822;[ \t]?)?"
    rf"({ADDRESS.pattern})[>)]?[\"']?"
    r"(?:[ \t]*(?:[:(\[<;,|].{0,1000}|[-–] .{0,1000}|\.{3}.{0,1000}|on \d.{0,1000}))?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# `Delivery failed: name@host`: a line that says what follows it.
LABELED = re.compile(
    r"^[ \t>*\-]{0,12}(\w[\w .()'/-]{0,60}?)[ \t]*[:\uff1a][ \t]*(?:smtp[ \t:]*)?[<\"'\[]{0,2}(?:mailto:|smtp:)?"
    rf"({ADDRESS.pattern})[>\"'\]]{{0,2}}[ \t.]*$",
    re.IGNORECASE | re.MULTILINE,
)
NO_RECIPIENT = any_of(r"""
    ^(?:from|sender|reply-?to|return-?path|cc|bcc|errors-to|message-id|mail from|x-.*|von|de|da|van)$
    \boriginal|\bhelo\b
    contact|question|help|support|postmaster|admin|owner|manager|abuse|info\b|more
""")
# A paragraph that begins with one.
OPENING = re.compile(rf"(?:\A|\n[ \t]*\n|:[ \t]*\n)[ \t>*\-]{{0,12}}<?({ADDRESS.pattern})>?[ \t]", re.IGNORECASE)
_BEFORE = any_of(r"""
    recipients?(?: address)?|undeliverable to|unknown user|reach|address(?:es)?|user|group
    (?:mailing |distribution )?list|members? of
    deliver(?:ing|ed|y|able)?(?: your| this| the)?(?: mail| message| e-?mail)?(?: was not)?(?: to)?
    (?:message|mail) (?:to|for)|to
    empf[aä]nger\w*|an|f[uü]r
    destinatario\w*|para|a
    à
    宛
""")
# Sentences that name one.
NAMED = re.compile(
    rf"(?<!\w)(?:{_BEFORE.pattern})(?:[^\S\n]{{0,3}}:\s{{0,6}}|\s{{1,6}}|(?=[<\"'(]))[\"'<(«“]{{0,2}}"
    rf"(?:mailto:)?({ADDRESS.pattern})",
    re.IGNORECASE,
)
CONTACT = any_of(r"""
    contact|question|help|support|assist|inquir|complain|forward|more information|reply|write to|abuse
    kontakt|fragen|contacte|consult|ayuda|aide
""")


def recipients(mail: Mail, text: str) -> list[str]:
    """The addresses of a bounce, from the surest place that has any.

    Those listed, those in a transcript, those behind a label, those that begin a paragraph, what others know how to
    find, those named in a sentence, the only one there is, and at last the one that the message was written to.
    """
    text = text[:LONGEST]
    own = {address_in(mail.header(name)) for name in ("from", "to", "delivered-to", "return-path", "sender")}
    servers: list[str] = []
    for found in _places(mail, text):
        addresses = dict.fromkeys(address for text in found if (address := address_in(text)) and address not in own)
        people = [address for address in addresses if not SENDERS.match(address)]
        if people:
            return people
        servers = servers or list(addresses)
    return servers or [address for text in LISTED.findall(text)[:1] if (address := address_in(text))]


def listed(line: str) -> str:
    """The recipient that begins with this line, in small letters; empty when none does."""
    found, labeled = LISTED.match(line), LABELED.match(line)
    if labeled and not NO_RECIPIENT.search(labeled[1]):
        return labeled[2].lower()
    return found[1].lower() if found else ""


def _places(mail: Mail, text: str) -> Iterator[Iterable[str]]:
    yield LISTED.findall(text)
    yield transcripts.statements(text)
    yield [address for label, address in LABELED.findall(text) if not NO_RECIPIENT.search(label)]
    yield OPENING.findall(text)
    yield _flufl(mail)
    yield [found[1] for found in NAMED.finditer(text) if not _is_contact(text, found)]
    if not (SUBJECTS.search(mail.header("subject")) or diagnosis.diagnose(text)):
        return  # a mail server may write about other things, such as what it keeps in quarantine
    yield _only({found[0].lower() for found in ADDRESS.finditer(text) if not _is_contact(text, found)} - senders(mail))
    yield [quoted_recipient(mail)]


def _is_contact(text: str, found: re.Match[str]) -> bool:
    """Whether an address is one to turn to."""
    return bool(CONTACT.search(text, max(0, found.start() - NEAR), found.start()))


def _only(addresses: set[str]) -> Iterable[str]:
    return addresses if len(addresses) == 1 else ()


def _flufl(mail: Mail) -> list[str]:
    """What flufl.bounce finds; it knows many old servers, breaks on some mails, and takes long over large ones."""
    if len(mail.prose) > LONGEST:
        return []
    try:
        temporary, permanent = all_failures(mail.headers)
    except Exception:
        logger.info("flufl.bounce could not read a mail.", exc_info=True)
        return []
    return sorted(address.decode("latin-1") for address in temporary | permanent if isinstance(address, bytes))
