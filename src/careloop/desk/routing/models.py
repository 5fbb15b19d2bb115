"""Who works on what, how each team routes, and what was decided."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Team, User
from careloop.desk.cases.models import Case
from careloop.desk.sla.models import Calendar, ServiceLevel


class Availability(models.TextChoices):
    """Whether somebody takes cases; BUSY keeps what they have, AWAY gives unanswered cases back."""

    AVAILABLE = "AVAILABLE", _("Available")
    BUSY = "BUSY", _("Busy: no new cases")
    AWAY = "AWAY", _("Away")


class Mode(models.TextChoices):
    """What routing does in a team."""

    OFF = "OFF", _("Off")
    SUGGEST = "SUGGEST", _("Suggest who should take it")
    ASSIGN = "ASSIGN", _("Give it to somebody")


class Profile(models.Model):
    """What one person can take; somebody without a profile is routed nothing."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="routing")
    capacity = models.PositiveSmallIntegerField(default=10)
    skills = models.JSONField(default=dict, help_text="0–3 by kind or “category:code”; empty restricts nothing")
    languages = models.JSONField(default=dict, help_text="0–3 by zh and en; empty restricts nothing")
    calendar = models.ForeignKey(Calendar, on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=9, choices=Availability.choices, default=Availability.AVAILABLE)
    away_until = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.user_id} {self.status}"


class AvailabilityChange(models.Model):
    """One change of somebody's availability, never changed itself."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=9)
    away_until = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "-at"], name="availability_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.status}"


class RoutingSetting(models.Model):
    """How a team routes; its row is locked while its cases are given out, so that two routers never work on one team."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="routing")
    mode = models.CharField(max_length=7, choices=Mode.choices, default=Mode.OFF)
    is_sticky = models.BooleanField(default=True)
    most_per_round = models.PositiveSmallIntegerField(default=200)
    minutes = models.JSONField(default=dict, help_text="minutes of work that a case of a kind takes; missing: as usual")
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.team_id} {self.mode}"


class RoutingDecision(models.Model):
    """Whom routing chose for a case, why, and who came next; a row for each time that the answer changed."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="routing_decisions")
    person = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    mode = models.CharField(max_length=7, help_text="SUGGEST, ASSIGN, or TAKEN by the person's own click")
    because = models.JSONField(default=list)
    value = models.FloatField()
    alternatives = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["case", "-id"], name="routing_case")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.mode} {self.person_id}"


class CaseWeight(models.Model):
    """What an hour's delay of an open case costs per hour of work, as of the last look; only open cases have one."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="weight")
    score = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["-score", "case"], name="weight_score")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.score}"


class TimesTaken(models.Model):
    """How long past cases took on one promise: the share (Kaplan–Meier) that took longer than each of some working times, ascending."""

    level = models.ForeignKey(ServiceLevel, on_delete=models.CASCADE, related_name="+")
    target = models.CharField(max_length=14)
    seconds = models.JSONField(default=list)
    shares = models.JSONField(default=list)
    ended = models.PositiveIntegerField(help_text="how many of the past clocks had ended; the others were running still")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "target"], name="times_taken_once")]

    def __str__(self) -> str:
        return f"{self.target} of {self.level_id}: {self.ended}"
