"""Corrections of kind and sentiment teach a house model: begun by itself, judged on held-back messages, read with, set aside."""

import pytest

from careloop.desk.analysis import house_rereading, queueing, rules, switching, tasks
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.model_files import _open
from careloop.desk.analysis.model_queries import state_of
from careloop.desk.analysis.models import Correction, LearntModel, ModelFiles, Reading
from careloop.desk.analysis.rules import is_held_back, judge_house
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message, receive_messages
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.kernel.wording import in_words

pytestmark = pytest.mark.django_db
FAULTS = ("跳闸", "打火打不着", "漏电保护老跳")


@pytest.fixture
def messages(cast, inbound, now):
    """120 questions about heaters that fail and 120 about invoices, all read."""
    texts = [f"{place}号热水器{FAULTS[place % 3]}怎么回事" for place in range(120)] + [
        f"{place}号订单的发票抬头怎么改" for place in range(120)
    ]
    receipts = receive_messages(
        [inbound(external_id=f"h-{place}", text=text, opens_case=False) for place, text in enumerate(texts)], now=now
    )
    ids = [one.message_id for one in receipts]
    understand(ids, now=now)
    return ids


@pytest.fixture
def say(cast, now):
    """People's words on messages, as rows."""

    def append(ids, value, task="KIND"):
        Correction.objects.bulk_create(
            Correction(is_held_back=is_held_back(pk), message_id=pk, team=cast.team, scope=task.lower(), task=task, value=value, **facts)
            for pk in ids
        )

    facts = {"made_by_name": "Chen", "made_at": now}
    return append


@pytest.fixture
def corrected(messages, say):
    """In this house a heater that fails is a refund; half of those were corrected, and some invoices confirmed."""
    say(messages[:90], "REFUND")
    say(messages[120:135], "CONSULTATION")
    return messages


@pytest.fixture
def live(cast, corrected, now):
    """The house model that was learnt from them."""
    candidate = queueing.start_house_training(task="KIND", viewer=cast.viewer(cast.supervisor), now=now)
    tasks.train.func(candidate.pk)
    candidate.refresh_from_db()
    assert candidate.status == "LIVE", candidate.reason
    return candidate


def statuses():
    return list(LearntModel.objects.order_by("pk").values_list("status", flat=True))


def test_a_house_model_goes_live_when_it_beats_the_shipped_one(corrected, live):
    tested = Correction.objects.filter(is_held_back=True).count()
    confirmed = Correction.objects.filter(is_held_back=True, value="CONSULTATION").count()
    assert (live.figures["n"], live.figures["right"], live.rival_figures["right"]) == (tested, tested, confirmed)
    assert (live.scope, live.algorithm, live.rival, live.taxonomy) == ("kind", "house", None, None)
    assert live.card["rows"] == Correction.objects.filter(is_held_back=False).count() and live.card["labels"].keys() == {
        "refund",
        "consultation",
    }
    assert live.figures["others"]["n"] == sum(map(is_held_back, set(corrected) - set(corrected[:90]) - set(corrected[120:135])))
    assert len(live.files.answers) == tested
    assert Job.objects.filter(task__endswith="read_again").count() == 1


def test_new_messages_are_read_with_it_and_say_so(inbound, now, live):
    receipt = receive_message(inbound(external_id="new", text="家里热水器老是跳闸怎么回事"), now=now)
    understand([receipt.message_id], now=now)
    reading, case = Reading.objects.get(message_id=receipt.message_id), Case.objects.get()
    assert (reading.kind, reading.details["kind"], reading.model_versions["kind"], case.kind) == (
        "REFUND",
        "refund",
        f"house-{live.pk}",
        "REFUND",
    )
    assert reading.model_versions["sentiment"] == "zh-2" or not reading.model_versions["sentiment"].startswith("house")


def test_one_that_cannot_be_opened_is_set_aside_and_messages_are_read_all_the_same(inbound, now, live):
    ModelFiles.objects.filter(model=live).update(archive=b"")
    _open.cache_clear()
    receipt = receive_message(inbound(external_id="new", text="家里热水器老是跳闸怎么回事"), now=now)
    assert understand([receipt.message_id], now=now) == 1
    live.refresh_from_db()
    assert live.status == "REJECTED" and in_words(live.reason).startswith("This model could not be opened; the built-in model reads again.")
    assert not Reading.objects.get(message_id=receipt.message_id).model_versions["kind"].startswith("house")


def test_a_correction_of_it_names_it_as_the_model(cast, inbound, now, live):
    receipt = receive_message(inbound(external_id="new", text="家里热水器老是跳闸怎么回事"), now=now)
    understand([receipt.message_id], now=now)
    word = queueing.correct(
        case_id=receipt.case_id, message_id=receipt.message_id, task="KIND", value="COMPLAINT", seen_correction_id=0,
        viewer=cast.viewer(cast.agent), now=now,
    )  # fmt: skip
    assert (word.model, word.model_value) == (live, "REFUND")


def test_earlier_messages_are_read_again_but_words_of_people_stay(cast, inbound, messages, say, now):
    spoken = receive_message(inbound(external_id="s", text="客厅热水器跳闸怎么回事"), now=now)
    silent = receive_message(
        inbound(external_id="t", text="客厅热水器跳闸怎么回事", addresses=(AddressValue("EMAIL", "other@example.com"),)), now=now
    )
    understand([spoken.message_id, silent.message_id], now=now)
    queueing.correct(
        case_id=spoken.case_id, message_id=spoken.message_id, task="KIND", value="OTHER", seen_correction_id=0,
        viewer=cast.viewer(cast.agent), now=now,
    )  # fmt: skip
    priority = Case.objects.get(pk=silent.case_id).priority
    say(messages[:90], "REFUND")
    say(messages[120:135], "CONSULTATION")
    candidate = queueing.start_house_training(task="KIND", viewer=cast.viewer(cast.supervisor), now=now)
    tasks.train.func(candidate.pk)
    assert tasks.read_again.func(candidate.pk) == 242
    queued = [job.args[0] if isinstance(job.args, list) else job.args for job in Job.objects.filter(task__endswith="read_part_again")]
    assert sum(map(len, queued)) == 242
    n_changed = house_rereading.read_again([pk for part in queued for pk in part], now=now)
    assert n_changed > 100
    assert house_rereading.read_again([pk for part in queued for pk in part], now=now) == 0
    assert Reading.objects.get(message_id=spoken.message_id).kind == "OTHER"
    assert Reading.objects.get(message_id=spoken.message_id).details["kind"] == "refund"
    case = Case.objects.get(pk=silent.case_id)
    assert (case.kind, case.priority, Case.objects.get(pk=spoken.case_id).kind) == ("REFUND", priority, "OTHER")
    event = CaseEvent.objects.filter(case=case, kind="TRIAGED").latest("pk")
    assert (event.before["kind"], event.after["kind"]) != ("REFUND", "REFUND") and event.after["kind"] == "REFUND"


def test_one_click_leads_back_to_the_shipped_model_and_another_to_the_house_s(client, cast, now, live):
    client.force_login(cast.analyst)
    assert client.post("/models/of/kind/shipped/").status_code == 403
    assert statuses() == ["LIVE"]
    client.force_login(cast.supervisor)
    assert client.post("/models/of/kind/shipped/").status_code == 302
    assert statuses() == ["RETIRED"] and Job.objects.filter(task__endswith="read_house_again").count() == 1
    assert client.post("/models/of/kind/shipped/").status_code == 409
    assert client.post(f"/models/{live.pk}/live/").status_code == 302
    assert statuses() == ["LIVE"]
    entries = AuditEntry.objects.filter(action="model.switch").order_by("pk")
    assert [(one.object_type, one.details["after"]["model"]) for one in entries] == [("model", None), ("model", live.pk)]


def test_after_the_shipped_model_reads_again_readings_are_the_shipped_ones(cast, now, corrected, live):
    before = {row.message_id: row.kind for row in Reading.objects.all()}
    house_rereading.read_again(corrected, now=now)
    assert {row.message_id: row.kind for row in Reading.objects.all()} != before
    queueing.return_to_shipped(task="KIND", viewer=cast.viewer(cast.supervisor), now=now)
    house_rereading.read_again(corrected, now=now)
    assert {row.message_id: row.kind for row in Reading.objects.all()} == before


def test_a_second_model_has_to_beat_the_first(cast, now, live):
    again = queueing.start_house_training(task="KIND", viewer=cast.viewer(cast.supervisor), now=now)
    assert tasks.train.func(again.pk) == "REJECTED"
    again.refresh_from_db()
    n = again.figures["n"]
    assert in_words(again.reason) == f"Right on {n} of the same {n} held-back messages, as the live model is; nothing is gained."
    assert (statuses(), again.rival, again.files.archive) == (["LIVE", "REJECTED"], live, None)


def test_the_training_starts_by_itself_after_thirty_corrections(cast, inbound, messages, say, now):
    for pk in messages[:29]:
        say([pk], "REFUND" if pk % 2 else "COMPLAINT")
    assert switching.begin_if_due("kind", now=now) is None
    say(messages[29:31], "REFUND")
    held = sum(map(is_held_back, messages[:31]))
    begun = switching.begin_if_due("kind", now=now)
    assert (begun is not None) == (held >= 8)
    say([pk for pk in messages[31:90] if is_held_back(pk)][:8], "REFUND")
    assert begun or switching.begin_if_due("kind", now=now).started_by_kind == "system"
    assert switching.begin_if_due("kind", now=now) is None


def test_with_too_few_corrections_or_one_value_nothing_is_started(cast, messages, say, now):
    say(messages[:40], "REFUND")
    before = (LearntModel.objects.count(), Job.objects.count(), AuditEntry.objects.count())
    with pytest.raises(InvalidInput, match="All corrections so far say the same"):
        queueing.start_house_training(task="KIND", viewer=cast.viewer(cast.supervisor), now=now)
    assert switching.begin_if_due("kind", now=now) is None
    with pytest.raises(InvalidInput, match="Too few corrections: 0 of 30 messages, 0 of 8 held back"):
        queueing.start_house_training(task="SENTIMENT", viewer=cast.viewer(cast.supervisor), now=now)
    with pytest.raises(NotAllowed):
        queueing.start_house_training(task="KIND", viewer=cast.viewer(cast.agent), now=now)
    with pytest.raises(NotFound):
        queueing.start_house_training(task="CATEGORY", viewer=cast.viewer(cast.supervisor), now=now)
    assert (LearntModel.objects.count(), Job.objects.count(), AuditEntry.objects.count()) == before


def test_a_second_training_is_refused_while_one_is_under_way(cast, corrected, now):
    queueing.start_house_training(task="KIND", viewer=cast.viewer(cast.supervisor), now=now)
    with pytest.raises(Conflict, match="under way"):
        queueing.start_house_training(task="KIND", viewer=cast.viewer(cast.supervisor), now=now)
    assert statuses() == ["CANDIDATE"]


def test_sentiment_is_learnt_the_same_way(cast, messages, say, now):
    say(messages[:90], "POSITIVE", task="SENTIMENT")
    say(messages[120:165], "NEUTRAL", task="SENTIMENT")
    candidate = queueing.start_house_training(task="SENTIMENT", viewer=cast.viewer(cast.supervisor), now=now)
    assert tasks.train.func(candidate.pk) == "LIVE"
    house_rereading.read_again(messages, now=now)
    silent = Reading.objects.filter(message_id__in=messages[90:120])
    assert {row.sentiment for row in silent} == {"POSITIVE"} and all(row.sentiment_probability > 0.5 for row in silent)


def test_counts_come_from_the_database_with_a_fixed_number_of_queries(corrected, live, django_assert_num_queries):
    with django_assert_num_queries(2):
        state = state_of("kind")
    assert (state.corrected, state.held_back, state.fresh) == (105, Correction.objects.filter(is_held_back=True).count(), 0)
    assert (state.live, state.least_corrected, state.least_held_back) == (live, 30, 8)


def test_a_message_corrected_twice_counts_once_and_is_fresh_again(corrected, live, say):
    say(corrected[:3], "COMPLAINT")
    state = state_of("kind")
    assert (state.corrected, state.fresh) == (105, 3)


def test_the_page_tells_how_good_it_is_and_from_what_it_learnt(client, cast, live):
    client.force_login(cast.analyst)
    page = client.get(f"/models/{live.pk}/").content.decode()
    assert "the built-in model" in page and f"n = {live.figures['n']}" in page
    assert "messages that nobody corrected" in page
    of_kind = client.get("/models/of/kind/").content.decode()
    assert f"/models/{live.pk}/" in of_kind and "Use the built-in model" not in of_kind
    assert client.get("/models/of/mood/").status_code == 404
    assert "/models/of/sentiment/" in client.get("/categories/").content.decode()
    client.force_login(cast.supervisor)
    assert "Use the built-in model" in client.get("/models/of/kind/").content.decode()


@pytest.mark.parametrize(
    ("n", "gained", "lost", "others", "goes_live"),
    [
        (7, 7, 0, (0, 100), False),  # too few to judge
        (8, 4, 0, (0, 100), False),  # 1 in 16 by chance
        (8, 5, 0, (0, 100), True),  # 1 in 32
        (20, 8, 2, (0, 100), False),  # 0.055
        (50, 2, 1, (0, 100), True),  # with fifty, one more is enough
        (50, 2, 2, (0, 100), False),
        (50, 9, 0, (50, 100), True),
        (50, 9, 0, (51, 100), False),  # more than half of what nobody corrected would change
    ],
)
def test_when_a_house_model_goes_live(n, gained, lost, others, goes_live):
    given = ["a"] * n
    before = ["b"] * gained + ["a"] * (n - gained)
    candidate = ["a"] * gained + ["b"] * lost + ["a"] * (n - gained - lost)
    assert judge_house(given, candidate, before, others).goes_live is goes_live


def test_the_chance_of_a_gain_is_that_of_the_sign_test():
    assert (rules.chance_of(5, 0), rules.chance_of(8, 2), rules.chance_of(0, 0)) == (1 / 32, 56 / 1024, 1.0)


def test_corrections_say_who_is_held_back(corrected):
    assert all(row.is_held_back == is_held_back(row.message_id) for row in Correction.objects.all())
    assert Message.objects.count() == 240
