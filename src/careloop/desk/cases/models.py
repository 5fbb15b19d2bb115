"""Cases, messages, events, clocks."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Channel, Team, User
from careloop.desk.accounts.rules import Viewer
from careloop.desk.customers.models import Customer
from careloop.desk.flows.models import FlowVersion
from careloop.desk.sla.models import Calendar, ServiceLevel


class Status(models.TextChoices):
    """Where a case stands."""

    OPEN = "OPEN", _("Open")
    WAITING = "WAITING", _("Waiting for the customer")
    RESOLVED = "RESOLVED", _("Resolved")
    MERGED = "MERGED", _("Merged into another case")


class Kind(models.TextChoices):
    """What the customer came for."""

    CONSULTATION = "CONSULTATION", _("Consultation")
    COMPLAINT = "COMPLAINT", _("Complaint")
    REFUND = "REFUND", _("Refund")
    SUGGESTION = "SUGGESTION", _("Suggestion")
    PRAISE = "PRAISE", _("Praise")
    OTHER = "OTHER", _("Other")


class Sentiment(models.TextChoices):
    """How it sounds."""

    POSITIVE = "POSITIVE", _("Positive")
    NEUTRAL = "NEUTRAL", _("Neutral")
    NEGATIVE = "NEGATIVE", _("Negative")


class Priority(models.IntegerChoices):
    """What comes first."""

    LOW = 10, _("Low")
    NORMAL = 20, _("Normal")
    HIGH = 30, _("High")
    URGENT = 40, _("Urgent")


class ScopedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows that belong to a team."""

    def visible_to(self, viewer: Viewer) -> "ScopedQuerySet":
        """Those of the viewer's teams."""
        return self if viewer.team_ids is None else self.filter(team_id__in=viewer.team_ids)


class Case(models.Model):
    """One matter of one customer, from arrival to resolution; its number is its primary key."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="cases")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    subject = models.CharField(max_length=200)
    snippet = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    kind = models.CharField(max_length=12, choices=Kind.choices, blank=True)
    kind_probability = models.FloatField(null=True)
    sentiment = models.CharField(max_length=8, choices=Sentiment.choices, blank=True)
    sentiment_probability = models.FloatField(null=True)
    category = models.CharField(max_length=80, blank=True)
    corrected = models.JSONField(default=list, help_text="fields that a person decided; readings leave them alone")
    opened_at = models.DateTimeField()
    last_message_at = models.DateTimeField()
    first_response_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="the nearest deadline of its running clocks")
    version = models.PositiveIntegerField(default=1)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "status", "-last_message_at"], name="case_team_status"),
            models.Index(fields=["status", "-last_message_at"], name="case_status"),
            models.Index(fields=["assignee", "status", "-last_message_at"], name="case_assignee"),
            models.Index(fields=["customer", "-last_message_at"], name="case_customer"),
            models.Index(fields=["-last_message_at", "-id"], name="case_newest"),
            models.Index(fields=["-priority", "last_message_at", "id"], name="case_priority"),
            models.Index(fields=["sentiment_probability", "id"], name="case_unhappiest"),
            models.Index(fields=["status", "team", "assignee"], name="case_counts"),
            models.Index(fields=["status", "due_at", "id"], name="case_due"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.subject}"


class Direction(models.TextChoices):
    """From the customer, to the customer, or between colleagues."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"
    NOTE = "NOTE"


class Delivery(models.TextChoices):
    """How far a message to the customer has come; empty for the others."""

    QUEUED = "QUEUED", _("Queued")
    SENT = "SENT", _("Sent")
    FAILED = "FAILED", _("Not delivered")


class Message(models.Model):
    """What somebody said; a review that opens no case has none."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="messages")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, related_name="messages")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=8, choices=Direction.choices)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    body = models.TextField()
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()
    delivery = models.CharField(max_length=8, choices=Delivery.choices, blank=True)
    delivery_error = models.CharField(max_length=300, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["case", "sent_at"], name="message_case"),
            models.Index(fields=["customer", "sent_at"], name="message_customer"),
            models.Index(fields=["channel", "-received_at"], name="message_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.pk}"


class EventKind(models.TextChoices):
    """What can happen to a case."""

    OPENED = "OPENED", _("Opened")
    RECEIVED = "RECEIVED", _("Message received")
    REPLIED = "REPLIED", _("Replied")
    NOTED = "NOTED", _("Note added")
    ASSIGNED = "ASSIGNED", _("Assigned")
    TEAM = "TEAM", _("Given to another team")
    PRIORITY = "PRIORITY", _("Priority changed")
    STATUS = "STATUS", _("Status changed")
    TRIAGED = "TRIAGED", _("Read")
    CORRECTED = "CORRECTED", _("Corrected")
    DELIVERY = "DELIVERY", _("Delivery")
    ESCALATED = "ESCALATED", _("Escalated")
    MOVED = "MOVED", _("Step taken")
    APPROVAL = "APPROVAL", _("Approval")
    ROUTED = "ROUTED", _("Routed")
    MERGED = "MERGED", _("Merged")
    SPLIT = "SPLIT", _("Split")
    LINKED = "LINKED", _("Linked")
    UNDONE = "UNDONE", _("Undone")
    TASK = "TASK", _("Task")
    TAGGED = "TAGGED", _("Tags changed")
    FIELD = "FIELD", _("Field changed")
    SNOOZED = "SNOOZED", _("Snoozed")
    SHARED = "SHARED", _("Shared")
    RETRACTED = "RETRACTED", _("Sending undone")
    SOLUTION = "SOLUTION", _("Solution used")
    SURVEY = "SURVEY", _("Customer's answer")
    RULE = "RULE", _("Rule")
    MACRO = "MACRO", _("Macro")


class Clock(models.Model):
    """One deadline of a case, as its ticks give it; a next response has a round for each time the customer waited."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clocks")
    target = models.CharField(max_length=14)
    round = models.PositiveIntegerField(default=1)
    level = models.ForeignKey(ServiceLevel, on_delete=models.SET_NULL, null=True, related_name="+")
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9)
    target_seconds = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    is_provisional = models.BooleanField(default=False)
    elapsed_seconds = models.PositiveIntegerField(default=0)
    is_late = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "target", "round"], name="clock_once")]
        indexes = [models.Index(fields=["state", "due_at"], name="clock_due")]

    def __str__(self) -> str:
        return f"{self.target} {self.round} of {self.case_id}"


class ClockTick(models.Model):
    """One thing that happened to a clock; replaying them gives the clock. Never changed."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="ticks")
    kind = models.CharField(max_length=10)
    at = models.DateTimeField()
    target_seconds = models.PositiveIntegerField(null=True)
    calendar_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["clock", "id"], name="tick_clock")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.clock_id}"


class EscalationDone(models.Model):
    """A step that was taken for a clock, so that it is taken once."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="escalations")
    target = models.CharField(max_length=14)
    minutes = models.IntegerField()
    action = models.CharField(max_length=18)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clock", "minutes", "action"], name="escalation_once")]

    def __str__(self) -> str:
        return f"{self.action} for {self.clock_id}"


class CaseFlow(models.Model):
    """Where a case stands in the version of the flow on which it runs, and what was entered on the way."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="flow")
    flow_version = models.ForeignKey(FlowVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=30)
    entered_at = models.DateTimeField()
    values = models.JSONField(default=dict, help_text="what was entered, by the field's code")

    class Meta:
        indexes = [models.Index(fields=["flow_version", "state"], name="case_flow_state")]

    def __str__(self) -> str:
        return f"{self.state} of {self.case_id}"


class Approval(models.Model):
    """Somebody asked whether a step may be taken, for this amount; closed when the case leaves the state or the amount changes."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="approvals")
    transition = models.CharField(max_length=30)
    state = models.CharField(max_length=8, help_text="ASKED, GIVEN or REFUSED, as flows.rules.moving says")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    amount = models.JSONField(null=True)
    needs = models.PositiveSmallIntegerField()
    roles = models.JSONField()
    comment = models.CharField(max_length=500, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "transition"], condition=models.Q(closed_at=None), name="approval_open_once")
        ]

    def __str__(self) -> str:
        return f"{self.transition} of {self.case_id}"


class Decision(models.Model):
    """One person's word on an approval."""

    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="decisions")
    who = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    is_yes = models.BooleanField()
    at = models.DateTimeField()
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["approval", "who"], name="decision_once")]

    def __str__(self) -> str:
        return f"{self.is_yes} for {self.approval_id}"


class CaseEvent(models.Model):
    """One thing that happened to a case; clocks, figures and undo are computed from these rows. Only the team ever changes."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=EventKind.choices)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["case", "id"], name="event_case")]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_id}"
