"""What a bounce says in plain words, and what it says there about one recipient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, takewhile

from newsletter import diagnosis
from newsletter.bounces import quotations, transcripts
from newsletter.bounces.mail import Mail
from newsletter.bounces.recipients import listed
from newsletter.bounces.transcripts import Statement
from newsletter.models import Bounce

MOST = 100  # places where an address stands
SNIPPET = 1500  # characters after an address that may say why
# What a server replied, within what a reporter says of it.
REPLIED = re.compile(
    r"(?:^|[:>\[(\"'=#]|\bsaid|\breply|\berror|\bresponse)[ \t]*[45]\d\d[ -]", re.IGNORECASE | re.MULTILINE
)
REPORTER = re.compile(r"^reporting-mta:[ \t]*dns[ \t]*;[ \t]*([\w.-]{1,255})", re.IGNORECASE | re.MULTILINE)
# The end of a long line in the middle of a sentence.
WRAPPED = re.compile(r"(?<=[^\n]{55})\n[ \t]*(?=[\w(])")
PARAGRAPHS = re.compile(r"\n[ \t]*\n")


class PlainWords:
    """The reporter's own words, read once for all recipients of a mail."""

    def __init__(self, mail: Mail) -> None:
        self.text = quotations.own_words(mail)
        self._statements = transcripts.statements(self.text)
        senders = quotations.senders(mail)
        reporters = {host.lower() for host in REPORTER.findall(mail.status)}
        self._senders = senders | {address.rpartition("@")[2] for address in senders} | reporters

    def about(self, *recipients: str) -> Statement | None:
        """What is said about a recipient, under any of its addresses; None when nothing is."""
        names = [*recipients, transcripts.EVERYBODY] if len(self._statements) == 1 else recipients
        for name in names:
            if name in self._statements:
                return self._statements[name]
        snippets = (_snippet(self.text, recipient) for recipient in recipients)
        return next((Statement(found) for found in snippets if found), None)

    def diagnose(self, said: str, recipient: str, status: str = "") -> Bounce.Kind | None:
        """What a text says about a recipient: what a server replied counts before what a reporter says of it."""
        said = WRAPPED.sub(" ", self._with_us_marked(said, recipient))
        replied = "\n\n".join(part for part in PARAGRAPHS.split(said) if REPLIED.search(part))
        return diagnosis.diagnose(replied) or diagnosis.diagnose(said, status)

    def _with_us_marked(self, said: str, recipient: str) -> str:
        """The text with our addresses and hosts called the sender's: what is said of them says nothing of a reader."""
        domain = recipient.rpartition("@")[2]
        for name in self._senders - {recipient}:
            if "@" in name or not f".{name}".endswith(f".{domain}"):
                said = _called_sender(name, said)
        return said


def _called_sender(name: str, text: str) -> str:
    return re.sub(rf"<?(?<![\w.@-]){re.escape(name)}(?![\w-]|\.\w)>?", "sender", text, flags=re.IGNORECASE)


def _snippet(text: str, recipient: str) -> str:
    """The lines about a recipient: from where it stands to where the next begins."""
    if not recipient:
        return ""
    return max(islice(_snippets(text, recipient), MOST), key=_weight, default="")


def _snippets(text: str, recipient: str) -> Iterator[str]:
    lower = text.lower()
    place = lower.find(recipient)
    while place >= 0:
        start = lower.rfind("\n", 0, place) + 1
        line, *rest = text[start : start + SNIPPET].split("\n")
        stands_alone = line.strip(" \t<>*") == text[place : place + len(recipient)] and not "".join(rest[:1]).strip()
        before = _lines_above(text[:start]) if stands_alone else ""
        yield before if diagnosis.diagnose(before) else "\n".join([line, *_until_next(rest, recipient)])
        place = lower.find(recipient, max(place + 1, start + len(line)))


def _lines_above(text: str) -> str:
    """The lines right above a recipient with nothing beside and below it: some servers give their reasons first."""
    lines = text[-SNIPPET:].split("\n")[:-1]
    return "\n".join(reversed(list(takewhile(lambda line: line.strip() and "@" not in line, reversed(lines)))))


def _until_next(lines: list[str], recipient: str) -> Iterator[str]:
    for line in lines:
        if listed(line) not in ("", recipient):
            return
        yield line


def _weight(snippet: str) -> tuple[bool, int]:
    return diagnosis.diagnose(snippet) is not None, len(snippet)
