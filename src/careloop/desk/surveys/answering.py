"""Answers as customers give and change them: one an invitation, whoever clicks how often and at the same moment."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.audit import actions as audit
from careloop.desk.cases.changes import save_case
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, EventKind, Message
from careloop.desk.customers.queries import list_addresses
from careloop.desk.customers.rules import AddressValue
from careloop.desk.feedback.models import Feedback
from careloop.desk.intake.actions import receive_message
from careloop.desk.intake.rules import Inbound
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.kernel.wording import spoken
from careloop.desk.surveys.actions import page_survey
from careloop.desk.surveys.following_up import Following, case_to_join, follow_up, way_in
from careloop.desk.surveys.links import is_open
from careloop.desk.surveys.locking import lock_invitation
from careloop.desk.surveys.models import Answer, EarlierAnswer, Invitation, InvitationState, Origin, Survey
from careloop.desk.surveys.queries import MARKS, get_setting, newest_version
from careloop.desk.surveys.rules.answers import read_answers, score_of, text_of
from careloop.desk.surveys.rules.questions import TEXT, Question, questions_of, score_question

MOST_CHANGES = 20


class AnswersRefused(InvalidInput):
    """Something is missing or not possible; `problems` says what, by the code of the question."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        field, sentence = next(iter(problems.items()))
        super().__init__(sentence, field=field)
        self.problems = dict(problems)


def note_opened(invitation: Invitation, *, now: datetime) -> None:
    """The page was shown; machines that look at links in mails open it, too, so nothing is decided by it."""
    waiting = Invitation.objects.filter(pk=invitation.pk, opened_at=None)
    waiting.filter(state=InvitationState.SENT).update(state=InvitationState.OPENED, opened_at=now)


def find_answer(invitation: Invitation) -> Answer | None:
    """What was answered so far."""
    return Answer.objects.filter(invitation=invitation).first()


def may_change(answer: Answer | None, *, now: datetime) -> bool:
    """Whether the customer may still answer or change the answer."""
    if answer is None:
        return True
    is_in_time = now < answer.answered_at + timedelta(days=get_setting().change_days)
    return is_in_time and answer.earlier.count() < MOST_CHANGES


def record_answer(*, invitation_id: int, given: Mapping[str, Any], now: datetime, is_click: bool = False) -> Answer:
    """Store what a customer answered, or changed; the same again changes nothing. Of a click on a score the rest stays as it was.

    AnswersRefused when something does not fit, NotFound when the invitation is closed, Conflict when it may be changed no more.
    """
    with transaction.atomic():
        invitation = lock_invitation(invitation_id)
        if invitation is None or not is_open(invitation):
            raise NotFound(_("This invitation is not open any more."))
        questions = questions_of(invitation.version.questions)
        read = read_answers(questions, given, is_click=is_click)
        if read.problems:
            raise AnswersRefused({field: spoken(sentence) for field, sentence in read.problems.items()})
        answer = Answer.objects.select_for_update().filter(invitation=invitation).first()
        said = {**(answer.answers if answer is not None and is_click else {}), **read.answers}
        if answer is not None and answer.answers == said:
            return answer
        if not may_change(answer, now=now):
            raise Conflict(_("Your answer can no longer be changed; write to us if something is different."))
        is_change = answer is not None
        answer = _write(invitation, answer, questions, said, now)
        _take_text(invitation, answer, questions, now)
        _tell(invitation, answer, is_change, now)
    return answer


def rate_on_page(*, case: Case, rating: int, comment: str, now: datetime) -> Answer:
    """The customer's page: the rating answers the satisfaction survey that was sent for this case, else one that stands for the page.

    One truth: what was answered by mail is shown on the page, and what is rated there is that answer, changed.
    """
    with transaction.atomic():
        invitation = _find_for_page(case) or _make_for_page(case, now)
        questions = questions_of(invitation.version.questions)
        scale = score_question(questions)
        texts = [one.code for one in questions if one.kind == TEXT]
        given = {scale.code if scale else "": rating, **({texts[0]: comment} if texts else {})}
        return record_answer(invitation_id=invitation.pk, given=given, now=now)


def answer_embedded(*, survey: Survey, given: Mapping[str, Any], key: str, now: datetime) -> Answer:
    """Somebody answers on a website without being invited; the same form sent twice is one answer."""
    channel = survey.embed_channel
    if channel is None or not survey.is_active:
        raise NotFound(_("This survey is not open."))
    with transaction.atomic():
        facts = {
            "survey": survey, "version": newest_version(survey), "team_id": channel.team_id, "channel": channel, "origin": Origin.EMBED,
            "state": InvitationState.OPENED, "created_at": now, "planned_at": now, "opened_at": now,
        }  # fmt: skip
        invitation, _is_new = Invitation.objects.get_or_create(key=f"embed-{survey.pk}-{key}"[:80], defaults=facts)
        return record_answer(invitation_id=invitation.pk, given=given, now=now)


def _write(invitation: Invitation, answer: Answer | None, questions: list[Question], said: dict[str, Any], now: datetime) -> Answer:
    """The row as it stands from now on; clocks that went back do not change the order of what happened."""
    score, low, high = score_of(questions, said)
    if answer is None:
        moment = max(now, invitation.sent_at or now)
        answer = Answer.objects.create(
            invitation=invitation, score=score, score_min=low, score_max=high, answers=said, answered_at=moment, changed_at=moment
        )
        invitation.state, invitation.opened_at = InvitationState.ANSWERED, invitation.opened_at or moment
        invitation.save(update_fields=["state", "opened_at"])
        return answer
    moment = max(now, answer.changed_at)
    earlier = {"score": answer.score, "answers": answer.answers, "given_at": answer.changed_at, "replaced_at": moment}
    EarlierAnswer.objects.create(answer=answer, **earlier)
    answer.score, answer.answers, answer.changed_at = score, said, moment
    answer.save(update_fields=["score", "answers", "changed_at"])
    return answer


def _take_text(invitation: Invitation, answer: Answer, questions: list[Question], now: datetime) -> None:
    """What was written comes in by the front door, once for each wording; the feedback row tells of the answer as it stands."""
    text = text_of(questions, answer.answers)
    following = way_in(invitation, answer)
    before = answer.message
    if before is not None and before.body == text and following == Following.NOTHING:
        Feedback.objects.filter(message=before).update(rating=answer.score)
        return
    if before is not None:
        Feedback.objects.filter(message=before).delete()
    joined_id = case_to_join(invitation, answer, following)
    answer.message = None
    if text or following == Following.OPEN:
        receipt = receive_message(_inbound(invitation, answer, text, following, joined_id), now=now)
        answer.message = Message.objects.get(pk=receipt.message_id)
    follow_up(invitation, answer, following, now=now)
    answer.save(update_fields=["message", "followed_up_at"])


def _inbound(invitation: Invitation, answer: Answer, text: str, following: Following, joined_id: int | None) -> Inbound:
    number = EarlierAnswer.objects.filter(answer=answer).count()
    customer = invitation.customer
    raw = json.dumps({"invitation": invitation.pk, "answers": answer.answers}, ensure_ascii=False).encode("utf-8", "replace")
    has_score = answer.score is not None
    low, high = (answer.score_min, answer.score_max) if has_score else (None, None)
    return Inbound(
        channel_slug=invitation.channel.slug,
        external_id=f"survey-{invitation.pk}-{number}",
        text=text,
        raw=raw,
        sent_at=answer.changed_at,
        subject=following.subject(invitation, answer),
        sender_name=str(customer) if customer is not None else "",
        addresses=tuple(AddressValue(one.kind, one.value, one.scope) for one in list_addresses(customer)) if customer is not None else (),
        language=customer.language if customer is not None else "",
        opens_case=following != Following.NOTHING or joined_id is not None,
        case_id=joined_id,
        rating=answer.score,
        rating_min=low if low is not None else 1,
        rating_max=high if high is not None else 5,
        source="SURVEY",
    )


def _tell(invitation: Invitation, answer: Answer, is_change: bool, now: datetime) -> None:
    """The case's history, the audit trail, and by both whoever follows events: rules, webhooks, followers."""
    customer, survey = invitation.customer, invitation.survey
    after: dict[str, Any] = {"survey": survey.name, "survey_id": survey.pk, "kind": survey.kind, "answer": answer.pk, "changes": is_change}
    if answer.score is not None:
        after |= {"rating": answer.score, "low": answer.score_min, "high": answer.score_max}
    actor = Actor("customer", customer.pk if customer is not None else None, str(customer)[:200] if customer is not None else "")
    if invitation.case_id is not None:
        case = Case.objects.select_for_update(of=("self",)).get(pk=invitation.case_id)
        save_case(case)
        add_event(case=case, kind=EventKind.SURVEY, actor=actor, now=now, message=answer.message, after=after)
    details = {"case": invitation.case_id, "score": answer.score, "changes": is_change}
    audit.record(actor=actor, action="survey.answer", object_type="survey", object_id=survey.pk, now=now, details=details)


def _find_for_page(case: Case) -> Invitation | None:
    found = Invitation.objects.filter(case=case, customer_id=case.customer_id, survey__kind="CSAT").select_related("version")
    states = (InvitationState.SENT, InvitationState.OPENED, InvitationState.ANSWERED)
    one: Invitation
    for one in found.filter(state__in=states).order_by("-pk"):
        scale = score_question(questions_of(one.version.questions))
        if scale is not None and (scale.low, scale.high) == (MARKS[0], MARKS[-1]):
            return one
    return None


def _make_for_page(case: Case, now: datetime) -> Invitation:
    survey = page_survey(now=now)
    facts = {
        "survey": survey, "version": newest_version(survey), "case": case, "customer_id": case.customer_id, "team_id": case.team_id,
        "channel_id": case.channel_id, "origin": Origin.PAGE, "state": InvitationState.OPENED, "created_at": now, "planned_at": now,
        "opened_at": now,
    }  # fmt: skip
    return Invitation.objects.get_or_create(key=f"page-{case.pk}", defaults=facts)[0]
