"""Amazon SES sends its events by mail too, as JSON, where no webhook is set up for them."""

from __future__ import annotations

import json
from typing import Any

from newsletter import diagnosis
from newsletter.bounces.findings import Finding, address_in
from newsletter.bounces.mail import Mail
from newsletter.models import Bounce

Kind = Bounce.Kind
MOST = 1000


def findings(mail: Mail) -> list[Finding]:
    """One finding for each recipient of an SES event; nothing when the mail holds none."""
    event = _event(mail.prose)
    kind = event.get("notificationType") or event.get("eventType")
    if kind == "Bounce":
        permanent = _dict(event.get("bounce")).get("bounceType") == "Permanent"
        return [_bounce(person, permanent) for person in _people(event, "bounce", "bouncedRecipients")]
    if kind == "Complaint":
        people = _people(event, "complaint", "complainedRecipients")
        return [Finding(Kind.COMPLAINT, address_in(str(person.get("emailAddress")))) for person in people]
    if kind == "Delivery":
        said = str(_dict(event.get("delivery")).get("smtpResponse", ""))
        recipients = _list(_dict(event.get("delivery")).get("recipients"))
        return [
            Finding(Kind.DELIVERED, address_in(str(recipient)), diagnosis.status_of(said), said)
            for recipient in recipients
        ]
    return []


def _bounce(person: dict[str, Any], permanent: bool) -> Finding:
    said, status = str(person.get("diagnosticCode", "")), str(person.get("status", ""))
    kind = diagnosis.diagnose(said, status) or Kind.SOFT
    kind = kind if permanent or kind == Kind.BLOCKED else Kind.SOFT
    return Finding(kind, address_in(str(person.get("emailAddress"))), diagnosis.status_of(said, status), said)


def _people(event: dict[str, Any], part: str, name: str) -> list[dict[str, Any]]:
    return [person for person in _list(_dict(event.get(part)).get(name)) if isinstance(person, dict)]


def _event(text: str) -> dict[str, Any]:
    """The JSON object a text begins with; empty when it begins otherwise."""
    text = text.lstrip()
    if not text.startswith("{"):
        return {}
    try:
        return _dict(json.JSONDecoder(strict=False).raw_decode(text)[0])
    except (ValueError, RecursionError):
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value[:MOST] if isinstance(value, list) else []
