"""Import runs."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Channel, User
from careloop.desk.accounts.rules import Viewer
from careloop.desk.imports.rules import FEEDBACK, MESSAGES, PURCHASES, Choices
from careloop.desk.kernel.fields import EncryptedTextField
from careloop.desk.kernel.wording import in_words


class What(models.TextChoices):
    """What the rows of a file become."""

    FEEDBACK = FEEDBACK, _("Feedback")
    MESSAGES = MESSAGES, _("Messages")
    PURCHASES = PURCHASES, _("Purchases")


class State(models.TextChoices):
    """How far a run has come; CHECKING and RUNNING are worked on by a job or by the command line."""

    UPLOADED = "UPLOADED", _("Uploaded")
    CHECKING = "CHECKING", _("Being checked")
    CHECKED = "CHECKED", _("Checked")
    RUNNING = "RUNNING", _("Running")
    DONE = "DONE", _("Done")
    FAILED = "FAILED", _("Failed")
    CANCELLED = "CANCELLED", _("Cancelled")


class RunQuerySet(models.QuerySet["ImportRun"]):
    """Runs, narrowed to a viewer."""

    def visible_to(self, viewer: Viewer) -> "RunQuerySet":
        """The viewer's own runs and those into channels of the viewer's teams."""
        if viewer.team_ids is None:
            return self
        return self.filter(Q(created_by_id=viewer.user_id) | Q(channel__team_id__in=viewer.team_ids))


class ImportRun(models.Model):
    """One file on its way in. `rows_done` is the number of the last row whose chunk is committed: a run goes on from there."""

    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, related_name="+")
    what = models.CharField(max_length=9, choices=What.choices, default=What.FEEDBACK)
    file_name = models.CharField(max_length=200)
    stored_path = models.CharField(max_length=1000)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.BigIntegerField()
    format = models.CharField(max_length=10)
    encoding = models.CharField(max_length=20, blank=True)
    choices = models.JSONField(null=True, help_text="rules.Choices.to_json()")
    state = models.CharField(max_length=9, choices=State.choices, default=State.UPLOADED)
    rows_done = models.BigIntegerField(default=0)
    rows_total = models.BigIntegerField(null=True)
    counts = models.JSONField(default=dict, help_text="added, known, rejected rows; rejects_bytes of the reject file that are committed")
    report_text = EncryptedTextField(null=True, help_text="the cleaning report with examples, which may hold personal data")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error_sentence = models.JSONField(null=True, help_text="why it failed, as template and values, see kernel.wording")
    language = models.CharField(max_length=10, blank=True, help_text="of the person who brought the file: the refused rows speak it")

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="import_run_newest")]

    def __str__(self) -> str:
        return f"{self.file_name} #{self.pk} {self.state}"

    @property
    def report(self) -> dict[str, Any] | None:
        """The cleaning report, opened."""
        return json.loads(self.report_text) if self.report_text else None

    @property
    def error(self) -> str:
        """Why it failed, in the reader's language; "" when it did not."""
        return in_words(self.error_sentence) if self.error_sentence else ""

    @property
    def chosen(self) -> Choices | None:
        """What was chosen for the columns, once it was."""
        return Choices.from_json(self.choices) if self.choices else None

    @property
    def rejects_path(self) -> Path:
        """Where the refused rows are kept; absent when there are none."""
        return Path(settings.UPLOAD_DIR) / f"import-{self.pk}.rejects.csv"

    @property
    def is_stored_here(self) -> bool:
        """Whether the file is our own copy, to be deleted at the end, and not the user's."""
        return Path(self.stored_path).parent == Path(settings.UPLOAD_DIR).resolve()
