"""Topics: runs that find them, what each run found, and the topic of each message."""

from django.db import models

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Message


class RunState(models.TextChoices):
    """A run is built beside the live one and takes its place when it is whole."""

    BUILDING = "BUILDING"
    LIVE = "LIVE"
    PAST = "PAST"


class TopicRun(models.Model):
    """One look at the texts of a span; screens show the live run alone."""

    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.BUILDING)
    span_days = models.PositiveIntegerField(null=True, help_text="none: all texts")
    first_slot = models.IntegerField(default=0, help_text="15-minute slot (UTC) at which the span begins, see kernel/slots.py")
    in_span = models.PositiveIntegerField(default=0, help_text="texts in the span when the run began")
    fitted = models.PositiveIntegerField(default=0, help_text="texts from which the topics were learnt")
    sorted_to = models.BigIntegerField(default=0, help_text="readings up to about this id have their topic")
    watched_on = models.DateField(null=True, help_text="day for which emerging topics were last looked for")
    job_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="LIVE"), name="topic_run_one_live"),
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="BUILDING"), name="topic_run_one_building"),
        ]

    def __str__(self) -> str:
        return f"topic run {self.pk} {self.state}"


class TopicSpace(models.Model):
    """The topics of one language group in a run, and what tells the topic of a text that arrives later."""

    run = models.ForeignKey(TopicRun, on_delete=models.CASCADE, related_name="spaces")
    group = models.CharField(max_length=8, help_text="zh, en or other")
    fitted = models.PositiveIntegerField()
    asked = models.PositiveSmallIntegerField(help_text="number of topics that was looked for; some may stay empty")
    branches = models.JSONField(default=list, help_text="[number, first, second, distance]: topics joined to a tree, nearest first")
    archive = models.BinaryField(help_text="words and probabilities, see topic_files.py; empty once the run is past")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "group"], name="topic_space_once")]

    def __str__(self) -> str:
        return f"{self.group} of run {self.run_id}"


class Topic(models.Model):
    """A topic from run to run; its number is its primary key, its own name comes before that of its words."""

    given_name = models.CharField(max_length=80, blank=True)
    named_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"topic {self.pk}"


class FoundTopic(models.Model):
    """A topic as one run found it."""

    space = models.ForeignKey(TopicSpace, on_delete=models.CASCADE, related_name="found")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="found")
    place = models.PositiveSmallIntegerField(help_text="number in the run's model")
    name_words = models.JSONField(default=list, help_text="the words that name it; kept from run to run")
    words = models.JSONField(default=list, help_text="[word, z score, teams in whose texts it stands], most telling first")
    size = models.PositiveIntegerField()
    coherence = models.FloatField()
    examples = models.JSONField(default=dict, help_text="typical messages of the whole house (key “”) and of each team")
    parent = models.PositiveSmallIntegerField(null=True, help_text="number of the branch that it hangs on")
    x = models.FloatField()
    y = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "topic"], name="found_topic_once")]

    def __str__(self) -> str:
        return f"topic {self.topic_id} in {self.space_id}"


class MessageTopic(models.Model):
    """The topic of a message in a run; none when no word of it is known there."""

    run = models.ForeignKey(TopicRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", db_index=False)
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    probability = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "run"], name="message_topic_once")]
        indexes = [
            models.Index(fields=["message", "run", "topic"], name="message_topic_look_up"),  # answers without touching the row
            models.Index(fields=["topic", "run", "message"], name="message_topic_list"),
            models.Index(fields=["run", "message"], name="message_topic_run"),
        ]

    def __str__(self) -> str:
        return f"message {self.message_id}: topic {self.topic_id}"


class TopicAlarm(models.Model):
    """A topic that has more texts in the last seven days than its history explains, for those who see these teams."""

    run = models.ForeignKey(TopicRun, on_delete=models.CASCADE, related_name="alarms")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="+")
    scope = models.TextField(blank=True, help_text="ids of the teams, sorted, with commas; empty: the whole house")
    since = models.DateField()
    until = models.DateField()
    count = models.PositiveIntegerField()
    expected = models.FloatField()
    p_value = models.FloatField(help_text="adjusted for the number of topics (Holm)")

    def __str__(self) -> str:
        return f"topic {self.topic_id} {self.since}"
