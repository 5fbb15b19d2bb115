"""Rules, what they did and why they stopped; macros and their uses."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Team, User
from careloop.desk.cases.models import Case


class Rule(models.Model):
    """When one of the events happens, if the condition holds, then the actions; automation/rules says what they may be."""

    name = models.CharField(max_length=80)
    events = models.JSONField(default=list)
    condition = models.JSONField(default=dict)
    actions = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    stops = models.BooleanField(default=False, help_text="no later rule looks at an event on which this one acted")
    last_error = models.JSONField(null=True, help_text="template and values, or what the program said")
    last_error_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class Outcome(models.TextChoices):
    """What came of a rule that fitted."""

    DONE = "DONE", _("Done")
    FAILED = "FAILED", _("Failed")
    STOPPED = "STOPPED", _("Stopped by the loop guard")
    HELD = "HELD", _("Held back for a comparison")


class Firing(models.Model):
    """A rule that fitted an event (or a moment) of a case, once; `root` is what a person or customer did at the beginning of the chain."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="firings")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=60, help_text="the event, or for rules by time the state of the case")
    root = models.CharField(max_length=60)
    depth = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    has_replied = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "case", "key"], name="firing_once")]
        indexes = [models.Index(fields=["rule", "at"], name="firing_rule"), models.Index(fields=["case", "root"], name="firing_root")]

    def __str__(self) -> str:
        return f"{self.rule_id} on {self.key} of {self.case_id}"


class CausedEvent(models.Model):
    """An event that a rule made, and how far it is from its root; kept until the event was judged and a month longer."""

    event_id = models.BigIntegerField(unique=True)
    message_id = models.BigIntegerField(null=True, db_index=True, help_text="news of its delivery belongs to the same chain")
    root = models.CharField(max_length=60)
    depth = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.event_id} at {self.depth} of {self.root}"


class JudgedEvent(models.Model):
    """An event above the cursor that rules were asked about; written with what they did, so that it happens once."""

    event_id = models.BigIntegerField(unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.event_id)


class Cursor(models.Model):
    """Up to which event everything was judged; one row."""

    event_id = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.event_id)


class Scope(models.TextChoices):
    """Who may use a macro."""

    PERSON = "PERSON", _("Only me")
    TEAM = "TEAM", _("A team")
    ALL = "ALL", _("Everybody")


class Macro(models.Model):
    """A text with variables and actions that an agent takes with one choice; without actions a canned reply."""

    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=6, choices=Scope.choices)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    body = models.TextField(blank=True)
    actions = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class MacroUse(models.Model):
    """Somebody took a macro in a case."""

    macro = models.ForeignKey(Macro, on_delete=models.CASCADE, related_name="uses")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["macro", "at"], name="macro_use")]

    def __str__(self) -> str:
        return f"{self.macro_id} in {self.case_id}"
