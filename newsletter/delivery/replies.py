"""What a server's answer means for a delivery: sent, later, never, in doubt, or a word about ourselves."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

from newsletter import diagnosis
from newsletter.models import Bounce, Dispatch
from newsletter.smtp import Outcome, Reply, Stage

FIRST_WAIT = 60.0  # seconds
LONGEST_WAIT = 3600.0
UNCERTAIN_WAIT = 60.0

UNCERTAIN = "uncertain"  # nobody but the server knows
EXPIRED = "expired"  # put off for too long
ADDRESS = "address"  # the address does not take mail
BLOCKED = "blocked"  # refused because of us
DEFERRED = "deferred"  # the server asked us to come again
UNWRITABLE = "unwritable"  # no message could be made
DISCONNECTED = "disconnected"  # the connection broke before the message was handed over

ADDRESSES = re.compile(r"[^\s<>]+(@|%40)[^\s<>]+", re.IGNORECASE)
WORDS_ABOUT_PACE = re.compile(r"too (many|much|fast)|\brate\b|throttl|slow down|limits? exceeded", re.IGNORECASE)
NOT_ABOUT_PACE = re.compile(r"gr[ae]y-?list|(this|per) (connection|session)", re.IGNORECASE)
CODES_ABOUT_US = {500, 501, 502, 503, 504, 530, 534, 535, 538}
ABOUT_THE_ADDRESS = re.compile(r"5\.(?:1\.(?!7$|8$)|2\.)")  # RFC 3463; X.1.7 and X.1.8 mean the sender's
SMTPUTF8_MISSING = "5.6.7"  # the address needs it and the way to it has none


class Slows(StrEnum):
    """What a server wants less of: all that we hand to it, or what is for one domain."""

    RELAY = "relay"
    DOMAIN = "domain"


@dataclass(slots=True)
class Verdict:
    """What is to be written about a delivery after an answer.

    `wait` is in seconds; `attempt` says whether the try counts; `pauses` whether the mailing must stop because the
    server refused us, not the address; `slows` what must slow down because the server asked for it; `provider_id` is
    what an ESP calls the message from now on.
    """

    state: Dispatch.State
    reason: str = ""
    reply: str = ""
    wait: float = 0.0
    attempt: bool = True
    uncertain: bool = False
    pauses: bool = False
    slows: Slows | None = None
    bounce: Bounce.Kind | None = None
    provider_id: str = ""


def judge(outcome: Outcome, attempts: int, singled_out: bool) -> Verdict:
    """Read an outcome.

    Args:
        outcome: what became of the message.
        attempts: how often it was tried before.
        singled_out: whether this very delivery was refused because of us before, and others were accepted since: then
            it is this recipient's server alone, and the rest need not wait for it.
    """
    if outcome.taken:
        return Verdict(Dispatch.State.SENT, reply=str(outcome.reply), provider_id=outcome.provider_id)
    if outcome.taken is None:
        return in_doubt(outcome.reply)
    reply = outcome.reply
    if reply is None:
        again = backoff(attempts - 1) if attempts else 0.0
        return Verdict(Dispatch.State.QUEUED, DISCONNECTED, "The connection broke.", again)
    if reply.code == 421 and outcome.stage in (Stage.CONNECT, Stage.MAIL):
        return Verdict(Dispatch.State.QUEUED, DEFERRED, str(reply), attempt=False, slows=slows(reply, outcome.stage))
    if reply.code // 100 != 5:
        wait = backoff(attempts)
        return Verdict(Dispatch.State.QUEUED, DEFERRED, str(reply), wait, slows=slows(reply, outcome.stage))
    if not about_us(reply, outcome.stage):
        return Verdict(Dispatch.State.FAILED, ADDRESS, str(reply), bounce=bounce_kind(reply))
    if singled_out:
        return Verdict(Dispatch.State.FAILED, BLOCKED, str(reply), bounce=Bounce.Kind.BLOCKED)
    return Verdict(Dispatch.State.QUEUED, BLOCKED, str(reply), backoff(attempts), pauses=True)


def in_doubt(reply: Reply | None) -> Verdict:
    """The connection or our patience ended between the final dot and its reply."""
    said = str(reply) if reply else "No reply came after the message was handed over."
    return Verdict(Dispatch.State.QUEUED, UNCERTAIN, said, UNCERTAIN_WAIT, uncertain=True)


def backoff(attempts: int) -> float:
    """Seconds until the next try: a minute, doubling to an hour, 20 % either way so that crowds disperse."""
    wait = min(FIRST_WAIT * 2.0 ** min(attempts, 10), LONGEST_WAIT)
    return float(wait * (800 + secrets.randbelow(401))) / 1000


def about_us(reply: Reply, stage: Stage) -> bool:
    """Whether a 5xx says something about the sender, its content or its standing rather than about the address."""
    status = diagnosis.status_of(reply.text)
    if stage is Stage.MAIL:
        return status != SMTPUTF8_MISSING
    kind = diagnosis.diagnose(str(reply))
    if kind is None:
        return stage is not Stage.RCPT or reply.code in CODES_ABOUT_US
    return kind is Bounce.Kind.BLOCKED and not ABOUT_THE_ADDRESS.match(status)


def slows(reply: Reply, stage: Stage) -> Slows | None:
    """Whether a 4xx asks us to slow down, and for what.

    Greylisting does not, nor does a full mailbox: they want this recipient later. A 421 at the next message says no
    more than that this connection has carried enough.
    """
    status = diagnosis.status_of(reply.text)
    if NOT_ABOUT_PACE.search(reply.text) or status.startswith("4.2."):
        return None
    about_pace = bool(WORDS_ABOUT_PACE.search(reply.text))
    if stage in (Stage.CONNECT, Stage.MAIL):
        return Slows.RELAY if about_pace else None
    too_much = reply.code == 421 or status.startswith("4.7.") or status == "4.3.2"
    return Slows.DOMAIN if about_pace or too_much else None


def bounce_kind(reply: Reply) -> Bounce.Kind:
    """Hard when the address does not exist; soft when it exists and takes nothing now, or when that is not certain."""
    return diagnosis.diagnose(str(reply)) or Bounce.Kind.SOFT


def put_off(verdict: Verdict) -> Bounce.Kind | None:
    """What it is to have been put off until we gave up: a soft bounce, unless servers had something against us."""
    if verdict.reason != DEFERRED:
        return None
    about_sender = diagnosis.diagnose(verdict.reply) is Bounce.Kind.BLOCKED
    return Bounce.Kind.BLOCKED if about_sender else Bounce.Kind.SOFT


def anonymous(text: str) -> str:
    """A reply without the addresses it repeats, for where an erasure would not find them."""
    return ADDRESSES.sub("…", text)
