"""The full-text index that each database keeps true by itself beside the search entries.

A later migration that alters SearchEntry rebuilds its table on SQLite and must make the triggers anew.
"""

from django.db import migrations

COLUMNS = ("title_words", "summary_words", "term_words", "body_words")
NAMES = ", ".join(COLUMNS)
OLD = ", ".join(f"old.{column}" for column in COLUMNS)
NEW = ", ".join(f"new.{column}" for column in COLUMNS)
FORGET = f"INSERT INTO content_searchwords (content_searchwords, rowid, {NAMES}) VALUES ('delete', old.page_id, {OLD});"
LEARN = f"INSERT INTO content_searchwords (rowid, {NAMES}) VALUES (new.page_id, {NEW});"

# The words are stems already (content.search.words), so neither database may change them any further.
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
    dependencies = [("content", "0001_initial")]

    operations = [migrations.RunPython(make_full_text, drop_full_text)]
