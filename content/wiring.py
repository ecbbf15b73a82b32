"""Which change is heard by whom: the signals of content, connected once at start."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_init, post_save, pre_delete, pre_save
from wagtail.models import Page, PageViewRestriction, Revision, Site
from wagtail.signals import page_slug_changed, page_unpublished, post_page_move
from wagtail.users.models import UserProfile

from content import doors, edition, hours, renditions, search
from content.models import CreditedDocument, CreditedImage, Facet, ImageText, Organisation, Partner, Person, Term
from content.publishing import deletion, usage

SEEN_AT_ONCE = (
    CreditedDocument,
    CreditedImage,
    Facet,
    ImageText,
    Organisation,
    PageViewRestriction,
    Partner,
    Person,
    Site,
    Term,
)


def connect() -> None:
    """Set the gate before every row that publishes; let edition, index and renditions follow what readers see."""
    pre_save.connect(doors.check_page)
    for model in deletion.GUARDED:
        pre_delete.connect(deletion.refuse_while_shown, sender=model)
    pre_save.connect(doors.check_schedule, sender=Revision)
    post_save.connect(edition.move_with_page)
    for signal in (page_unpublished, page_slug_changed, post_page_move):
        signal.connect(edition.move)
    post_delete.connect(edition.move, sender=Page)
    for model in usage.child_models():
        post_delete.connect(usage.follow_removed_child, sender=model)
    for model in SEEN_AT_ONCE:
        post_save.connect(edition.move, sender=model)
        post_delete.connect(edition.move, sender=model)
    post_save.connect(search.follow)
    post_page_move.connect(search.follow_move)
    post_save.connect(renditions.follow)
    post_delete.connect(_delete_files, sender=CreditedImage)
    for signal in (post_save, post_delete):
        signal.connect(search.follow_lock, sender=PageViewRestriction)
    for model in (Facet, Term, Partner, Person):
        pre_delete.connect(search.follow, sender=model)
    post_init.connect(hours.ignore_own_zone, sender=UserProfile)


def _delete_files(instance: CreditedImage, **_said: Any) -> None:
    """With a picture goes what an editor uploaded; Wagtail deletes only what sizes are drawn from."""
    transaction.on_commit(instance.delete_files)
