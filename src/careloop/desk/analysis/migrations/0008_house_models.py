"""Who is held back becomes a column, so that SQL counts it; doubts about labels get a table."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from careloop.desk.analysis.rules import is_held_back

ROWS_AT_ONCE = 500


def mark_held_back(apps, schema_editor):
    """Fill the new column of corrections that are there."""
    corrections = apps.get_model("analysis", "Correction").objects
    last = 0
    while rows := list(corrections.filter(pk__gt=last).order_by("pk").values_list("pk", "message_id")[:ROWS_AT_ONCE]):
        corrections.filter(pk__in=[pk for pk, message_id in rows if is_held_back(message_id)]).update(is_held_back=True)
        last = rows[-1][0]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("analysis", "0007_topic_archives"),
        ("cases", "0003_corrections"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelDoubt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("suggested", models.CharField(max_length=60)),
                ("margin", models.FloatField(help_text="lead of the suggestion over the label, in scores of -1 to 1")),
                ("decision", models.CharField(blank=True, choices=[("KEPT", "Label kept"), ("TAKEN", "Suggestion taken")], max_length=5)),
                ("decided_by_name", models.CharField(blank=True, max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "correction",
                    models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="analysis.correction"),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("taxonomy", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="analysis.taxonomy")),
                ("team", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.team")),
            ],
            options={"indexes": [models.Index(fields=["taxonomy", "decision", "-margin"], name="doubt_list")]},
        ),
        migrations.RemoveIndex(model_name="correction", name="correction_scope"),
        migrations.AddField(
            model_name="correction",
            name="is_held_back",
            field=models.BooleanField(default=False, help_text="rules.is_held_back of the message, so that SQL can count by it"),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(fields=["scope", "id", "message", "is_held_back"], name="correction_counts"),
        ),
        migrations.RunPython(mark_held_back, migrations.RunPython.noop),
    ]
