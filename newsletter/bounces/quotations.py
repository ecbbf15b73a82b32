"""What a reporter wrote in plain words, and what it quotes: our own message, or a bounce inside a bounce."""

from __future__ import annotations

import re
from email import message_from_string
from email.message import Message

from newsletter.bounces.findings import address_in
from newsletter.bounces.mail import Mail, every_header, header, taken_apart

# From here on it is a quotation.
BEGINNING = re.compile(
    r"^(?:[ \t>]*(?:"
    r"[-=_*]{2,}.{0,12}(?:original|cop(?:y|ia)|[ck]opie|header|returned|unsent|below|message follows)"
    r"|[-=_*]{2,}.{0,12}(?:コピー|元の|原信|исходн)"
    r"|(?:the )?(?:original )?message (?:headers? )?follows"
    r"|headers? of the original|original message(?: headers?)?:"
    r"|(?:below|this|here|following) is (?:a|the) (?:copy|header)"
    r"|(?:encabezados|cabeceras) (?:originales|del mensaje)|ursprüngliche (?:kopf|nachricht))"
    # Indented headers are mostly a list of what the report is about.
    r"|(?:> ?)*(?:received: (?:from|by) |return-path: |dkim-signature: |mime-version: )"
    r").*",
    re.IGNORECASE | re.MULTILINE,
)
HEADER = re.compile(
    r"^(?:from|to|cc|subject|date|sender|reply-to|received|return-path|message-id|mime-version|content-type): ",
    re.IGNORECASE | re.MULTILINE,
)
MOST = 200_000  # characters of a quotation


def own_words(mail: Mail) -> str:
    """What the reporter wrote, without the message that came back."""
    quotation = BEGINNING.search(mail.prose)
    return mail.prose[: quotation.start()] if quotation else mail.prose


def quoted(mail: Mail) -> list[Message]:
    """The messages that came back: those in parts of their own, else what is quoted below the reporter's words."""
    if mail.returned:
        return mail.returned
    quotation = BEGINNING.search(mail.prose)
    begins = HEADER.search(mail.prose, quotation.start()) if quotation else None
    return [message_from_string(mail.prose[begins.start() : begins.start() + MOST])] if begins else []


def quoted_mails(mail: Mail) -> list[Mail]:
    """The same, taken apart."""
    return [taken_apart(message) for message in quoted(mail)]


def quoted_recipient(mail: Mail) -> str:
    """To whom the message that came back was written; empty when it was to several, or nobody knows."""
    people = {address_in(value) for message in quoted(mail) for value in every_header(message, "to")}
    people.discard("")
    return people.pop() if len(people) == 1 else ""


def senders(mail: Mail) -> set[str]:
    """Addresses that are ours: where the bounce came to, and whom the message that came back was from."""
    own = [mail.header("to"), mail.header("delivered-to")]
    own += [header(message, name) for message in quoted(mail) for name in ("from", "sender", "return-path")]
    return {address for text in own if (address := address_in(text))}
