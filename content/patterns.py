"""The pattern page: every part of the house on one sheet, for whoever works on its looks. Only with DEBUG."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from content import shelves
from content.blocks import BodyBlock
from content.models import ArticlePage, CollectionPage, CreditedImage, EventPage, StoryPage

TEXT = "<p>Write down three names you did not hear from today. <a href='https://example.org/'>A link</a> is here.</p>"
LINK = {
    "title": "A page elsewhere",
    "url": "https://example.org/",
    "source": "Somebody else",
    "text": "Why it is worth it.",
}
BLOCKS: list[tuple[str, Any]] = [
    ("heading", "A heading"),
    ("text", f"{TEXT}<h3>A smaller heading</h3><ul><li>One thing</li><li>Another</li></ul>"),
    ("quote", {"text": "I began to see who was waiting for me.", "attribution": "A teacher", "role": "Grade 4"}),
    *(("callout", {"tone": tone, "title": "A call-out", "text": TEXT}) for tone in ("note", "try", "caution")),
    ("steps", {"title": "Steps", "items": [{"title": "Look", "text": TEXT}, {"title": "Choose", "text": ""}]}),
    ("links", {"title": "Link cards", "items": [LINK, LINK]}),
    ("video", {"title": "A video", "url": "https://video.example/1", "transcript": TEXT}),
    ("code", {"language": "", "text": "print('as it is')"}),
    (
        "table",
        {
            "caption": "A table",
            "columns": [{"type": "name", "heading": "Grade"}, {"type": "text", "heading": "Students"}],
            "rows": [{"values": ["<p>6</p>", "<p>118</p>"]}, {"values": ["<p>7</p>", "<p>96</p>"]}],
        },
    ),
]


class SampleForm(forms.Form):
    """One field of each kind, with help and an error."""

    email = forms.EmailField(label="Email", help_text="We share it with nobody.")
    name = forms.CharField(label="Name", required=False)
    grades = forms.MultipleChoiceField(
        label="Grades", choices=[("k-2", "Grades K–2"), ("3-5", "Grades 3–5")], widget=forms.CheckboxSelectMultiple
    )


def patterns(request: HttpRequest) -> HttpResponse:
    """Show every part with sample words, and with the first pages and picture of this site where parts need them."""
    kinds = (ArticlePage, StoryPage, EventPage, CollectionPage)
    pages = [page for kind in kinds for page in kind.objects.live().public()[:1]]
    stream = BodyBlock().to_python([{"type": kind, "value": value} for kind, value in BLOCKS])
    context = {
        "cards": shelves.stocked(pages),
        "image": CreditedImage.objects.first(),
        "body": stream,
        "form": SampleForm({"email": "nobody"}),
        "found": Paginator(range(30), 10).page(2),
    }
    return render(request, "patterns.html", context)
