"""Feedback reports: somebody pressed "this is spam" (RFC 5965)."""

from __future__ import annotations

import re

from newsletter.bounces.findings import Finding, address_in
from newsletter.bounces.mail import Mail, every_header, header
from newsletter.models import Bounce

FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})\s*:\s?([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE)
NO_COMPLAINTS = {"not-spam", "auth-failure", "dmarc"}  # RFC 6430, RFC 6591
RECIPIENTS = ("original-rcpt-to", "removal-recipient", "original-recipient")
RETURNED_RECIPIENTS = ("x-hmxmroriginalrecipient", "x-original-recipient", "to")
MOST = 1000


def findings(mail: Mail) -> list[Finding]:
    """One complaint for each recipient a feedback report names; none when the mail is no such report."""
    fields = [(name.lower(), " ".join(value.split())) for name, value in FIELD.findall(mail.feedback)]
    kind = next((value.lower().split(";")[0].strip() for name, value in fields if name == "feedback-type"), "")
    marked = [recipient for copy in mail.returned if (recipient := address_in(header(copy, RETURNED_RECIPIENTS[0])))]
    if not kind and not marked:
        return []
    recipients = [address_in(value) for name, value in fields if name in RECIPIENTS] + marked
    if not any(recipients):
        copies = [address_in(value) for copy in mail.returned for value in every_header(copy, "to")]
        recipients = copies or [address_in(header(mail.headers, "x-original-to"))]
    detail = f"Feedback report: {kind or 'abuse'}"
    meaning = Bounce.Kind.UNKNOWN if kind in NO_COMPLAINTS else Bounce.Kind.COMPLAINT
    known = dict.fromkeys(filter(None, recipients)) or {"": None}
    return [Finding(meaning, recipient, detail=detail) for recipient in list(known)[:MOST]]
