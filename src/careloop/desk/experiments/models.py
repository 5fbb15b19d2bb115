"""Comparisons, who was assigned, who was exposed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.cases.models import Case
from careloop.desk.customers.models import Customer
from careloop.desk.experiments.rules import AUTOMATIC, BEFORE_AFTER, CASE, CUSTOMER, MACRO, OTHER, RANDOMISED, RULE, SOLUTION


class Design(models.TextChoices):
    """How groups come about."""

    RANDOMISED = RANDOMISED, _("By lot")
    BEFORE_AFTER = BEFORE_AFTER, _("Before and after, beside a comparison group")


class Subject(models.TextChoices):
    """What is tried."""

    RULE = RULE, _("Rule")
    MACRO = MACRO, _("Macro")
    SOLUTION = SOLUTION, _("Suggested solution")
    AUTOMATIC = AUTOMATIC, _("Automatic replies")
    OTHER = OTHER, _("Something that another program does")


class Unit(models.TextChoices):
    """What is assigned."""

    CASE = CASE, _("Each case")
    CUSTOMER = CUSTOMER, _("Each customer, with all their cases")


class OutcomeKind(models.TextChoices):
    """By what it is judged."""

    SATISFACTION = "SATISFACTION", _("Satisfaction")
    REOPENED = "REOPENED", _("Reopened")
    RESOLUTION = "RESOLUTION", _("Time to resolution")
    FIRST_RESPONSE = "RESPONSE", _("Time to first response")
    REPEAT = "REPEAT", _("New case within 30 days")
    ANSWERED = "ANSWERED", _("Survey answered")


class State(models.TextChoices):
    """Whether it goes on."""

    RUNNING = "RUNNING", _("Running")
    ENDED = "ENDED", _("Ended")


class Comparison(models.Model):
    """One question: does it help? What is judged and how far it shall go is fixed before it starts."""

    name = models.CharField(max_length=80)
    design = models.CharField(max_length=12, choices=Design.choices)
    subject = models.CharField(max_length=9, choices=Subject.choices, blank=True)
    unit = models.CharField(max_length=8, choices=Unit.choices, default=Unit.CASE)
    outcome = models.CharField(max_length=12, choices=OutcomeKind.choices, help_text="by which it is judged first")
    planned = models.PositiveIntegerField(help_text="cases or customers of all groups together")
    salt = models.CharField(max_length=32, help_text="of the hash that assigns")
    window = models.JSONField(default=dict, help_text="before and after: by, value, others, changed_on, days")
    state = models.CharField(max_length=7, choices=State.choices, default=State.RUNNING)
    made_by_name = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    used = models.PositiveSmallIntegerField(null=True, help_text="position of the group whose way is used since the end")

    class Meta:
        indexes = [models.Index(fields=["state", "subject"], name="comparison_running")]

    def __str__(self) -> str:
        return self.name


class Arm(models.Model):
    """One group: the part of all that goes into it, and the number of what it gets; none for the group that goes without."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="arms")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    ratio = models.FloatField()
    subject_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["comparison", "position"], name="arm_once")]
        indexes = [models.Index(fields=["subject_id"], name="arm_subject")]

    def __str__(self) -> str:
        return self.name


class Exposure(models.Model):
    """When what is tried would have been used for the first time on a case or customer, whether it then was or not.

    `case` follows merging; `first_case_id` stays, so that what was counted can be counted again.
    """

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="exposures")
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="exposures")
    unit_id = models.BigIntegerField()
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    first_case_id = models.BigIntegerField()
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comparison", "unit_id"], name="exposure_once")]

    def __str__(self) -> str:
        return f"{self.unit_id} in {self.arm_id}"
