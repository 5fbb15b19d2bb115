"""The sample house's library: every solution in both languages, for categories that the house has."""

from careloop.desk.demo.categories import TREE
from careloop.desk.demo.solutions import list_entries
from careloop.desk.demo.staff import TEAMS
from careloop.desk.solutions.rules.letters import unknown_variables

CODES = {row.split("|")[0].strip() for row in TREE.strip().splitlines()}


def test_every_solution_is_complete_in_both_languages():
    entries = list_entries()
    assert len(entries) == 31 and len({category for category, _trade, _texts in entries}) == 31
    for category, trade, texts in entries:
        assert category in CODES and trade in {"", *TEAMS}
        for wording in texts.values():
            assert set(wording) == {"title", "body", "reply"} and all(wording.values())
            assert unknown_variables(wording["reply"]) == []
