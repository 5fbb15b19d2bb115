"""What actions of rules and macros do: each through the ordinary action of the desk, as the viewer who acts.

Nothing is caught here: an action that is refused undoes the whole rule. Nothing leaves the house before the caller's transaction ends:
replies and webhooks are rows with a job each. What a case has already (a tag, a status, a person) is left as it is, without an event.
"""

from datetime import timedelta

from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Role, User
from careloop.desk.accounts.queries import actor_of
from careloop.desk.automation.acting import Act
from careloop.desk.automation.queries import get_canned
from careloop.desk.automation.rendering import fill_for
from careloop.desk.cases import actions as cases
from careloop.desk.cases import teams
from careloop.desk.cases.events import add_event
from careloop.desk.cases.flow_steps import find_case_flow
from careloop.desk.cases.models import Case
from careloop.desk.cases.moves import move
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.outbox.webhook_tasks import send_webhook
from careloop.desk.routing.models import Mode
from careloop.desk.routing.queries import setting_of
from careloop.desk.surveys.inviting import plan
from careloop.desk.surveys.models import Origin
from careloop.desk.surveys.queries import access_survey
from careloop.desk.teamwork.case_tasks import NewTask
from careloop.desk.teamwork.case_tasks import add_task as ask_task
from careloop.desk.teamwork.models import Webhook, WebhookDelivery
from careloop.desk.teamwork.rules import lines_to_items
from careloop.desk.teamwork.snoozes import find_snooze
from careloop.desk.teamwork.snoozes import snooze as let_wait
from careloop.desk.teamwork.tags import set_tag

RULE_EVENT, MACRO_EVENT = "RULE", "MACRO"  # kinds of case events that only this app writes
LONGEST_TITLE = 200


def supervisors_of(team_id: int) -> list[int]:
    """Who looks after a team: its active supervisors, else the owners."""
    active = User.objects.filter(is_active=True)
    found = list(active.filter(role=Role.SUPERVISOR, teams=team_id).values_list("pk", flat=True))
    return found or list(active.filter(role=Role.OWNER).values_list("pk", flat=True))


def set_priority(act: Act) -> None:
    """Say what comes first."""
    cases.set_priority(priority=act.value, expected_version=act.case().version, **act.common)


def set_status(act: Act) -> None:
    """Open, wait or resolve."""
    cases.set_status(status=act.value, expected_version=act.case().version, **act.common)


def set_category(act: Act) -> None:
    """Say what it is about."""
    cases.set_category(category=act.value, **act.common)


def assign(act: Act) -> None:
    """Give it to a person, or to nobody."""
    cases.assign(assignee_id=act.value, expected_version=act.case().version, **act.common)


def give_to_team(act: Act) -> None:
    """Give it to another team, with everything that it has."""
    teams.give_to_team(team_id=act.value, expected_version=act.case().version, **act.common)


def give_to_routing(act: Act) -> None:
    """Take it from whoever has it, so that the next round of routing gives it to whom it fits best."""
    case = act.case()
    if setting_of(case.team_id).mode == Mode.OFF:
        raise InvalidInput(
            _("Routing is switched off in the team of case #%(number)s; switch it on, or name a person.") % {"number": case.pk}
        )
    cases.assign(assignee_id=None, expected_version=case.version, **act.common)


def add_note(act: Act) -> None:
    """Write a note; a variable without a value keeps its mark."""
    text, _missing = fill_for(act.value, act.case(), act.viewer, act.now)
    cases.add_note(body=text, **act.common)


def reply(act: Act) -> None:
    """Send a text; without the value of a variable nothing is sent."""
    case = act.case()
    text, missing = fill_for(get_canned(act.value, case.team_id).body, case, act.viewer, act.now)
    if missing:
        sentence = _("The reply has no value for %(names)s in case #%(number)s; nothing was sent.")
        raise InvalidInput(sentence % {"names": ", ".join(missing), "number": case.pk})
    reply_to_case(body=text, status=case.status, **act.common)


def put_tag(act: Act) -> None:
    """Put a tag on."""
    set_tag(name=act.value, **act.common)


def take_tag(act: Act) -> None:
    """Take a tag off."""
    set_tag(name=act.value, is_on=False, **act.common)


def take_step(act: Act) -> None:
    """Take a step of the flow on which the case runs, as everybody may who works on cases; approvals stay with people."""
    case = act.case()
    flow_id, _dot, code = act.value.partition(".")
    running = find_case_flow(case)
    if running is None or str(running[0].flow_version.flow_id) != flow_id:
        sentence = _("Case #%(number)s does not run on the flow of this step; add where it stands to the conditions.")
        raise InvalidInput(sentence % {"number": case.pk})
    move(transition=code, expected_version=case.version, **act.common)


def add_task(act: Act) -> None:
    """Ask for work: what, department and days as in sets of follow-up."""
    [item] = lines_to_items(" ".join(act.value.split()))
    title, _missing = fill_for(str(item["title"]), act.case(), act.viewer, act.now)
    due_at = act.now + timedelta(days=int(item["days"])) if item["days"] else None
    ask_task(new=NewTask(title[:LONGEST_TITLE], str(item["department"]), due_at=due_at), **act.common)


def snooze(act: Act) -> None:
    """Let the case wait some hours; one that waits longer already goes on waiting."""
    until = act.now + timedelta(hours=act.value)
    waits = find_snooze(act.case())
    if waits is None or waits.until < until:
        let_wait(until=until, reason=act.source, **act.common)


def send_survey(act: Act) -> None:
    """Ask the customer, unless something speaks against it: that is noted with its reason and undoes no rule."""
    case, survey = act.case(), access_survey(act.value)
    plan(survey=survey, case=case, origin=Origin.AUTOMATION, key=f"auto-{survey.pk}-{case.pk}-{act.key}", now=act.now)


def call_webhook(act: Act) -> None:
    """Tell another system how the case stands: a row and a job, sent once this transaction has ended."""
    case = act.case()
    hook = Webhook.objects.filter(pk=act.value, is_active=True).first()
    if hook is None or hook.team_id not in (None, case.team_id):
        raise InvalidInput(_("The other system is told nothing of the team of case #%(number)s; choose another.") % {"number": case.pk})
    after = {"did": "CALLED", "source": act.source, "webhook": hook.url}
    event = add_event(case=case, kind=RULE_EVENT, actor=actor_of(act.viewer), now=act.now, after=after)
    facts = {"case_id": case.pk, "kind": RULE_EVENT, "queued_at": act.now}
    row = WebhookDelivery.objects.create(webhook=hook, event_id=event.pk, **facts)
    send_webhook.enqueue(row.pk)


def tell_people(act: Act) -> None:
    """Tell those of these people who may see the case."""
    case = act.case()
    people = User.objects.filter(is_active=True, pk__in=act.value)
    in_sight = [one.pk for one in people.prefetch_related("teams") if _sees(one, case.team_id)]
    if not in_sight:
        raise InvalidInput(_("Nobody who is to be told may see case #%(number)s; choose people of its team.") % {"number": case.pk})
    _tell(act, case, in_sight)


def tell_supervisors(act: Act) -> None:
    """Tell those who look after the case's team."""
    case = act.case()
    _tell(act, case, supervisors_of(case.team_id))


def _tell(act: Act, case: Case, user_ids: list[int]) -> None:
    facts = {"who": act.source, "subject": case.subject}
    notify(user_ids=user_ids, kind=NoticeKind.RULE, key=f"rule {act.key}", case_id=case.pk, facts=facts, now=act.now)
    told = {"did": "TOLD", "source": act.source, "people": sorted(user_ids)}
    add_event(case=case, kind=RULE_EVENT, actor=actor_of(act.viewer), now=act.now, after=told)


def _sees(user: User, team_id: int) -> bool:
    return user.role in (Role.OWNER, Role.ANALYST) or team_id in {team.pk for team in user.teams.all()}
