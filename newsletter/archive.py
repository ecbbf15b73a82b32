"""What was sent, to be read on the web: the frozen words of an issue, and the list of all issues."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from django.db.models import Model, QuerySet, TextField
from django.db.models.functions import Cast
from wagtail.models import Page, Revision

from content.models import CreditedImage
from content.public_pages import listed_pages
from content.publishing.usage import Key, Place, Standing, drafts_naming, holding_numbers
from newsletter.messages import tree
from newsletter.messages.tree import Tree
from newsletter.models import FrozenPicture, IssuePage, Mailing, NewsletterPage, Variant


def words(issue: IssuePage) -> Tree:
    """What an issue's page says: exactly what its mailing froze, or the page's own words before that."""
    frozen = _frozen(issue)
    return cast(Tree, frozen.content) if frozen else draft(issue)


def draft(issue: IssuePage, wanted: Collection[str] = ()) -> Tree:
    """What the page's own words would say, were it sent now to readers who chose the terms with these keys."""
    return tree.arranged(tree.tree(issue), wanted)


def issues(page: NewsletterPage) -> QuerySet[IssuePage]:
    """The issues that stand on the web under a newsletter's page, newest first."""
    return listed_pages(IssuePage.objects.child_of(page)).order_by("-month", "-pk")


def places_in_issues(things: dict[Key, Model]) -> Iterator[tuple[Key, Place]]:
    """Which of these things sent issues show, and which of them mailings that wait for their hour will show."""
    sent = Variant.objects.exclude(mailing__state=Mailing.State.CANCELLED).select_related("mailing__issue")
    files = {urlsplit(copy.file.url).path: copy.image_id for copy in _copies(things) if copy.image_id}
    numbers = [pk for _kind, pk in things]
    variants = [*holding_numbers(sent, "content", numbers), *_showing_files(sent, files)] if things else []
    for variant in {variant.pk: variant for variant in variants}.values():
        for key in _shown_in(cast(Tree, variant.content), files) & things.keys():
            yield key, _place(variant.mailing, Standing.SENT)
    waiting = Mailing.objects.filter(cutoff=None).exclude(state=Mailing.State.CANCELLED).select_related("issue")
    approved = {revision: mailing for mailing in waiting for revision in mailing.approved}
    for key, revision, _where in drafts_naming(Revision.objects.filter(pk__in=approved), things):
        yield key, _place(approved[revision.pk], Standing.DRAFT)


def _copies(things: dict[Key, Model]) -> QuerySet[FrozenPicture]:
    return FrozenPicture.objects.filter(image__in=[pk for kind, pk in things if kind is CreditedImage])


def _showing_files(sent: QuerySet[Variant], files: dict[str, int]) -> list[Variant]:
    """Variants that name one of these files: before pictures were numbered in them, nothing else told one."""
    as_text = sent.annotate(as_text=Cast("content", TextField()))
    return [variant for path in files for variant in as_text.filter(as_text__contains=path.rpartition("/")[2])]


def _shown_in(content: Tree, files: dict[str, int]) -> set[Key]:
    items: list[Any] = [item for section in content["sections"] for item in section["items"]]
    pages = {(Page, str(item["page"])) for item in items}
    pictures = [item["picture"] for item in items if item["picture"]]
    numbers = {picture.get("image") or files.get(urlsplit(picture["url"]).path) for picture in pictures}
    return pages | {(CreditedImage, str(number)) for number in numbers if number}


def _place(mailing: Mailing, standing: Standing) -> Place:
    return Place(mailing.issue or mailing, mailing.subject, "", standing)


def _frozen(issue: IssuePage) -> Variant | None:
    """The variant for readers without choices, of the issue's last mailing in this language."""
    variants = Variant.objects.filter(
        mailing__issue__translation_key=issue.translation_key, language=issue.locale.language_code
    ).exclude(mailing__state=Mailing.State.CANCELLED)
    return variants.order_by("-mailing", "segments__choices_key").first()
