"""The sample house on paper: enough of everything, facts that hold together, the same for the same seed."""

import random
import re
import string
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from careloop.desk.customers.rules import normalise_address
from careloop.desk.demo.conversations import plan_conversations
from careloop.desk.demo.facts import draw_facts
from careloop.desk.demo.people import draw_people
from careloop.desk.demo.reviews import plan_reviews, plan_surveys
from careloop.desk.demo.rhythm import at_work, is_working
from careloop.desk.demo.scenarios import CHINESE, ENGLISH, SCENARIOS, Thread, manners, parse_sections

ZONE = ZoneInfo("Asia/Shanghai")
AGENTS = {"shop": ["苏晴", "Daniel", "乔安"], "bank": ["方琳", "Ruth"], "travel": ["白露", "Leila"]}


def plan(now, seed=1):
    rng = random.Random(seed)
    people = draw_people(rng)
    conversations = plan_conversations(people, AGENTS, now=now, zone=ZONE, rng=rng)
    return people, conversations, plan_reviews(people, now=now, zone=ZONE, rng=rng) + plan_surveys(conversations, now=now, rng=rng)


@pytest.fixture(scope="module")
def planned():
    return plan(datetime(2026, 5, 4, 6, 0, tzinfo=UTC))


def test_there_is_enough_of_everything(planned):
    people, conversations, opinions = planned
    messages = sum(move.verb in {"write", "reply", "note"} for one in conversations for move in one.moves)
    assert len(people) == 420
    assert len(conversations) >= 2000
    assert messages >= 8000
    assert len([one for one in opinions if one.source == "REVIEW"]) >= 1500
    assert len(SCENARIOS) >= 40
    assert {one.scenario.name for one in conversations} == {scenario.name for scenario in SCENARIOS}


def test_the_same_seed_gives_the_same_house_and_another_seed_another(planned, now):
    assert plan(now) == planned
    assert [one.moves[0].text for one in plan(now, seed=2)[1]] != [one.moves[0].text for one in planned[1]]


def test_languages_are_shared_as_promised(planned):
    share = {language: count / 420 for language, count in Counter(person.language for person in planned[0]).items()}
    assert share["zh-Hans"] == pytest.approx(0.55, abs=0.06)
    assert share["en"] == pytest.approx(0.40, abs=0.06)
    assert share["mixed"] == pytest.approx(0.05, abs=0.03)


def test_addresses_are_well_formed_unlike_each_other_and_nobodys(planned):
    emails = [person.email for person in planned[0] if person.email]
    phones = [normalise_address("PHONE", person.phone) for person in planned[0] if person.phone]
    assert len(set(emails)) == len(emails) and len(set(phones)) == len(phones)
    assert {email.split("@")[1] for email in emails} == {"example.com", "example.org"}
    assert all(re.fullmatch(r"\+447700900\d{3}|\+861540000\d{4}", phone) for phone in phones)
    assert all(person.email or person.phone for person in planned[0])


def test_everything_lies_within_the_quarter_and_in_order(planned, now):
    for one in planned[1]:
        moments = [move.at for move in one.moves]
        assert moments == sorted(moments)
        assert now - timedelta(days=94) < moments[0] and moments[-1] < now
        assert one.moves[0].verb == "write"


def test_orders_bookings_and_references_do_not_change_within_a_conversation(planned):
    numbers = re.compile(r"\b20\d{6}\b|\bYL\d{4}\b|\bT\d{8}\b|\bYS\d{10}\b|¥[\d,]+|\d+元|\bB1\d\b")
    for one in planned[1]:
        known = " ".join(one.facts.values()).replace(",", "")
        for move in one.moves:
            for found in numbers.findall(move.text):
                assert found.strip("¥元").replace(",", "") in known or found == "¥1,200", (one.scenario.name, found, move.text)


def test_no_sentence_keeps_a_placeholder(planned):
    texts = [move.text for one in planned[1] for move in one.moves] + [one.text for one in planned[2]] + [one.subject for one in planned[1]]
    assert [text for text in texts if "{" in text or "}" in text] == []


def test_agents_answer_in_opening_hours(planned):
    replies = [(one.scenario.trade, move.at) for one in planned[1] for move in one.moves if move.verb == "reply"]
    assert [at for trade, at in replies if not is_working(at.astimezone(ZONE), trade)] == []


def test_the_heaters_of_one_batch_make_a_wave(planned, now):
    def leaks(first, last):
        return sum(
            one.scenario.name == "leaking_heater" and first <= (now - one.moves[0].at).days < last and "B17" in one.facts["batch"]
            for one in planned[1]
        )

    assert leaks(0, 21) >= 60
    assert leaks(21, 92) <= 12
    assert leaks(0, 7) > leaks(14, 21)


@pytest.mark.parametrize("language", [CHINESE, ENGLISH])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_each_scenario_can_be_told_to_the_end_with_facts_that_exist(scenario, language, now):
    facts = {*draw_facts(scenario, language, now.date(), random.Random(1)), "name", "agent", "agent2"}
    for seed in range(60):
        thread = Thread(scenario, language, random.Random(seed))
        told = [thread.choose(letter) for letter in "ODDQSAFR"]
        assert all(told[position] for position in (0, 4, 5, 6, 7)), (seed, told)
        for sentence in filter(None, told):
            assert {name for _, name, _, _ in string.Formatter().parse(sentence) if name} <= facts


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_manners_are_the_same_in_both_languages(who):
    assert {mark: len(lines) for mark, lines in manners(who, CHINESE).items()} == {
        mark: len(lines) for mark, lines in manners(who, ENGLISH).items()
    }


@pytest.mark.parametrize("line", ["O: before any section", "== a\nno colon", "== a\nO:", "== a\nX7: unknown letter with digits"])
def test_a_malformed_line_is_named(line):
    with pytest.raises(ValueError, match=r"line \d is .*expected `== name` or `LETTERS: sentence` inside a section"):
        parse_sections(line)


def test_work_waits_for_the_next_opening(now):
    sunday = (now - timedelta(days=1)).astimezone(ZONE)
    assert at_work(sunday, "shop", random.Random(1)).strftime("%a %H") in {"Mon 09", "Mon 10"}
    assert at_work(sunday, "travel", random.Random(1)) == sunday
