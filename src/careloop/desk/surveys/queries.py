"""Reading surveys, invitations and answers; figures over time are desk.measures' part."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.intervals import Mean, Rate, mean_of, rate_of
from careloop.desk.cases.models import Delivery, Direction, Message, Status
from careloop.desk.customers.models import Address, AddressKind, Customer
from careloop.desk.kernel.errors import NotFound
from careloop.desk.surveys.figures import QuestionFigures, answers_of, figures_of
from careloop.desk.surveys.models import (
    Answer,
    BadAnswer,
    Invitation,
    InvitationState,
    SentWhen,
    Survey,
    SurveyConsent,
    SurveyKind,
    SurveySetting,
    SurveyVersion,
)
from careloop.desk.surveys.rules.choosing import Person, consent_in
from careloop.desk.surveys.rules.questions import Question, in_language, questions_of, score_question

BY_MAIL = (ChannelKind.EMAIL, ChannelKind.FORM, ChannelKind.FILE)
ASKED = (InvitationState.SENT, InvitationState.OPENED, InvitationState.ANSWERED)
LATEST_SHOWN = 20
MARKS = (1, 2, 3, 4, 5)


def get_setting() -> SurveySetting:
    """What the house keeps to; as shipped until somebody saved it."""
    return SurveySetting.objects.filter(pk=1).first() or SurveySetting(pk=1)


def access_survey(survey_id: int) -> Survey:
    """The survey; surveys are the whole house's, what was answered is the teams'."""
    found = Survey.objects.filter(pk=survey_id).first()
    if found is None:
        raise NotFound(_("There is no survey %(number)s.") % {"number": survey_id})
    return found


def newest_version(survey: Survey) -> SurveyVersion:
    """What is asked from now on."""
    return survey.versions.latest("number")


def list_newest_versions() -> list[SurveyVersion]:
    """What each survey asks from now on, by the surveys' numbers."""
    newest = SurveyVersion.objects.order_by("survey_id", "number").select_related("survey")
    return list({one.survey_id: one for one in newest}.values())


def unsaved_version(questions: Sequence[Question], intro: dict[str, str], thanks: dict[str, str]) -> SurveyVersion:
    """Questions and texts as a page shows them, stored nowhere."""
    return SurveyVersion(questions=[one.to_json() for one in questions], intro=intro, thanks=thanks)


def unsaved_setting(**facts: Any) -> SurveySetting:
    """A setting as somebody typed it, for `save_setting`."""
    return SurveySetting(**facts)


def kind_choices() -> list[tuple[str, str]]:
    """Codes and words of the kinds."""
    return [(str(code), str(word)) for code, word in SurveyKind.choices]


def when_choices() -> list[tuple[str, str]]:
    """Codes and words of what makes the house ask."""
    return [(str(code), str(word)) for code, word in SentWhen.choices]


def bad_choices() -> list[tuple[str, str]]:
    """Codes and words of what a bad answer does."""
    return [(str(code), str(word)) for code, word in BadAnswer.choices]


def access_invitation(invitation_id: int, case_id: int, viewer: Viewer) -> Invitation:
    """An invitation of a case in the viewer's sight."""
    found: Invitation | None = Invitation.objects.visible_to(viewer).filter(pk=invitation_id, case_id=case_id).first()
    if found is None:
        raise NotFound(_("There is no such invitation any more; load the page again."))
    return found


def find_invitation_for(invitation_id: int, viewer: Viewer) -> Invitation:
    """An invitation of the viewer's teams."""
    found: Invitation | None = Invitation.objects.visible_to(viewer).filter(pk=invitation_id).first()
    if found is None:
        raise NotFound(_("There is no such invitation any more; load the page again."))
    return found


def find_consent(customer_id: int) -> bool | None:
    """Whether a customer wants to be asked; None where nobody said anything."""
    return SurveyConsent.objects.filter(customer_id=customer_id).values_list("may_ask", flat=True).first()


def person_of(customer: Customer | None, channel_kind: str) -> Person:
    """What is known of a customer when it comes to asking."""
    if customer is None:
        return Person(False, False, False, None, None)
    is_mail = channel_kind in BY_MAIL
    word = find_consent(customer.pk)
    agreed = consent_in(customer.attributes) if word is None else word
    asked = Invitation.objects.filter(customer=customer, state__in=ASKED).aggregate(last=Max("sent_at"))["last"]
    addresses = Address.objects.filter(customer=customer)
    said = Message.objects.filter(customer=customer, direction=Direction.OUTBOUND, delivery__in=(Delivery.SENT, Delivery.FAILED))
    newest = said.order_by("-pk").values_list("delivery", flat=True).first() if is_mail else ""
    is_reachable = addresses.filter(kind=AddressKind.EMAIL).exists() if is_mail else addresses.exists()
    return Person(bool(customer.name) or addresses.exists(), is_reachable, newest == Delivery.FAILED, agreed, asked)


def list_active() -> list[Survey]:
    """The surveys in force, but for the one of the customer's page, which is sent to nobody; by name."""
    return list(Survey.objects.filter(is_active=True, is_of_page=False).order_by("name"))


def list_sendable(viewer: Viewer) -> list[Survey]:
    """Those that the viewer may send by hand."""
    return list_active() if viewer.may("case.work") else []


def list_of_case(case_id: int) -> list[Invitation]:
    """The invitations of a case with their answers, newest first; the caller has authorised the case."""
    rows = Invitation.objects.filter(case_id=case_id).select_related("survey", "version", "answer").order_by("-pk")
    return list(rows[:LATEST_SHOWN])


def find_page_answer(case_id: int) -> Answer | None:
    """How the customer rated the case, from one to five, wherever they did: by mail, on a website or on the customer's page."""
    answers = Answer.objects.filter(invitation__case_id=case_id, invitation__survey__kind="CSAT", score_min=MARKS[0], score_max=MARKS[-1])
    return answers.exclude(score=None).order_by("-changed_at", "-pk").first()


@dataclass(frozen=True)
class Counts:
    """How far the invitations of a survey have come; `by_themselves` were not asked, and no rate counts them."""

    planned: int
    asked: int
    opened: int
    answered: int
    skipped: int
    failed: int
    by_themselves: int

    @property
    def invited(self) -> int:
        """Everybody whom the survey was meant for: asked, planned, left out and not reached."""
        return self.planned + self.asked + self.skipped + self.failed

    @property
    def rate(self) -> Rate:
        """Answers per person asked, with Wilson's 95 % interval."""
        return rate_of(self.answered, self.asked)


@dataclass(frozen=True)
class SurveyRow:
    """One line of the list."""

    survey: Survey
    counts: Counts
    mean: Mean


@dataclass(frozen=True)
class Results:
    """One survey's page: counts, why people were not asked, each question of the version that is shown, the latest texts."""

    survey: Survey
    version: SurveyVersion
    counts: Counts
    reasons: list[tuple[str, int]]
    figures: list[QuestionFigures]
    latest: list[Answer]
    versions: list[SurveyVersion]

    @property
    def scale(self) -> QuestionFigures | None:
        """The question whose answer is the score."""
        return next((one for one in self.figures if one.mean is not None), None)

    @property
    def mean(self) -> Mean:
        """The average score."""
        return self.scale.mean if self.scale is not None and self.scale.mean is not None else mean_of(())

    @property
    def scores(self) -> list[tuple[int, int]]:
        """(score, how often it was given), lowest first."""
        return [(int(line.value), line.rate.hits) for line in self.scale.lines] if self.scale is not None else []


def list_surveys(viewer: Viewer) -> list[SurveyRow]:
    """Every survey with what the viewer's teams know of it, active ones first, scores on today's scale; a fixed number of queries."""
    surveys = list(Survey.objects.order_by("-is_active", "name"))
    counted, scores = _counts(viewer, Q()), _scores(viewer)
    scales = {one.survey_id: score_question(questions_of(one.questions)) for one in list_newest_versions()}
    nothing = Counts(0, 0, 0, 0, 0, 0, 0)
    return [SurveyRow(one, counted.get(one.pk, nothing), _mean(scores[one.pk], scales.get(one.pk))) for one in surveys]


def results_of(survey: Survey, viewer: Viewer, *, since: datetime | None = None, number: int | None = None) -> Results:
    """What became of a survey, in the viewer's teams and since a moment; questions as in a version, the newest unless one is named."""
    chosen = Q(survey=survey) & (Q() if since is None else Q(created_at__gte=since))
    reasons = Invitation.objects.visible_to(viewer).filter(chosen).exclude(reason="").values_list("reason").annotate(n=Count("pk"))
    versions = list(survey.versions.order_by("-number"))
    shown = next((one for one in versions if one.number == number), versions[0])
    related = ("invitation__case", "invitation__version", "message__reading")
    written = answers_of(survey, viewer, since).exclude(message=None).select_related(*related).order_by("-changed_at", "-pk")
    counts = _counts(viewer, chosen).get(survey.pk, Counts(0, 0, 0, 0, 0, 0, 0))
    return Results(
        survey=survey,
        version=shown,
        counts=counts,
        reasons=list(reasons.order_by("-n", "reason")),
        figures=figures_of(survey, shown, viewer, since=since, asked_n=counts.asked),
        latest=list(written[:LATEST_SHOWN]),
        versions=versions,
    )


def export_customer(customer_id: int) -> list[dict[str, Any]]:
    """Everything that surveys keep of a customer, for whoever exports a customer's data: invitations, answers, earlier answers, consent."""
    rows = Invitation.objects.filter(customer_id=customer_id).select_related("survey", "version", "answer").order_by("pk")
    told = [
        {
            "survey": one.survey.name,
            "case": one.case_id,
            "state": one.state,
            "reason": one.reason,
            "planned_at": one.planned_at.isoformat(),
            "sent_at": one.sent_at.isoformat() if one.sent_at else None,
            "answers": _told(one),
        }
        for one in rows
    ]
    consent = SurveyConsent.objects.filter(customer_id=customer_id).first()
    return [*told, {"consent": consent.may_ask, "said_at": consent.said_at.isoformat()}] if consent else told


def _told(invitation: Invitation) -> list[dict[str, Any]]:
    answer = getattr(invitation, "answer", None)
    if answer is None:
        return []
    words = {one.code: in_language(one.text, "en") for one in questions_of(invitation.version.questions)}
    given = [*((one.answers, one.given_at) for one in answer.earlier.order_by("pk")), (answer.answers, answer.changed_at)]
    return [{"at": at.isoformat(), **{words.get(code, code): value for code, value in said.items()}} for said, at in given]


def _counts(viewer: Viewer, chosen: Q) -> dict[int, Counts]:
    asked = Q(sent_at__isnull=False, state__in=ASKED)
    rows = (
        Invitation.objects.visible_to(viewer)
        .filter(chosen)
        .values("survey_id")
        .annotate(
            planned=Count("pk", filter=Q(state=InvitationState.QUEUED)),
            asked=Count("pk", filter=asked),
            opened=Count("pk", filter=asked & Q(opened_at__isnull=False)),
            answered=Count("pk", filter=asked & Q(state=InvitationState.ANSWERED)),
            skipped=Count("pk", filter=Q(state=InvitationState.SKIPPED)),
            failed=Count("pk", filter=Q(state=InvitationState.FAILED)),
            by_themselves=Count("pk", filter=Q(sent_at=None, state__in=ASKED)),
        )
    )
    return {row.pop("survey_id"): Counts(**row) for row in rows}


def _scores(viewer: Viewer) -> dict[int, Counter[tuple[int, int, int]]]:
    """By survey, how often each score was given on which scale: (lowest, highest, score)."""
    found = Invitation.objects.visible_to(viewer).filter(answer__score__isnull=False)
    rows = found.values_list("survey_id", "answer__score_min", "answer__score_max", "answer__score").annotate(n=Count("pk"))
    counted: dict[int, Counter[tuple[int, int, int]]] = defaultdict(Counter)
    for survey_id, low, high, score, n in rows:
        counted[survey_id][low, high, score] = n
    return counted


def _mean(given: Counter[tuple[int, int, int]], scale: Question | None) -> Mean:
    """The average of what was given on this scale."""
    if scale is None:
        return mean_of(())
    scores = ((float(score), n) for (low, high, score), n in given.items() if (low, high) == (scale.low, scale.high))
    return mean_of(scores, lowest=scale.low, highest=scale.high)


def is_resolved(invitation: Invitation) -> bool:
    """Whether the case still stands as it did when asking was planned."""
    return invitation.case is not None and invitation.case.status == Status.RESOLVED
