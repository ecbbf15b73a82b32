"""Transcripts of the conversation between two mail servers, as sendmail and many gateways write them.

Each reply belongs to the command before it, and each remark of the reporter to the recipient it names, so that nobody
gets a neighbor's words. What the server replied counts before what the reporter made of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from newsletter import diagnosis
from newsletter.bounces.findings import ADDRESS, address_in

COMMAND = re.compile(r"^[ \t]*(?:sent )?>>> ?(HELO|EHLO|MAIL|RCPT|DATA|BDAT|RSET|QUIT|\.)(?![\w])(.*)", re.IGNORECASE)
REPLY = re.compile(r"^[ \t]*(?:received )?<<< ?((\d{3})\b.*)", re.IGNORECASE)
REMARK = re.compile(rf"^[ \t]*[\d .-]{{0,20}}<?({ADDRESS.pattern})>?\.\.\. *(\S.*)", re.IGNORECASE)
# A host's name where a recipient's stood: another conversation begins.
TALKING = re.compile(r"^\W*while talking to |^[ \t]*[\d .-]{0,20}[\w.-]{1,255} \(\w{1,20}\)\.\.\. ", re.IGNORECASE)
# Nobody was left to write to: what is said about that is said about nobody.
NO_RECIPIENT = re.compile(r"^503|\b(?:need|no valid) (?:rcpt|recipient)|valid RCPT", re.IGNORECASE)
BEFORE, AT_RECIPIENT, AFTER = ("HELO", "EHLO", "MAIL"), ("RCPT",), ("DATA", "BDAT", ".")
EVERYBODY = ""  # in place of a recipient, where the server did not even hear of any
MOST_LINES = 2000


class Statement(NamedTuple):
    """What was said about one recipient, and whether the server had taken that recipient before."""

    words: str
    accepted: bool = False


class _Conversation:
    """What was last said to a server, what it last refused, and of whom the reporter said something since."""

    def __init__(self) -> None:
        self.command = self.recipient = self.refusal = ""
        self.remarks: dict[str, str] = {}

    def hear(self, reply: str) -> None:
        """A refusal; it goes on with the one before, unless something was remarked on that."""
        self.refusal = reply if self.remarks else f"{self.refusal}\n{reply}".strip()
        self.remarks = {}

    def about(self, remark: str) -> Statement:
        """What is known of the recipient of a remark at this point."""
        if not self.refusal or self.command not in BEFORE + AT_RECIPIENT + AFTER:
            return Statement(remark)
        if self.command in BEFORE:
            return Statement(f">>> {self.command}\n<<< {self.refusal}")
        if self.command in AT_RECIPIENT:
            return self.refused(remark)
        return Statement(remark) if NO_RECIPIENT.search(self.refusal) else Statement(self.refusal, accepted=True)

    def refused(self, remark: str) -> Statement:
        """The server did not take this recipient: its own words count, else the reporter's as well."""
        return Statement(self.refusal if diagnosis.diagnose(self.refusal) else f"{self.refusal}\n{remark}")


def statements(text: str) -> dict[str, Statement]:
    """What the transcripts in a text say, by recipient in small letters or `EVERYBODY`."""
    found: dict[str, Statement] = {}
    now = _Conversation()
    for line in text.split("\n")[:MOST_LINES]:
        command, reply, remark = COMMAND.match(line), REPLY.match(line), REMARK.match(line)
        if TALKING.match(line):
            _end(found, now)
            now = _Conversation()
        elif command:
            _end(found, now)
            now = _Conversation()
            now.command = command[1].upper()
            now.recipient = address_in(command[2]) if now.command == "RCPT" else ""
        elif reply and NO_RECIPIENT.search(reply[1]):
            # The replies before were those to the recipients, which came late (RFC 2920).
            found |= {recipient: now.refused(said) for recipient, said in now.remarks.items()}
        elif reply and reply[2][0] in "45":
            now.hear(reply[1])
        elif remark:
            recipient = remark[1].lower()
            _keep(found, recipient, now.about(line.strip()))
            now.remarks[recipient] = line.strip()
    _end(found, now)
    return found


def _end(found: dict[str, Statement], now: _Conversation) -> None:
    """A recipient that was refused, whether or not the reporter remarks on it."""
    if now.refusal and now.recipient:
        found.setdefault(now.recipient, Statement(now.refusal))
    elif now.refusal and now.command in BEFORE:
        found.setdefault(EVERYBODY, now.about(""))


def _keep(found: dict[str, Statement], recipient: str, new: Statement) -> None:
    """Of several statements about one recipient the first that says anything counts."""
    known = found.get(recipient)
    if known is None or (diagnosis.diagnose(new.words) and not diagnosis.diagnose(known.words) and not known.accepted):
        found[recipient] = new
