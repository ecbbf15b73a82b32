"""Bounces written for people: qmail, Exim, Exchange and many more, in many languages."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import islice, takewhile

from flufl.bounce import all_failures

from newsletter import diagnosis
from newsletter.bounces.findings import ADDRESS, Finding, address_in
from newsletter.bounces.mail import Mail
from newsletter.diagnosis.phrases import any_of
from newsletter.models import Bounce

logger = logging.getLogger(__name__)

Kind = Bounce.Kind
MOST = 100  # recipients of one mail
LONGEST = 50_000  # characters that are searched for recipients
SNIPPET = 1500  # characters after an address that may say why
SENDERS = any_of(r"""
    mailer[-_ ]?daemon|postmaster|mdaemon|bounce
    mail (?:delivery|administrator|system)|mail ?server
    delivery (?:subsystem|system|service)
    system ?administrator|administrador del sistema|microsoft exchange
""")
SUBJECTS = any_of(r"""
    undeliver|non-?deliver|not (?:be )?delivered|couldn't be delivered
    deliver\w* (?:has )?(?:fail|problem|status|report|notification|error|delay)
    (?:failed|failure|delayed|problem)[^\n]{0,20}deliver
    return(?:ed|ing) (?:mail|message|to sender)
    failure notice|mail (?:system )?(?:error|failure|delivery|problem)
    message (?:delayed|not delivered|could not)|warning: (?:message|could)
    # German, Spanish, French, Portuguese, Italian, Dutch
    unzustellbar|zustell|nicht zugestellt
    no (?:se )?(?:pudo|ha podido|puede) (?:ser )?entreg|no entregad|entrega
    non remis|[eé]chec|n'a pas pu
    n[aã]o (?:p[oô]de ser )?entregue
    mancato recapito|onbestelbaar
    # Japanese, Chinese, Russian, Korean
    配信|配達|送信でき|不達
    未达|退信
    не ?доставлен
    반송
""")
DELAYED = any_of(r"""
    delayed|still (?:being )?tr(?:y|ied)
    will (?:be |continue|keep)[^.\n]{0,30}(?:retr|try)
    not yet (?:been )?(?:be )?deliver|has not (?:yet )?been delivered[^.\n]{0,40}(?:after|for) \d
    attempts will continue|no action is required
    only a warning|warning message only|temporary (?:delivery )?failure report
    # German, Spanish, French
    verz[oö]ger|weiteren? (?:zustell)?versuch
    retrasad|demora|se (?:seguir|volver|continuar)[^.\n]{0,30}intent
    retard[eé]|sera (?:retent|r[eé]ess)
    # Japanese, Russian, Chinese
    遅延|遅れ
    задерж
    延迟|延遲
""")
GIVEN_UP = any_of(r"""
    given up|giving up|not going to try|no further
    permanent(?:ly)? (?:error|failure|fail)|failed permanently|fatal error
    endgültig|definitiv
""")
# From here on it is our own message.
ORIGINAL = re.compile(
    r"^[ \t>]*(?:"
    r"[-=_*]{2,}.{0,12}(?:original|cop(?:y|ia)|[ck]opie|header|returned|unsent|below|message follows)"
    r"|[-=_*]{2,}.{0,12}(?:コピー|元の|原信|исходн)"
    r"|(?:the )?(?:original )?message (?:headers? )?follows"
    r"|headers? of the original|original message(?: headers?)?:"
    r"|(?:encabezados|cabeceras) (?:originales|del mensaje)|ursprüngliche (?:kopf|nachricht)"
    r"|received: (?:from|by) |return-path: |dkim-signature: |mime-version: "
    r").*",
    re.IGNORECASE | re.MULTILINE,
)
# `<name@host>:`, `  name@host`, `  * name@host`: a line that begins a recipient.
LISTED = re.compile(
    r"^[ \t>*\-]{0,12}(?:[\"']?[\w .'-]{0,40}[\"']?[ \t]*(?=<))?<?(?:mailto:|smtp:|rfc822;[ \t]?)?"
    rf"({ADDRESS.pattern})>?"
    r"(?:[ \t]*(?:[:(<;,|].{0,1000}|[-–] .{0,1000}|\.{3}.{0,1000}))?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_BEFORE = any_of(r"""
    recipients?(?: address)?|undeliverable to|unknown user|reach|address(?:es)?|user
    deliver(?:ing|ed|y|able)?(?: your| this| the)?(?: mail| message| e-?mail)?(?: was not)?(?: to)?
    (?:message|mail) (?:to|for)|to
    empf[aä]nger\w*|an|f[uü]r
    destinatario\w*|para|a
    à
    宛
""")
# Sentences that name one.
NAMED = re.compile(
    rf"(?<!\w)(?:{_BEFORE.pattern})(?:[^\S\n]{{0,3}}:\s{{0,6}}|\s{{1,6}}|(?=[<\"'(]))[\"'<(«“]{{0,2}}"
    rf"(?:mailto:)?({ADDRESS.pattern})",
    re.IGNORECASE,
)


def findings(mail: Mail) -> list[Finding]:
    """One finding for each recipient that a bounce in free text names; none when the mail does not look like one."""
    failed = [address_in(word) for word in mail.header("x-failed-recipients").split(",")[:MOST]]
    if not any(failed) and not _looks_like_one(mail):
        return []
    text = own_words(mail)
    recipients = list(dict.fromkeys(filter(None, failed))) or _recipients(mail, text)
    delayed = _is_delayed(mail, text)
    return [_finding(recipient, text, len(recipients), delayed) for recipient in recipients[:MOST]]


def own_words(mail: Mail) -> str:
    """What the reporter wrote, without the message that came back."""
    original = ORIGINAL.search(mail.prose)
    return mail.prose[: original.start()] if original else mail.prose


def about(mail: Mail, *recipients: str) -> str:
    """What is said in plain words about a recipient."""
    text = own_words(mail)
    return next((said for recipient in recipients if (said := _snippet(text, recipient))), text[:SNIPPET])


def _looks_like_one(mail: Mail) -> bool:
    sender = mail.header("from") or mail.header("return-path")
    if SENDERS.search(sender) or not address_in(sender):
        return True
    return bool(SUBJECTS.search(mail.header("subject"))) and mail.header("return-path") in ("", "<>")


def _is_delayed(mail: Mail, text: str) -> bool:
    if GIVEN_UP.search(text):
        return False
    return bool(DELAYED.search(mail.header("subject")) or DELAYED.search(text))


def _recipients(mail: Mail, text: str) -> list[str]:
    """The addresses of a bounce: those listed, else what others know how to find, else those named in a sentence."""
    own = {address_in(mail.header(name)) for name in ("from", "to", "return-path", "sender")}
    for found in (LISTED.findall(text[:LONGEST]), _flufl(mail), NAMED.findall(text[:LONGEST])):
        addresses = dict.fromkeys(address for text in found if (address := address_in(text)) and address not in own)
        people = [address for address in addresses if not SENDERS.match(address)]
        if addresses:
            return people or list(addresses)
    return []


def _flufl(mail: Mail) -> list[str]:
    """What flufl.bounce finds; it knows many old servers, breaks on some mails, and takes long over large ones."""
    if len(mail.prose) > LONGEST:
        return []
    try:
        temporary, permanent = all_failures(mail.headers)
    except Exception:
        logger.info("flufl.bounce could not read a mail.", exc_info=True)
        return []
    return sorted(address.decode("latin-1") for address in temporary | permanent if isinstance(address, bytes))


def _finding(recipient: str, text: str, recipients: int, delayed: bool) -> Finding:
    said = _snippet(text, recipient)
    kind = diagnosis.diagnose(said)
    if kind is None and recipients == 1:
        kind = diagnosis.diagnose(text)
    if delayed:
        kind = Kind.DEFERRED
    return Finding(kind or Kind.SOFT, recipient, diagnosis.status_of(said), " ".join(said.split()))


def _snippet(text: str, recipient: str) -> str:
    """The lines about a recipient: from where it stands to where the next begins."""
    if not recipient:
        return ""
    return max(islice(_snippets(text, recipient), MOST), key=_weight, default="")


def _snippets(text: str, recipient: str) -> Iterator[str]:
    lower = text.lower()
    place = lower.find(recipient)
    while place >= 0:
        start = lower.rfind("\n", 0, place) + 1
        line, *rest = text[start : start + SNIPPET].split("\n")
        stands_alone = line.strip(" \t<>*") == text[place : place + len(recipient)] and not "".join(rest[:1]).strip()
        before = _lines_above(text[:start]) if stands_alone else ""
        yield before if diagnosis.diagnose(before) else "\n".join([line, *_until_next(rest, recipient)])
        place = lower.find(recipient, max(place + 1, start + len(line)))


def _lines_above(text: str) -> str:
    """The lines right above a recipient with nothing beside and below it: some servers give their reasons first."""
    lines = text[-SNIPPET:].split("\n")[:-1]
    return "\n".join(reversed(list(takewhile(lambda line: line.strip() and "@" not in line, reversed(lines)))))


def _until_next(lines: list[str], recipient: str) -> Iterator[str]:
    for line in lines:
        listed = LISTED.match(line)
        if listed and listed[1].lower() != recipient:
            return
        yield line


def _weight(snippet: str) -> tuple[bool, int]:
    return diagnosis.diagnose(snippet) is not None, len(snippet)
