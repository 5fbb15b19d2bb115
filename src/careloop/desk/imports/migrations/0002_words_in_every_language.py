"""Why a run failed becomes a template with values; what was stored as a text stays one."""

from typing import Any

from django.db import migrations, models


def keep_texts(apps: Any, schema_editor: Any) -> None:
    """Carry the English texts over."""
    runs = apps.get_model("imports", "ImportRun")
    for run in runs.objects.exclude(error="").only("pk", "error"):
        sentence = {"template": "{message}", "values": {"message": run.error}, "detail": ""}
        runs.objects.filter(pk=run.pk).update(error_sentence=sentence)


class Migration(migrations.Migration):
    dependencies = [("imports", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="importrun",
            name="error_sentence",
            field=models.JSONField(help_text="why it failed, as template and values, see kernel.wording", null=True),
        ),
        migrations.AddField(
            model_name="importrun",
            name="language",
            field=models.CharField(blank=True, help_text="of the person who brought the file: the refused rows speak it", max_length=10),
        ),
        migrations.RunPython(keep_texts, migrations.RunPython.noop),
        migrations.RemoveField(model_name="importrun", name="error"),
    ]
