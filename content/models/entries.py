"""The readers' search index: one entry for every page anybody may read, and the terms it is found under."""

from django.db import models
from wagtail.models import Page


class EntryKind(models.TextChoices):
    ARTICLE = "article"
    STORY = "story"
    EVENT = "event"
    COLLECTION = "collection"
    INFORMATION = "information"


class SearchEntry(models.Model):
    """A page that is live and open to everybody, as the stems that `content.search.words` makes of it.

    The database keeps the full-text index beside it true by itself (migration `search_entries`): an FTS5 table fed
    by triggers on SQLite, a generated `vector` column on PostgreSQL.
    """

    page = models.OneToOneField(Page, on_delete=models.CASCADE, primary_key=True, related_name="+")
    kind = models.CharField(max_length=12, choices=EntryKind)
    language = models.CharField(max_length=12)
    date = models.DateField(help_text="What “newest first” goes by.")
    title_words = models.TextField()
    summary_words = models.TextField()
    term_words = models.TextField()
    body_words = models.TextField()

    class Meta:
        verbose_name_plural = "search entries"


class SearchIndex(models.Model):
    """One row: by which version of `content.search.words` the entries were written."""

    words_version = models.CharField(max_length=32)


class EntryTerm(models.Model):
    """A choice of a facet that a page is found under. Slugs are the same in every language."""

    entry = models.ForeignKey(SearchEntry, on_delete=models.CASCADE, related_name="terms")
    facet = models.CharField(max_length=40)
    slug = models.CharField(max_length=80)

    class Meta:
        constraints = [
            # Also the counting of a facet's choices: from the pages found to their terms.
            models.UniqueConstraint(fields=["entry", "facet", "slug"], name="entry_term_once"),
        ]
        indexes = [
            # Choosing: from a facet's chosen terms to the pages.
            models.Index(fields=["facet", "slug", "entry"], name="entry_term_chosen"),
        ]
