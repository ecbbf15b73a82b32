"""The bytes of a message as the parts that a provider's API takes: it writes the message anew."""

from __future__ import annotations

import email
import email.policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives

from newsletter.esp.providers import Provider
from newsletter.smtp import Message

OWN_PLACE = {"from", "to", "subject", "reply-to", "date", "mime-version", "content-type", "message-id"}


class Letter(EmailMultiAlternatives):
    """What anymail takes: Django's message, and what goes with it."""

    metadata: dict[str, str]
    tags: list[str]
    track_opens: bool
    track_clicks: bool


def unpack(message: Message, provider: Provider) -> Letter:
    """A message of ours with everything it says, for exactly one recipient."""
    parsed = email.message_from_bytes(message.data, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    letter = Letter(
        subject=str(parsed["Subject"]),
        body=_body(parsed, "plain"),
        from_email=_named(parsed, "From"),
        to=[message.recipient],
        reply_to=[_named(parsed, "Reply-To")] if "Reply-To" in parsed else [],
        headers=_headers(parsed, provider),
    )
    if html := _body(parsed, "html"):
        letter.attach_alternative(html, "text/html")
    token = message.sender.partition("@")[0].partition("+")[2]
    carried: dict[str, Any] = {"metadata": {"delivery": token}, "tags": [token]}
    setattr(letter, provider.label, carried[provider.label])
    if provider.stops_tracking:
        letter.track_opens = letter.track_clicks = False
    return letter


def _named(parsed: EmailMessage, header: str) -> str:
    """A name and its address in plain words, for the provider to encode.

    The name is read by `decode_header`: the policy's own reader puts a space between two encoded words of a name.
    """
    raw = next(value for name, value in parsed.raw_items() if name == header)
    name, address = parseaddr("".join(raw.splitlines()))
    return str(Address(str(make_header(decode_header(name))), addr_spec=address))


def _headers(parsed: EmailMessage, provider: Provider) -> dict[str, str]:
    """The headers without a field of their own, as they stand on the wire but in one line."""
    raw = {name: "".join(value.splitlines()) for name, value in parsed.raw_items()}
    headers = {name: value for name, value in raw.items() if name.lower() not in OWN_PLACE}
    if provider.keeps_message_id:
        headers |= {"Message-ID": raw["Message-ID"], **provider.headers}
    return headers


def _body(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
