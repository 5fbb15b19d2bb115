"""The full-text index: FTS5 over the documents' tokens on SQLite, a GIN index on PostgreSQL."""

from django.db import migrations

SQLITE = """CREATE VIRTUAL TABLE search_fts USING fts5(
    tokens, content='search_searchdocument', content_rowid='id', tokenize="unicode61 remove_diacritics 0"
)"""
POSTGRESQL = "CREATE INDEX search_tokens ON search_searchdocument USING gin (to_tsvector('simple', tokens))"


def create(apps, schema_editor):
    """Make the index of this database."""
    schema_editor.execute(SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL)


def drop(apps, schema_editor):
    """Take it away."""
    schema_editor.execute("DROP TABLE search_fts" if schema_editor.connection.vendor == "sqlite" else "DROP INDEX search_tokens")


class Migration(migrations.Migration):
    """After the documents' table."""

    dependencies = [("search", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
