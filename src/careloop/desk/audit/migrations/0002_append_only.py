"""The head of the chain, and the database's own refusal to change or delete entries."""

from django.db import migrations

from careloop.desk.audit.rules import GENESIS

SENTENCE = "audit entries are append-only"
SQLITE = [
    f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit_auditentry BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    f"CREATE FUNCTION audit_refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION '{SENTENCE}'; END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_auditentry FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
]


def create(apps, schema_editor):
    """One head row; triggers."""
    apps.get_model("audit", "AuditHead").objects.create(pk=1, hash=GENESIS, count=0)
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    """The reverse, for tests of migrations."""
    if schema_editor.connection.vendor == "sqlite":
        for verb in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER audit_no_{verb}")
    else:
        schema_editor.execute("DROP TRIGGER audit_no_change ON audit_auditentry")
        schema_editor.execute("DROP FUNCTION audit_refuse()")
    apps.get_model("audit", "AuditHead").objects.all().delete()


class Migration(migrations.Migration):
    """After the tables."""

    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
