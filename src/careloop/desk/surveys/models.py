"""Surveys, invitations, answers, and what the house keeps to when it asks."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.models import Channel, Team, User
from careloop.desk.cases.models import Case, Message, ScopedQuerySet
from careloop.desk.customers.models import Customer


class SurveyKind(models.TextChoices):
    """What is measured."""

    CSAT = "CSAT", _("Satisfaction (CSAT)")
    NPS = "NPS", _("Recommendation (NPS)")
    CES = "CES", _("Effort (CES)")
    FORM = "FORM", _("Own questions")


class SentWhen(models.TextChoices):
    """What makes the house ask."""

    RESOLVED = "RESOLVED", _("Some time after a case was resolved")
    HAND = "HAND", _("Only by hand, by a rule or by the API")


class BadAnswer(models.TextChoices):
    """What a bad answer does."""

    NOTHING = "NOTHING", _("Nothing but telling people")
    REOPEN = "REOPEN", _("Opens the case again")
    OPEN = "OPEN", _("Opens a new case")


class Survey(models.Model):
    """What is asked, whom, and what follows from a bad answer; empty lists fit everybody. Its questions are in the newest version."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=4, choices=SurveyKind.choices)
    is_active = models.BooleanField(default=False)
    sent_when = models.CharField(max_length=8, choices=SentWhen.choices, default=SentWhen.HAND)
    delay_minutes = models.PositiveIntegerField(default=60)
    remind_days = models.PositiveSmallIntegerField(default=0, help_text="after asking, whoever did not answer is reminded once; 0: never")
    share_ratio = models.FloatField(default=1.0, help_text="of those who fit, 0-1; chosen by hash: twice the same")
    case_kinds = models.JSONField(default=list)
    channel_ids = models.JSONField(default=list)
    team_ids = models.JSONField(default=list)
    bad_at_most = models.SmallIntegerField(null=True, help_text="a score up to this one is a bad answer; null: none is")
    bad_does = models.CharField(max_length=7, choices=BadAnswer.choices, default=BadAnswer.REOPEN)
    bad_tells = models.JSONField(default=list, help_text="ASSIGNEE, SUPERVISORS")
    is_of_page = models.BooleanField(default=False, help_text="the rating on the customer's page answers this one")
    embed_channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True, related_name="+", help_text="null: not for embedding")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class SurveyVersion(models.Model):
    """The questions and texts as they were from a moment on; never changed, so that answers keep their meaning."""

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    questions = models.JSONField(help_text="as surveys.rules.questions says")
    intro = models.JSONField(default=dict, help_text="by language")
    thanks = models.JSONField(default=dict, help_text="by language")
    saved_by_name = models.CharField(max_length=200)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "number"], name="survey_version_once")]

    def __str__(self) -> str:
        return f"{self.survey_id}, version {self.number}"


class Origin(models.TextChoices):
    """Why somebody was invited, or how they came by themselves."""

    RULE = "RULE", _("After resolving")
    HAND = "HAND", _("By hand")
    AUTOMATION = "AUTOMATION", _("By a rule")
    API = "API", _("By the API")
    PAGE = "PAGE", _("On the customer's page")
    EMBED = "EMBED", _("On a website")


class InvitationState(models.TextChoices):
    """How far an invitation has come."""

    QUEUED = "QUEUED", _("Planned")
    SENT = "SENT", _("Sent")
    OPENED = "OPENED", _("Opened")
    ANSWERED = "ANSWERED", _("Answered")
    SKIPPED = "SKIPPED", _("Not sent")
    FAILED = "FAILED", _("Could not be sent")


class Invitation(models.Model):
    """Somebody was, will be or was deliberately not asked; `sent_at` is null for those who were never asked or came by themselves.

    Rows stay when a case or customer is erased, without them: who was invited is known for ever, only not by name.
    """

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="invitations")
    version = models.ForeignKey(SurveyVersion, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.SET_NULL, null=True, related_name="invitations")
    customer = models.ForeignKey(Customer, on_delete=models.SET_NULL, null=True, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin.choices)
    state = models.CharField(max_length=8, choices=InvitationState.choices, default=InvitationState.QUEUED)
    reason = models.CharField(max_length=20, blank=True, help_text="why it was not sent, as surveys.rules.choosing says")
    key = models.CharField(max_length=80, unique=True, help_text="the same wish twice is one invitation")
    revision = models.PositiveIntegerField(default=1, help_text="a link of an earlier revision opens nothing")
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+", help_text="by which it was sent")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    planned_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    remind_at = models.DateTimeField(null=True, help_text="null: nothing to remind of, or no more")
    reminded_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state", "planned_at"], name="invitation_due"),
            models.Index(fields=["survey", "state", "sent_at"], name="invitation_survey"),
            models.Index(fields=["customer", "sent_at"], name="invitation_customer"),
            models.Index(fields=["sent_at"], name="invitation_sent"),
            models.Index(fields=["remind_at"], name="invitation_remind"),
        ]

    def __str__(self) -> str:
        return f"{self.survey_id} for {self.case_id}: {self.state}"


class Answer(models.Model):
    """What was answered, as it stands now; `changed_at` equals `answered_at` until it is changed."""

    invitation = models.OneToOneField(Invitation, on_delete=models.CASCADE, related_name="answer")
    score = models.SmallIntegerField(null=True, help_text="null: the survey has no scale, or its question was left out")
    score_min = models.SmallIntegerField(null=True)
    score_max = models.SmallIntegerField(null=True)
    answers = models.JSONField(default=dict, help_text="by the code of the question")
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+", help_text="with what was written")
    answered_at = models.DateTimeField(db_index=True)
    changed_at = models.DateTimeField()
    followed_up_at = models.DateTimeField(null=True, help_text="when a bad answer did what it does, once")

    def __str__(self) -> str:
        return f"{self.score} for {self.invitation_id}"


class EarlierAnswer(models.Model):
    """What stood there before it was changed."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="earlier")
    score = models.SmallIntegerField(null=True)
    answers = models.JSONField(default=dict)
    given_at = models.DateTimeField()
    replaced_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.score}, before {self.answer_id} changed"


class SurveyConsent(models.Model):
    """A customer's word on being asked; no row: nobody said anything."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="survey_consent")
    may_ask = models.BooleanField()
    said_at = models.DateTimeField()
    said_by_name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.may_ask}"


class SurveySetting(models.Model):
    """What the house keeps to over all surveys; one row, number 1."""

    pause_days = models.PositiveSmallIntegerField(default=30, help_text="a customer is asked at most once in these days")
    quiet_from_minutes = models.PositiveSmallIntegerField(default=20 * 60, help_text="of the day, in the customer's time zone")
    quiet_until_minutes = models.PositiveSmallIntegerField(default=9 * 60)
    needs_consent = models.BooleanField(default=False, help_text="ask only those who agreed, not all but those who refused")
    change_days = models.PositiveSmallIntegerField(default=14, help_text="an answer may be changed for so long")
    link_days = models.PositiveSmallIntegerField(default=30)
    sites = models.JSONField(default=list, help_text="origins that may show surveys in a frame")
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return "survey setting"
