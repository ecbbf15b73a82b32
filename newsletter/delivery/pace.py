"""At what pace the lanes of one sender may claim: routes, limits of relays and domains, and the days of a warm-up.

All of it is looked up when rows are claimed, never per message. Where nothing is limited and nothing was slowed down,
a claim is what it would be without this module, but for one look a second at what other processes have learned.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Iterable, Iterator, Sequence

from django.conf import settings
from django.db import Error, connection
from django.db.models import Count, Min

from newsletter.delivery import claims, clock, throttles
from newsletter.delivery.claims import ANY, Among, Place
from newsletter.delivery.lanes import pulse
from newsletter.delivery.ledger import Entry, Row
from newsletter.delivery.replies import Slows
from newsletter.delivery.ways import Way
from newsletter.models import Delivery, Dispatch, Lane, Throttle

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between looks at what others have learned
WORTH_WAITING = 10.0  # seconds for which a sender stands by until a limited domain or relay takes more
STAND_BY = 2.0  # seconds beyond that, until the next claim says more
BEGINNING = 600.0  # messages a minute: what a domain is taken to have got before anything was measured

NOTICE_DOMAIN = """(SELECT {} FROM (SELECT COALESCE(u.address_key, LOWER(n.address)) AS address_key
    FROM newsletter_notice n LEFT JOIN newsletter_subscription s ON s.id = n.subscription_id
    LEFT JOIN newsletter_subscriber u ON u.id = s.subscriber_id WHERE n.id = newsletter_notice.id) u)"""


class Pace:
    """What the lanes of one sender may claim now."""

    def __init__(self, mailing: int | None, ways: Sequence[Way]) -> None:
        self.mailing = mailing
        self.ways = ways
        self.routed = frozenset[str]().union(*(way.domains for way in ways))
        self.limits = settings.DOMAIN_LIMITS
        limited = any(way.rate or way.connections for way in ways)
        self.configured = bool(self.limits or self.routed or settings.MAIL_WARM_UP or limited)
        self.slowed: dict[str, Throttle] = {}
        self.resting: frozenset[str] = frozenset()
        self.holders: set[int] = set()
        self._look_at = self._expected_until = 0.0
        self._rests: dict[str, float] = {}
        self._passed: dict[str, Place] = {}
        self._none_until: dict[str, float] = {}

    @property
    def expecting(self) -> bool:
        """Whether more may go within seconds, so that connections are better kept open."""
        return pulse() < self._expected_until

    @property
    def limited(self) -> bool:
        """Whether any claim has to heed more than what is due."""
        return bool(self.configured or self.slowed)

    @property
    def counts(self) -> bool:
        """Whether what goes out is counted in the transaction that records it."""
        return bool(settings.MAIL_WARM_UP)

    def admits(self, way: Way) -> bool:
        """Whether one more lane that way stays within the relay's limit; the new lane's row is written already."""
        if not way.connections:
            return True
        throttles.locked([throttles.for_way(way)])
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM newsletter_lane WHERE way = %s", [str(way)])
            return bool(cursor.fetchone()[0] <= way.connections)

    def claim(self, way: Way, token: int, position: int, most: int, notices: bool = True) -> list[Row]:
        """Claim due rows for a lane that leads some way: notices if asked for, or deliveries if there are none."""
        self.look()
        if not self.limited:
            found = claims.claim_notices(token, position, most) if notices else []
            return found or self._deliveries(token, position, most, ANY)
        return _Claim(self, way, token, position, most).rows()

    def claim_notices(self, way: Way, token: int, position: int, most: int) -> list[Row]:
        """Claim due notices alone. They wait for no limit of a domain and no warm-up, but keep to routes."""
        return claims.claim_notices(token, position, most, self.notices_for(way))

    def look(self) -> None:
        """Learn, once a second, what all processes have learned."""
        if pulse() < self._look_at:
            return
        self._look_at = pulse() + LOOK_EVERY
        self.slowed, now = {row.key: row for row in throttles.slowed()}, clock.read()
        self._rests = {
            key: pulse() + (row.rest_until - now).total_seconds() for key, row in self.slowed.items() if row.rest_until
        }
        self.resting = frozenset(
            filter(None, (throttles.domain_of(key) for key, end in self._rests.items() if end > pulse()))
        )

    def rest_end(self, way: Way) -> float:
        """When the rest of a relay ends, as far as any process knows."""
        return self._rests.get(throttles.for_way(way), 0.0)

    def asked_to_rest(self, way: Way) -> bool:
        """Whether the relay itself asked us to leave it alone for now."""
        row = self.slowed.get(throttles.for_way(way))
        return row is not None and row.rate is not None and self.rest_end(way) > pulse()

    def learn(self, way: Way, entry: Entry) -> None:
        """A server asked for less: whoever it spoke for slows down, in all processes."""
        domain = entry.row.domain
        by_domain = entry.verdict.slows is Slows.DOMAIN
        key = throttles.for_domain(domain) if by_domain else throttles.for_way(way)
        fixed = self.limits.get(domain) if by_domain else way
        limit = fixed.rate if fixed else None
        with _tolerant():
            throttles.slow_down(key, limit, self._measured(domain if by_domain else None), entry.verdict.reply)
            self._look_at = 0.0
            self.look()

    def relay_rests(self, way: Way, seconds: float, why: str) -> None:
        """A relay can not be reached: say so to everybody."""
        with _tolerant():
            throttles.rest(throttles.for_way(way), seconds, why)

    def relay_works(self, way: Way) -> None:
        """A relay takes mail again."""
        if throttles.for_way(way) in self.slowed:
            with _tolerant():
                throttles.end_rest(throttles.for_way(way))
                self._look_at = 0.0

    def count(self, entries: Iterable[Entry]) -> None:
        """Count for today what went out, or may have, while a warm-up lasts. Inside the transaction that records it."""
        if self.counts:
            gone = sum(entry.verdict.state == Dispatch.State.SENT or entry.verdict.uncertain for entry in entries)
            if gone:
                throttles.count_today(gone)

    def notices_for(self, way: Way) -> Among:
        """Which notices may go that way."""
        if not self.routed:
            return ANY
        domain = NOTICE_DOMAIN.format(
            "split_part(u.address_key, '@', 2)"
            if connection.vendor == "postgresql"
            else "substr(u.address_key, instr(u.address_key, '@') + 1)"
        )
        return _within(way.domains, domain) if way.domains else _without(self.routed, domain)

    def expect(self, seconds: float) -> None:
        """More may go in so many seconds."""
        if seconds <= WORTH_WAITING:
            self._expected_until = pulse() + seconds + STAND_BY

    def claim_from(self, queue: str, token: int, position: int, most: int, among: Among) -> list[Row]:
        """Claim deliveries of one kind in one long pass: what stands between them in the queue is passed only once."""
        if pulse() < self._none_until.get(queue, 0.0):
            return []
        place = self._passed.pop(queue, None)
        rows = self._deliveries(token, position, most, claims.after(place, among)) if place else []
        if not rows:
            rows = self._deliveries(token, position, most, among)
        if len(rows) == most:
            self._passed[queue] = claims.place(token, rows[-1].position)
        elif not rows:
            self._none_until[queue] = pulse() + LOOK_EVERY
        return rows

    def _deliveries(self, token: int, position: int, most: int, among: Among) -> list[Row]:
        if self.mailing is None:
            return []
        return claims.claim_deliveries(self.mailing, token, position, most, among)

    def _measured(self, domain: str | None) -> float:
        """Messages a minute of late, to a domain or in all: from the ledger, for the few times that one must know."""
        sent = Delivery.objects.filter(mailing=self.mailing, sent_at__gt=clock.moment(-60), current=True, state="sent")
        if domain is not None:
            sent = sent.filter(domain=domain)
        facts = sent.aggregate(count=Count("pk"), first=Min("sent_at"))
        if not facts["count"]:
            return BEGINNING
        return float(60 * facts["count"] / max(1.0, (clock.read() - facts["first"]).total_seconds()))


class _Claim:
    """One claim under limits, inside its transaction: nobody else counts until that ends."""

    def __init__(self, pace: Pace, way: Way, token: int, position: int, most: int) -> None:
        self.pace, self.way, self.token, self.position, self.most = pace, way, token, position, most
        self.relay = throttles.for_way(way)
        domains = {throttles.for_domain(domain) for domain in pace.limits}
        self.known = throttles.locked({self.relay, *domains, *pace.slowed})
        self.now = clock.read()
        self.found: list[Row] = []

    def rows(self) -> list[Row]:
        """Claim, and take what was claimed from what may go."""
        pace, relay = self.pace, self.known[self.relay]
        rate = throttles.going_rate(relay, self.way.rate, self.now)
        room = self._room(relay, rate)
        if room > 0:
            self.found = claims.claim_notices(self.token, self.position, room, pace.notices_for(self.way))
        if room > 0 and not self.found and pace.mailing is not None:
            self._take_deliveries(min(room, self._left_today(room)))
        if rate is not None and self.found:
            throttles.spend(relay, rate, len(self.found), self.now)
            throttles.keep([relay])
        if not self.found:
            pace.holders.discard(self.token)
        return self.found

    def _room(self, relay: Throttle, rate: float | None) -> int:
        if throttles.rests(relay, self.now):
            return 0
        if rate is None:
            return self.most
        left = throttles.tokens(relay, rate, self.now)
        if left < 1 and (all_of_it := self._general(())) and self._waits(all_of_it):
            self.pace.expect((1 - left) * 60 / rate)
        return min(self.most, int(left))

    def _left_today(self, most: int) -> int:
        """What the warm-up leaves for today: less what went out, and what others hold already."""
        allowed = throttles.most_today(self.now)
        if allowed is None:
            return most
        key = throttles.today(self.now)
        spent = throttles.locked([key])[key].spent
        return max(0, allowed - spent - claims.held(Lane.objects.all()).count())

    def _take_deliveries(self, room: int) -> None:
        rates = self._rates()
        capped = {domain for domain, limit in self.pace.limits.items() if limit.connections}
        closed = set(self._closed(capped)) | {
            domain for domain in rates if throttles.rests(self.known.get(throttles.for_domain(domain)), self.now)
        }
        # Half for the limited ones, so that none of them keeps a lane from the rest of the mailing.
        open_ones = self._mine(rates.keys() - closed)
        for domain in secrets.SystemRandom().sample(open_ones, len(open_ones)):
            self._take_limited(domain, rates[domain], room - room // 2)
        general = self._general(rates.keys() | closed)
        if general and len(self.found) < room:
            left = room - len(self.found)
            self.found += self.pace.claim_from(self.relay, self.token, self._position, left, general)
        if any(row.domain in capped for row in self.found):
            self.pace.holders.add(self.token)
        if len(self.found) < room:
            self._expect({domain: rate for domain in open_ones if (rate := rates[domain])})

    def _take_limited(self, domain: str, rate: float | None, room: int) -> None:
        row = self.known[throttles.for_domain(domain)]
        left = room if rate is None else int(throttles.tokens(row, rate, self.now))
        share = min(left, room - len(self.found))
        if share < 1:
            return
        among = Among("domain = %s", (domain,))
        taken = self.pace.claim_from(row.key, self.token, self._position, share, among)
        self.found += taken
        if rate is not None and taken:
            throttles.spend(row, rate, len(taken), self.now)
            throttles.keep([row])

    def _expect(self, rates: dict[str, float]) -> None:
        """Stand by when nothing is left but what limited domains take within seconds."""
        if rates and self._waits(_within(rates, "domain")):
            self.pace.expect(60 / max(rates.values()))

    def _rates(self) -> dict[str, float | None]:
        """Messages a minute of every limited domain; None where only its connections are limited."""
        pace = self.pace
        names = {*pace.limits, *filter(None, map(throttles.domain_of, pace.slowed))}
        rates = {}
        for name in names:
            limit = pace.limits.get(name)
            row = self.known.get(throttles.for_domain(name))
            rate = throttles.going_rate(row, limit.rate if limit else None, self.now)
            if rate is not None or limit or throttles.rests(row, self.now):
                rates[name] = rate
        return rates

    def _closed(self, capped: set[str]) -> Iterator[str]:
        """Domains that as many lanes are at as they may have, and this one is not."""
        if not capped:
            return
        held = claims.held(Lane.objects.all()).filter(domain__in=capped)
        lanes: dict[str, set[int | None]] = {domain: set() for domain in capped}
        for domain, lane in held.values_list("domain", "lane").distinct():
            lanes[domain].add(lane)
        for domain, at in lanes.items():
            most = self.pace.limits[domain].connections
            if self.token not in at and most is not None and len(at) >= most:
                yield domain

    def _mine(self, domains: Iterable[str]) -> list[str]:
        """Those of these domains whose mail this relay takes."""
        mine, routed = self.way.domains, self.pace.routed
        return [domain for domain in domains if (domain in mine if mine else domain not in routed)]

    def _general(self, left_out: Iterable[str]) -> Among | None:
        """Everything this relay takes that is not limited; None when that is nothing."""
        if self.way.domains:
            rest = self.way.domains.difference(left_out)
            return _within(rest, "domain") if rest else None
        return _without(self.pace.routed.union(left_out), "domain")

    def _waits(self, among: Among) -> bool:
        return self.pace.mailing is not None and claims.waits(self.pace.mailing, among)

    @property
    def _position(self) -> int:
        return self.found[-1].position if self.found else self.position


@contextlib.contextmanager
def _tolerant() -> Iterator[None]:
    """What is learned is worth a word in the log, but no mailing stops because it could not be written down."""
    try:
        yield
    except Error as error:
        logger.warning("What a mail server asked for could not be written down (%s).", error)
        connection.close()


def _within(domains: Iterable[str], column: str) -> Among:
    names = tuple(sorted(domains))
    return Among(f"{column} IN ({', '.join(['%s'] * len(names))})", names)


def _without(domains: Iterable[str], column: str) -> Among:
    names = tuple(sorted(domains))
    return Among(f"{column} NOT IN ({', '.join(['%s'] * len(names))})", names) if names else ANY
