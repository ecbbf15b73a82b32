"""Whether a mail is a bounce: by who wrote it, and by its subject."""

from __future__ import annotations

import re

from newsletter.bounces.findings import address_in
from newsletter.bounces.mail import Mail
from newsletter.diagnosis import diagnose
from newsletter.diagnosis.phrases import any_of

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
FAILED = any_of(r"""
    (?:could|can|was|were|is|has|have) ?(?:not|n't) (?:be |been )?(?:delivered|sent)
    (?:unable|failed) to deliver|deliver\w* (?:has |have )?failed|undeliver|(?:permanent|fatal) (?:\w+ )?error
    following (?:\w+ )?(?:address|recipient)
""")
REPLY = re.compile(r"\W*(?:re|aw|sv|fwd?|tr|rv|wg)\s*:", re.IGNORECASE)
LONGEST = 5000  # characters of a text that are looked at
# Robots of mailing lists, and why they do not take a mail.
LISTS = re.compile(
    r"(?:^|[<\s.+_-])(?:admin|owner|request|majordomo|listserv|listmaster|sympa|mailman|ml)@"
    r"|(?:^|[<\s])(?:fml|ezmlm|sympa|mailman)\w*[-_.@]",
    re.IGNORECASE,
)
LIST_REFUSALS = any_of(r"""
    \bnot (?:an? )?(?:\w+ )?members?\b|\bnon-?members?\b|members? only|only (?:\w+ )?(?:members|subscribers)
    not (?:allowed|authori[sz]ed|permitted) to (?:post|send|write)
    (?:post|posting|article|submission|message|mail)\w* [^.\n]{0,60}(?:rejected|refused|not accepted)
""")


def is_bounce(mail: Mail) -> bool:
    """Whether a mail was written by a mail server, or by a mailing list that did not take ours."""
    sender, subject = mail.header("from") or mail.header("return-path"), mail.header("subject")
    if not address_in(sender) or is_surely_bounce(mail):
        return True
    # A robot under another name: both subject and text say so, and it answers nobody.
    text = mail.prose[:LONGEST]
    return bool(SUBJECTS.search(subject) and not REPLY.match(subject) and (FAILED.search(text) or diagnose(text)))


def is_surely_bounce(mail: Mail) -> bool:
    """The same of a mail inside another one, where a head that says nothing proves nothing."""
    sender, subject = mail.header("from"), mail.header("subject")
    if SENDERS.search(sender or mail.header("return-path")):
        return True
    if SUBJECTS.search(subject) and mail.header("return-path") in ("", "<>"):
        return True
    return bool(LISTS.search(sender) and (LIST_REFUSALS.search(subject) or LIST_REFUSALS.search(mail.prose[:2000])))
