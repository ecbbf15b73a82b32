"""How it goes out: the only writer of the state of mailings, deliveries and notices.

`mailings` says what a mailing may become; `freeze` fixes words and audience; `sender` drives the `lanes`, which get in
where `doors` are open and live on a `supply` of `claims`, and writes to the `ledger` what they hear; `reaper` cleans up
after a crash; `returns` settles what came back; `rounds` finds what is due; `resending` is a person's second try;
`timeline` keeps the story of each mailing, and `hindrances` say what holds one up; `witness` notices a restored
database. docs/delivery.md has the whole picture.
"""

from newsletter.delivery.freeze import expected, send, start
from newsletter.delivery.hindrances import hindrances
from newsletter.delivery.mailings import Refused, cancel, counts, finish, pause, resume, schedule
from newsletter.delivery.reaper import reap
from newsletter.delivery.resending import resend, retry_failed, retryable, why_not
from newsletter.delivery.returns import settle
from newsletter.delivery.rounds import send_until_idle, tick, work_on, work_on_notices
from newsletter.delivery.trial import send_test
from newsletter.delivery.witness import STANDSTILL, hold

__all__ = [
    "STANDSTILL",
    "Refused",
    "cancel",
    "counts",
    "expected",
    "finish",
    "hindrances",
    "hold",
    "pause",
    "reap",
    "resend",
    "resume",
    "retry_failed",
    "retryable",
    "schedule",
    "send",
    "send_test",
    "send_until_idle",
    "settle",
    "start",
    "tick",
    "why_not",
    "work_on",
    "work_on_notices",
]
