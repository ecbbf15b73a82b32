"""A raw mail becomes findings: what it says about whom."""

from __future__ import annotations

from newsletter.bounces import autoreplies, complaints, notifications, prose, quotations, status_reports
from newsletter.bounces.findings import Finding
from newsletter.bounces.mail import Mail
from newsletter.bounces.recognition import is_surely_bounce

DEEPEST = 3  # bounces within bounces


def read(mail: Mail, depth: int = 0) -> list[Finding]:
    """What a mail says, one finding for each recipient; nothing when it is none of our business.

    Reports for machines are believed before words for people, a bounce inside a mail before the words around it, and
    an automatic reply is only what is nothing else.
    """
    for reader in (complaints.findings, status_reports.findings, notifications.findings):
        if found := reader(mail):
            return found
    if depth < DEEPEST:
        for inner in quotations.quoted_mails(mail):
            if is_surely_bounce(inner) and (found := read(inner, depth + 1)):
                return found
    return prose.findings(mail) or autoreplies.findings(mail)
