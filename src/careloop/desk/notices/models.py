"""Notices."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import User


class NoticeKind(models.TextChoices):
    """Why somebody is told."""

    ASSIGNED = "ASSIGNED", _("A case was given to you")
    MENTIONED = "MENTIONED", _("You were mentioned")
    DUE_SOON = "DUE_SOON", _("A deadline is near")
    OVERDUE = "OVERDUE", _("A deadline has passed")
    REPLIED = "REPLIED", _("The customer answered")
    NOT_SENT = "NOT_SENT", _("Your reply was not sent")
    TASK = "TASK", _("A task for you")
    APPROVAL = "APPROVAL", _("Your approval is asked for")
    REMINDER = "REMINDER", _("A reminder")
    RULE = "RULE", _("A rule tells you")
    CALENDAR = "CALENDAR", _("A calendar needs you")
    FOLLOWED = "FOLLOWED", _("News of a case that you follow")
    SOLUTION = "SOLUTION", _("A solution needs you")
    SURVEY = "SURVEY", _("A customer is not satisfied")


class Notice(models.Model):
    """One person is told one thing, perhaps of a case; `facts` fill the sentence in the reader's language."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=NoticeKind.choices)
    case_id = models.BigIntegerField(null=True)
    facts = models.JSONField(default=dict)
    key = models.CharField(max_length=120, help_text="the same key tells the same person once")
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notice_once")]
        indexes = [models.Index(fields=["user", "read_at", "-at"], name="notice_user")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
