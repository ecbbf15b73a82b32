"""A mail as it came in, taken apart without trusting it: size, depth, character sets and grammar may all be hostile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from itertools import islice

from inscriptis import get_text

from newsletter.bounces import boundaries

LARGEST = 1024 * 1024  # bytes that are looked at; what a report says stands before what it returns
MOST_PARTS = 200
MOST_NESTED = 40  # boundaries; more of them are nobody's mail, and cost more than they say
MOST_HEAD = 100_000  # bytes before the first empty line
MOST_DASHES = 1000  # lines that may begin a part
LONGEST_TEXT = 200_000  # characters of one part
LONGEST_HEADER = 4000
RETURNED = {
    "message/rfc822",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/partial",
    "text/rfc822-headers",
}
STATUS = {"message/delivery-status", "message/global-delivery-status", "message/x-delivery-status"}
FEEDBACK = {"message/feedback-report"}
BOUNDARY = re.compile(rb"\bboundary\s*=", re.IGNORECASE)
DASHES = re.compile(rb"^--", re.MULTILINE)


@dataclass(slots=True)
class Mail:
    """The parts of a mail that matter when it comes back.

    `prose` is what people read; `status` and `feedback` what machines read; `returned` the headers of our own message.
    """

    headers: Message
    prose: str = ""
    status: str = ""
    feedback: str = ""
    returned: list[Message] = field(default_factory=list)

    def header(self, name: str) -> str:
        """A header's decoded text on one line; empty when there is none."""
        return header(self.headers, name)


def parse(raw: bytes) -> Mail:
    """Take a mail apart. Whatever it is, this returns."""
    raw = raw[:LARGEST].replace(b"\r\n", b"\n").lstrip(b"\n")
    if raw.startswith((b"From ", b">From ")):  # the line an mbox begins a mail with
        raw = raw.partition(b"\n")[2]
    raw = boundaries.mend(_bounded(raw))
    try:
        message = message_from_bytes(raw)
        return taken_apart(message)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return Mail(Message(), prose=raw[:LONGEST_TEXT].decode("utf-8", "replace"))


def header(message: Message, name: str) -> str:
    """A header's decoded text on one line; empty when there is none."""
    return _decoded(message.get(name, ""))


def every_header(message: Message, name: str) -> list[str]:
    """The decoded texts of all headers of a name."""
    return [_decoded(value) for value in message.get_all(name, [])[:MOST_PARTS]]


def text_of(part: Message) -> str:
    """The text of a part, whatever it claims to be written in."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    payload = payload[: LONGEST_TEXT * 4]
    for charset in (part.get_content_charset(), "utf-8"):
        try:
            return payload.decode(charset or "utf-8")[:LONGEST_TEXT].replace("\r\n", "\n").replace("\x00", "")
        except (LookupError, ValueError):
            continue
    return payload.decode("latin-1")[:LONGEST_TEXT].replace("\r\n", "\n").replace("\x00", "")


def _bounded(raw: bytes) -> bytes:
    """The mail without what would only cost time: headers without end, nesting beyond reason, parts beyond number."""
    head, gap, body = raw.partition(b"\n\n")
    raw = head[:MOST_HEAD] + gap + body
    if len(BOUNDARY.findall(raw)) > MOST_NESTED:
        raw = BOUNDARY.sub(b"x-boundary-of-too-many=", raw)
    beyond = next(islice(DASHES.finditer(raw), MOST_DASHES, None), None)
    return raw[: beyond.start()] if beyond else raw


def taken_apart(message: Message) -> Mail:
    """The parts of a message that the standard library has read."""
    mail = Mail(message)
    html = ""
    for part in _parts(message):
        kind = part.get_content_type()
        if kind in STATUS:
            mail.status += _report(part) + "\n\n"
        elif kind in FEEDBACK:
            mail.feedback += _report(part) + "\n\n"
        elif kind in RETURNED:
            mail.returned.append(_headers(part))
        elif kind == "text/html":
            html = html or text_of(part)
        elif kind.startswith("text/") and len(mail.prose) < LONGEST_TEXT:
            mail.prose += text_of(part) + "\n"
    if html and not mail.prose.strip():
        mail.prose = _plain(html)
    return mail


def _parts(message: Message) -> Iterator[Message]:
    """Every part, without those inside a returned message or a report."""
    waiting: list[Message] = [message]
    seen = 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting[:0] = [child for child in payload if isinstance(child, Message)]
        else:
            yield part


def _report(part: Message) -> str:
    """The fields of a report as text, whether the parser took them for headers or left them alone."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return text_of(part)
    text = "\n\n".join(_plain_fields(block) for block in payload[:MOST_PARTS] if isinstance(block, Message))
    if part.get("content-transfer-encoding", "").strip().lower() in ("base64", "quoted-printable"):
        encoded = Message()
        encoded["Content-Transfer-Encoding"] = part["content-transfer-encoding"]
        encoded.set_payload(text)
        return text_of(encoded)
    return text


def _plain_fields(block: Message) -> str:
    lines = [f"{name}: {value}" for name, value in block.items()]
    rest = block.get_payload()
    if isinstance(rest, str) and rest.strip():
        lines += ["", rest]
    return "\n".join(lines).replace("\r\n", "\n")[:LONGEST_TEXT]


def _headers(part: Message) -> Message:
    """The headers of the message that came back."""
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return payload[0]
    return message_from_bytes(text_of(part).lstrip().encode("utf-8", "replace"))


def _plain(html: str) -> str:
    try:
        return str(get_text(html))[:LONGEST_TEXT]
    except (RecursionError, ValueError, AssertionError):
        return re.sub(r"<[^<>]{0,2000}>", " ", html)


def _decoded(value: object) -> str:
    text = " ".join(str(value).split())[:LONGEST_HEADER]
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text)
        return "".join(
            part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part for part, charset in parts
        )
    except (LookupError, ValueError):
        return text
