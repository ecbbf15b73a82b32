"""Renditions drawn ahead: a worker makes every size that readers will ask for, so that nobody waits for a picture."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from celery import current_app
from django.core.cache import cache
from django.db import connection, transaction
from kombu.exceptions import OperationalError
from wagtail.images.models import Filter
from wagtail.models import Page

from content import edition, pictures
from content.models import CreditedImage, CreditedRendition, Partner, Person
from content.rights import DRAWN_WITH_CREDIT, VERSION

SHIFT = 5.0
"""Seconds of drawing in one go: mail that falls due meanwhile does not wait longer for this worker."""
LONGEST = 300
"""Seconds that a shift may last, when it ends with a very large picture."""
BATCH = 100
TRY_AGAIN_AFTER = 600
"""Seconds until pictures that could not be drawn are tried again."""
DRAWING, DRAWN = "renditions:drawing", f"renditions:drawn:{VERSION}"

logger = logging.getLogger(__name__)


def draw_ahead() -> bool:
    """Draw what readers of this edition will ask for and nobody has drawn yet, for one shift.

    Renditions from before their files carried a credit go first: they may say where a picture was taken.

    May be called at any time and by many: one draws, and nothing is done when this edition is drawn already.

    Returns:
        Whether there may be more to draw.
    """
    present = edition.current()
    if cache.get(DRAWN) == present or not cache.add(DRAWING, True, LONGEST):
        return False
    complete = True
    try:
        end = time.monotonic() + SHIFT
        for rendition in _drawn_without_credit():
            rendition.delete()
            if time.monotonic() > end:
                return True
        for image, filters in _undrawn():
            complete &= all(size.is_drawn for size in image.get_renditions(*filters).values())
            if time.monotonic() > end:
                return True
    finally:
        cache.delete(DRAWING)
    # A disk that was full for a moment is no reason to leave out a picture for the whole edition.
    cache.set(DRAWN, present, None if complete else TRY_AGAIN_AFTER)
    return False


def ring() -> None:
    """Ask a worker to draw. Only a hint: the next minute's round finds the work when the broker refuses this."""
    try:
        current_app.send_task("content.tasks.draw_renditions")
    except OperationalError as error:
        logger.warning("The broker did not take draw_renditions (%s); the next round will find the work.", error)


def follow(instance: Any, update_fields: Any = None, **_signal: Any) -> None:
    """Signal receiver: something with pictures was saved; once readers see it, its pictures are due."""
    if isinstance(instance, Page):
        is_seen = instance.live and (update_fields is None or "live" in update_fields)
    else:
        is_seen = isinstance(instance, CreditedImage | Partner | Person)
    # Once for a transaction: loading a whole library must not ring for every page.
    if is_seen and not any(ring in call for call in connection.run_on_commit):
        transaction.on_commit(ring, robust=True)


def _drawn_without_credit() -> Iterator[CreditedRendition]:
    old = CreditedRendition.objects.exclude(file__regex=DRAWN_WITH_CREDIT).select_related("image")
    while batch := old[:BATCH]:
        yield from batch


def _undrawn() -> Iterator[tuple[CreditedImage, list[str]]]:
    for image, shapes in pictures.shown_as():
        specs = dict.fromkeys(spec for shape in shapes for spec in pictures.SHAPES[shape].filters)
        drawn = {rendition.filter_spec for rendition in image.find_existing_renditions(*map(Filter, specs)).values()}
        if missing := [spec for spec in specs if spec not in drawn]:
            yield image, missing
