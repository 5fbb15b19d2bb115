"""When figures were shown for the first time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A folder that counted before does not know it, and answers as it did."""

    dependencies = [("measures", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="ledger",
            name="first_shown_at",
            field=models.DateTimeField(help_text="when they were; before it nothing was shown", null=True),
        ),
    ]
