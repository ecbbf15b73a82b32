"""Who may do what in the library: the rights that Wagtail's own groups need besides pages, pictures and documents."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

KEPT_BY_EDITORS = ("partner", "person", "term")
RIGHTS = {"Editors": ("add", "change", "view"), "Moderators": ("add", "change", "delete", "view")}


def found() -> None:
    """Let editors keep partners, people and terms; a group with any right about them already keeps what it has."""
    for group in Group.objects.filter(name__in=RIGHTS):
        if not group.permissions.filter(_about(("add", "change", "delete", "view"))).exists():
            group.permissions.add(*Permission.objects.filter(_about(RIGHTS[group.name])))


def _about(verbs: tuple[str, ...]) -> Q:
    names = [f"{verb}_{model}" for model in KEPT_BY_EDITORS for verb in verbs]
    return Q(content_type__app_label="content", codename__in=names)
