"""What a bad answer does, once: opens its case again or a new one, and tells people."""

from datetime import datetime
from enum import Enum

from django.utils.translation import gettext as _
from django.utils.translation import override

from careloop.desk.accounts.models import Role, User
from careloop.desk.cases.models import Status
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.surveys.letters import CODES, language_of
from careloop.desk.surveys.models import Answer, BadAnswer, Invitation
from careloop.desk.teamwork.customer_actions import set_status
from careloop.desk.teamwork.customer_links import Visit

ASSIGNEE, SUPERVISORS = "ASSIGNEE", "SUPERVISORS"


class Following(Enum):
    """How what was written comes in."""

    NOTHING = "NOTHING"
    REOPEN = "REOPEN"
    OPEN = "OPEN"

    def subject(self, invitation: Invitation, answer: Answer) -> str:
        """What a new case is called; nothing else needs a subject."""
        if self is not Following.OPEN:
            return ""
        facts = {"score": answer.score, "high": answer.score_max, "survey": invitation.survey.name}
        with override(CODES[language_of(invitation)]):
            return _("%(score)s of %(high)s in the survey “%(survey)s”") % facts


def is_bad(invitation: Invitation, answer: Answer) -> bool:
    """Whether the score is at or under the survey's threshold as it is now."""
    threshold = invitation.survey.bad_at_most
    return threshold is not None and answer.score is not None and answer.score <= threshold


def way_in(invitation: Invitation, answer: Answer) -> Following:
    """What follows from the answer; an answer that did something already does nothing again, however it is changed."""
    if answer.followed_up_at is not None or not is_bad(invitation, answer) or invitation.case is None:
        return Following.NOTHING
    return {BadAnswer.REOPEN.value: Following.REOPEN, BadAnswer.OPEN.value: Following.OPEN}.get(
        invitation.survey.bad_does, Following.NOTHING
    )


def case_to_join(invitation: Invitation, answer: Answer, following: Following) -> int | None:
    """The case in which what was written stands: the one that a bad answer opens, or did open with a click and that is open still."""
    if following is Following.REOPEN:
        return invitation.case_id
    case = answer.message.case if answer.message is not None and answer.message.case_id else invitation.case
    is_joined = answer.followed_up_at is not None and is_bad(invitation, answer) and invitation.survey.bad_does != BadAnswer.NOTHING
    return case.pk if is_joined and case is not None and case.status not in {Status.RESOLVED, Status.MERGED} else None


def follow_up(invitation: Invitation, answer: Answer, following: Following, *, now: datetime) -> None:
    """Do what a bad answer does and note on the answer (saved by the caller) that it did."""
    if answer.followed_up_at is not None or not is_bad(invitation, answer):
        return
    answer.followed_up_at = now
    case = invitation.case
    if following is Following.REOPEN and case is not None and answer.message is None:
        set_status(visit=Visit(case, case.pk), is_solved=False, now=now)
    _notify(invitation, answer, now)


def _notify(invitation: Invitation, answer: Answer, now: datetime) -> None:
    told: set[int] = set()
    case = invitation.case
    if ASSIGNEE in invitation.survey.bad_tells and case is not None and case.assignee_id:
        told.add(case.assignee_id)
    if SUPERVISORS in invitation.survey.bad_tells:
        people = User.objects.filter(is_active=True, role=Role.SUPERVISOR, teams=invitation.team_id)
        told |= set(people.values_list("pk", flat=True))
    shown = answer.message.case_id if answer.message is not None and answer.message.case_id else invitation.case_id
    facts = {
        "score": answer.score,
        "high": answer.score_max,
        "survey": invitation.survey.name,
        "subject": case.subject if case is not None else invitation.survey.name,
    }
    notify(user_ids=told, kind=NoticeKind.SURVEY, key=f"survey {answer.pk}", case_id=shown, facts=facts, now=now)
