"""Writing surveys, the house's setting and customers' consent; every change is audited."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Channel, Team
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.models import Kind
from careloop.desk.customers.models import Customer
from careloop.desk.kernel.actor import SYSTEM, Actor
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.kernel.wording import spoken
from careloop.desk.surveys.models import (
    Answer,
    BadAnswer,
    EarlierAnswer,
    Invitation,
    InvitationState,
    SentWhen,
    Survey,
    SurveyConsent,
    SurveyKind,
    SurveySetting,
    SurveyVersion,
)
from careloop.desk.surveys.queries import access_survey
from careloop.desk.surveys.rules.choosing import ERASED
from careloop.desk.surveys.rules.questions import BEGINNINGS, CSAT, LANGUAGES, Question, problems_of

LONGEST_NAME, LONGEST_TEXT = 80, 500
MOST_DELAY_MINUTES = 60 * 24 * 60
MOST_REMIND_DAYS = 30
TELLS = ("ASSIGNEE", "SUPERVISORS")
PAGE_NAME = "Customer's page · 客户页面"


@dataclass(frozen=True)
class SurveyFacts:
    """What the editor saves."""

    name: str
    kind: str
    questions: tuple[Question, ...]
    intro: dict[str, str] = field(default_factory=dict)
    thanks: dict[str, str] = field(default_factory=dict)
    is_active: bool = False
    sent_when: str = SentWhen.HAND.value
    delay_minutes: int = 60
    remind_days: int = 0
    share_ratio: float = 1.0
    case_kinds: tuple[str, ...] = ()
    channel_ids: tuple[int, ...] = ()
    team_ids: tuple[int, ...] = ()
    bad_at_most: int | None = None
    bad_does: str = BadAnswer.REOPEN.value
    bad_tells: tuple[str, ...] = ()
    embed_channel_id: int | None = None


def save_survey(
    *, facts: SurveyFacts, viewer: Viewer, now: datetime, survey_id: int | None = None, expected_version: int | None = None
) -> Survey:
    """Make or change a survey; other questions or texts are a new version, and whoever was asked before answers the old one."""
    check_may(viewer, "survey.edit")
    _check(facts, survey_id)
    with transaction.atomic():
        survey = Survey(created_at=now, version=0) if survey_id is None else _locked(survey_id, expected_version)
        if survey_id is not None and survey.kind != facts.kind:
            raise InvalidInput(_("The kind of a survey stays; make another survey for another kind."), field="kind")
        for name in COLUMNS:
            value = getattr(facts, name)
            setattr(survey, name, list(value) if isinstance(value, tuple) else value)
        survey.version, survey.changed_at = survey.version + 1, now
        survey.save()
        number = _keep_version(survey, facts, viewer.name, now)
        details = {"name": survey.name, "version": number, "is_active": survey.is_active}
        _audit("survey.save", survey.pk, actor_of(viewer), now, details)
    return survey


def page_survey(*, now: datetime) -> Survey:
    """The satisfaction survey that ratings on the customer's page answer where none was sent; made the first time it is needed."""
    found = Survey.objects.filter(is_of_page=True).order_by("pk").first()
    if found is not None:
        return found
    with transaction.atomic():
        facts = {"kind": CSAT, "is_active": True, "is_of_page": True, "created_at": now, "changed_at": now, "bad_does": BadAnswer.NOTHING}
        survey, is_new = Survey.objects.get_or_create(name=PAGE_NAME, defaults=facts)
        if is_new:
            _keep_version(survey, SurveyFacts(survey.name, CSAT, BEGINNINGS[CSAT]), SYSTEM.name, now)
        return survey


def save_setting(*, given: SurveySetting, expected_version: int, viewer: Viewer, now: datetime) -> SurveySetting:
    """What the house keeps to over all surveys."""
    check_may(viewer, "survey.edit")
    _check_setting(given)
    with transaction.atomic():
        SurveySetting.objects.get_or_create(pk=1)
        stored = SurveySetting.objects.select_for_update().get(pk=1)
        if stored.version != expected_version:
            raise Conflict(_("Somebody else changed this in between; load the page again and repeat your change."))
        given.pk, given.version = 1, stored.version + 1
        given.save(force_update=True)
        details = {"pause_days": given.pause_days, "needs_consent": given.needs_consent, "sites": given.sites}
        _audit("survey.setting", None, actor_of(viewer), now, details)
    return given


def say_consent(*, customer_id: int, may_ask: bool, actor: Actor, now: datetime) -> None:
    """The customer's word on being asked, told by the customer or by somebody of the house; what waits is looked at as it is sent."""
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer_id)
        facts = {"may_ask": may_ask, "said_at": now, "said_by_name": actor.name[:200]}
        SurveyConsent.objects.update_or_create(customer_id=customer_id, defaults=facts)
        _audit("survey.consent", None, actor, now, {"customer": customer_id, "may_ask": may_ask})


def forget(invitations: Collection[int], *, now: datetime) -> int:
    """For whoever erases a customer or a case: scores stay without a name, texts and links go; returns how many invitations were left."""
    with transaction.atomic():
        rows = list(Invitation.objects.select_for_update().filter(pk__in=invitations).order_by("pk"))
        for one in rows:
            if one.state == InvitationState.QUEUED:
                one.state, one.reason = InvitationState.SKIPPED, ERASED
            one.case_id = one.customer_id = one.message_id = None
            one.revision, one.key = one.revision + 1, f"erased-{one.pk}"
        Invitation.objects.bulk_update(rows, ["state", "reason", "case", "customer", "message", "revision", "key"])
        Answer.objects.filter(invitation__in=rows).update(answers={}, message=None)
        EarlierAnswer.objects.filter(answer__invitation__in=rows).update(answers={})
    return len(rows)


def forget_customer(*, customer_id: int, now: datetime) -> int:
    """See `forget`; consent goes, too."""
    with transaction.atomic():
        SurveyConsent.objects.filter(customer_id=customer_id).delete()
        return forget(list(Invitation.objects.filter(customer_id=customer_id).values_list("pk", flat=True)), now=now)


COLUMNS = (
    "name", "kind", "is_active", "sent_when", "delay_minutes", "remind_days", "share_ratio", "case_kinds", "channel_ids", "team_ids",
    "bad_at_most", "bad_does", "bad_tells", "embed_channel_id",
)  # fmt: skip


def _locked(survey_id: int, expected_version: int | None) -> Survey:
    access_survey(survey_id)
    survey = Survey.objects.select_for_update().get(pk=survey_id)
    if expected_version is not None and survey.version != expected_version:
        raise Conflict(_("Somebody else changed this survey in between; load the page again and repeat your change."))
    return survey


def _keep_version(survey: Survey, facts: SurveyFacts, who: str, now: datetime) -> int:
    texts = {"questions": [one.to_json() for one in facts.questions], "intro": facts.intro, "thanks": facts.thanks}
    newest = survey.versions.order_by("-number").first()
    if newest is not None and all(getattr(newest, name) == value for name, value in texts.items()):
        return newest.number
    number = newest.number + 1 if newest is not None else 1
    SurveyVersion.objects.create(survey=survey, number=number, saved_by_name=who[:200], saved_at=now, **texts)
    return number


def _check(facts: SurveyFacts, survey_id: int | None) -> None:
    if not 1 <= len(facts.name.strip()) <= LONGEST_NAME:
        raise InvalidInput(_("Give the survey a name of 1 to %(most)d characters.") % {"most": LONGEST_NAME}, field="name")
    if Survey.objects.filter(name=facts.name).exclude(pk=survey_id or 0).exists():
        raise InvalidInput(_("There is already a survey called “%(name)s”.") % {"name": facts.name}, field="name")
    for name, value, allowed in (
        ("kind", facts.kind, SurveyKind.values),
        ("sent_when", facts.sent_when, SentWhen.values),
        ("bad_does", facts.bad_does, BadAnswer.values),
    ):
        if value not in allowed:
            raise InvalidInput(f"The value is {value!r}; expected one of {', '.join(allowed)}.", field=name)
    if set(facts.case_kinds) - set(Kind.values) or set(facts.bad_tells) - set(TELLS):
        raise InvalidInput(_("One of the choices is not possible; load the page again."), field="case_kinds")
    if Channel.objects.filter(pk__in=facts.channel_ids).count() < len(set(facts.channel_ids)):
        raise InvalidInput(_("One of the chosen channels does not exist any more; load the page again."), field="channels")
    if Team.objects.filter(pk__in=facts.team_ids).count() < len(set(facts.team_ids)):
        raise InvalidInput(_("One of the chosen teams does not exist any more; load the page again."), field="teams")
    if facts.embed_channel_id is not None and not Channel.objects.filter(pk=facts.embed_channel_id, is_active=True).exists():
        raise InvalidInput(_("The channel for websites does not exist any more; choose another."), field="embed_channel")
    _check_numbers(facts)
    for field_name, sentence in problems_of(facts.kind, facts.questions):
        raise InvalidInput(spoken(sentence), field=field_name)
    if any(len(texts.get(language, "")) > LONGEST_TEXT for texts in (facts.intro, facts.thanks) for language in LANGUAGES):
        raise InvalidInput(_("This is too long: at most %(n)d characters fit.") % {"n": LONGEST_TEXT}, field="intro")


def _check_numbers(facts: SurveyFacts) -> None:
    if not 0 <= facts.delay_minutes <= MOST_DELAY_MINUTES:
        raise InvalidInput(_("Wait between 0 minutes and 60 days."), field="delay")
    if not 0 <= facts.remind_days <= MOST_REMIND_DAYS:
        raise InvalidInput(_("Remind after 1 to %(most)d days, or never (0).") % {"most": MOST_REMIND_DAYS}, field="remind")
    if not 0 < facts.share_ratio <= 1:
        raise InvalidInput(
            _("The share is %(given)s; ask more than 0 and at most 100 of 100.") % {"given": facts.share_ratio}, field="share"
        )
    if facts.bad_at_most is not None and not -1 < facts.bad_at_most < 10:
        raise InvalidInput(_("A bad answer is at most 0 to 9."), field="bad_at_most")


def _check_setting(given: SurveySetting) -> None:
    if not 0 <= given.pause_days <= 365 or not 0 <= given.change_days <= 365 or not 1 <= given.link_days <= 365:
        raise InvalidInput(_("Give days from 0 to 365; a link lives for one at least."), field="pause_days")
    if not all(0 <= minutes < 1_440 for minutes in (given.quiet_from_minutes, given.quiet_until_minutes)):
        raise InvalidInput(_("Give times of the day such as 20:00."), field="quiet_from")
    for site in given.sites:
        parts = urlsplit(site)
        if parts.scheme not in {"http", "https"} or not parts.hostname or site != f"{parts.scheme}://{parts.netloc}":
            sentence = _("“%(given)s” is no site; expected one such as https://shop.example, without a path.")
            raise InvalidInput(sentence % {"given": site[:80]}, field="sites")
        if set(site) & set(" ;,'\"*\n") or "@" in site:
            sentence = _("“%(given)s” is no site; expected one such as https://shop.example, without a path.")
            raise InvalidInput(sentence % {"given": site[:80]}, field="sites")


def _audit(action: str, survey_id: int | None, actor: Actor, now: datetime, details: dict[str, object]) -> None:
    audit.record(actor=actor, action=action, object_type="survey", object_id=survey_id, now=now, details=details)
