"""What each message speaks of, as rows to choose by; filled from the readings that there are."""

import django.db.models.deletion
from django.db import migrations, models

READINGS_AT_ONCE = 500


def fill(apps, schema_editor):
    readings = apps.get_model("analysis", "Reading").objects.using(schema_editor.connection.alias).order_by("pk")
    aspects = apps.get_model("analysis", "MessageAspect").objects.using(schema_editor.connection.alias)
    last = 0
    while chunk := list(readings.filter(pk__gt=last).values_list("pk", "message_id", "details")[:READINGS_AT_ONCE]):
        aspects.bulk_create(
            aspects.model(message_id=message_id, aspect=aspect, sentiment=sentiment.upper(), probability=probability)
            for _pk, message_id, details in chunk
            for aspect, sentiment, probability, _start, _end in details.get("aspects", [])
        )
        last = chunk[-1][0]


class Migration(migrations.Migration):

    dependencies = [
        ("analysis", "0005_topics"),
        ("cases", "0003_corrections"),
    ]

    operations = [
        migrations.CreateModel(
            name="MessageAspect",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("aspect", models.CharField(max_length=40)),
                ("sentiment", models.CharField(choices=[("POSITIVE", "Positive"), ("NEUTRAL", "Neutral"), ("NEGATIVE", "Negative")], max_length=8)),
                ("probability", models.FloatField(help_text="of the opinion's being positive rather than negative, 0–1")),
                ("message", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="aspects", to="cases.message")),
            ],
            options={
                "indexes": [models.Index(fields=["aspect", "sentiment", "message"], name="message_aspect_list")],
                "constraints": [models.UniqueConstraint(fields=("message", "aspect"), name="message_aspect_once")],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
