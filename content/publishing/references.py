"""What a page names, read from the plain data that its revisions are kept as, whether or not it still exists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import CASCADE, ForeignKey, Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from modelcluster.fields import ParentalKey
from modelcluster.models import get_all_child_m2m_relations, get_all_child_relations
from wagtail.blocks import Block, ChooserBlock, ListBlock, RichTextBlock, StreamBlock, StructBlock
from wagtail.contrib.typed_table_block.blocks import TypedTableBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.models import ModelLogEntry, Page, PageLogEntry
from wagtail.rich_text import extract_references_from_rich_text

Content = Mapping[str, Any]


@dataclass(frozen=True)
class Reference:
    """One thing that a page names. `place` is what the page's form calls the spot."""

    field: str
    place: str
    model: type[Model]
    pk: str


def references_in(model: type[Page], content: Content) -> Iterator[Reference]:
    """Everything that a page names in its own fields, in the order of its fields.

    What Wagtail keeps for every page (owner, locale, revisions, comments) is left out.

    Args:
        model: the specific kind of the page.
        content: the page as a revision keeps it.
    """
    common = {field.name for field in Page._meta.get_fields()}
    for field in model._meta.get_fields():
        if field.name in common or getattr(field.remote_field, "parent_link", False):
            continue
        if isinstance(field, StreamField):
            yield from _in_stream(field, content.get(field.name))
        elif isinstance(field, RichTextField):
            yield from _in_words(content.get(field.name), field.name, _label(field))
        elif isinstance(field, ForeignKey) and content.get(field.name) is not None:
            yield Reference(field.name, _label(field), field.related_model, str(content[field.name]))
    for field in get_all_child_m2m_relations(model):
        for pk in content.get(field.name) or ():
            yield Reference(field.name, _label(field), field.related_model, str(pk))
    for relation in get_all_child_relations(model):
        if relation.name not in common:
            yield from _in_children(relation, content)


def gone_references(model: type[Page], content: Content) -> list[Reference]:
    """What a page names that does not exist any more: one query for each kind of thing that it names."""
    named = list(references_in(model, content))
    standing = {kind: _existing(kind, {each.pk for each in named if each.model is kind}) for kind in _kinds(named)}
    return [each for each in named if each.pk not in standing[each.model]]


def without(model: type[Page], content: Content, gone: Iterable[Reference], row: Page) -> dict[str, Any]:
    """The data of a page from which it can be built although some of what it names is gone.

    A field that may be empty is emptied, and one that may not takes the value of the page's row. A child that
    needs what is gone is left out. Streams, rich text and terms are read without what is gone by themselves.

    Args:
        model: the specific kind of the page.
        content: the page as a revision keeps it.
        gone: what `gone_references` found in it.
        row: the page as it stands in the database.
    """
    missing = {(each.model, each.pk) for each in gone}
    data = dict(content)
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey) and (field.related_model, str(data.get(field.name))) in missing:
            data[field.name] = None if field.null else getattr(row, field.attname)
    for relation in get_all_child_relations(model):
        name = relation.get_accessor_name()
        if isinstance(data.get(name), list):
            children = (_child_without(relation.related_model, child, missing) for child in data[name])
            data[name] = [child for child in children if child is not None]
    return data


def sentences(gone: Iterable[Reference]) -> list[str]:
    """What a page lost, one sentence each; with the name of the thing where its deletion was logged."""
    names = _names_of_deleted(list(gone))
    return list(dict.fromkeys(_sentence(each, names.get((each.model, each.pk), "")) for each in gone))


def root_model(model: type[Model]) -> type[Model]:
    """The model whose table holds the primary key: Page for every kind of page."""
    parents = model._meta.get_parent_list()
    return parents[-1] if parents else model


def _sentence(gone: Reference, name: str) -> str:
    words = {"place": gone.place, "kind": gone.model._meta.verbose_name, "name": name, "number": gone.pk}
    if name:
        return _("%(place)s: “%(name)s” (%(kind)s) was deleted.") % words
    return _("%(place)s: what stood here was deleted (%(kind)s, number %(number)s).") % words


def _names_of_deleted(gone: list[Reference]) -> dict[tuple[type[Model], str], str]:
    found: dict[tuple[type[Model], str], str] = {}
    for kind in _kinds(gone):
        keys = {each.pk for each in gone if each.model is kind}
        if issubclass(kind, Page):
            entries = PageLogEntry.objects.filter(page_id__in=keys)
            named = entries.filter(action="wagtail.delete").values_list("page_id", "label")
        else:
            about = ModelLogEntry.objects.filter(content_type=ContentType.objects.get_for_model(kind))
            named = about.filter(object_id__in=keys, action="wagtail.delete").values_list("object_id", "label")
        found |= {(kind, str(pk)): label for pk, label in named}
    return found


def _kinds(references: Iterable[Reference]) -> list[type[Model]]:
    return list(dict.fromkeys(each.model for each in references))


def _existing(model: type[Model], keys: set[str]) -> set[str]:
    numbers = [key for key in keys if key.isdecimal()]
    return {str(pk) for pk in model._default_manager.filter(pk__in=numbers).values_list("pk", flat=True)}


def _child_without(model: type[Model], child: dict[str, Any], missing: set[Any]) -> dict[str, Any] | None:
    kept = dict(child)
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey) and (field.related_model, str(kept.get(field.name))) in missing:
            if not field.null or field.remote_field.on_delete is CASCADE:
                return None
            kept[field.name] = None
    return kept


def _in_children(relation: Any, content: Content) -> Iterator[Reference]:
    name = relation.get_accessor_name()
    fields = [field for field in relation.related_model._meta.get_fields() if isinstance(field, ForeignKey)]
    for child in content.get(name) or ():
        for field in fields:
            if not isinstance(field, ParentalKey) and child.get(field.name) is not None:
                yield Reference(name, _label(field), field.related_model, str(child[field.name]))


def _in_stream(field: StreamField, raw: Any) -> Iterator[Reference]:
    seen: Counter[str] = Counter()
    for child in json.loads(raw) if isinstance(raw, str) and raw else raw or []:
        block = field.stream_block.child_blocks.get(child["type"])
        if block is None:
            continue
        seen[child["type"]] += 1
        place = _("%(block)s %(number)d in the %(field)s") % {
            "block": capfirst(block.label),
            "number": seen[child["type"]],
            "field": field.verbose_name,
        }
        yield from _in_block(block, child["value"], field.name, place)


def _in_block(block: Block, raw: Any, field: str, place: str) -> Iterator[Reference]:
    """What a block names, by the value that is stored."""
    if raw is None:
        return
    if isinstance(block, ChooserBlock):
        yield Reference(field, place, block.model_class, str(raw))
    elif isinstance(block, RichTextBlock):
        yield from _in_words(raw, field, place)
    else:
        for inner, value in _inside(block, raw):
            yield from _in_block(inner, value, field, place)


def _inside(block: Block, raw: Any) -> Iterator[tuple[Block, Any]]:
    if isinstance(block, StructBlock):
        # An ImageBlock that was a plain chooser once may still hold the number alone.
        values = raw if isinstance(raw, dict) else {"image": raw}
        yield from ((inner, values.get(name)) for name, inner in block.child_blocks.items())
    elif isinstance(block, ListBlock):
        for item in raw:
            is_wrapped = isinstance(item, dict) and item.get("type") == "item"
            yield block.child_block, item["value"] if is_wrapped else item
    elif isinstance(block, StreamBlock):
        yield from ((block.child_blocks[each["type"]], each["value"]) for each in raw if _is_known(block, each))
    elif isinstance(block, TypedTableBlock):
        kinds = [block.child_blocks.get(column["type"]) for column in raw["columns"]]
        for row in raw["rows"]:
            yield from ((kind, value) for kind, value in zip(kinds, row["values"], strict=False) if kind is not None)


def _is_known(block: StreamBlock, child: Mapping[str, Any]) -> bool:
    return child["type"] in block.child_blocks


def _in_words(html: Any, field: str, place: str) -> Iterator[Reference]:
    for model, pk, _model_path, _content_path in extract_references_from_rich_text(str(html or "")):
        yield Reference(field, place, model, str(pk))


def _label(field: Any) -> str:
    return str(capfirst(field.verbose_name))
