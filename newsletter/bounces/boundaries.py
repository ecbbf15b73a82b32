"""Mends a multipart mail whose parts are divided by other lines than its head says.

Gateways rewrite one of the two and not the other. Such a mail has no parts for a parser, and what it says is lost.
"""

from __future__ import annotations

import re

BOUNDARY = re.compile(rb";?\s*boundary\s*=\s*(?:\"([^\"\n]*)\"|([^\s;]+))", re.IGNORECASE)
MULTIPART = re.compile(rb"^content-type\s*:\s*multipart/[\w-]+", re.IGNORECASE | re.MULTILINE)
CONTENT_TYPE = re.compile(rb"^content-type\s*:[^\n]*(?:\n[ \t][^\n]*)*\n?", re.IGNORECASE | re.MULTILINE)
# A line that divides: what follows it is the head of a part.
DIVIDER = re.compile(rb"^(--\S[^\n]{0,100})\n(?=content-[\w-]{1,40}\s*:)", re.IGNORECASE | re.MULTILINE)
REPORT = re.compile(rb"^content-type\s*:\s*message/", re.IGNORECASE | re.MULTILINE)
NEW = b"divided-anew-here"


def mend(raw: bytes) -> bytes:
    """The mail, its parts divided by what its head says; as it was when there is nothing to mend."""
    head, gap, body = raw.partition(b"\n\n")
    dividers = set(DIVIDER.findall(body))
    if not dividers or not (MULTIPART.search(head) or REPORT.search(body)):
        return raw
    said = BOUNDARY.search(head)
    name = (said[1] or said[2]).strip() if said else b""
    if name and MULTIPART.search(head) and b"\n--" + name in b"\n" + body:
        # Dividers that no head speaks of, not even that of a part, belong to the whole mail.
        dividers -= {b"--" + (one or other).strip() for one, other in BOUNDARY.findall(raw)}
    else:
        name = NEW
        head = CONTENT_TYPE.sub(b"", head + b"\n") + b'Content-Type: multipart/mixed; boundary="%s"' % NEW
    if not dividers:
        return raw
    # A part may have no head of its own.
    return head + gap + b"\n".join(b"--" + name if line in dividers else line for line in body.split(b"\n"))
