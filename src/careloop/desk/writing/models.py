"""Drafts, held replies, presence, time worked."""

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


class WorkSpan(models.Model):
    """A stretch during which somebody was active in a case: each sign of it that follows soon enough makes it longer."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["case", "user", "-seen_at"], name="work_span")]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.case_id} from {self.began_at}"


class WorkCorrection(models.Model):
    """What somebody says that a person's time in a case on a day (of the house's zone) was, whatever was measured."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    seconds = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)
    made_by_name = models.CharField(max_length=200)
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user", "day"], name="work_correction_once")]

    def __str__(self) -> str:
        return f"{self.seconds} s of {self.user_id} on {self.case_id}"
