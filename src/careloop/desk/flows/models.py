"""Flows and their versions."""

from django.db import models

from careloop.desk.accounts.models import User


class Flow(models.Model):
    """How cases of a kind go from arrival to their end; of several in force for a kind, the one with the lowest position holds."""

    name = models.JSONField(help_text="by language: en, zh")
    kind = models.CharField(max_length=12)
    position = models.PositiveSmallIntegerField(default=10)
    is_active = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "position"], name="flow_kind")]

    def __str__(self) -> str:
        return str(self.name.get("en") or self.name.get("zh"))


class FlowVersion(models.Model):
    """What a flow was from `at` on. Never changed: a change of the flow is a new version, the highest number is in force."""

    flow = models.ForeignKey(Flow, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField(help_text="states, transitions, fields, as flows.rules.reading reads them")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flow", "number"], name="flow_version_once")]

    def __str__(self) -> str:
        return f"{self.flow_id} version {self.number}"
