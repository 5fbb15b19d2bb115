"""Feedback rows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.cases.models import Message, ScopedQuerySet


class Source(models.TextChoices):
    """Where a rating comes from."""

    REVIEW = "REVIEW", _("Review")
    SURVEY = "SURVEY", _("Survey")


class Feedback(models.Model):
    """One review or survey answer; its text is the message. `rating` runs from `rating_min` to `rating_max`, both included."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    team = models.ForeignKey("accounts.Team", on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.REVIEW)
    rating = models.FloatField(null=True)
    rating_min = models.FloatField(default=1)
    rating_max = models.FloatField(default=5)
    category = models.CharField(max_length=80, blank=True)
    product = models.CharField(max_length=120, blank=True)

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.source} {self.rating}"
