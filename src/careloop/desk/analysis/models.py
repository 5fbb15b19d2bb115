"""Readings, the house's categories, what people corrected, and the models that learn from it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Channel, Team, User
from careloop.desk.analysis import topic_models  # noqa: F401  (Django finds an app's tables through this module)
from careloop.desk.cases.models import Case, Kind, Message, ScopedQuerySet, Sentiment


class State(models.TextChoices):
    """How far reading has come."""

    DONE = "DONE"
    FAILED = "FAILED"


class Reading(models.Model):
    """What the engine understood of one message; wide enough that charts need no join."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="reading")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="+")
    slot = models.IntegerField(help_text="15-minute slot (UTC) of the message, see kernel/slots.py")
    state = models.CharField(max_length=6, choices=State.choices)
    error = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=10, blank=True)
    sentiment = models.CharField(max_length=8, choices=Sentiment.choices, blank=True)
    sentiment_probability = models.FloatField(null=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, blank=True)
    kind_probability = models.FloatField(null=True)
    category = models.CharField(max_length=80, blank=True)
    rating_ratio = models.FloatField(null=True, help_text="0 the worst rating possible, 1 the best")
    keywords = models.JSONField(default=list)
    details = models.JSONField(
        default=dict, help_text="insight.Reading.to_json() without the tokens, which cost more to keep than to cut again"
    )
    model_versions = models.JSONField(default=dict, help_text="model name -> version")
    read_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                # holds every column that charts choose and count by: they never touch the wide rows
                fields=["slot", "team", "channel", "case", "state", "sentiment", "kind", "category", "language", "rating_ratio", "message"],
                name="reading_charts",
            ),
        ]

    def __str__(self) -> str:
        return f"reading of message {self.message_id}"


class MessageAspect(models.Model):
    """One part of the offer that a message speaks of, and how; the same as in its reading's details, to choose messages by."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="aspects", db_index=False)
    aspect = models.CharField(max_length=40)
    sentiment = models.CharField(max_length=8, choices=Sentiment.choices)
    probability = models.FloatField(help_text="of the opinion's being positive rather than negative, 0–1")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "aspect"], name="message_aspect_once")]
        indexes = [models.Index(fields=["aspect", "sentiment", "message"], name="message_aspect_list")]

    def __str__(self) -> str:
        return f"{self.aspect} of message {self.message_id}: {self.sentiment}"


class Task(models.TextChoices):
    """What people correct and models learn."""

    CATEGORY = "CATEGORY", _("Category")
    KIND = "KIND", _("Kind")
    SENTIMENT = "SENTIMENT", _("Sentiment")


class Taxonomy(models.Model):
    """A set of categories, of one team or (without a team) of the whole house; a team's own comes before the house's."""

    name = models.CharField(max_length=80)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    is_archived = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team"], condition=models.Q(is_archived=False), name="taxonomy_one_a_team"),
            models.UniqueConstraint(
                fields=["is_archived"], condition=models.Q(is_archived=False, team__isnull=True), name="taxonomy_one_a_house"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """One category: a code that is never shown or translated, names in both languages; one that has others below it is a heading."""

    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="categories")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    code = models.SlugField(max_length=60, unique=True)
    name_en = models.CharField(max_length=80, blank=True)
    name_zh = models.CharField(max_length=80, blank=True)
    description = models.CharField(max_length=500, blank=True)
    is_archived = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.code


class Status(models.TextChoices):
    """Where a model stands; at most one of a scope is live, and one is in training."""

    CANDIDATE = "CANDIDATE", _("In training")
    LIVE = "LIVE", _("Live")
    RETIRED = "RETIRED", _("Retired")
    REJECTED = "REJECTED", _("Rejected")


class LearntModel(models.Model):
    """A model of a scope ("taxonomy:3", "kind", "sentiment"): what it learnt from, how good it is, why it is live or not."""

    scope = models.CharField(max_length=40)
    task = models.CharField(max_length=10, choices=Task.choices)
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, null=True, related_name="models")
    status = models.CharField(max_length=10, choices=Status.choices)
    algorithm = models.CharField(max_length=20, blank=True)
    card = models.JSONField(default=dict)
    codes = models.JSONField(default=dict, help_text="the model's own label -> the code of the category")
    fingerprint = models.CharField(max_length=64, blank=True)
    figures = models.JSONField(default=dict, help_text="measured on the held-back rows")
    rival = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+", help_text="the live model it was compared to")
    rival_figures = models.JSONField(default=dict, help_text="the rival's, measured on the same rows")
    reason = models.JSONField(default=dict, help_text="why it went live or not: template and values")
    last_correction_id = models.BigIntegerField(default=0)
    started_by_kind = models.CharField(max_length=10)
    started_by_name = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope"], condition=models.Q(status="LIVE"), name="model_one_live"),
            models.UniqueConstraint(fields=["scope"], condition=models.Q(status="CANDIDATE"), name="model_one_candidate"),
        ]
        indexes = [models.Index(fields=["scope", "-id"], name="model_scope")]

    def __str__(self) -> str:
        return f"{self.scope} {self.pk} {self.status}"


class ModelFiles(models.Model):
    """The wide part of a model, kept apart so that lists stay light: its files as one archive, and its answers to the held-back rows."""

    model = models.OneToOneField(LearntModel, on_delete=models.CASCADE, related_name="files")
    archive = models.BinaryField(null=True)
    answers = models.JSONField(default=list, help_text="[message, value by people, value by the model, probability] a row")

    def __str__(self) -> str:
        return f"files of model {self.model_id}"


class CategoryReading(models.Model):
    """What the live model of categories said of a message, with the likeliest alternatives; the same for texts that it abstained on."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="category_reading")
    model = models.ForeignKey(LearntModel, on_delete=models.CASCADE, related_name="+")
    value = models.CharField(max_length=60)
    probability = models.FloatField()
    has_abstained = models.BooleanField()
    ranked = models.JSONField(default=list, help_text="[code, probability], likeliest first")
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"category of message {self.message_id}"


class Correction(models.Model):
    """What a person said of a message, beside what the model had said; appended, never changed: the newest of a message counts."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=40)
    task = models.CharField(max_length=10, choices=Task.choices)
    value = models.CharField(max_length=60)
    model_value = models.CharField(max_length=60, blank=True)
    model_probability = models.FloatField(null=True)
    model = models.ForeignKey(LearntModel, on_delete=models.SET_NULL, null=True, related_name="+", help_text="none: a shipped model")
    is_held_back = models.BooleanField(help_text="rules.is_held_back of the message, so that SQL can count by it")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_by_name = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["message", "task", "-id"], name="correction_message"),
            models.Index(fields=["scope", "id", "message", "is_held_back"], name="correction_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.task} of message {self.message_id}: {self.value}"


class LabelDoubt(models.Model):
    """A correction that the model learnt from the others takes for wrong; a person keeps it or takes the suggestion, once."""

    class Decision(models.TextChoices):
        """What a person said of it."""

        KEPT = "KEPT", _("Label kept")
        TAKEN = "TAKEN", _("Suggestion taken")

    correction = models.OneToOneField(Correction, on_delete=models.CASCADE, related_name="+")
    taxonomy = models.ForeignKey(Taxonomy, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    suggested = models.CharField(max_length=60)
    margin = models.FloatField(help_text="lead of the suggestion over the label, in scores of -1 to 1")
    decision = models.CharField(max_length=5, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_by_name = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["taxonomy", "decision", "-margin"], name="doubt_list")]

    def __str__(self) -> str:
        return f"doubt about correction {self.correction_id}: {self.suggested}"


class TextVector(models.Model):
    """A text's semantic vector, so that each text is encoded once; by hash, without the text."""

    encoder = models.CharField(max_length=80)
    text_hash = models.CharField(max_length=64)
    vector = models.BinaryField(help_text="float16, little-endian")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["encoder", "text_hash"], name="vector_once")]

    def __str__(self) -> str:
        return self.text_hash[:12]
