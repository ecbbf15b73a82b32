"""Who may do what with the newsletter: the group of its managers."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from wagtail.models import GroupPagePermission, Page

from newsletter.models import NewsletterPage

MANAGERS = "Newsletter managers"
RIGHTS = {
    "mailing": ("add", "change", "view"),
    "delivery": ("change", "view"),
    "subscriber": ("change", "delete", "view"),
    "bounce": ("view",),
}
PAGE_RIGHTS = ("add_page", "change_page", "publish_page")


def found() -> Group:
    """Make the managers' group with its rights, where there is none. What people changed about it later stands."""
    group, is_new = Group.objects.get_or_create(name=MANAGERS)
    if is_new:
        ours = Q(
            content_type__app_label="newsletter",
            codename__in=[f"{verb}_{model}" for model, verbs in RIGHTS.items() for verb in verbs],
        )
        desk = Q(content_type__app_label="wagtailadmin", codename="access_admin")
        group.permissions.set(Permission.objects.filter(ours | desk))
        for page in NewsletterPage.objects.all():
            entrust(page)
    return group


def entrust(page: Page) -> None:
    """Let the managers write, change and publish issues under a page, if there are managers."""
    for group in Group.objects.filter(name=MANAGERS):
        for codename in PAGE_RIGHTS:
            right = Permission.objects.get(content_type__app_label="wagtailcore", codename=codename)
            GroupPagePermission.objects.get_or_create(group=group, page_id=page.pk, permission=right)
