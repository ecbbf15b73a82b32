"""An issue as mail: its variants for all its readers, and a test copy for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from newsletter import copy_recipients
from newsletter.mail_identity import new_message_id
from newsletter.messages import bodies, tree
from newsletter.messages.letters import TEST, letter
from newsletter.messages.pictures import FrozenPictures
from newsletter.messages.slots import Slots, fill
from newsletter.messages.tree import Tree
from newsletter.models import Choice, IssuePage, Subscription

# A subscriber's language and the key of their choices, as on the subscription.
Segment = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FrozenVariant:
    """One language and one order of an issue, ready to be kept: what it says, its bytes, and who gets it."""

    language: str
    order_key: str
    subject: str
    content: Tree
    template: bytes
    segments: list[Segment]


def variants(
    issue: IssuePage, segments: Iterable[Segment], words: Mapping[str, IssuePage] | None = None
) -> list[FrozenVariant]:
    """Every different body that an issue needs for its readers. Segments with the same order share one.

    The pictures are copied first, and the bodies show the copies: what happens to a picture later does not reach them.

    Args:
        issue: in any language.
        segments: each group of readers once: language and `Subscription.choices_key`.
        words: its pages by language; as they were saved last, with its finished translations, if not given.
    """
    wanted = list(dict.fromkeys(segments))
    words = words or tree.editions(issue)
    full = {code: tree.tree(page) for code, page in words.items()}
    chosen = chosen_terms({key for _language, key in wanted if key})
    pictures, contents = FrozenPictures(), dict[tuple[str, str], Tree]()
    readers: dict[tuple[str, str], list[Segment]] = defaultdict(list)
    for language, choices_key in wanted:
        code = language if language in full else _fallback(full, issue)
        content = tree.arranged(full[code], chosen.get(choices_key, set()))
        place = (code, tree.order_key(content))
        if place not in contents:
            contents[place] = pictures.shown_by(content)
        readers[place].append((language, choices_key))
    return [_frozen(words[code], contents[code, order], order, readers[code, order]) for code, order in contents]


def chosen_terms(choices_keys: set[str]) -> dict[str, set[str]]:
    """The term keys behind each choices key, read from one subscription that has it."""
    witnesses = Subscription.objects.filter(choices_key__in=choices_keys).values("choices_key").annotate(one=Min("pk"))
    key_of = {row["one"]: row["choices_key"] for row in witnesses}
    terms: dict[str, set[str]] = defaultdict(set)
    for subscription, term in Choice.objects.filter(subscription__in=key_of).values_list("subscription", "term_key"):
        terms[key_of[subscription]].add(str(term))
    return terms


def test_message(issue: IssuePage, address: str, language: str) -> bytes:
    """One finished copy for an editor's eyes, marked in its subject.

    Who wants no more of them leaves by its link to unsubscribe; the one to preferences leads to the newsletter's page.
    """
    words = tree.editions(issue)
    page = words.get(language) or words[issue.locale.language_code]
    content = tree.arranged(tree.tree(page), ())
    archive = tree.archive_url(content["language"])
    slots = Slots(
        to=address,
        message_id=new_message_id("test"),
        date=timezone.localtime(),
        unsubscribe=copy_recipients.leave_url(address, content["language"]),
        preferences=archive,
    )
    subject = f"[Test] {content['subject']}"
    return fill(letter(page.newsletter, subject, bodies.digest(content), content["language"], TEST), slots)


def _fallback(full: dict[str, Tree], issue: IssuePage) -> str:
    return settings.LANGUAGE_CODE if settings.LANGUAGE_CODE in full else issue.locale.language_code


def _frozen(page: IssuePage, content: Tree, order: str, segments: list[Segment]) -> FrozenVariant:
    language = content["language"]
    template = letter(page.newsletter, content["subject"], bodies.digest(content), language, f"{page.month:%Y-%m}")
    return FrozenVariant(language, order, content["subject"], content, template, segments)
