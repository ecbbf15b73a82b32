"""Bounces written for people: qmail, Exim, Exchange and many more, in many languages."""

from __future__ import annotations

from newsletter import diagnosis
from newsletter.bounces.findings import Finding, address_in
from newsletter.bounces.mail import Mail
from newsletter.bounces.plain_words import PlainWords
from newsletter.bounces.recipients import recipients
from newsletter.bounces.recognition import is_bounce
from newsletter.bounces.transcripts import Statement
from newsletter.diagnosis.phrases import any_of
from newsletter.models import Bounce

Kind = Bounce.Kind
MOST = 100  # recipients of one mail
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
    permanent(?:ly)? (?:error|failure|fail)|failed permanently|(?<!non-)fatal error
    endgültig|definitiv
""")


ARRIVED = any_of(r"""
    ^(?:delivered|relayed|expanded):
    (?:was|were|has been|have been) (?:successfully )?(?:delivered|relayed) to|successfully delivered
    delivery to [^.\n]{0,60}\bis complete
""")


def findings(mail: Mail) -> list[Finding]:
    """One finding for each recipient that a bounce in free text names; none when the mail does not look like one."""
    failed = [address_in(word) for word in mail.header("x-failed-recipients").split(",")[:MOST]]
    if not any(failed) and not is_bounce(mail):
        return []
    words = PlainWords(mail)
    people = list(dict.fromkeys(filter(None, failed))) or recipients(mail, words.text)
    whole = _of_the_whole_mail(mail, words.text)
    return [_finding(words, recipient, len(people) == 1, whole) for recipient in people[:MOST]]


def _finding(words: PlainWords, recipient: str, alone: bool, whole: Bounce.Kind | None) -> Finding:
    told = words.about(recipient) or Statement("")
    kind = words.diagnose(told.words, recipient)
    if kind is None and alone and not told.accepted:
        kind = words.diagnose(words.text, recipient)
    if whole == Kind.DEFERRED or kind is None:
        kind = whole
    return Finding(kind or Kind.SOFT, recipient, diagnosis.status_of(told.words), " ".join(told.words.split()))


def _of_the_whole_mail(mail: Mail, text: str) -> Bounce.Kind | None:
    """What a mail says of everybody in it: that it is still tried, or, where no reason speaks against it, arrived."""
    subject = mail.header("subject")
    if not GIVEN_UP.search(text) and (DELAYED.search(subject) or DELAYED.search(text)):
        return Kind.DEFERRED
    return Kind.DELIVERED if ARRIVED.search(subject) or ARRIVED.search(text) else None
