"""What was changed at once, with every case as it was before."""

from django.db import models

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Case


class BulkChange(models.Model):
    """One change of many cases; live until it is undone."""

    field = models.CharField(max_length=10)
    value = models.JSONField(null=True)
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    left_out = models.JSONField(default=list, help_text="numbers of cases that somebody else changed after the preview")
    undone_at = models.DateTimeField(null=True)
    kept = models.JSONField(default=list, help_text="numbers of cases that undoing left alone, as they were changed since")

    def __str__(self) -> str:
        return f"{self.field} {self.pk}"


class BulkChangedCase(models.Model):
    """A case that was changed: its columns before, its version after, and the newest tick of its clocks before."""

    change = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="cases")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    before = models.JSONField()
    version_after = models.PositiveIntegerField()
    last_tick_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "case"], name="bulk_case_once")]

    def __str__(self) -> str:
        return f"{self.case_id} in {self.change_id}"
