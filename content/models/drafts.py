"""Drafts that open although something they name was deleted since they were saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from content.publishing.references import Reference, gone_references, without


class OpenableDraft:
    """For every kind of page: a revision opens, and says what it lost.

    Wagtail builds a page from a revision for its editor, previews, comparisons, copies, translations, approvals and
    scheduled publishing, always by `with_content_json`. What a revision names and nobody can find any more is
    left empty there.
    """

    gone_references: Sequence[Reference] = ()
    """What the revision that this page was built from names and was deleted since."""

    def with_content_json(self, content: dict[str, Any]) -> Any:
        """The page as a revision keeps it, with empty places where something was deleted."""
        kind = type(self)
        gone = gone_references(kind, content)
        page = super().with_content_json(without(kind, content, gone, self))  # type: ignore[misc]
        page.gone_references = gone
        return page
