"""What was merged and split and which rows moved; links between cases; which cases are said not to be the same."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Case


class Regrouping(models.Model):
    """One merge into a case, or one split off into a new case; live until it is undone."""

    class Kind(models.TextChoices):
        """What was done."""

        MERGE = "MERGE", _("Merge")
        SPLIT = "SPLIT", _("Split")

    kind = models.CharField(max_length=5, choices=Kind.choices)
    into = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+", help_text="the case that the rows went to")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    last_event_id = models.BigIntegerField(default=0, help_text="of all cases when it was done: what is newer came afterwards")
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} into {self.into_id}"


class RegroupedCase(models.Model):
    """A case that took part: its columns that change, as they were, and the newest tick of its clocks then."""

    regrouping = models.ForeignKey(Regrouping, on_delete=models.CASCADE, related_name="cases")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    before = models.JSONField(default=dict)
    last_tick_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["regrouping", "case"], name="regrouped_case_once")]

    def __str__(self) -> str:
        return f"{self.case_id} in {self.regrouping_id}"


class MovedRow(models.Model):
    """One row that went to another case, and the case that it was in."""

    regrouping = models.ForeignKey(Regrouping, on_delete=models.CASCADE, related_name="rows")
    table = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    was_in = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["regrouping", "table", "row_id"], name="moved_row_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id} from {self.was_in}"


class CaseLink(models.Model):
    """Two cases that have to do with each other; for CAUSE the first one caused the other."""

    class Kind(models.TextChoices):
        """How."""

        RELATED = "RELATED", _("Related")
        DUPLICATE = "DUPLICATE", _("Duplicate")
        CAUSE = "CAUSE", _("Caused by")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "other"], name="case_link_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_id} {self.other_id}"


class NotTheSame(models.Model):
    """Somebody looked at two cases, the lower number first, and said that they are different matters."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    said_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "other"], name="not_the_same_once")]

    def __str__(self) -> str:
        return f"{self.case_id} is not {self.other_id}"
