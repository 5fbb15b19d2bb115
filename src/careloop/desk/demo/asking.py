"""Whom the sample house asked after their case over the quarter, and what they answered: rows as sending and answering leave them.

Who had trouble answers less happily, and the very happy and very unhappy answer more often than the others: figures that do not
correct for it come out too high. Texts are those of the surveys that came in (demo.reviews); the others clicked a score only.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case, CaseEvent, EventKind, Status
from careloop.desk.customers.models import Address
from careloop.desk.demo.staff import House
from careloop.desk.feedback.models import Feedback, Source
from careloop.desk.kernel.rows import update_rows
from careloop.desk.surveys.actions import SurveyFacts, save_survey
from careloop.desk.surveys.models import Answer, Invitation, InvitationState, Origin, Survey, SurveyConsent, SurveySetting
from careloop.desk.surveys.queries import BY_MAIL, get_setting, newest_version
from careloop.desk.surveys.rules import choosing
from careloop.desk.surveys.rules.questions import BEGINNINGS, CSAT
from careloop.desk.surveys.rules.quiet import after_quiet

NAME = "服务满意度 · Satisfaction"
DELAY_MINUTES = 60
PAUSE_DAYS = 7  # the sample house has few customers, who write often
REFUSED_SHARE = 0.03
LOST_SHARE = 0.01
ANSWERED_BY_SCORE = {1: 0.34, 2: 0.24, 3: 0.14, 4: 0.2, 5: 0.3}  # of those who were asked and did not write
OPENED_SHARE = 0.5
TEXT_WITHIN = timedelta(days=3)


def ask_customers(house: House, *, now: datetime) -> None:
    """The survey, who was asked after each resolved case, and the answers."""
    rng = random.Random("surveys")
    supervisor = viewer_of(house.supervisor)
    SurveySetting.objects.create(pk=1, pause_days=PAUSE_DAYS)
    tells = ("ASSIGNEE", "SUPERVISORS")
    facts = SurveyFacts(NAME, CSAT, BEGINNINGS[CSAT], is_active=True, sent_when="RESOLVED", delay_minutes=DELAY_MINUTES, bad_at_most=2)
    first = Case.objects.order_by("opened_at").values_list("opened_at", flat=True).first() or now
    survey = save_survey(facts=SurveyFacts(**{**vars(facts), "bad_tells": tells}), viewer=supervisor, now=first)
    resolved = Case.objects.filter(status=Status.RESOLVED, resolved_at__lte=now).exclude(channel__kind=ChannelKind.FILE)
    rows = list(_invitations(survey, resolved.select_related("channel", "customer").order_by("resolved_at", "pk"), now, rng))
    Invitation.objects.bulk_create([row for row, _case, _answer in rows], batch_size=500)
    Answer.objects.bulk_create([answer for _row, _case, answer in rows if answer is not None], batch_size=500)
    _tell_cases([(case, answer) for _row, case, answer in rows if answer is not None])


def _invitations(
    survey: Survey, cases: QuerySet[Case], now: datetime, rng: random.Random
) -> Iterator[tuple[Invitation, Case, Answer | None]]:
    version, setting, zone = newest_version(survey), get_setting(), timezone.get_default_timezone()
    mailed = set(Address.objects.filter(kind="EMAIL").values_list("customer_id", flat=True))
    refused = _refusals(cases, rng)
    asked: dict[int, datetime] = {}
    texts = _texts()
    for case in cases:
        if case.resolved_at is None:
            continue
        wanted_at = after_quiet(
            case.resolved_at + timedelta(minutes=DELAY_MINUTES), zone, setting.quiet_from_minutes, setting.quiet_until_minutes
        )
        is_reachable = case.channel.kind not in BY_MAIL or case.customer_id in mailed
        agreed = False if case.customer_id in refused else None
        person = choosing.Person(True, is_reachable, False, agreed, asked.get(case.customer_id))
        reason = choosing.why_not(person, pause_days=setting.pause_days, needs_consent=False, now=wanted_at)
        row = Invitation(
            survey=survey, version=version, case=case, customer_id=case.customer_id, team_id=case.team_id, channel_id=case.channel_id,
            origin=Origin.RULE, key=f"rule-{survey.pk}-{case.pk}", created_at=case.resolved_at, planned_at=wanted_at, reason=reason,
            state=InvitationState.SKIPPED if reason else InvitationState.QUEUED,
        )  # fmt: skip
        answer = None
        if not reason and wanted_at <= now:
            asked[case.customer_id] = wanted_at
            answer = _send(row, case, texts.get((case.customer_id, case.channel_id), []), now, rng)
        yield row, case, answer


def _send(row: Invitation, case: Case, texts: list[Feedback], now: datetime, rng: random.Random) -> Answer | None:
    """Mark an invitation as sent; the answer, if the customer gave one."""
    row.state, row.sent_at = InvitationState.SENT, row.planned_at
    if rng.random() < LOST_SHARE:
        row.state, row.reason, row.sent_at = InvitationState.FAILED, choosing.NOT_DELIVERED, None
        return None
    written = next((one for one in texts if row.planned_at <= one.message.sent_at <= row.planned_at + TEXT_WITHIN), None)
    if written is not None:
        texts.remove(written)
        return _answer(row, int(written.rating or 3), written.message.sent_at, written)
    score = _score(case, rng)
    at = row.planned_at + timedelta(minutes=rng.expovariate(1 / 300))
    if rng.random() < ANSWERED_BY_SCORE[score] and at <= now:
        return _answer(row, score, at, None)
    if rng.random() < OPENED_SHARE:
        row.state, row.opened_at = InvitationState.OPENED, min(at, now)
    return None


def _answer(row: Invitation, score: int, at: datetime, written: Feedback | None) -> Answer:
    row.state, row.opened_at = InvitationState.ANSWERED, at
    said = {"score": score, **({"why": written.message.body} if written is not None else {})}
    facts = {"answers": said, "message_id": written.message_id if written is not None else None, "answered_at": at, "changed_at": at}
    return Answer(invitation=row, score=score, score_min=1, score_max=5, **facts)


def _score(case: Case, rng: random.Random) -> int:
    """How somebody felt: worse with trouble, an unhappy tone and a long wait."""
    waited = (case.first_response_at - case.opened_at).total_seconds() / 3600 if case.first_response_at else 24.0
    lasted = ((case.resolved_at or case.opened_at) - case.opened_at).total_seconds() / 86_400
    unhappy = 1 - (0.5 if case.sentiment_probability is None else case.sentiment_probability)
    trouble = {"COMPLAINT": 0.7, "REFUND": 0.4}.get(case.kind, 0.0)
    mood = 4.7 - trouble - 1.1 * unhappy - 0.25 * math.log1p(waited) - 0.2 * math.log1p(lasted) + rng.gauss(0, 0.8)
    return min(5, max(1, round(mood)))


def _texts() -> dict[tuple[int, int], list[Feedback]]:
    """What was written in answer to surveys, by customer and channel."""
    found: dict[tuple[int, int], list[Feedback]] = defaultdict(list)
    rows = Feedback.objects.filter(source=Source.SURVEY).exclude(message__customer=None).select_related("message")
    for one in rows.order_by("message__sent_at"):
        found[one.message.customer_id or 0, one.message.channel_id].append(one)
    return found


def _refusals(cases: QuerySet[Case], rng: random.Random) -> set[int]:
    """A few customers said once that they would rather not be asked."""
    first: dict[int, datetime] = {}
    for case in cases:
        first.setdefault(case.customer_id, case.opened_at)
    refused = {customer_id: at for customer_id, at in sorted(first.items()) if rng.random() < REFUSED_SHARE}
    SurveyConsent.objects.bulk_create(
        SurveyConsent(customer_id=customer_id, may_ask=False, said_at=at, said_by_name="") for customer_id, at in refused.items()
    )
    return set(refused)


def _tell_cases(answered: Iterable[tuple[Case, Answer]]) -> None:
    """Each answer stands in its case's history, as answering writes it."""
    changed, events = [], []
    for case, answer in answered:
        survey = answer.invitation.survey
        case.version += 1
        changed.append(case)
        after = {
            "survey": survey.name, "survey_id": survey.pk, "kind": survey.kind, "answer": answer.pk, "changes": False,
            "rating": answer.score, "low": answer.score_min, "high": answer.score_max,
        }  # fmt: skip
        events.append(
            CaseEvent(
                case=case, team_id=case.team_id, kind=EventKind.SURVEY, at=answer.answered_at, actor_kind="customer",
                actor_id=case.customer_id, actor_name=str(case.customer)[:200], message_id=answer.message_id, after=after,
            )
        )  # fmt: skip
    update_rows(changed, "version")
    CaseEvent.objects.bulk_create(sorted(events, key=lambda event: event.at), batch_size=500)
