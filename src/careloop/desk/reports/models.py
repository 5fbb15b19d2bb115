"""Dashboards, and reports that are mailed on a schedule."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Team, User


class Scope(models.TextChoices):
    """Whose it is."""

    PERSON = "PERSON", _("Only me")
    TEAM = "TEAM", _("A team")
    ALL = "ALL", _("Everybody who sees reports")


class Dashboard(models.Model):
    """Tiles that somebody put together; `tiles` are those of rules/tiles.py."""

    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=6, choices=Scope.choices)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    tiles = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Mailing(models.Model):
    """A report or a dashboard that is mailed when a day, a week or a month is over, at an hour of the house's zone."""

    class Rhythm(models.TextChoices):
        """Which period is over."""

        DAY = "day", _("every day")
        WEEK = "week", _("every Monday")
        MONTH = "month", _("on the first of the month")

    report = models.CharField(max_length=40, blank=True, help_text="the report's name; empty for a dashboard")
    dashboard = models.ForeignKey(Dashboard, on_delete=models.CASCADE, null=True, related_name="mailings")
    query = models.CharField(max_length=800, blank=True, help_text="the choice, as in the page's address")
    rhythm = models.CharField(max_length=5, choices=Rhythm.choices)
    hour = models.PositiveSmallIntegerField()
    recipients = models.ManyToManyField(User, related_name="+")
    maker = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    is_active = models.BooleanField(default=True)
    since = models.DateTimeField(help_text="mails due before are not sent: when it was made or resumed")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.report or self.dashboard_id} {self.rhythm}"


class MailedReport(models.Model):
    """One mail: at most one for a mailing, a period and a person."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "WAITING", _("Waiting")
        SENDING = "SENDING", _("Being sent")
        SENT = "SENT", _("Sent")
        FAILED = "FAILED", _("Failed")
        REFUSED = "REFUSED", _("Not sent: may not see it")

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="mails")
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    first_day = models.DateField(help_text="the first day of the period")
    last_day = models.DateField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=400, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailing", "recipient", "first_day"], name="mailed_report_once")]
        indexes = [models.Index(fields=["mailing", "-first_day"], name="mailed_report_newest")]

    def __str__(self) -> str:
        return f"{self.mailing_id} for {self.recipient_id} of {self.first_day}"
