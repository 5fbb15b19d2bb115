"""The board by department: every open task's department has the case, until the task is done; other teams' cases are not there."""

from datetime import timedelta

import pytest

from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.teamwork.board import DEPARTMENT, Wanted, board, move_card
from careloop.desk.teamwork.case_tasks import NewTask, add_task, set_done

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def make(cast, inbound, now):
    """A case of a channel."""

    def build(name: str, slug: str = "shop") -> Case:
        message = inbound(external_id=name, channel_slug=slug, text=name, addresses=(AddressValue("EMAIL", f"{name}@x.example"),))
        return Case.objects.get(pk=receive_message(message, now=now).case_id)

    return build


def columns(viewer, now, **wanted):
    found = board(Wanted(DEPARTMENT, **wanted), viewer, now=now).columns
    return {one.name: [(card.case.pk, [task.title for task in card.tasks]) for card in one.cards] for one in found}


def test_a_case_stands_under_each_department_that_still_has_something_to_do(cast, make, now):
    agent, owner = cast.viewer(cast.agent), cast.viewer(cast.owner)
    leak, late = make("leak"), make("late")
    add_task(case_id=leak.pk, new=NewTask("Pay back", "Finance", due_at=now + HOUR), viewer=agent, now=now)
    add_task(case_id=late.pk, new=NewTask("Explain", "Finance", due_at=now - HOUR), viewer=agent, now=now)
    checked = add_task(case_id=leak.pk, new=NewTask("Look at it", "Warehouse"), viewer=agent, now=now)
    add_task(case_id=leak.pk, new=NewTask("Call back", team_id=cast.team.pk), viewer=agent, now=now)
    expected = {
        "No department": [],
        "After-sales": [(leak.pk, ["Call back"])],
        "Finance": [(late.pk, ["Explain"]), (leak.pk, ["Pay back"])],
        "Warehouse": [(leak.pk, ["Look at it"])],
    }
    assert columns(agent, now) == columns(owner, now) == expected
    set_done(task_id=checked.pk, is_done=True, viewer=agent, now=now)
    assert "Warehouse" not in columns(agent, now)


def test_other_teams_cases_are_not_there(cast, make, now):
    foreign = make("foreign", "wholesale")
    add_task(case_id=foreign.pk, new=NewTask("Pay back", "Finance"), viewer=cast.viewer(cast.owner), now=now)
    assert columns(cast.viewer(cast.agent), now) == {"No department": []}
    assert columns(cast.viewer(cast.outsider), now)["Finance"] == [(foreign.pk, ["Pay back"])]
    assert columns(cast.viewer(cast.owner), now, team_id=cast.team.pk) == {"No department": []}


def test_the_page_shows_tasks_and_offers_no_move(client, cast, make, now):
    case = make("leak")
    add_task(case_id=case.pk, new=NewTask("Pay back", "Finance", due_at=now - HOUR), viewer=cast.viewer(cast.agent), now=now)
    client.force_login(cast.agent)
    page = client.get("/board/?by=department").content.decode()
    assert "Finance <small>1</small>" in page
    assert "Pay back" in page
    assert 'draggable="true"' not in page
    with pytest.raises(InvalidInput, match=f"open case #{case.pk}"):
        move_card(case_id=case.pk, by=DEPARTMENT, to="Finance", expected_version=case.version, viewer=cast.viewer(cast.agent), now=now)
