"""Delivery reports for machines: RFC 3464, with the liberties that mail servers take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter import diagnosis
from newsletter.bounces.findings import Finding, address_in
from newsletter.bounces.mail import Mail
from newsletter.bounces.plain_words import PlainWords
from newsletter.bounces.transcripts import Statement
from newsletter.models import Bounce

Kind = Bounce.Kind
FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60})\s*:\s?(.*)")
BEGINNINGS = {"final-recipient", "original-recipient", "action"}
ACTIONS = {
    "delivered": Kind.DELIVERED,
    "relayed": Kind.DELIVERED,
    "expanded": Kind.DELIVERED,
    "deliverable": Kind.DELIVERED,
    "delayed": Kind.DEFERRED,
}
# A source route (RFC 5321, appendix C): the hosts on the way stand before the address.
ROUTE = re.compile(r"(?<![\w.])@[\w.,@-]{1,500}:")
# An address of X.400 that holds one of the internet (RFC 2156).
X400 = re.compile(r"(?:rfc-?822|smtp)=([\w.+-]{1,64})(?:\(a\)|@)([\w.-]{1,255}\w)", re.IGNORECASE)
MOST = 1000  # recipients of one report
MOST_WORDS = 1500  # characters of plain words, where they name nobody
TYPE = re.compile(r"^\s*[A-Za-z0-9-]{1,20}\s*;\s*")


def findings(mail: Mail) -> list[Finding]:
    """One finding for each recipient of a delivery report; none when the mail holds no report that can be read.

    Some mails have their report among the words for people.
    """
    words = PlainWords(mail)
    found: dict[str, Finding] = {}
    for group in _groups(mail.status or words.text):
        finding = _finding(group, words)
        if finding and len(found) < MOST:
            found.setdefault(finding.recipient, finding)
    return list(found.values())


def _groups(text: str) -> Iterator[dict[str, str]]:
    """The fields of each recipient. Some servers forget the empty line between them, some add too many."""
    group: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line[:1] in " \t" and name and line.strip():
            group[name] = f"{group[name]} {line.strip()}"[:2000]
            continue
        field = FIELD.match(line.strip())
        if not field:
            name = ""
            continue
        name = field[1].lower()
        if name in BEGINNINGS and name in group:
            yield group
            group = {}
        group[name] = field[2].strip()
    yield group


def _finding(group: dict[str, str], words: PlainWords) -> Finding | None:
    final, original = (_address(group.get(name, "")) for name in ("final-recipient", "original-recipient"))
    if original and _is_internal(group.get("final-recipient", "")):
        final = original
    recipient = final or original or _address(group.get("x-actual-recipient", ""))
    action = re.sub(r"[^a-z].*", "", group.get("action", "").lower())
    status = diagnosis.status_of(group.get("status", "")) or group.get("status", "")[:12]
    said = TYPE.sub("", group.get("diagnostic-code", ""))
    said = f"{said} {group.get('x400-supplementary-info', '')}".strip() or group.get("status", "")
    if not recipient or not (action or status or said):
        return None
    told = words.about(recipient, original) or Statement(words.text[:MOST_WORDS])
    kind = _by_action(action, status) or _judged(words, told, recipient, said, status)
    return Finding(kind, recipient, diagnosis.status_of(said, status), said, original)


def _by_action(action: str, status: str) -> Bounce.Kind | None:
    """The kind of a report that says by its action, or by its status, that all is well or may become well."""
    if action in ACTIONS:
        return ACTIONS[action]
    if action != "failed" and status.startswith("2"):
        return Kind.DELIVERED
    return Kind.DEFERRED if not action and status.startswith("4") else None


def _judged(words: PlainWords, told: Statement, recipient: str, said: str, status: str) -> Bounce.Kind:
    """The kind of a failure: by its own reason, else by what is written for people."""
    if told.accepted or diagnosis.is_before_any_recipient(told.words):
        # The code is the reporter's guess: the server had taken the recipient, or had not heard of any.
        return words.diagnose(told.words, recipient) or Kind.SOFT
    if diagnosis.tells(said, status):
        return words.diagnose(said, recipient, status) or Kind.SOFT
    return words.diagnose(f"{said}\n\n{told.words}", recipient, status) or Kind.SOFT


def _address(text: str) -> str:
    """The address of a recipient field: `rfc822; <name@host>`, with or without the type."""
    text = TYPE.sub("", text).replace("\\", "")
    x400 = X400.search(text)
    return f"{x400[1]}@{x400[2]}".lower() if x400 else address_in(ROUTE.sub("", text))


def _is_internal(text: str) -> bool:
    """Whether a recipient field says how a mail goes on within an organization, rather than where it was sent to."""
    text = TYPE.sub("", text)
    return bool(ROUTE.search(text) or X400.search(text) or not re.search(r"@[^@\s]+\.", text))
