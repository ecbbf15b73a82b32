"""Fixes what is sent and to whom: bodies per variant, the audience by one cutoff, one delivery per recipient."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _
from wagtail.models import Revision

from content import languages
from newsletter import digest, doorbell, messages, subscribers
from newsletter.delivery import clock, timeline
from newsletter.delivery.mailings import Refused, State, counts, enter, pause_because
from newsletter.mail_identity import delivery_message_id_sql
from newsletter.models import Delivery, IssuePage, Mailing, Segment, Subscriber, Subscription, Suppression, Variant

CHUNK = 20_000  # subscriptions
PATIENCE = 5  # tries of a chunk whose readers change while it is written


class Moved(Exception):
    """Somebody came or left while a chunk was written: it does not add up and is written again."""


def start(mailing: Mailing) -> None:
    """Freeze a scheduled mailing as it was approved, publish that, and let it go.

    Goes on where an earlier freeze was cut off. An issue that fails its checks by now pauses its mailing, and the
    reason is kept on it.

    Raises:
        Refused: the issue fails its checks.
    """
    with transaction.atomic():
        if Mailing.objects.filter(pk=mailing.pk, state=State.SCHEDULED).update(state=State.PREPARING):
            timeline.note(mailing.pk, "start")
    mailing.refresh_from_db()
    if mailing.state == State.PREPARING and mailing.cutoff is None:
        _freeze_words(mailing)
    while _freeze_chunk(mailing):
        pass
    mailing.refresh_from_db()


def send(issue: IssuePage, user: User | None = None) -> Mailing:
    """Freeze an issue here and now, and let the workers send it. Needs no broker: the minute's tick finds it.

    Raises:
        Refused: the issue fails its checks, or has a mailing already.
    """
    mailing = enter(issue, user=user)
    start(mailing)
    doorbell.ring("send_mailing", mailing.pk)
    return mailing


def expected(mailing: Mailing) -> int:
    """How many would get it if it were frozen now."""
    return _audience(mailing).exclude(subscriber__address_key__in=_suppressed()).count()


def _freeze_words(mailing: Mailing) -> None:
    approved = Revision.objects.filter(pk__in=mailing.approved)
    words = {page.locale.language_code: page for page in (revision.as_object() for revision in approved)}
    if mailing.issue is None or len(words) < len(mailing.approved):
        raise _held(mailing, _("What was approved was deleted before it was sent. Cancel this mailing."))
    if reasons := digest.problems(mailing.issue, words):
        again = _("If you have to change the issue itself, cancel this mailing and send the issue anew.")
        raise _held(mailing, *reasons, again)
    _publish(approved)
    cutoff = _audience(mailing).aggregate(last=Max("pk"))["last"] or 0
    variants = messages.variants(mailing.issue, _segments(mailing, cutoff), words)
    with transaction.atomic():
        taken = Mailing.objects.filter(pk=mailing.pk, state=State.PREPARING, cutoff__isnull=True)
        if taken.update(cutoff=cutoff, subject=variants[0].subject):
            _keep(mailing, variants)


def _publish(approved: QuerySet[Revision]) -> None:
    """Put the approved words on the web, in every language: mail and archive say the same."""
    standing = IssuePage.objects.live().filter(live_revision__in=approved).values("live_revision")
    for revision in approved.exclude(pk__in=standing):
        revision.publish()


def _held(mailing: Mailing, *reasons: str) -> Refused:
    pause_because(mailing.pk, " ".join(reasons))
    return Refused(*reasons)


def _audience(mailing: Mailing) -> QuerySet[Subscription]:
    return Subscription.objects.filter(newsletter=mailing.newsletter_id, status=Subscription.Status.CONFIRMED)


def _segments(mailing: Mailing, cutoff: int) -> list[tuple[str, str]]:
    """Every language with every set of choices in use; without choices always, for who changes theirs meanwhile.

    A reader of any known language may still confirm before the last chunk is written.
    """
    used = _audience(mailing).filter(pk__lte=cutoff).values_list("subscriber__language", "choices_key").distinct()
    spoken = {*languages.codes(), *Subscriber.objects.values_list("language", flat=True).distinct()}
    return sorted({(language, "") for language in spoken} | set(used))


def _keep(mailing: Mailing, variants: Iterable[messages.FrozenVariant]) -> None:
    for frozen in variants:
        variant = Variant.objects.create(
            mailing=mailing,
            language=frozen.language,
            order_key=frozen.order_key,
            subject=frozen.subject,
            content=frozen.content,
            template=frozen.template,
        )
        Segment.objects.bulk_create(
            Segment(mailing=mailing, language=language, choices_key=key, variant=variant)
            for language, key in frozen.segments
        )


def _freeze_chunk(mailing: Mailing) -> bool:
    """Write the deliveries of the next chunk. False when there is no more to write."""
    for _try in range(PATIENCE):
        try:
            with transaction.atomic():
                return _write_chunk(mailing.pk)
        except Moved:
            continue
    raise Moved("The audience of the mailing changes faster than it can be written down; the next tick tries again.")


def _write_chunk(pk: int) -> bool:
    mailing = Mailing.objects.select_for_update().get(pk=pk)
    if mailing.state != State.PREPARING or mailing.cutoff is None:
        return False
    subscribers.hold_off_erasures()
    rest = _audience(mailing).filter(pk__gt=mailing.watermark, pk__lte=mailing.cutoff).order_by("pk")
    upper = rest[:CHUNK].aggregate(last=Max("pk"))["last"]
    if upper is None:
        _let_go(mailing)
        return False
    chunk = rest.filter(pk__lte=upper)
    candidates, excluded = chunk.count(), chunk.filter(subscriber__address_key__in=_suppressed()).count()
    written = _insert(mailing, upper)
    if candidates != written + excluded:
        excluded += _doubles(mailing, chunk)
    if candidates != written + excluded:
        raise Moved
    Mailing.objects.filter(pk=pk).update(
        watermark=upper, candidates=F("candidates") + candidates, excluded=F("excluded") + excluded
    )
    return True


def _let_go(mailing: Mailing) -> None:
    """To `sending`, only when every candidate is written or excluded."""
    written = counts(mailing)["recipients"]
    if mailing.candidates != written + mailing.excluded:
        numbers = {"readers": mailing.candidates, "written": written, "excluded": mailing.excluded}
        reason = _(
            "The list of recipients does not add up: %(readers)s readers, %(written)s written down, %(excluded)s left "
            "out. Nothing has gone out. Cancel this mailing and send the issue anew; if it happens again, tell your "
            "developer."
        )
        pause_because(mailing.pk, reason % numbers)
        return
    Mailing.objects.filter(pk=mailing.pk).update(state=State.SENDING, started_at=clock.moment())
    timeline.note(mailing.pk, "freeze", recipients=written, excluded=mailing.excluded)


def _suppressed() -> QuerySet[Suppression, str]:
    return Suppression.objects.values_list("address_key", flat=True)


def _doubles(mailing: Mailing, chunk: QuerySet[Subscription]) -> int:
    """How many of a chunk took over an address, since the freeze began, that somebody had and gets the mailing at."""
    theirs = Delivery.objects.filter(mailing=mailing, address_key=OuterRef("subscriber__address_key"))
    taken = Exists(theirs.exclude(subscriber=OuterRef("subscriber")))
    return chunk.exclude(subscriber__address_key__in=_suppressed()).filter(taken).count()


def _insert(mailing: Mailing, upper: int) -> int:
    """One delivery for every confirmed, unsuppressed subscription up to `upper`. How many were written.

    In the order of the subscriptions, which the database writes fastest. Nobody else writes deliveries of this
    mailing meanwhile, so that looking for an address that has one already is enough, and cheaper than a conflict.
    """
    message_id, around = delivery_message_id_sql(mailing.pk, "u.id", connection.vendor)
    domain = (
        "split_part(u.address_key, '@', 2)"
        if connection.vendor == "postgresql"
        else "substr(u.address_key, instr(u.address_key, '@') + 1)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO newsletter_delivery (mailing_id, variant_id, subscriber_id, address, address_key, domain,
                    generation, current, state, message_id, attempts, uncertain_attempts, due_at, reason, reply,
                    provider_id)
                SELECT %s, COALESCE(exact.variant_id, plain.variant_id), u.id, u.email, u.address_key, {domain},
                    1, TRUE, 'queued', {message_id}, 0, 0, {clock.now()},
                    '', '', ''
                FROM newsletter_subscription s JOIN newsletter_subscriber u ON u.id = s.subscriber_id
                JOIN newsletter_segment plain
                    ON plain.mailing_id = %s AND plain.language = u.language AND plain.choices_key = ''
                LEFT JOIN newsletter_segment exact
                    ON exact.mailing_id = %s AND exact.language = u.language AND exact.choices_key = s.choices_key
                WHERE s.newsletter_id = %s AND s.status = 'confirmed' AND s.id > %s AND s.id <= %s
                    AND NOT EXISTS (SELECT 1 FROM newsletter_suppression x WHERE x.address_key = u.address_key)
                    AND NOT EXISTS (SELECT 1 FROM newsletter_delivery d
                        WHERE d.mailing_id = %s AND d.address_key = u.address_key)
                ORDER BY s.id""",
            [
                mailing.pk,
                *around,
                *(mailing.pk, mailing.pk),
                *(mailing.newsletter_id, mailing.watermark, upper, mailing.pk),
            ],
        )
        return int(cursor.rowcount)
