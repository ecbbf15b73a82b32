"""Automatic replies: a reader is away, or a robot says thank you. Nothing follows from them (RFC 3834)."""

from __future__ import annotations

import re

from newsletter.bounces.findings import Finding, address_in
from newsletter.bounces.mail import Mail
from newsletter.bounces.recognition import is_bounce
from newsletter.diagnosis.phrases import any_of
from newsletter.models import Bounce

MARKS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-vacation",
    "x-apple-action",
    "x-ms-exchange-inbox-rules-loop",
    "x-mail-autoreply",
    "x-opentext-autoreply",
)
_BEGINNINGS = any_of(r"""
    auto(?:matic|mated|matisch\w*|m[aá]tica?)?[- :]*(?:re(?:ply|sponse|sponder)|antwort|respuesta|resposta)
    out[- ]of[- ](?:the[- ])?office|(?:on )?vacation|away from|i am away
    abwesen[dh]|nicht im büro
    respuesta autom[aá]tica|fuera de (?:la )?oficina|ausente
    r[eé]ponse automatique|absence
    resposta autom[aá]tica|risposta automatica|automatisch antwoord
    自動(?:返信|応答)|不在
    автоответ|автоматический ответ
    自动(?:回复|答复)|自動回覆
""")
SUBJECT = re.compile(rf"^\W*(?:(?:re|aw|sv|fwd?)\s*:\s*)*(?:{_BEGINNINGS.pattern})", re.IGNORECASE)


def findings(mail: Mail) -> list[Finding]:
    """The sender of an automatic reply; nothing when the mail is none.

    A mail server's own mail is none, whatever its head says: that it can not be read does not mean that ours arrived.
    """
    if is_bounce(mail):
        return []
    submitted = mail.header("auto-submitted").lower()
    if not (submitted.startswith("auto-replied") or _has_marks(mail) or SUBJECT.match(mail.header("subject"))):
        return []
    return [Finding(Bounce.Kind.AUTOREPLY, address_in(mail.header("from")), detail=mail.header("subject"))]


def is_automatic(mail: Mail) -> bool:
    """Whether the head of a mail says, apart from its subject, that no person wrote it."""
    submitted = mail.header("auto-submitted").lower().partition(";")[0].strip()
    return submitted not in ("", "no") or _has_marks(mail)


def _has_marks(mail: Mail) -> bool:
    return any(mail.header(name) for name in MARKS) or mail.header("precedence").lower() == "auto_reply"
