"""What a language model was asked to write, and what came back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Team, User
from careloop.desk.cases.models import Case, ScopedQuerySet


class Purpose(models.TextChoices):
    """What the text is for."""

    REPLY = "REPLY", _("Draft of a reply")
    SUMMARY = "SUMMARY", _("Summary in words")


class State(models.TextChoices):
    """How far it is."""

    WAITING = "WAITING"
    DONE = "DONE"
    FAILED = "FAILED"


class MachineText(models.Model):
    """One text by a language model about one case; it stays the machine's until a person sends words of their own."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    language = models.CharField(max_length=10, blank=True, help_text="of the person who asked; summaries are written in it")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True)
    seen_message_id = models.BigIntegerField(help_text="the newest message that the model was told of")
    model = models.CharField(max_length=120, blank=True)
    text = models.TextField(blank=True)
    error = models.CharField(max_length=300, blank=True, help_text="template of the sentence, translated when shown")
    error_values = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "purpose"], condition=models.Q(state="WAITING"), name="machine_text_one_waits")
        ]
        indexes = [models.Index(fields=["case", "purpose", "-id"], name="machine_text_newest")]

    def __str__(self) -> str:
        return f"{self.purpose} for case {self.case_id}: {self.state}"

    def why_not(self) -> str:
        """Why there is no text, in the reader's language."""
        return str(_(self.error)) % self.error_values if self.error else ""
