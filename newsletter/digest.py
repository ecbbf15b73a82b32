"""Chooses the month's resources, stories and invitations, drafts an issue from them, and says what it still lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.log_actions import log
from wagtail.models import Page

from content import gate, languages
from content.credits import missing
from content.models import ArticlePage, CollectionPage, EventPage, StoryPage
from content.public_pages import public_pages
from content.publishing import references
from newsletter.messages import bodies, tree
from newsletter.models import IssuePage, Newsletter, NewsletterPage

SUBJECT_LENGTH = 150
PLACEHOLDER = re.compile(r"\{\{.{0,40}|\{%.{0,40}|\*\|.{0,40}|%%\w+%%")


class NothingToSay(Exception):
    """A month without resources, stories and events to come: an empty issue would help nobody."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The pages an issue is drafted from, in its order."""

    resources: list[Any]
    stories: list[Any]
    events: list[Any]

    def __bool__(self) -> bool:
        return bool(self.resources or self.stories or self.events)

    def __iter__(self) -> Iterator[Any]:
        return iter([*self.resources, *self.stories, *self.events])


def last_month() -> date:
    """The first day of the month before this one, in the organisation's time zone."""
    return (timezone.localdate().replace(day=1) - timedelta(days=1)).replace(day=1)


@transaction.atomic
def draft(month: date, newsletter: Newsletter | None = None, user: AbstractBaseUser | None = None) -> IssuePage:
    """Draft the issue of a month, in the site's first language and each other one that has something of its own.

    Where the first language has nothing to say, the issue is drafted in the next one that has.

    Until an editor touches it a further run keeps the issue and brings it up to date with what was published since;
    afterwards nothing is changed. However many drafters run at once, one issue is made.

    Args:
        month: any day of the month.
        newsletter: whose issue; None takes the only one.
        user: who asked for it, when a person did.

    Returns:
        The issue in the first of these languages, with its latest words.

    Raises:
        NothingToSay: nothing was published in that month and nothing is to come, or no newsletter page stands yet.
    """
    first, newsletter = month.replace(day=1), newsletter or Newsletter.objects.order_by("pk").first()
    parents = NewsletterPage.objects.filter(newsletter=newsletter, locale__language_code__in=languages.codes())
    parents = parents.select_related("locale")
    if not parents:
        raise NothingToSay(
            _("There is no newsletter page to draft an issue under. Add one below the home page, then draft it again.")
        )
    ranked = sorted(parents, key=lambda page: (page.locale.language_code != settings.LANGUAGE_CODE, page.pk))
    # Whoever comes second waits here, and then finds the issue of the first.
    Page.objects.select_for_update().get(pk=ranked[0].pk)
    original = _parent_of_original(ranked, first)
    issue = _existing(original, first)
    if issue is None or _untouched(issue):
        issue = _drafted(original, first, issue, None, user)
        for parent in ranked:
            if parent != original:
                _drafted_beside(parent, first, issue, user)
    latest: IssuePage = issue.get_latest_revision_as_object()
    return latest


def choose(month: date, language: str) -> Selection:
    """What belongs into the issue of a month: live and open to everybody, newest first; events by their start.

    In another language than the site's first, pages without a translation stand in their own language.
    """
    return Selection(
        resources=[*_published(ArticlePage, month, language), *_published(CollectionPage, month, language)],
        stories=_published(StoryPage, month, language),
        events=_to_come(language),
    )


def problems(issue: IssuePage, words: Mapping[str, IssuePage] | None = None) -> list[str]:
    """Everything that keeps an issue from going out, each as a sentence that says what to do.

    Args:
        issue: in any language.
        words: its pages by language; as they were saved last if not given.
    """
    found = list(_missing_settings())
    for language, page in (words or tree.editions(issue)).items():
        other = language != issue.locale.language_code
        found += [
            f"{languages.name_in_active_language(language)}: {each}" if other else each for each in _problems_of(page)
        ]
    return found


def _parent_of_original(parents: list[NewsletterPage], month: date) -> NewsletterPage:
    """Where the month's issue stands already, or else the first language that has something to say."""
    existing = (parent for parent in parents if _existing(parent, month))
    telling = (parent for parent in parents if choose(month, parent.locale.language_code))
    return next(existing, None) or next(telling, None) or parents[0]


def _existing(parent: NewsletterPage, month: date) -> IssuePage | None:
    """The month's issue: drafted before, or begun by hand under the same slug."""
    key = Q(digest_key=_key(parent, month)) | Q(slug=f"{month:%Y-%m}", pk__in=IssuePage.objects.child_of(parent))
    found: IssuePage | None = IssuePage.objects.filter(key).order_by("pk").first()
    return found


def _key(parent: NewsletterPage, month: date) -> str:
    return f"{parent.newsletter.slug}:{month:%Y-%m}:{parent.locale.language_code}"


def _untouched(issue: IssuePage) -> bool:
    ours = issue.composed_revision is not None and issue.composed_revision == issue.latest_revision_id
    return ours and not issue.live and not issue.locked and not issue.mailings.exists()


def _drafted_beside(parent: NewsletterPage, month: date, original: IssuePage, user: AbstractBaseUser | None) -> None:
    """The issue in another language, once it has something of its own to say."""
    issue = _existing(parent, month)
    selection = choose(month, parent.locale.language_code)
    own = any(page.locale_id == parent.locale_id for page in selection)
    if (issue is None and own) or (issue is not None and _untouched(issue)):
        _drafted(parent, month, issue, original, user)


def _drafted(
    parent: NewsletterPage,
    month: date,
    issue: IssuePage | None,
    original: IssuePage | None,
    user: AbstractBaseUser | None,
) -> IssuePage:
    with translation.override(parent.locale.language_code):
        selection = choose(month, parent.locale.language_code)
        if issue is None and not selection:
            raise NothingToSay(_nothing(month))
        if issue is not None and not selection:
            return issue
        page = issue.get_latest_revision_as_object() if issue else _new(parent, month, original, user)
        if issue is not None and tree.chosen_pages(page) == [each.pk for each in selection]:
            return issue
        _write(page, month, selection)
        revision = page.save_revision(user=user, log_action=issue is not None)
    IssuePage.objects.filter(pk=page.pk).update(composed_revision=revision.pk)
    page.refresh_from_db()
    return page


def _nothing(month: date) -> str:
    return _(
        "Nothing was published in %(month)s and no event is to come, so there is no issue to draft. "
        "Publish a resource, a story or an event first, or choose another month."
    ) % {"month": date_format(month, "YEAR_MONTH_FORMAT")}


def _new(parent: NewsletterPage, month: date, original: IssuePage | None, user: AbstractBaseUser | None) -> IssuePage:
    page = IssuePage(
        title=date_format(month, "YEAR_MONTH_FORMAT").capitalize(),
        slug=f"{month:%Y-%m}",
        newsletter=parent.newsletter,
        month=month,
        locale=parent.locale,
        digest_key=_key(parent, month),
        live=False,
        owner=user,
    )
    if original is not None:
        page.translation_key = original.translation_key
    parent.add_child(instance=page)
    log(instance=page, action="wagtail.create", user=user)
    return page


def _write(page: IssuePage, month: date, selection: Selection) -> None:
    """Our own words around the chosen pages."""
    lead = next(iter(selection))
    words = {"month": date_format(month, "F"), "title": lead.title}
    page.subject = (_("%(month)s: %(title)s") % {**words, "month": words["month"].capitalize()})[:SUBJECT_LENGTH]
    page.preheader = _contents(selection)
    page.introduction = (
        _(
            "<p>Hello,</p><p>Here is what we and our partners finished in %(month)s. Take what helps you this week, "
            "and keep the rest for a quieter day.</p>"
        )
        % words
    )
    page.closing = _(
        "<p>What should we write about next? Answer this mail and tell us. A person reads every answer.</p>"
    )
    for name in tree.SECTIONS:
        setattr(page, name, [("item", _item(each)) for each in getattr(selection, name)])


def _contents(selection: Selection) -> str:
    counts = [
        (len(selection.resources), ngettext("%d resource to use", "%d resources to use", len(selection.resources))),
        (
            len(selection.stories),
            ngettext("%d story from a partner", "%d stories from partners", len(selection.stories)),
        ),
        (len(selection.events), ngettext("%d invitation", "%d invitations", len(selection.events))),
    ]
    return ", ".join(words % count for count, words in counts if count)


def _item(page: Page) -> dict[str, Any]:
    return {"page": page, "title": "", "summary": "", "pinned": False}


def _published(kind: type[Any], month: date, language: str) -> list[Any]:
    """Pages of a kind first published in a month, each in the language asked for where it stands there."""
    starts, ends = _bounds(month)
    by_date = Q(published_on__gte=starts.date(), published_on__lt=ends.date())
    by_clock = Q(published_on=None, first_published_at__gte=starts, first_published_at__lt=ends)
    pages = _translated(kind, kind.objects.filter(by_date | by_clock), language)
    return sorted(pages, key=lambda page: (page.locale.language_code != language, -page.date.toordinal(), page.title))


def _to_come(language: str) -> list[Any]:
    events = _translated(EventPage, EventPage.objects.filter(starts_at__gt=timezone.now()), language)
    return sorted(events, key=lambda event: (event.starts_at, event.title))


def _translated(kind: type[Any], pages: Any, language: str) -> Iterable[Any]:
    """One page per translation key: in the language, else in the site's first. Others are not for these readers."""
    codes = [settings.LANGUAGE_CODE, language]
    keys = pages.filter(locale__language_code__in=codes).values("translation_key")
    found = _open(kind.objects.filter(translation_key__in=keys)).select_related("locale")
    fitting = {
        code: {page.translation_key: page for page in found if page.locale.language_code == code} for code in codes
    }
    fresh = set(_open(pages).filter(locale__language_code__in=codes).values_list("translation_key", flat=True))
    return [page for key, page in {**fitting[settings.LANGUAGE_CODE], **fitting[language]}.items() if key in fresh]


def _open(pages: Any) -> Any:
    now = timezone.now()
    return public_pages(pages).filter(alias_of=None).exclude(expire_at__lte=now)


def _bounds(month: date) -> tuple[datetime, datetime]:
    """Midnight of a month's first day and of the next month's, in the organisation's time zone."""
    first = datetime(month.year, month.month, 1)
    following = (first + timedelta(days=31)).replace(day=1)
    return timezone.make_aware(first), timezone.make_aware(following)


def _missing_settings() -> Iterator[str]:
    if "@" not in parseaddr(settings.MAIL_FROM)[1]:
        yield _("Nobody is named as the sender. Set MAIL_FROM to an address of yours, then restart.")
    if not tree.postal_address():
        yield _(
            "The postal address is missing, and the law wants it in every mail. Set MAIL_POSTAL_ADDRESS, then restart."
        )


def _problems_of(issue: IssuePage) -> Iterator[str]:
    if not issue.subject.strip():
        yield _("The subject is empty. Write one under “In the inbox”.")
    if not tree.chosen_pages(issue):
        yield _("There is nothing in it. Add at least one resource, story or invitation.")
    if issue.go_live_at and issue.go_live_at > timezone.now():
        yield _(
            "It is set to go live on %(moment)s, and its page can not be read before. "
            "Take that date out of its schedule, and choose the hour when you send it."
        ) % {"moment": date_format(timezone.localtime(issue.go_live_at), "DATETIME_FORMAT")}
    yield from references.sentences(issue.gone_references)
    yield from _problems_of_items(issue)
    yield from (finding.message for finding in gate.findings(issue))
    if unfilled := _unfilled(issue):
        yield _("It holds “%(words)s”, which nobody fills in. Write the words themselves.") % {"words": unfilled}
    size = len(bodies.digest(tree.arranged(tree.tree(issue), ())).html.encode())
    if size >= bodies.MOST_HTML:
        yield _(
            "The mail has %(size)d KB, and Gmail cuts off after 102. Take out some items, or shorten the words."
        ) % {"size": size // 1024}


def _problems_of_items(issue: IssuePage) -> Iterator[str]:
    chosen = tree.chosen_pages(issue)
    readable = tree.readable(chosen)
    titles = dict(Page.objects.filter(pk__in=chosen).values_list("pk", "draft_title"))
    for pk in dict.fromkeys(chosen):
        page: Any = readable.get(pk)
        if page is None:
            yield _("Readers can not open “%(title)s”. Publish it, or take it out.") % {"title": titles.get(pk, "")}
        elif isinstance(page, EventPage) and page.is_past:
            yield _("“%(title)s” is over. Take it out of the invitations.") % {"title": page.title}
        elif page.picture is not None:
            for lack in missing(page.picture):
                yield f"“{page.title}”: {gate.sentence(page.picture, lack)}"


def _unfilled(issue: IssuePage) -> str:
    """The first placeholder of a template language among the editor's words; they are not one."""
    items = [child.value for name in tree.SECTIONS for child in getattr(issue, name)]
    words = [issue.subject, issue.preheader, issue.introduction, issue.closing]
    words += [value[field] for value in items for field in ("title", "summary")]
    found = PLACEHOLDER.search("\n".join(words))
    return found.group() if found else ""
