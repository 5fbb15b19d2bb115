import pytest

from careloop.desk.bulk.rules import (
    ALREADY,
    CHANGES,
    IS_MERGED,
    NO_SUCH_CATEGORY,
    NOT_IN_TEAM,
    ON_A_FLOW,
    Possible,
    Standing,
    Wish,
    judge,
    read_versions,
    read_wish,
    write_versions,
)

POSSIBLE = Possible({1: {7, 8}}, {1: {"leak"}})


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        ("assignee:7", Wish("assignee", 7)),
        ("assignee:", Wish("assignee", None)),
        ("assignee:Chen", None),
        ("team:2", Wish("team", 2)),
        ("team:", None),
        ("priority:40", Wish("priority", 40)),
        ("priority:41", None),
        ("status:RESOLVED", Wish("status", "RESOLVED")),
        ("status:MERGED", None),
        ("category:leak", Wish("category", "leak")),
        ("category:", None),
        ("subject:x", None),
        ("status", None),
    ],
)
def test_a_wish_is_read_or_refused(given, wish):
    assert read_wish(given) == wish


@pytest.mark.parametrize(
    ("facts", "wish", "found"),
    [
        ({}, Wish("priority", 40), CHANGES),
        ({}, Wish("priority", 20), ALREADY),
        ({}, Wish("assignee", 7), CHANGES),
        ({}, Wish("assignee", 9), NOT_IN_TEAM),
        ({}, Wish("assignee", None), ALREADY),
        ({"assignee_id": 9}, Wish("assignee", 9), NOT_IN_TEAM),
        ({}, Wish("category", "leak"), CHANGES),
        ({}, Wish("category", "noise"), NO_SUCH_CATEGORY),
        ({"status": "MERGED"}, Wish("priority", 40), IS_MERGED),
        ({"is_on_way": True}, Wish("status", "RESOLVED"), ON_A_FLOW),
        ({"is_on_way": True}, Wish("status", "WAITING"), CHANGES),
        ({"is_on_way": True, "status": "RESOLVED"}, Wish("status", "RESOLVED"), ALREADY),
    ],
)
def test_a_case_is_judged(facts, wish, found):
    standing = Standing(**{"number": 1, "team_id": 1, "status": "OPEN", "priority": 20, "assignee_id": None, "category": "", **facts})
    assert judge(standing, wish, POSSIBLE) == found


def test_versions_go_through_a_form_field():
    assert read_versions(write_versions({12: 3, 15: 1})) == {12: 3, 15: 1}
    assert read_versions("") == {}
    assert read_versions("12:3 x:1") is None
    assert read_versions("12") is None
    assert read_versions(" ".join(f"{n}:1" for n in range(1_001))) is None
