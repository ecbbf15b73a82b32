"""Mends a multipart mail whose parts are divided by other lines than its head says.

Gateways rewrite one of the two and not the other. Such a mail has no parts for a parser, and what it says is lost.
"""

from __future__ import annotations

import re

BOUNDARY = re.compile(rb";?\s*boundary\s*=\s*(?:\"([^\"\n]*)\"|([^\s;]+))", re.IGNORECASE)
MULTIPART = re.compile(rb"^content-type\s*:\s*multipart/[\w-]+", re.IGNORECASE | re.MULTILINE)
CONTENT_TYPE = re.compile(rb"^content-type\s*:[^\n]*(?:\n[ \t][^\n]*)*\n?", re.IGNORECASE | re.MULTILINE)
# A line that divides: what follows it is the head of a part.
DIVIDER = re.compile(rb"^--[^\s-][^\n]{0,100}\n(?=content-[\w-]{1,40}\s*:)", re.IGNORECASE | re.MULTILINE)
REPORT = re.compile(rb"^content-type\s*:\s*message/", re.IGNORECASE | re.MULTILINE)
NEW = b"divided-anew-here"


def mend(raw: bytes) -> bytes:
    """The mail, its parts divided by what its head says; as it was when there is nothing to mend."""
    head, gap, body = raw.partition(b"\n\n")
    if MULTIPART.search(head):
        said = BOUNDARY.search(head)
        name = (said[1] or said[2]) if said else b""
        if name and b"\n--" + name in b"\n" + body:
            return raw
    elif not REPORT.search(body):
        return raw
    if not DIVIDER.search(body):
        return raw
    head = CONTENT_TYPE.sub(b"", head + b"\n") + b'Content-Type: multipart/mixed; boundary="%s"' % NEW
    return head + gap + DIVIDER.sub(b"--%s\n" % NEW, body)
