"""From bodies and headers to the bytes of a message: a template with slots, or a finished mail."""

from __future__ import annotations

from collections.abc import Iterable
from email.headerregistry import Address
from email.utils import parseaddr
from hashlib import sha256

from django.conf import settings

from content.models import Organisation
from newsletter.mail_identity import mail_domain, unsubscribe_mailto
from newsletter.messages.bodies import Bodies
from newsletter.messages.headers import address_header, one_line, text_header
from newsletter.messages.slots import header_slot, quoted
from newsletter.messages.tree import archive_url
from newsletter.models import Newsletter

TEST = "test"  # the campaign of a test copy, which is nobody's to unsubscribe from by mail


def letter(newsletter: Newsletter, subject: str, bodies: Bodies, language: str, campaign: str, *more: bytes) -> bytes:
    """A whole message as bytes, with slots for what differs per recipient.

    Args:
        newsletter: whose mail it is.
        subject: in plain words; line breaks and control characters become spaces.
        bodies: text and HTML with the same content.
        language: of the words.
        campaign: which mailing or notice it is, for the Feedback-ID of Gmail.
        more: further header lines without line ends.
    """
    boundary = f"part-{sha256(repr(bodies).encode()).hexdigest()[:40]}".encode()
    head = [
        *(line + b"\r\n" for line in _worded(newsletter, subject)),
        b"To: " + header_slot("to") + b"\r\n",
        b"Date: " + header_slot("date") + b"\r\n",
        b"Message-ID: " + header_slot("message_id") + b"\r\n",
        *(line + b"\r\n" for line in _list_headers(newsletter, language, campaign)),
        *(line + b"\r\n" for line in more),
        b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="%s"\r\n\r\n' % boundary,
    ]
    parts = [
        _part(boundary, "plain", quoted(bodies.text, "text")),
        _part(boundary, "html", quoted(bodies.html, "html")),
    ]
    return b"".join([*head, *parts, b"--%s--\r\n" % boundary])


def sender(newsletter: Newsletter) -> Address:
    """Whom the newsletter is from: MAIL_FROM under the newsletter's, the setting's or the organisation's name."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    shown = newsletter.from_name or name or Organisation.load().name
    return Address(display_name=one_line(shown), addr_spec=address)


def _worded(newsletter: Newsletter, subject: str) -> Iterable[bytes]:
    author = sender(newsletter)
    yield address_header("From", author.display_name, author.addr_spec)
    if settings.MAIL_REPLY_TO:
        name, address = parseaddr(settings.MAIL_REPLY_TO)
        yield address_header("Reply-To", one_line(name), address)
    yield text_header("Subject", one_line(subject))


def _list_headers(newsletter: Newsletter, language: str, campaign: str) -> Iterable[bytes]:
    """RFC 2919 (List-Id), 2369 and 8058 (unsubscribing), and Gmail's Feedback-ID."""
    host = mail_domain()
    mailto = unsubscribe_mailto("" if campaign == TEST else header_slot("unsubscribe_token").decode()).encode()
    yield address_header("List-Id", one_line(newsletter.name), f"{newsletter.slug}.{host}")
    yield b"List-Unsubscribe: <" + header_slot("unsubscribe") + (b">,\r\n <" + mailto if mailto else b"") + b">"
    yield b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    yield f"List-Archive: <{archive_url(language)}>".encode()
    yield f"Feedback-ID: {campaign}:{newsletter.slug}:newsletter:{sha256(host.encode()).hexdigest()[:12]}".encode()


def _part(boundary: bytes, subtype: str, body: bytes) -> bytes:
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return b"--%s\r\n%s%s\r\n" % (boundary, head.encode(), body)
