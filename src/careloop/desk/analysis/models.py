"""Readings."""

from django.db import models

from careloop.desk.accounts.models import Channel, Team
from careloop.desk.cases.models import Case, Kind, Message, ScopedQuerySet, Sentiment


class State(models.TextChoices):
    """How far reading has come."""

    DONE = "DONE"
    FAILED = "FAILED"


class Reading(models.Model):
    """What the engine understood of one message; wide enough that charts need no join."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="reading")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="+")
    slot = models.IntegerField(help_text="15-minute slot (UTC) of the message, see kernel/slots.py")
    state = models.CharField(max_length=6, choices=State.choices)
    error = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=10, blank=True)
    sentiment = models.CharField(max_length=8, choices=Sentiment.choices, blank=True)
    sentiment_probability = models.FloatField(null=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, blank=True)
    kind_probability = models.FloatField(null=True)
    category = models.CharField(max_length=80, blank=True)
    rating_ratio = models.FloatField(null=True, help_text="0 the worst rating possible, 1 the best")
    keywords = models.JSONField(default=list)
    details = models.JSONField(
        default=dict, help_text="insight.Reading.to_json() without the tokens, which cost more to keep than to cut again"
    )
    model_versions = models.JSONField(default=dict, help_text="model name -> version")
    read_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                # holds every column that charts choose and count by: they never touch the wide rows
                fields=["slot", "team", "channel", "case", "state", "sentiment", "kind", "category", "language", "rating_ratio", "message"],
                name="reading_charts",
            ),
        ]

    def __str__(self) -> str:
        return f"reading of message {self.message_id}"
