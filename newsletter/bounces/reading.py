"""A raw mail becomes findings: what it says about whom."""

from __future__ import annotations

from newsletter.bounces import autoreplies, complaints, notifications, prose, status_reports
from newsletter.bounces.findings import Finding
from newsletter.bounces.mail import Mail

READERS = (
    complaints.findings,
    status_reports.findings,
    notifications.findings,
    prose.findings,
    autoreplies.findings,
)


def read(mail: Mail) -> list[Finding]:
    """What a mail says, one finding for each recipient; nothing when it is none of our business.

    Reports for machines are believed before words for people, and an automatic reply is only what is nothing else.
    """
    return next((found for reader in READERS if (found := reader(mail))), [])
