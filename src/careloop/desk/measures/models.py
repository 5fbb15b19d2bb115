"""Facts of cases, answers and work, as a small star: facts point to `Facets`. A fact that changes is closed and kept, so that every number
can be counted again as it was.

Moments are whole seconds since 1970 and days are ordinals in the house's zone: sums of integers are the same on every database.
"""

from django.db import models


class Facets(models.Model):
    """What a fact can be grouped and filtered by; one row a combination, never changed. 0 and "" mean none."""

    team_id = models.BigIntegerField()
    channel_id = models.BigIntegerField()
    agent_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=12, blank=True)
    category = models.CharField(max_length=80, blank=True)
    priority = models.PositiveSmallIntegerField(default=0)
    sentiment = models.CharField(max_length=8, blank=True)
    segment = models.CharField(max_length=80, blank=True)
    product = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team_id", "channel_id", "agent_id", "kind", "category", "priority", "sentiment", "segment", "product"],
                name="facets_once",
            )
        ]

    def __str__(self) -> str:
        return f"facets {self.pk}"


class CaseFigures(models.Model):
    """One case in numbers. Seconds are spans of the clock on the wall; lateness is the service level's word, in working time."""

    case_id = models.BigIntegerField()
    facets = models.ForeignKey(Facets, on_delete=models.PROTECT, related_name="+", db_index=False)
    known_from = models.DateTimeField()
    opened_on = models.IntegerField()
    opened_second = models.BigIntegerField()
    resolved_on = models.IntegerField(null=True)
    resolution_seconds = models.BigIntegerField(null=True)
    response_seconds = models.BigIntegerField(null=True)
    response_due_second = models.BigIntegerField(null=True)
    is_response_late = models.BooleanField(null=True)
    resolution_due_second = models.BigIntegerField(null=True)
    is_resolution_late = models.BooleanField(null=True)
    next_in_time = models.PositiveIntegerField(default=0)
    next_late = models.PositiveIntegerField(default=0)
    next_due_second = models.BigIntegerField(null=True)
    messages_in = models.PositiveIntegerField(default=0)
    replies = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0)
    customer_seconds = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"figures of {self.case_id}"


class CaseFact(CaseFigures):
    """A case as it is known now."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_id"], name="case_fact_once")]


class CaseFactPast(CaseFigures):
    """A case as it was known until a moment."""

    known_until = models.DateTimeField(db_index=True)


class AnswerFigures(models.Model):
    """One invitation or rating; no day of an answer where the customer was silent. `hundredths` is the score on 1–5, times 100."""

    origin = models.CharField(max_length=10, help_text="SURVEY, REVIEW")
    origin_id = models.BigIntegerField()
    case_id = models.BigIntegerField(default=0, db_index=True)
    facets = models.ForeignKey(Facets, on_delete=models.PROTECT, related_name="+", db_index=False)
    known_from = models.DateTimeField()
    scale = models.CharField(max_length=6, help_text="CSAT, NPS, CES, FORM, STARS")
    sent_on = models.IntegerField(null=True)
    answered_on = models.IntegerField(null=True)
    score = models.IntegerField(null=True)
    hundredths = models.IntegerField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.origin} {self.origin_id}"


class AnswerFact(AnswerFigures):
    """An answer as it is known now."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["origin", "origin_id"], name="answer_fact_once")]


class AnswerFactPast(AnswerFigures):
    """An answer as it was known until a moment."""

    known_until = models.DateTimeField(db_index=True)


class WorkFigures(models.Model):
    """How long somebody worked on a case on a day; `user_id` is who worked, the facets are the case's."""

    case_id = models.BigIntegerField(db_index=True)
    user_id = models.BigIntegerField()
    worked_on = models.IntegerField()
    facets = models.ForeignKey(Facets, on_delete=models.PROTECT, related_name="+", db_index=False)
    known_from = models.DateTimeField()
    seconds = models.PositiveIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.seconds} s on {self.case_id}"


class WorkFact(WorkFigures):
    """Work as it is known now."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_id", "user_id", "worked_on"], name="work_fact_once")]


class WorkFactPast(WorkFigures):
    """Work as it was known until a moment."""

    known_until = models.DateTimeField(db_index=True)


class Ledger(models.Model):
    """How far the facts have followed the events, and which moment they show; one row."""

    event_id = models.BigIntegerField(default=0)
    feedback_id = models.BigIntegerField(default=0)
    shown_at = models.DateTimeField(null=True, help_text="null until all cases were counted once")
    first_shown_at = models.DateTimeField(null=True, help_text="when they were; before it nothing was shown")
    counted_case_id = models.BigIntegerField(default=0, help_text="where counting all cases has come to")
    basis = models.CharField(max_length=200, blank=True, help_text="zone, calendars and levels that the facts were counted with")

    def __str__(self) -> str:
        return f"facts at {self.shown_at}"
