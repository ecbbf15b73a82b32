"""What an editor reads before something is deleted, and when it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from wagtail.admin.admin_url_finder import AdminURLFinder

from content.publishing.deletion import GUARDED, StillShown
from content.publishing.usage import Place, key_of, places_showing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.template.response import TemplateResponse

MOST_LISTED = 50


@dataclass(frozen=True)
class ListedPlace:
    """A place with the address where it is edited; empty when this person may not."""

    place: Place
    url: str


@dataclass(frozen=True)
class Shown:
    """Where one thing is shown, as the page lists it."""

    name: str
    listed: list[ListedPlace]
    left_out: int
    would_be_lost: bool


class DeletionPages:
    """Middleware: every page that asks “delete?” says where the thing is shown; a refusal becomes a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """Tell the page that confirms a deletion, of one thing or of many, where each is shown."""
        context = response.context_data
        if context is not None and "is_protected" in context and (rows := _rows(context)):
            _tell(context, rows, request.user)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, StillShown):
            return None
        if "application/json" in request.headers.get("Accept", "").split(",") or _is_script(request):
            told = {"success": False, "error_code": "still_shown", "error_message": str(exception)}
            return JsonResponse(told, status=409)
        shown = [_shown(name, places, request.user) for name, places in exception.places.items()]
        return render(request, "content/admin/still_shown.html", {"refused": shown}, status=409)


def _rows(context: dict[str, Any]) -> list[tuple[Model, dict[str, Any]]]:
    """What is about to be deleted, each thing with the part of the context that speaks of it."""
    if isinstance(context.get("items"), list):
        rows = [(row["item"], row) for row in context["items"]]
    else:
        rows = [(context.get("object") or context.get("page"), context)]
    return [row for row in rows if isinstance(row[0], GUARDED)]


def _tell(context: dict[str, Any], rows: list[tuple[Any, dict[str, Any]]], user: Any) -> None:
    found = places_showing([*(thing for thing, _row in rows), *_below(thing for thing, _row in rows)])
    context["shown_at"] = {}
    for thing, row in rows:
        inside = [key_of(each) for each in _below([thing])]
        places = [place for key in [key_of(thing), *inside] for place in found[key]]
        shown = _shown(str(thing), places, user)
        context["shown_at"][row["usage_url"]] = shown
        row["is_protected"] = row["is_protected"] or shown.would_be_lost
        context["is_protected"] = context["is_protected"] or shown.would_be_lost


def _below(things: Iterable[Any]) -> list[Model]:
    """The pages that are deleted with a page."""
    return [page for thing in things if hasattr(thing, "get_descendants") for page in thing.get_descendants()]


def _shown(name: str, places: list[Place], user: Any) -> Shown:
    finder = AdminURLFinder(user)
    listed = [ListedPlace(place, finder.get_edit_url(place.source) or "") for place in places[:MOST_LISTED]]
    lost = any(place.would_lose for place in places)
    return Shown(name, listed, max(0, len(places) - MOST_LISTED), lost)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"
