"""Solutions in two languages, their versions and uses, what visitors said, and what may be answered automatically."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Team, User
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Message
from careloop.desk.solutions.rules.threshold import AVERAGE


class SolutionStatus(models.TextChoices):
    """Whether it may be used."""

    DRAFT = "DRAFT", _("Draft")
    PUBLISHED = "PUBLISHED", _("Published")
    ARCHIVED = "ARCHIVED", _("Archived")


class SharedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows of a team or, without one, of the whole house."""

    def visible_to(self, viewer: Viewer) -> "SharedQuerySet":
        """Those of the house and of the viewer's teams."""
        return self if viewer.team_ids is None else self.filter(models.Q(team=None) | models.Q(team_id__in=viewer.team_ids))


class Solution(models.Model):
    """What helps with one need; its texts are per language."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    slug = models.SlugField(max_length=80, unique=True)
    status = models.CharField(max_length=9, choices=SolutionStatus.choices, default=SolutionStatus.DRAFT)
    is_public = models.BooleanField(default=True, help_text="whether the help pages show it once it is published")
    categories = models.JSONField(default=list, help_text="codes of the categories that it is for")
    review_on = models.DateField(null=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = SharedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["status", "team"], name="solution_status")]

    def __str__(self) -> str:
        return self.slug


class SolutionText(models.Model):
    """What it says in one language; `reply` is what goes to a customer, with variables."""

    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=2)
    title = models.CharField(max_length=160)
    body = models.TextField(blank=True)
    reply = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["solution", "language"], name="solution_text_once")]

    def __str__(self) -> str:
        return self.title


class SolutionVersion(models.Model):
    """A solution as it was saved once; never changed."""

    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    facts = models.JSONField(help_text="everything that was saved: texts, status, categories, review date")
    saved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    saved_by_name = models.CharField(max_length=200)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["solution", "number"], name="solution_version_once")]

    def __str__(self) -> str:
        return f"{self.solution_id} v{self.number}"


class SolutionUse(models.Model):
    """A solution went to a customer, or was offered and not taken; whether it helped is known later."""

    solution = models.ForeignKey(Solution, on_delete=models.PROTECT, related_name="uses")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    question = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="+", help_text="what the customer had written")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="+", help_text="the reply that was sent")
    who = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    how = models.CharField(max_length=8, help_text="INSERTED, AUTO or SHOWN")
    is_first_reply = models.BooleanField(default=False)
    probability = models.FloatField(null=True)
    at = models.DateTimeField()
    has_helped = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question"], condition=models.Q(how="AUTO"), name="solution_auto_once"),
            models.UniqueConstraint(fields=["solution", "message", "how"], name="solution_use_once"),
        ]
        indexes = [
            models.Index(fields=["how", "-id"], name="solution_use_how"),
            models.Index(fields=["case"], name="solution_use_case"),
        ]

    def __str__(self) -> str:
        return f"{self.how} {self.solution_id} in {self.case_id}"


class Taken(models.Model):
    """Somebody took a solution into a reply that is not sent yet; gone once the reply has told whether it stayed in."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "solution", "user"], name="solution_taken_once")]

    def __str__(self) -> str:
        return f"{self.solution_id} by {self.user_id} in {self.case_id}"


class Suggested(models.Model):
    """What the worker found for the first message of a case: the likeliest solution, if any."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, null=True, related_name="+")
    probability = models.FloatField(default=0)
    is_sure = models.BooleanField(default=False)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.solution_id} for {self.case_id}"


class HelpVote(models.Model):
    """What a visitor of a help page said; once a visitor."""

    solution = models.ForeignKey(Solution, on_delete=models.CASCADE, related_name="votes")
    visitor = models.CharField(max_length=64, help_text="SHA-256 of a random number in the visitor's cookie")
    has_helped = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["solution", "visitor"], name="help_vote_once")]

    def __str__(self) -> str:
        return f"{self.has_helped} on {self.solution_id}"


class AutomaticReplies(models.Model):
    """The one row that says whether the house answers by itself, from which probability on, and what held-back cases showed."""

    is_on = models.BooleanField(default=False)
    promise = models.FloatField(default=0.95)
    manner = models.CharField(max_length=8, default=AVERAGE, help_text="whether the promise is kept on average or at least")
    threshold = models.FloatField(null=True)
    n = models.PositiveIntegerField(default=0)
    n_answered = models.PositiveIntegerField(default=0)
    n_right = models.PositiveIntegerField(default=0)
    needed = models.PositiveIntegerField(default=0)
    n_not_taken = models.PositiveIntegerField(default=0, help_text="of n: offered with confidence, and the agent wrote something else")
    n_sent = models.PositiveIntegerField(default=0, help_text="of n: answered automatically, and the customer has shown whether it helped")
    checked_seen = models.PositiveIntegerField(default=0, help_text="cases of halves that did not choose the threshold")
    checked_answered = models.PositiveIntegerField(default=0)
    checked_right = models.PositiveIntegerField(default=0)
    derived_at = models.DateTimeField(null=True)
    switched_at = models.DateTimeField(null=True)
    switched_by_name = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return "on" if self.is_on else "off"
