"""One click is a label: appended, taken over by the case, kept against readings, refused to others and after a colleague's word."""

import threading

import pytest
from django.db import connection, transaction

from careloop.desk.analysis import queueing, tasks
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.models import CategoryReading, Correction, LearntModel, Reading
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(cast, inbound, now):
    """A message that was read: a refund, negative."""
    receipt = receive_message(inbound(), now=now)
    understand([receipt.message_id], now=now)
    return receipt


@pytest.fixture
def say(cast, message, now):
    """A correction of the message by the agent; keyword arguments replace its facts."""

    def correct(**facts):
        given = {
            "case_id": message.case_id,
            "message_id": message.message_id,
            "task": "KIND",
            "value": "COMPLAINT",
            "seen_correction_id": 0,
        }
        return queueing.correct(**{**given, "viewer": cast.viewer(cast.agent), "now": now, **facts})

    return correct


@pytest.fixture
def categories(cast, now):
    """Two categories of the first team."""
    viewer = cast.viewer(cast.supervisor)
    taxonomy = queueing.create_taxonomy(name="Shop", team_id=cast.team.pk, viewer=viewer, now=now)
    for name in ("Leak", "Invoice"):
        facts = {"name_en": name, "name_zh": "", "description": ""}
        queueing.add_category(taxonomy_id=taxonomy.pk, facts=facts, parent_id=None, viewer=viewer, now=now)
    return taxonomy


def stored():
    case = Case.objects.get()
    counts = (Correction.objects.count(), CaseEvent.objects.count(), AuditEntry.objects.count())
    return (case.kind, case.category, case.sentiment, case.corrected, case.version, *counts)


def test_a_correction_is_a_label_an_event_and_an_audit_entry(cast, message, say, now):
    said_before = Reading.objects.get().kind
    correction = say()
    case, reading = Case.objects.get(), Reading.objects.get()
    assert (case.kind, case.kind_probability, case.corrected, reading.kind) == ("COMPLAINT", None, ["kind"], "COMPLAINT")
    assert (correction.value, correction.model_value, correction.made_by, correction.scope) == (
        "COMPLAINT",
        said_before,
        cast.agent,
        "kind",
    )
    event = CaseEvent.objects.get(kind="CORRECTED")
    assert (event.after, event.actor_name) == ({"kind": "COMPLAINT", "kind_probability": None}, "Chen")
    assert AuditEntry.objects.get(action="case.corrected").details["before"]["kind"] == said_before


def test_a_reading_never_overwrites_a_word_on_kind_and_category(cast, inbound, message, say, now, categories):
    say(value="OTHER")
    say(task="CATEGORY", value="leak")
    later = receive_message(inbound(external_id="m-2", text="太差了，我要退款"), now=now)
    understand([later.message_id], now=now)
    LearntModel.objects.create(
        scope=f"taxonomy:{categories.pk}", task="CATEGORY", taxonomy=categories, status="CANDIDATE", algorithm="descriptions",
        started_by_kind="system", started_by_name="Careloop", started_at=now,
    )  # fmt: skip
    tasks.describe.func(categories.pk)
    assert tasks.categorise.func([message.message_id, later.message_id]) == 2
    case = Case.objects.get()
    assert (later.case_id, case.kind, case.category, case.corrected) == (case.pk, "OTHER", "leak", ["category", "kind"])
    assert Reading.objects.get(message_id=message.message_id).category == "leak"
    assert CategoryReading.objects.count() == 2


def test_a_word_on_sentiment_holds_for_its_message_and_the_case_follows_the_newest(inbound, message, say, now):
    say(task="SENTIMENT", value="NEUTRAL")
    assert (Case.objects.get().sentiment, Case.objects.get().sentiment_probability) == ("NEUTRAL", 0.5)
    later = receive_message(inbound(external_id="m-2", text="太差了，我很失望，非常生气"), now=now)
    understand([later.message_id], now=now)
    assert Case.objects.get().sentiment == "NEGATIVE"
    assert Reading.objects.get(message_id=message.message_id).sentiment == "NEUTRAL"
    say(task="SENTIMENT", value="POSITIVE", seen_correction_id=Correction.objects.get().pk)
    assert Case.objects.get().sentiment == "NEGATIVE"
    assert CaseEvent.objects.filter(kind="CORRECTED").count() == 2


def test_the_second_of_two_colleagues_is_told_and_changes_nothing(cast, say):
    say(value="PRAISE", viewer=cast.viewer(cast.supervisor))
    before = stored()
    with pytest.raises(Conflict, match="Sun corrected this in between"):
        say(value="COMPLAINT")
    assert stored() == before
    assert say(value="PRAISE").pk == Correction.objects.get().pk


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"value": "NONSENSE"}, InvalidInput),
        ({"task": "MOOD"}, InvalidInput),
        ({"task": "CATEGORY", "value": "leak"}, InvalidInput),
        ({"message_id": 999_999}, NotFound),
    ],
)
def test_what_cannot_be_said_is_refused(say, facts, error):
    before = stored()
    with pytest.raises(error):
        say(**facts)
    assert stored() == before


def test_analysts_and_other_teams_are_refused(cast, say):
    before = stored()
    with pytest.raises(NotAllowed):
        say(viewer=cast.viewer(cast.analyst))
    with pytest.raises(NotFound):
        say(viewer=cast.viewer(cast.outsider))
    assert stored() == before


def test_the_case_page_asks_a_fixed_number_of_queries_with_its_buttons(client, cast, message, categories, django_assert_num_queries):
    client.force_login(cast.agent)
    client.get(f"/cases/{message.case_id}/")
    with django_assert_num_queries(25):
        page = client.get(f"/cases/{message.case_id}/").content.decode()
    assert 'id="pick-KIND-COMPLAINT"' in page and 'value="invoice"' in page


def test_with_a_script_the_answer_is_the_case_as_it_is_now(client, cast, message):
    client.force_login(cast.agent)
    facts = {"task": "KIND", "value": "SUGGESTION", "seen": "0"}
    answer = client.post(f"/cases/{message.case_id}/messages/{message.message_id}/correct/", facts, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "Said by Chen" in answer.content.decode() and 'hx-swap-oob="true"' in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_corrections_at_the_same_moment_leave_one_word(cast, message, say):
    answers = []
    barrier = threading.Barrier(2)

    def click(value):
        barrier.wait()
        try:
            answers.append(say(value=value).value)
        except Conflict:
            answers.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=(value,)) for value in ("PRAISE", "COMPLAINT")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    kept = Correction.objects.get()
    assert sorted(answers) == sorted([kept.value, "conflict"])
    assert Case.objects.get().kind == Reading.objects.get().kind == kept.value


def test_a_training_starts_by_itself_after_enough_corrections(cast, say, now, monkeypatch, categories, inbound):
    monkeypatch.setattr("careloop.desk.analysis.switching.RETRAIN_AFTER", 2)
    monkeypatch.setattr("careloop.desk.analysis.switching.LEAST_HELD_BACK", 0)
    assert say(task="CATEGORY", value="leak") and LearntModel.objects.count() == 0
    say(task="CATEGORY", value="invoice", seen_correction_id=Correction.objects.get().pk)
    assert LearntModel.objects.get().started_by_kind == "system"
    with transaction.atomic():
        say(task="CATEGORY", value="leak", seen_correction_id=Correction.objects.latest("pk").pk)
    assert LearntModel.objects.count() == 1


def test_a_later_message_that_tells_no_category_does_not_take_the_label(client, cast, inbound, message, categories, say, now):
    say(task="CATEGORY", value="leak")
    later = receive_message(inbound(external_id="m-2", text="有进展吗？"), now=now)
    understand([later.message_id], now=now)
    client.force_login(cast.agent)
    page = client.get(f"/cases/{message.case_id}/").content.decode()
    assert f"/messages/{message.message_id}/correct/" in page and "from an earlier message" in page
    chosen = client.get(f"/cases/{message.case_id}/?reading={later.message_id}").content.decode()
    assert f"/messages/{message.message_id}/correct/" not in chosen
