"""The search index: its tables, and the full-text index that each database keeps true beside them by itself."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

COLUMNS = ("title_words", "summary_words", "term_words", "body_words")
NAMES = ", ".join(COLUMNS)
OLD = ", ".join(f"old.{column}" for column in COLUMNS)
NEW = ", ".join(f"new.{column}" for column in COLUMNS)
FORGET = f"INSERT INTO content_searchwords (content_searchwords, rowid, {NAMES}) VALUES ('delete', old.page_id, {OLD});"
LEARN = f"INSERT INTO content_searchwords (rowid, {NAMES}) VALUES (new.page_id, {NEW});"

# The words are stems already (content.words), so neither database may change them any further.
SQLITE = (
    f"""CREATE VIRTUAL TABLE content_searchwords USING fts5 (
        {NAMES}, content='content_searchentry', content_rowid='page_id', tokenize='unicode61 remove_diacritics 0'
    )""",
    f"CREATE TRIGGER content_searchentry_insert AFTER INSERT ON content_searchentry BEGIN {LEARN} END",
    f"CREATE TRIGGER content_searchentry_delete AFTER DELETE ON content_searchentry BEGIN {FORGET} END",
    f"CREATE TRIGGER content_searchentry_update AFTER UPDATE ON content_searchentry BEGIN {FORGET} {LEARN} END",
)
VECTOR = " || ".join(
    f"setweight(to_tsvector('simple', {column}), '{weight}')" for column, weight in zip(COLUMNS, "ABCD", strict=True)
)
POSTGRESQL = (
    f"ALTER TABLE content_searchentry ADD COLUMN vector tsvector GENERATED ALWAYS AS ({VECTOR}) STORED",
    "CREATE INDEX content_searchentry_vector ON content_searchentry USING gin (vector) WITH (fastupdate = off)",
)


def make_full_text(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def drop_full_text(apps, schema_editor):
    # The triggers and the column go with their table.
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE content_searchwords")


class Migration(migrations.Migration):
    dependencies = [
        ("content", "0002_decorative_pictures"),
        ("wagtailcore", "0098_apitoken"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "page",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.WAGTAIL_PAGE_MODEL,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("article", "Article"),
                            ("story", "Story"),
                            ("event", "Event"),
                            ("collection", "Collection"),
                            ("information", "Information"),
                        ],
                        max_length=12,
                    ),
                ),
                ("language", models.CharField(max_length=12)),
                ("date", models.DateField(help_text="What “newest first” goes by.")),
                ("title_words", models.TextField()),
                ("summary_words", models.TextField()),
                ("term_words", models.TextField()),
                ("body_words", models.TextField()),
            ],
            options={"verbose_name_plural": "search entries"},
        ),
        migrations.CreateModel(
            name="EntryTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("facet", models.CharField(max_length=40)),
                ("slug", models.CharField(max_length=80)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="terms", to="content.searchentry"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["facet", "slug", "entry"], name="entry_term_chosen")],
                "constraints": [models.UniqueConstraint(fields=("entry", "facet", "slug"), name="entry_term_once")],
            },
        ),
        migrations.RunPython(make_full_text, drop_full_text),
    ]
