"""Delivery reports for machines: RFC 3464, with the liberties that mail servers take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter import diagnosis
from newsletter.bounces.findings import Finding, address_in
from newsletter.bounces.mail import Mail
from newsletter.bounces.prose import about
from newsletter.models import Bounce

Kind = Bounce.Kind
FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60})\s*:\s?(.*)")
BEGINNINGS = {"final-recipient", "original-recipient", "action"}
ACTIONS = {
    "delivered": Kind.DELIVERED,
    "relayed": Kind.DELIVERED,
    "expanded": Kind.DELIVERED,
    "delayed": Kind.DEFERRED,
}
MOST = 1000  # recipients of one report
TYPE = re.compile(r"^\s*[A-Za-z0-9-]{1,20}\s*;\s*")


def findings(mail: Mail) -> list[Finding]:
    """One finding for each recipient of a delivery report; none when the mail holds no report that can be read."""
    found: dict[str, Finding] = {}
    for group in _groups(mail.status):
        finding = _finding(group, mail)
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


def _finding(group: dict[str, str], mail: Mail) -> Finding | None:
    final, original = (_address(group.get(name, "")) for name in ("final-recipient", "original-recipient"))
    recipient = final or original or _address(group.get("x-actual-recipient", ""))
    action = re.sub(r"[^a-z].*", "", group.get("action", "").lower())
    status = diagnosis.status_of(group.get("status", "")) or group.get("status", "")[:12]
    said = TYPE.sub("", group.get("diagnostic-code", ""))
    said = f"{said} {group.get('x400-supplementary-info', '')}".strip() or group.get("status", "")
    if not recipient or not (action or status or said):
        return None
    kind = ACTIONS.get(action) or _judged(said, status, action, about(mail, recipient, original))
    told = diagnosis.status_of(said, status)
    return Finding(kind, recipient, told, said, original)


def _judged(said: str, status: str, action: str, prose: str) -> Bounce.Kind:
    """The kind of a report that does not say by its action that all is well or may become well."""
    if not action and status.startswith("2"):
        return Kind.DELIVERED
    if not action and status.startswith("4"):
        return Kind.DEFERRED
    if diagnosis.tells(said, status):
        return diagnosis.diagnose(said, status) or Kind.SOFT
    # A report without a reason of its own: the reason may be written for people.
    return diagnosis.diagnose(f"{said}\n{prose}", status) or Kind.SOFT


def _address(text: str) -> str:
    """The address of a recipient field: `rfc822; <name@host>`, with or without the type."""
    return address_in(TYPE.sub("", text).replace("\\", ""))
