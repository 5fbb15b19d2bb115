"""The inbox by tag and by what was entered in a field of the house: in the address, as a chip, in a saved view."""

import pytest

from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.teamwork import tags
from careloop.desk.teamwork.models import SavedView

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(cast, inbound, now) -> list[Case]:
    """Two cases: gold, urgent, 12.5 and silver, not urgent, 3."""
    owner, agent = cast.viewer(cast.owner), cast.viewer(cast.agent)
    for name, kind, choices in (
        ("Plan", "CHOICE", ["gold", "silver"]),
        ("Recall", "YES_NO", []),
        ("Weight", "NUMBER", []),
        ("Note", "TEXT", []),
    ):
        tags.add_definition(name=name, name_zh="方案" if name == "Plan" else "", kind=kind, choices=choices, viewer=owner, now=now)
    found = []
    for place, values in enumerate(
        ({"plan": "gold", "recall": "yes", "weight": "12.5", "note": "a:b"}, {"plan": "silver", "recall": "no", "weight": "3"})
    ):
        addresses = (AddressValue("EMAIL", f"lin{place}@example.com"),)
        receipt = receive_message(inbound(external_id=f"m-{place}", subject=f"Case {place}", addresses=addresses), now=now)
        for code, given in values.items():
            tags.set_field(case_id=receipt.case_id, code=code, given=given, viewer=agent, now=now)
        found.append(Case.objects.get(pk=receipt.case_id))
    return found


def listed(client, query: str) -> tuple[bool, bool]:
    page = client.get(f"/?view=all&{query}")
    assert page.status_code == 200
    return "Case 0" in page.content.decode(), "Case 1" in page.content.decode()


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("plan:gold", (True, False)), ("plan:silver", (False, True)), ("recall:yes", (True, False)), ("recall:no", (False, True)),
        ("weight:12.50", (True, False)), ("weight:99", (False, False)), ("note:a:b", (True, False)), ("plan:", (True, True)),
        ("note:", (True, False)),
    ],
)  # fmt: skip
def test_the_inbox_by_a_value(client, cast, cases, field, found):
    client.force_login(cast.agent)
    assert listed(client, f"field={field}") == found


def test_the_filter_is_a_chip_in_the_readers_words_and_goes_with_a_click(client, cast, cases):
    client.force_login(cast.agent)
    page = client.get("/?view=all&field=recall:yes&tag=x").content.decode()
    assert "Recall: Yes" in page and 'href="/?view=all&amp;tag=x"' in page
    assert '<option value="plan:gold">gold</option>' in page and '<option value="recall:yes" selected>' in page
    page = client.get("/?view=all&field=plan:gold", headers={"Accept-Language": "zh-CN"}).content.decode()
    assert "方案: gold" in page
    assert "Weight: 12.5" in client.get("/?field=weight:12.5").content.decode()


def test_a_saved_view_keeps_it(client, cast, cases):
    client.force_login(cast.agent)
    client.post("/views/save/", {"name": "Gold", "query": "?view=all&field=plan%3Agold"})
    assert listed(client, SavedView.objects.get().query) == (True, False)


@pytest.mark.parametrize("field", ["nothing:x", "plan:bronze", "weight:heavy", "x"])
def test_a_field_or_value_that_does_not_exist_is_refused_in_words(client, cast, cases, field):
    client.force_login(cast.agent)
    assert client.get(f"/?field={field}").status_code == 422


def test_of_another_teams_cases_nothing_is_listed(client, cast, cases):
    client.force_login(cast.outsider)
    assert listed(client, "field=plan:gold") == (False, False)


def test_the_case_leads_to_those_with_the_same_value(client, cast, cases):
    client.force_login(cast.agent)
    panel = client.get(f"/cases/{cases[0].pk}/together/").content.decode()
    assert "?view=all&amp;field=plan%3Agold" in panel and "field=recall%3Ayes" in panel
