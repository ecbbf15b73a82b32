"""The guard in front of every deletion: nothing is deleted while a live page would lose it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from wagtail.models import Page

from content.models import CreditedDocument, CreditedImage, Facet, Partner, Person, Term
from content.publishing.usage import Place, key_of, places_showing

GUARDED = (CreditedDocument, CreditedImage, Facet, Page, Partner, Person, Term)
MOST_NAMED = 5

_is_allowed: ContextVar[bool] = ContextVar("deletion_is_allowed", default=False)


class StillShown(Exception):
    """Something can not be deleted: live pages would lose it. `places` says where, by the thing's name."""

    def __init__(self, places: dict[str, list[Place]]) -> None:
        super().__init__(" ".join(refusal(name, shown) for name, shown in places.items()))
        self.places = places


def refusal(name: str, places: Sequence[Place]) -> str:
    """Why one thing can not be deleted, as a sentence."""
    titles = list(dict.fromkeys(place.title for place in places))
    named = ", ".join(titles[:MOST_NAMED]) + (" …" if len(titles) > MOST_NAMED else "")
    return _("“%(thing)s” can not be deleted: readers see it on %(pages)s.") % {"thing": name, "pages": named}


@contextmanager
def allowed() -> Iterator[None]:
    """Let code delete what live pages show: those pages then have an empty place.

    For erasures that the law demands and for clearing up by code. Nothing that an editor presses comes here.
    """
    token = _is_allowed.set(True)
    try:
        yield
    finally:
        _is_allowed.reset(token)


def refuse_while_shown(instance: Model, origin: Any = None, **_signal: Any) -> None:
    """Signal receiver: something is about to be deleted, by whatever door.

    Raises:
        StillShown: a live page would lose it. The transaction of the deletion takes back what was done before.
    """
    if _is_allowed.get() or not isinstance(instance, GUARDED):
        return
    things = _deleted_together(instance, origin)
    if things:
        check(things)
    if isinstance(origin, QuerySet):
        origin.is_checked_for_readers = True  # type: ignore[attr-defined]


def check(things: Sequence[Model]) -> None:
    """Let these things be deleted together.

    Raises:
        StillShown: a live page would lose one of them.
    """
    found = places_showing(things)
    losing = {
        str(thing): lost
        for thing in things
        if (lost := [place for place in found.get(key_of(thing), ()) if place.would_lose])
    }
    if losing:
        raise StillShown(losing)


def _deleted_together(instance: Model, origin: Any) -> list[Model]:
    """Everything that goes with the first signal of a deletion; nothing for those that follow it."""
    if isinstance(origin, QuerySet) and issubclass(origin.model, GUARDED):
        return [] if getattr(origin, "is_checked_for_readers", False) else list(origin)
    return [origin] if isinstance(origin, Facet) else [instance]
