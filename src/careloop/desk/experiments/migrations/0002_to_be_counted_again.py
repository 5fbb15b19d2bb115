from django.db import migrations, models
from django.db.models import F


def remember_first_cases(apps, _editor):
    """Of what is assigned by case the number is kept as the unit; by customer the case may have been merged since."""
    exposures = apps.get_model("experiments", "Exposure").objects
    exposures.filter(comparison__unit="CASE").update(first_case_id=F("unit_id"))
    exposures.filter(comparison__unit="CUSTOMER").update(first_case_id=F("case_id"))


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_comparisons")]

    operations = [
        migrations.AddField(
            model_name="comparison",
            name="used",
            field=models.PositiveSmallIntegerField(help_text="position of the group whose way is used since the end", null=True),
        ),
        migrations.AddField(
            model_name="exposure", name="first_case_id", field=models.BigIntegerField(default=0), preserve_default=False
        ),
        migrations.AlterField(
            model_name="comparison",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("SATISFACTION", "Satisfaction"),
                    ("REOPENED", "Reopened"),
                    ("RESOLUTION", "Time to resolution"),
                    ("RESPONSE", "Time to first response"),
                    ("REPEAT", "New case within 30 days"),
                    ("ANSWERED", "Survey answered"),
                ],
                help_text="by which it is judged first",
                max_length=12,
            ),
        ),
        migrations.RunPython(remember_first_cases, migrations.RunPython.noop),
    ]
