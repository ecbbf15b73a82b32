"""Lists of what nobody adds, edits or deletes by hand."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from wagtail.admin.viewsets.model import ModelViewSet

WITHOUT = ("add_url_name", "edit_url_name", "delete_url_name", "history_url_name", "usage_url_name")


class ReadOnlyViewSet(ModelViewSet):
    """A list, and a page for each row where `inspect_view_enabled` says so."""

    copy_view_enabled = False
    add_to_reference_index = False

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(**{**dict.fromkeys(WITHOUT), **kwargs})  # type: ignore[no-any-return]

    def get_urlpatterns(self) -> list[URLPattern]:
        patterns = [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
        ]
        if self.inspect_view_enabled:
            patterns.append(path("inspect/<int:pk>/", self.inspect_view, name="inspect"))
        return patterns

    def register_admin_url_finder(self) -> None:
        """There is nothing to edit, and so no address where one could."""
