"""Drafts, held replies, presence."""

from django.db import models

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Case
from careloop.desk.kernel.fields import EncryptedBytesField


class Draft(models.Model):
    """What one person has typed on a case and not sent; kind is REPLY or NOTE."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=5)
    body = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user", "kind"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id} on {self.case_id}"


class HeldState(models.TextChoices):
    """How far a held reply is."""

    WAITING = "WAITING"
    SENT = "SENT"
    UNDONE = "UNDONE"
    REFUSED = "REFUSED"


class HeldReply(models.Model):
    """A reply that waits until `send_at`; until then its writer may take it back."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    body = models.TextField()
    status = models.CharField(max_length=10)
    seen_message_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=7, choices=HeldState.choices, default=HeldState.WAITING)
    held_at = models.DateTimeField()
    send_at = models.DateTimeField()
    message_id = models.BigIntegerField(null=True)
    refusal = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["case", "state"], name="held_case")]

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"


class WaitingFile(models.Model):
    """A file that somebody chose for a reply or a note: part of their draft, or of a reply that is held; its bytes are encrypted."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=5)
    held = models.ForeignKey(HeldReply, on_delete=models.CASCADE, null=True, related_name="files")
    name = models.CharField(max_length=120)
    size_bytes = models.PositiveIntegerField()
    content = EncryptedBytesField()
    chosen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["case", "user", "kind"], name="waiting_file")]

    def __str__(self) -> str:
        return self.name


class Presence(models.Model):
    """Somebody has a case open; one row a person and case, overwritten by each sign of life."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    typed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="presence_once")]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.case_id}"
