"""How words and codes are weighed.

Codes are often wrong and words seldom, so words go first; among them those about us, since nobody may be removed for
what is our own doing. Only a clear word or code makes a hard bounce. RFC 3463 has the codes.
"""

from __future__ import annotations

import re

from newsletter.diagnosis import phrases
from newsletter.models import Bounce

Kind = Bounce.Kind
ENHANCED = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
REPLY_CODE = re.compile(r"(?<![\w.:/-])([45])\d\d(?=[ -]|$)")
LONGEST = 4000  # characters of a diagnosis that are looked at

HARD_CODES = {(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (3, 2)}
NO_MAIL_REPLY = re.compile(r"(?<![\w.:/-])(?:521|556)(?=[ -]|$)")  # RFC 7504
SENDER_UNKNOWN = {(1, 7), (1, 8)}
CODES_ABOUT_US = SENDER_UNKNOWN | {(3, 4)}  # a message too big
SMTPUTF8_MISSING = (6, 7)  # the address needs it and the way to it has none
POLICY = 7
SUBJECTS = {
    1: Kind.SOFT,
    2: Kind.SOFT,
    3: Kind.SOFT,
    4: Kind.SOFT,
    5: Kind.BLOCKED,
    6: Kind.BLOCKED,
    7: Kind.BLOCKED,
}


def diagnose(text: str, status: str = "") -> Bounce.Kind | None:
    """What a refusal says: hard, soft or blocked; None when it says nothing that is certain.

    Args:
        text: the server's reply or a reporter's words.
        status: the status code (RFC 3463) a report gives beside them.
    """
    text = text[:LONGEST]
    if _code(text, status) == SMTPUTF8_MISSING:
        return Kind.SOFT
    return _by_words(text, status) or _by_code(text, status)


def tells(text: str, status: str = "") -> bool:
    """Whether there is a reason in it: a word that means something, or a code that is not a general one."""
    text = text[:LONGEST]
    code = _code(text, status)
    return _by_words(text, status) is not None or bool(code and code[0] and (code[1] or code[0] == POLICY))


def is_before_any_recipient(text: str) -> bool:
    """Whether the server refused us for good before it heard of any recipient."""
    return bool(phrases.BEFORE_ANY_RECIPIENT.search(text[:LONGEST])) and not _is_passing(text[:LONGEST], "")


def status_of(text: str, status: str = "") -> str:
    """The most telling status code in a text, else the one beside it; empty where there is none."""
    found = [match[0] for match in (*ENHANCED.finditer(text[:LONGEST]), *ENHANCED.finditer(status))]
    return next((code for code in found if code[2:4] != "0."), found[0] if found else "")


def _by_words(text: str, status: str) -> Bounce.Kind | None:
    said = phrases.NO_RECIPIENT_LEFT.sub(" ", text)
    said = phrases.NAMES.sub("…", phrases.COMMANDS.sub(" ", said))
    said = phrases.NOT.sub(r"\1n't", said)
    lasting = not _is_passing(text, status)
    dead = bool(phrases.DEAD.search(said))
    if _code(text, "") in SENDER_UNKNOWN:
        return Kind.BLOCKED
    if lasting and phrases.MICROSOFT_UNKNOWN.search(text if ENHANCED.search(text) else f"{status} {text}"):
        return Kind.HARD
    if phrases.FULL.search(said) or (phrases.ASLEEP.search(said) and not dead):
        return Kind.SOFT
    if phrases.ABOUT_US.search(said) or (lasting and phrases.BEFORE_ANY_RECIPIENT.search(text)):
        return Kind.BLOCKED
    if "://" in text and not ENHANCED.search(text) and phrases.NOTHING_BUT_LINKS.fullmatch(said):
        return Kind.BLOCKED
    if phrases.PASSING.search(said):
        return Kind.SOFT
    if dead or phrases.NOWHERE.search(said) or phrases.NO_MAIL_THERE.search(said):
        return Kind.HARD if lasting else Kind.SOFT
    return None


def _by_code(text: str, status: str) -> Bounce.Kind | None:
    code = _code(text, status)
    if NO_MAIL_REPLY.search(text) and (code is None or code in HARD_CODES):
        return Kind.HARD
    if code is None:
        return None
    if code in CODES_ABOUT_US:
        return Kind.BLOCKED
    if code in HARD_CODES:
        return Kind.SOFT if _is_passing(text, status) else Kind.HARD
    return SUBJECTS.get(code[0])


def _code(text: str, status: str) -> tuple[int, int] | None:
    """Subject and detail of the most telling status code: one in the words before the one beside them."""
    found = [match for match in (*ENHANCED.finditer(text), *ENHANCED.finditer(status)) if match[1] != "2"]
    codes = [(int(match[2]), int(match[3])) for match in found]
    return next((code for code in codes if code[0]), codes[0] if codes else None)


def _is_passing(text: str, status: str) -> bool:
    """Whether the last word was one of the 4xx kind: what looks dead may be alive tomorrow."""
    enhanced = ENHANCED.search(text)
    if enhanced:
        return enhanced[1] == "4"
    reply = REPLY_CODE.search(text)
    return reply[1] == "4" if reply else status.startswith("4")
