"""The digest takes a text once, however many aliases repeat it."""

import pytest
from django.utils import timezone

from content.models import ArticlePage, ResourceCenterPage
from newsletter import digest
from newsletter.site import found

pytestmark = pytest.mark.django_db


def test_the_digest_takes_a_page_once_and_no_alias_of_it():
    found()
    today = timezone.localdate()
    shelf = ResourceCenterPage.objects.get(locale__language_code="en")
    page = shelf.add_child(instance=ArticlePage(title="Equity", slug="equity", published_on=today))
    page.create_alias(update_slug="equity-again")

    chosen = digest.choose(today.replace(day=1), "en")

    assert [resource.pk for resource in chosen.resources] == [page.pk]
