"""What hangs on a case beside its conversation: links, files, tasks, followers, tags, fields, snoozes, views, shares, webhooks."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from careloop.desk.accounts.models import Team, User
from careloop.desk.cases.models import Case, Message
from careloop.desk.kernel.fields import EncryptedBytesField, EncryptedTextField


class CustomerLink(models.Model):
    """How often a case's links were revoked, and how much was written through them in the current hour; no row means never."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="customer_link")
    revision = models.PositiveIntegerField(default=1, help_text="a link of an earlier revision opens nothing")
    hour = models.PositiveIntegerField(default=0, help_text="hours since 1970 in which something was written last")
    written = models.PositiveIntegerField(default=0, help_text="how often in that hour")

    def __str__(self) -> str:
        return f"links of {self.case_id}, revision {self.revision}"


class Attachment(models.Model):
    """A file of a message, whoever sent it; its bytes are encrypted. One that was refused is a row without bytes that says why."""

    class Refusal(models.TextChoices):
        """Why the bytes were not kept."""

        TOO_LARGE = "TOO_LARGE", _("too large")
        TOO_MANY = "TOO_MANY", _("too many files")
        KIND = "KIND", _("no picture, PDF, text or office document")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="attachments")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=100)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = EncryptedBytesField()
    refusal = models.CharField(max_length=9, choices=Refusal.choices, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "sha256"], name="attachment_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.message_id}"


class Task(models.Model):
    """Something that somebody does for a case, perhaps in another department; done when `done_at` says so."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    department = models.CharField(max_length=80, blank=True, help_text="for departments that are no team of the desk")
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="+")
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    done_by_name = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_by_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    event_id = models.BigIntegerField(null=True, help_text="the step of a flow that asked for it")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "position"], name="task_of_event_once")]
        indexes = [
            models.Index(fields=["assignee", "done_at", "due_at"], name="task_assignee"),
            models.Index(fields=["done_at", "reminded_at", "due_at"], name="task_due"),
        ]

    def __str__(self) -> str:
        return f"{self.title} for {self.case_id}"


class Follower(models.Model):
    """Somebody who is told what happens to a case; who left is not brought back by being mentioned."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="followers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    has_left = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="follower_once")]

    def __str__(self) -> str:
        return f"{self.user_id} follows {self.case_id}"


class EventMark(models.Model):
    """How far a reader of the events has come, and where it began."""

    name = models.CharField(max_length=40, unique=True)
    first_id = models.BigIntegerField()
    event_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} at {self.event_id}"


class CaseTag(models.Model):
    """A word that people put on a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "name"], name="case_tag_once")]
        indexes = [models.Index(fields=["name", "case"], name="case_tag_name")]

    def __str__(self) -> str:
        return f"{self.name} on {self.case_id}"


class FieldDefinition(models.Model):
    """A field that the house adds to its cases."""

    class Kind(models.TextChoices):
        """What may be entered."""

        TEXT = "TEXT", pgettext_lazy("kind of field", "Text")
        NUMBER = "NUMBER", _("Number")
        DATE = "DATE", _("Day")
        CHOICE = "CHOICE", _("Choice")
        YES_NO = "YES_NO", _("Yes or no")

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_zh = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    choices = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(default=0)
    is_archived = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class FieldValue(models.Model):
    """What was entered in a field of a case: text, number, day as 2026-05-04, true or false."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="field_values")
    definition = models.ForeignKey(FieldDefinition, on_delete=models.CASCADE, related_name="+")
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "definition"], name="field_value_once")]

    def __str__(self) -> str:
        return f"{self.definition_id} of {self.case_id}"


class Snooze(models.Model):
    """A case that waits until a moment and then comes back; ended by then, or by hand."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="snoozes")
    until = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case"], condition=models.Q(ended_at=None), name="snoozed_once")]
        indexes = [models.Index(fields=["ended_at", "until"], name="snooze_due")]

    def __str__(self) -> str:
        return f"{self.case_id} until {self.until}"


class SavedView(models.Model):
    """A choice of cases that somebody keeps under a name: the inbox's query string; a team's view is seen by the whole team."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=600)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class FollowUpTemplate(models.Model):
    """A few tasks that are added together: items are {title, department, days}."""

    name = models.CharField(max_length=80, unique=True)
    items = models.JSONField(default=list)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class SharedPage(models.Model):
    """Chosen messages of a case on a page for people without an account, until it expires or is taken back."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="shared_pages")
    message_ids = models.JSONField(default=list)
    purpose = models.CharField(max_length=120, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opened = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"share of {self.case_id}"


class SharedTopic(models.Model):
    """A topic as it stood when it was shared, on a page for people without an account; `facts` hold no personal data."""

    topic_id = models.BigIntegerField()
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+", help_text="null: of all teams")
    facts = models.JSONField(default=dict)
    purpose = models.CharField(max_length=120, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opened = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["topic_id", "-id"], name="shared_topic")]

    def __str__(self) -> str:
        return f"share of topic {self.topic_id}"


class Webhook(models.Model):
    """An address of another system that is told of events of cases; requests are signed with the secret."""

    url = models.CharField(max_length=500)
    secret = EncryptedTextField()
    events = models.JSONField(default=list)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+", help_text="null: every team")
    first_event_id = models.BigIntegerField(default=0, help_text="it is told of what comes after this one")
    is_active = models.BooleanField(default=True)
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One event, or one topic, for one webhook; the row waits until the other side took it or can never take it."""

    class State(models.TextChoices):
        """How far it has come."""

        QUEUED = "QUEUED", _("Queued")
        SENT = "SENT", _("Sent")
        FAILED = "FAILED", _("Not delivered")

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.BigIntegerField(null=True)
    case_id = models.BigIntegerField(null=True)
    said = models.JSONField(null=True, help_text="what is told of a topic; of an event it is read as it is sent")
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True, help_text="the other side's status, or why there is none")
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "event_id"], name="webhook_event_once")]
        indexes = [models.Index(fields=["webhook", "-id"], name="delivery_webhook")]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.webhook_id}"
