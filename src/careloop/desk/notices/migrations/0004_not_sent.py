"""A reply that could not be sent is told as that, and not as an answer of the customer."""

from django.db import migrations, models

KINDS = [
    ("ASSIGNED", "A case was given to you"),
    ("MENTIONED", "You were mentioned"),
    ("DUE_SOON", "A deadline is near"),
    ("OVERDUE", "A deadline has passed"),
    ("REPLIED", "The customer answered"),
    ("NOT_SENT", "Your reply was not sent"),
    ("TASK", "A task for you"),
    ("APPROVAL", "Your approval is asked for"),
    ("REMINDER", "A reminder"),
    ("RULE", "A rule tells you"),
    ("CALENDAR", "A calendar needs you"),
    ("FOLLOWED", "News of a case that you follow"),
    ("SOLUTION", "A solution needs you"),
    ("SURVEY", "A customer is not satisfied"),
]


def rename(apps, _editor):
    apps.get_model("notices", "Notice").objects.filter(kind="REPLIED", key__startswith="held ").update(kind="NOT_SENT")


class Migration(migrations.Migration):
    dependencies = [("notices", "0003_survey_notices")]
    operations = [
        migrations.AlterField("notice", "kind", models.CharField(choices=KINDS, max_length=10)),
        migrations.RunPython(rename, migrations.RunPython.noop),
    ]
