"""A raw mail comes in: it is read, matched with our messages, and what it says of them is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter.bounces import identity, unsubscribing
from newsletter.bounces.findings import Finding, address_in
from newsletter.bounces.mail import LARGEST, Mail, parse
from newsletter.bounces.reading import read
from newsletter.bounces.record import Report, event_id, record
from newsletter.models import Bounce, Delivery, Notice

Kind = Bounce.Kind
# Where a mail says several things about one message, the mildest counts.
MILDEST_FIRST = (
    Kind.DELIVERED,
    Kind.AUTOREPLY,
    Kind.DEFERRED,
    Kind.UNKNOWN,
    Kind.BLOCKED,
    Kind.SOFT,
    Kind.HARD,
    Kind.COMPLAINT,
)
UNREAD = Finding(Kind.UNKNOWN, "")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a mail said, and how many of its reports were new to us; or that a reader asked by it to be unsubscribed."""

    findings: Sequence[Finding]
    recorded: int
    asks_to_unsubscribe: bool = False

    @property
    def understood(self) -> bool:
        return self.asks_to_unsubscribe or any(finding.kind != Kind.UNKNOWN for finding in self.findings)


def take(raw: bytes) -> Receipt:
    """Read a mail and record what it says about messages of ours. Taking it again changes nothing.

    Raises:
        DatabaseError: it could not be recorded.
    """
    mail = parse(raw)
    ended = unsubscribing.obey(mail, raw[:LARGEST])
    if ended is not None:
        reader = Finding(Kind.UNKNOWN, address_in(mail.header("from")), detail=mail.header("subject"))
        return Receipt([reader], ended, asks_to_unsubscribe=True)
    findings = read(mail)
    messages = identity.subjects(mail, raw[:LARGEST])
    recorded = [record(report) for report in _reports(mail, findings, messages)]
    return Receipt(findings, sum(recorded))


def _reports(mail: Mail, findings: Sequence[Finding], messages: Sequence[Delivery | Notice]) -> Iterator[Report]:
    for message in messages:
        said = _about(message, findings, alone=len(messages) == 1)
        if said is None:
            continue
        yield Report(
            said.kind,
            _event_id(mail, said, message),
            delivery=message.pk if isinstance(message, Delivery) else None,
            notice=message.pk if isinstance(message, Notice) else None,
            status=said.status,
            detail=said.detail or mail.header("subject"),
        )


def _about(message: Delivery | Notice, findings: Sequence[Finding], *, alone: bool) -> Finding | None:
    """What a mail says of a message: what it says of its address, else, when it is about no other, anything at all."""
    address = identity.address_of(message)
    own = [finding for finding in findings if address and address in (finding.recipient, finding.original)]
    if own or alone:
        return min(own or findings, key=lambda finding: MILDEST_FIRST.index(finding.kind), default=UNREAD)
    return None


def _event_id(mail: Mail, said: Finding, message: Delivery | Notice) -> str:
    """The same whenever the same report comes again, by whatever way."""
    return event_id(mail, type(message).__name__, str(message.pk), said.kind, said.recipient)
