"""Watched figures and their alarms."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Team, User


class WatchSetting(models.Model):
    """What the house promises and weighs: false alarms a quarter for all figures together, addresses told by mail, weights; one row."""

    false_alarms = models.FloatField(default=1.0)
    mail_to = models.CharField(max_length=400, blank=True)
    speed_weight = models.PositiveSmallIntegerField(default=1, help_text="of the communication score")
    first_contact_weight = models.PositiveSmallIntegerField(default=1)
    satisfaction_weight = models.PositiveSmallIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.false_alarms} a quarter"


class Watched(models.Model):
    """A figure that is judged each day; no team means the whole house. `chart` is as it was judged last."""

    class Period(models.TextChoices):
        """What is one point."""

        DAY = "day", _("by day")
        WEEK = "week", _("by week")

    measure = models.CharField(max_length=40)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    category = models.CharField(max_length=80, blank=True)
    period = models.CharField(max_length=4, choices=Period.choices)
    since = models.DateField(help_text="the first day whose alarms are told")
    until = models.DateField(null=True, help_text="the day on which watching ended")
    judged_until = models.DateField(null=True, help_text="the first day of the last period that was judged")
    chart = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["measure", "team", "category", "period"],
                condition=models.Q(until=None, team__isnull=False),
                name="watched_of_team_once",
            ),
            models.UniqueConstraint(
                fields=["measure", "category", "period"], condition=models.Q(until=None, team=None), name="watched_of_house_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.period}"


class Alarm(models.Model):
    """A figure that left its limits: something to look into. The same change goes on in the same alarm for as long as it is open."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "OPEN", _("New")
        TAKEN = "TAKEN", _("Somebody looks into it")
        REAL = "REAL", _("There was something")
        NOTHING = "NOTHING", _("It was nothing")
        EXPECTED = "EXPECTED", _("It was expected")

    class Sign(models.TextChoices):
        """What the chart saw."""

        SINGLE = "single", _("far off at once")
        LASTING = "lasting", _("a lasting change")

    watched = models.ForeignKey(Watched, on_delete=models.CASCADE, related_name="alarms")
    start = models.DateField(help_text="the first day of the period that alarmed")
    end = models.DateField(help_text="the last day of the newest period that alarmed")
    sign = models.CharField(max_length=7, choices=Sign.choices)
    is_up = models.BooleanField()
    value = models.FloatField()
    expected = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    n = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by_name = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["watched", "start"], name="alarm_once")]
        indexes = [models.Index(fields=["state", "-opened_at"], name="alarm_state")]

    def __str__(self) -> str:
        return f"{self.watched_id} on {self.start}"


class Explanation(models.Model):
    """Why figures are as they are, computed once a day; no team means the whole house. `parts` are those of measures.explaining."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, null=True, related_name="+")
    parts = models.JSONField(default=dict)
    model = models.JSONField(null=True, help_text="the model of satisfaction, as numbers; only of the whole house")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team"], condition=models.Q(team=None), name="explanation_of_house_once")]

    def __str__(self) -> str:
        return f"explanation of {self.team_id}"


class ToldTopic(models.Model):
    """A topic that emerged and was told to those who see these teams (as analysis keeps sets of teams); told again after four weeks."""

    topic_id = models.BigIntegerField()
    scope = models.TextField(blank=True, help_text="ids of the teams, sorted, with commas; empty: the whole house")
    told_on = models.DateField()
    count = models.PositiveIntegerField()
    expected = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["topic_id", "scope", "told_on"], name="topic_told_once")]

    def __str__(self) -> str:
        return f"topic {self.topic_id} on {self.told_on}"
