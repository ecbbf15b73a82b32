"""Notices that the database is older than what was sent from it: a restored ledger sends nothing by itself.

A number grows while mail goes out. It stands in the database, and beside it in DATA_DIR, where no backup of the
database takes it back. A database that says less than the file was put back, by whatever means.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.delivery import clock, freeze, mailings, reaper
from newsletter.delivery.ledger import RESTORED
from newsletter.delivery.mailings import State
from newsletter.delivery.replies import UNCERTAIN
from newsletter.models import Dispatch, Lane, LedgerMark, Mailing, Notice

logger = logging.getLogger(__name__)

ALONE = 900  # seconds without anybody at work, after which a newcomer does not trust what it finds
LEAP = 1_000_000  # past what other hosts remember, so that each alarm is raised once
MOST_KEPT = 10  # databases

# For whoever puts a database back: belongs into the same transaction, and holds until `hold` has the details.
STANDSTILL = """UPDATE newsletter_mailing SET state = 'paused', pause_reason = 'Restored from a backup.'
    WHERE state IN ('scheduled', 'preparing', 'sending')"""


def look() -> None:
    """Raise the mark; first, if the database was put back or moved here after a rest, hold every unfinished mailing.

    Called before anything is sent, and again and again while it is.
    """
    if doubt := _raise_mark():
        hold(doubt)


def hold(why: str) -> int:
    """Pause every unfinished mailing, skip the notices that were due, and end all lanes: nothing goes out by itself.

    Args:
        why: what happened to the database, as a sentence.

    Returns:
        How many mailings are held.
    """
    logger.warning("%s Every unfinished mailing is paused.", why)
    Lane.objects.update(lease_until=clock.moment(-1))
    unfinished = Mailing.objects.exclude(state__in=[State.SENT, State.CANCELLED])
    unfinished.update(state=State.PAUSED, restored_at=clock.moment(), pause_reason=why)
    reaper.reap()
    for mailing in unfinished:
        Mailing.objects.filter(pk=mailing.pk).update(pause_reason=f"{why} {_choice(mailing)}")
    due = Notice.objects.filter(Q(due_at__lte=clock.moment()) | Q(reason=UNCERTAIN), state=Dispatch.State.QUEUED)
    due.update(state=Dispatch.State.SKIPPED, reason=RESTORED, address="", message=None)
    leap()
    return len(unfinished)


def leap() -> None:
    """Put the mark past what any host may remember of the time that was lost."""
    with transaction.atomic():
        mark, _new = _locked()
        mark.mark = max(mark.mark, _kept().get(mark.identity, 0)) + LEAP
        mark.save()
    _keep(mark)


def _raise_mark() -> str:
    """Raise the mark by one. Says what is wrong with the database, if something is; then it is left as it was."""
    with transaction.atomic():
        mark, new = _locked()
        kept = _kept().get(mark.identity)
        if kept is not None and mark.mark < kept:
            return _("This database is older than the last mail that was sent from here: it was restored.")
        if kept is None and not new and LedgerMark.objects.filter(seen_at__lt=clock.moment(-ALONE)).exists():
            return _("This database was brought here after nobody had worked with it for a while: it may be restored.")
        LedgerMark.objects.filter(pk=mark.pk).update(mark=mark.mark + 1, seen_at=clock.moment())
        mark.mark += 1
    _keep(mark)
    return ""


def _locked() -> tuple[LedgerMark, bool]:
    """The one row, for this transaction alone, and whether it is new."""
    _row, new = LedgerMark.objects.get_or_create(pk=1, defaults={"seen_at": clock.moment()})
    return LedgerMark.objects.select_for_update().get(pk=1), new


def _choice(mailing: Mailing) -> str:
    """What the person who resumes or cancels has to know."""
    counts = mailings.counts(mailing)
    left = counts[Dispatch.State.QUEUED] + counts[Dispatch.State.IN_FLIGHT]
    if mailing.started_at is None:
        left = freeze.expected(mailing)
        return ngettext(
            "This mailing had not begun here, and may have gone out since. Resuming sends it to %(number)d reader, "
            "perhaps a second time. Cancelling ends it.",
            "This mailing had not begun here, and may have gone out since. Resuming sends it to %(number)d "
            "readers, perhaps a second time. Cancelling ends it.",
            left,
        ) % {"number": left}
    return ngettext(
        "%(number)d reader has no record here, and may have got this mailing since. Resuming sends it, perhaps a "
        "second time and then with the same Message-ID. Cancelling leaves it at what is recorded.",
        "%(number)d readers have no record here, and may have got this mailing since. Resuming sends it to them, "
        "perhaps a second time and then with the same Message-ID. Cancelling leaves it at what is recorded.",
        left,
    ) % {"number": left}


def _file() -> Path:
    folder: Path = settings.DATA_DIR
    return folder / "ledger.json"


def _kept() -> dict[str, int]:
    """The marks that were reached from here, by the identity of their database."""
    try:
        kept: dict[str, int] = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept


def _keep(mark: LedgerMark) -> None:
    """Remember a committed mark; what can not be written is not worth a mail that does not go."""
    kept = _kept()
    others = {identity: number for identity, number in kept.items() if identity != mark.identity}
    latest = dict(list(others.items())[1 - MOST_KEPT :])
    latest[mark.identity] = max(mark.mark, kept.get(mark.identity, 0))
    file = _file()
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as written:
            written.write(json.dumps(latest))
            written.flush()
            os.fsync(written.fileno())
        draft.replace(file)
    except OSError as error:
        logger.warning("The mark of the ledger can not be kept in %s: %s", file, error.strerror)
