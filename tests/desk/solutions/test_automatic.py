"""Automatic replies: off until held-back cases keep a promise; never twice, never to machines, never where a person is at work."""

from datetime import timedelta

import pytest
from django.core import mail

from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.rules import is_held_back
from careloop.desk.cases.actions import assign
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import InvalidInput, NotAllowed
from careloop.desk.outbox import delivery
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.solutions import answering, automatic, queueing
from careloop.desk.solutions.evidence import gather_evidence
from careloop.desk.solutions.models import AutomaticReplies, SolutionUse, Suggested
from careloop.desk.teamwork.customer_links import link_for
from tests.desk.analysis.conftest import LetterEncoder

pytestmark = pytest.mark.django_db
QUESTION = "热水器漏水，我要求退款。订单 20418837"


@pytest.fixture(autouse=True)
def encoder(monkeypatch):
    monkeypatch.setattr("careloop.desk.analysis.vectors.house_encoder", LetterEncoder)


@pytest.fixture
def arrive(inbound, now):
    """One new message of a customer of its own."""

    def arrive(text=QUESTION, **facts) -> Message:
        number = Message.objects.count()
        given = {"external_id": f"a-{number}", "text": text, "addresses": (AddressValue("EMAIL", f"c{number}@example.com"),)}
        return Message.objects.get(pk=receive_message(inbound(**{**given, **facts}), now=now).message_id)

    return arrive


@pytest.fixture
def is_on(db, leak):
    AutomaticReplies.objects.create(pk=1, is_on=True, threshold=0.9, promise=0.95)


def answer(message, leak, now, probability=0.99):
    return answering.answer(message=message, solution_id=leak.pk, probability=probability, now=now)


def is_untouched(message) -> bool:
    case = Case.objects.get(pk=message.case_id)
    return not SolutionUse.objects.exists() and not OutboxItem.objects.exists() and case.messages.filter(direction="OUTBOUND").count() == 0


def test_one_message_is_answered_once_and_marked_as_automatic(is_on, leak, arrive, now):
    message = arrive()
    assert answer(message, leak, now) and not answer(message, leak, now)
    case = Case.objects.get(pk=message.case_id)
    sent = case.messages.get(direction="OUTBOUND")
    assert (case.status, case.assignee_id, case.first_response_at, sent.author_id) == ("WAITING", None, now, None)
    assert sent.body == (
        "林晓彤，您好：\n\n请先断电并关闭进水阀，我们今天安排师傅上门。\n\n"
        f"以上是自动回复（工单 #{case.pk}）。是否解决了问题，请在这里告诉我们：{link_for(case, now=now)}\n"
        "如果没有解决，直接回复本消息，同事会接着为您处理。"
    )
    assert OutboxItem.objects.get().message_id == sent.pk
    use = SolutionUse.objects.get()
    assert (use.how, use.question_id, use.message_id, use.probability) == ("AUTO", message.pk, sent.pk, 0.99)
    event = CaseEvent.objects.get(kind="SOLUTION")
    assert (event.actor_kind, event.after["automatic"], event.after["probability"]) == ("system", True, 0.99)


def test_an_automatic_reply_carries_the_customers_link(is_on, leak, arrive, now):
    leak.texts.update(reply="看进度：{{ link }}")
    message = arrive()
    assert answer(message, leak, now)
    case = Case.objects.get(pk=message.case_id)
    assert f"看进度：{link_for(case, now=now)}" in case.messages.get(direction="OUTBOUND").body


def test_nothing_is_answered_while_it_is_off_or_below_the_threshold(is_on, leak, arrive, now):
    message = arrive()
    assert not answer(message, leak, now, probability=0.89)
    AutomaticReplies.objects.update(is_on=False)
    assert not answer(message, leak, now)
    assert is_untouched(message)


@pytest.mark.parametrize(
    "facts",
    [
        {"raw": b'{"headers": {"Auto-Submitted": "auto-replied"}}'},
        {"raw": b"Precedence: bulk\r\n\r\nx", "content_type": "message/rfc822"},
        {"subject": "自动回复：您的来信"},
        {"text": "Delivery has failed to these recipients"},
    ],
)
def test_machines_get_no_answer(is_on, leak, arrive, now, facts):
    message = arrive(**facts)
    assert not answer(message, leak, now)
    assert is_untouched(message)


def test_where_a_person_is_at_work_nothing_is_answered(is_on, cast, leak, arrive, now):
    message, viewer = arrive(), cast.viewer(cast.agent)
    assign(case_id=message.case_id, assignee_id=cast.agent.pk, expected_version=1, viewer=viewer, now=now)
    assert not answer(message, leak, now) and is_untouched(message)
    replied = arrive()
    reply_to_case(case_id=replied.case_id, body="在看", viewer=viewer, now=now)
    assert not answer(replied, leak, now) and not SolutionUse.objects.exists()


def test_a_second_word_of_the_customer_or_a_note_of_a_colleague_leaves_it_to_people(is_on, leak, arrive, inbound, now):
    message = arrive()
    address = (AddressValue("EMAIL", "c0@example.com"),)
    receive_message(inbound(external_id="more", text="还有一件事", addresses=address), now=now)
    assert not answer(message, leak, now) and is_untouched(message)


def test_a_customer_gets_one_automatic_reply_a_day(is_on, leak, arrive, now):
    address = (AddressValue("EMAIL", "same@example.com"),)
    first = arrive(addresses=address)
    assert answer(first, leak, now)
    Case.objects.filter(pk=first.case_id).update(status="RESOLVED", last_message_at=now - timedelta(days=400))
    second = arrive(addresses=address)
    assert second.case_id != first.case_id
    assert not answer(second, leak, now) and SolutionUse.objects.count() == 1
    assert answer(second, leak, now + timedelta(days=2))


def test_a_withdrawn_solution_and_one_without_the_customers_language_are_not_sent(is_on, leak, arrive, now):
    message = arrive()
    leak.texts.filter(language="zh").delete()
    assert not answer(message, leak, now)
    leak.status = "ARCHIVED"
    leak.save()
    assert not answer(arrive("The heater leaks"), leak, now) and is_untouched(message)


def test_it_is_off_at_first_and_cannot_be_switched_on_without_cases_enough(cast, leak, now):
    assert not automatic.get_policy().is_on
    automatic.derive_threshold(now=now)
    with pytest.raises(InvalidInput, match="at least 45 are needed"):
        automatic.switch_on(viewer=cast.viewer(cast.owner), now=now)
    with pytest.raises(NotAllowed):
        automatic.switch_on(viewer=cast.viewer(cast.supervisor), now=now)
    assert not AutomaticReplies.objects.get().is_on


def test_the_promise_is_the_owners_and_within_bounds(cast, now):
    assert automatic.set_promise(promise=0.9, viewer=cast.viewer(cast.owner), now=now).promise == 0.9
    with pytest.raises(InvalidInput, match=r"choose between 80% and 99\.5%"):
        automatic.set_promise(promise=0.5, viewer=cast.viewer(cast.owner), now=now)
    with pytest.raises(NotAllowed):
        automatic.set_promise(promise=0.8, viewer=cast.viewer(cast.supervisor), now=now)
    assert automatic.get_policy().promise == 0.9


def test_another_promise_forgets_the_threshold_and_switches_off_until_the_worker_has_looked(is_on, cast, now):
    policy = queueing.set_promise(promise=0.9, viewer=cast.viewer(cast.owner), now=now)
    assert (policy.is_on, policy.threshold, policy.derived_at, policy.switched_by_name) == (False, None, None, "Olga")
    assert Job.objects.filter(task="careloop.desk.solutions.tasks.derive_threshold").count() == 1


def test_a_supervisor_switches_it_off_with_one_click_and_an_agent_does_not(is_on, cast, now):
    with pytest.raises(NotAllowed):
        automatic.switch_off(viewer=cast.viewer(cast.agent), now=now)
    assert automatic.get_policy().is_on
    assert not automatic.switch_off(viewer=cast.viewer(cast.supervisor), now=now).is_on


def use_of(solution, message, now, **facts):
    """An agent's first reply used the solution, unless said otherwise."""
    given = {"how": "INSERTED", "is_first_reply": True, "case_id": message.case_id, "question": message, "at": now}
    return SolutionUse.objects.create(solution=solution, **{**given, **facts})


@pytest.fixture
def taught(leak, invoice, arrive, now):
    """Agents answered with the solution that the words name; sixty of the cases are held back, some two hundred teach."""
    n_held_back = 0
    while n_held_back < 60:
        text, solution = (QUESTION, leak) if n_held_back % 2 else ("怎么补开发票", invoice)
        message = arrive(text)
        use_of(solution, message, now)
        n_held_back += is_held_back(message.pk)


def test_a_library_that_nobody_used_yet_is_trusted_with_nothing(is_on, leak, invoice, arrive, now):
    AutomaticReplies.objects.update(threshold=0.01)
    message = arrive("热水器漏水")
    assert answering.look_at_new_cases(now=now) == 0
    noted = Suggested.objects.get()
    assert (noted.solution_id, noted.is_sure) == (leak.pk, False) and noted.probability > 0.9
    assert is_untouched(message)


def test_the_job_notes_the_likeliest_solution_once_and_answers_what_is_sure(is_on, taught, leak, arrive, now):
    Case.objects.update(opened_at=now - timedelta(days=2))
    AutomaticReplies.objects.update(threshold=0.5)
    message = arrive("热水器漏水")
    assert (answering.look_at_new_cases(now=now), answering.look_at_new_cases(now=now)) == (1, 0)
    noted = Suggested.objects.get()
    assert (noted.case_id, noted.solution_id, noted.is_sure) == (message.case_id, leak.pk, True)
    assert SolutionUse.objects.filter(how="AUTO").count() == 1


def test_the_threshold_comes_from_held_back_cases_and_is_taken_back_with_them(taught, cast, leak, now):
    automatic.derive_threshold(now=now)
    policy = automatic.switch_on(viewer=cast.viewer(cast.owner), now=now)
    assert (policy.is_on, policy.manner, policy.n, policy.n_answered, policy.n_right) == (True, "AVERAGE", 60, 60, 60)
    SolutionUse.objects.filter(solution=leak).delete()
    policy = automatic.derive_threshold(now=now)
    assert (policy.is_on, policy.threshold, policy.n, policy.switched_by_name) == (False, None, 30, "Careloop")


def test_offers_that_agents_did_not_take_count_against_the_threshold(taught, leak, arrive, now):
    while SolutionUse.objects.filter(how="SHOWN").count() < 20:
        message = arrive(QUESTION)
        if is_held_back(message.pk):
            use_of(leak, message, now, how="SHOWN")
    policy = automatic.derive_threshold(now=now)
    assert (policy.n, policy.n_not_taken) == (80, 20)
    assert policy.threshold is None or policy.n_answered < 60


def test_automatic_replies_that_did_not_help_count_against_the_threshold(taught, leak, arrive, now):
    counted = 0
    while counted < 20:
        message = arrive(QUESTION)
        use_of(leak, message, now, how="AUTO", has_helped=False)
        counted += is_held_back(message.pk)
    evidence = gather_evidence()
    assert (len(evidence.rows), evidence.n_sent, sum(row.is_right for row in evidence.rows)) == (80, 20, 60)


def test_another_promise_made_meanwhile_is_not_answered_with_the_old_ones_threshold(taught, cast, now, monkeypatch):
    def gather():
        automatic.set_promise(promise=0.9, viewer=cast.viewer(cast.owner), now=now, manner="AT_LEAST")
        return gather_evidence()

    monkeypatch.setattr(automatic, "gather_evidence", gather)
    assert automatic.derive_threshold(now=now).derived_at is None
    assert (automatic.get_policy().promise, automatic.get_policy().threshold) == (0.9, None)


def test_switching_off_takes_back_what_has_not_left_the_house(is_on, cast, leak, arrive, now):
    sent, waiting = arrive(channel_slug=cast.form.slug), arrive(channel_slug=cast.form.slug)
    assert answer(sent, leak, now) and answer(waiting, leak, now)
    item = OutboxItem.objects.get(message__case_id=waiting.case_id)
    delivery.deliver(OutboxItem.objects.get(message__case_id=sent.case_id).pk, now=now)
    automatic.switch_off(viewer=cast.viewer(cast.supervisor), now=now)
    delivery.deliver(item.pk, now=now)
    case = Case.objects.get(pk=waiting.case_id)
    message = case.messages.get(direction="OUTBOUND")
    assert (case.status, case.first_response_at, message.delivery) == ("OPEN", None, "FAILED")
    assert message.delivery_error == "Automatic replies were switched off before it was sent."
    assert len(mail.outbox) == 1 and list(SolutionUse.objects.values_list("case_id", flat=True)) == [sent.case_id]
    assert Case.objects.get(pk=sent.case_id).status == "WAITING"


@pytest.mark.parametrize("mail_of_sender", ["no-reply@shop.example", "service@shop.example", "MAILER-DAEMON@x.example", "bounce@x.example"])
def test_addresses_that_nobody_reads_and_our_own_get_no_answer(is_on, leak, arrive, now, settings, mail_of_sender):
    settings.DEFAULT_FROM_EMAIL = "service@shop.example"
    message = arrive(addresses=(AddressValue("EMAIL", mail_of_sender),))
    assert not answer(message, leak, now) and is_untouched(message)


def test_a_reply_that_needs_an_order_which_is_not_named_is_not_sent(is_on, leak, arrive, now):
    leak.texts.update(reply="订单 {{order.number}} 今天退款。")
    message = arrive()
    assert not answer(message, leak, now) and is_untouched(message)
    understand([message.pk], now=now)
    assert answer(message, leak, now)
    assert "订单 20418837 今天退款。" in Message.objects.get(direction="OUTBOUND").body


def test_what_became_of_automatic_replies_counts(is_on, leak, arrive, now):
    for has_helped in (True, True, False, None):
        message = arrive()
        facts = {"case_id": message.case_id, "question": message, "how": "AUTO", "has_helped": has_helped, "at": now}
        SolutionUse.objects.create(solution=leak, **facts)
    work = automatic.measure_at_work()
    assert (work.n, work.n_judged, work.n_helped) == (4, 3, 2)
