"""Calendars and service levels."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Calendar(models.Model):
    """When a part of the house works; `version` goes up with each change, so that every process counts on the newest."""

    name = models.CharField(max_length=80, unique=True)
    zone = models.CharField(max_length=60)
    weekly = models.JSONField(help_text="seven lists of [start, end] in minutes of the day, Monday first")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 code whose holidays are kept; blank for none")
    subdivision = models.CharField(max_length=10, blank=True)
    confirmed_years = models.JSONField(default=list, help_text="years whose days somebody entered by hand before they were announced")
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class CalendarDay(models.Model):
    """A day that differs from the week and from the country's holidays; no intervals: closed."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    intervals = models.JSONField(default=list)
    name = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "day"], name="calendar_day_once")]

    def __str__(self) -> str:
        return f"{self.calendar_id} {self.day}"


class ServiceLevel(models.Model):
    """What is promised to the cases that fit `conditions`; the first fitting level in the order of `position` holds."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="levels")
    conditions = models.JSONField(
        default=dict, help_text="lists by kind, priority, channel, team, segment; an absent or empty list fits all"
    )
    first_response_minutes = models.PositiveIntegerField(null=True)
    next_response_minutes = models.PositiveIntegerField(null=True)
    resolution_minutes = models.PositiveIntegerField(null=True)
    pauses_while_waiting = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class StepAction(models.TextChoices):
    """What an escalation does."""

    NOTIFY_ASSIGNEE = "NOTIFY_ASSIGNEE", _("Tell the assignee")
    NOTIFY_SUPERVISORS = "NOTIFY_SUPERVISORS", _("Tell the supervisors")
    RAISE_PRIORITY = "RAISE_PRIORITY", _("Raise the priority")
    UNASSIGN = "UNASSIGN", _("Give it back to the queue")


class EscalationStep(models.Model):
    """What happens some minutes before (negative) or after a clock is due."""

    level = models.ForeignKey(ServiceLevel, on_delete=models.CASCADE, related_name="steps")
    target = models.CharField(max_length=14)
    minutes = models.IntegerField()
    action = models.CharField(max_length=18, choices=StepAction.choices)

    def __str__(self) -> str:
        return f"{self.level_id} {self.target} {self.minutes} {self.action}"
