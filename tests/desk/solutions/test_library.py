"""The library: saving, versions, scope, search, ranking for a case, what the nightly trimming leaves."""

from datetime import date, timedelta

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.analysis import case_vectors
from careloop.desk.analysis.models import TextVector
from careloop.desk.analysis.topic_models import MessageTopic, Topic, TopicRun
from careloop.desk.analysis.vector_trimming import texts_in_use
from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.notices.models import Notice
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.solutions.actions import Facts, Wording, keep_vectors, record_vote, remind_of_reviews
from careloop.desk.solutions.gaps import list_topic_gaps
from careloop.desk.solutions.models import HelpVote, Solution, SolutionUse, SolutionVersion, Suggested, Taken
from careloop.desk.solutions.queries import (
    Wanted,
    access_solution,
    draft_of,
    examples_of,
    library,
    list_alike,
    list_help,
    offers,
    worth_of_all,
)
from careloop.desk.solutions.queueing import restore_version, save_solution
from careloop.desk.solutions.using import judge_uses, note_uses, take
from tests.desk.analysis.conftest import LetterEncoder
from tests.desk.solutions.conftest import INVOICE

pytestmark = pytest.mark.django_db


def titles(page):
    return [row.text.title for row in page.rows]


def listed(cast, now, **wanted):
    return titles(library(Wanted(**wanted), cast.viewer(cast.agent), now.date()))


def test_each_save_is_a_version_and_an_earlier_one_comes_back(cast, write, invoice, now):
    viewer = cast.viewer(cast.supervisor)
    changed = {"zh": Wording("发票", "新的做法", "好"), "en": Wording()}
    save_solution(facts=Facts(changed, status="ARCHIVED"), viewer=viewer, now=now, solution_id=invoice.pk, expected_version=1)
    assert access_solution(invoice.pk, viewer).texts.count() == 1
    restore_version(solution_id=invoice.pk, number=1, viewer=viewer, now=now)
    back = access_solution(invoice.pk, viewer)
    assert (back.version, back.status, back.categories, back.slug) == (3, "PUBLISHED", ["invoice"], "ask-for-an-invoice")
    assert {one.language: one.title for one in back.texts.all()} == {"zh": "补开发票", "en": "Ask for an invoice"}
    assert list(SolutionVersion.objects.order_by("number").values_list("number", "saved_by_name")) == [(n, "Sun") for n in (1, 2, 3)]
    assert Job.objects.filter(task__contains="solutions.tasks.keep_vectors").count() == 1


def test_the_second_writer_is_told_and_nothing_changes(cast, invoice, now):
    facts = Facts({"zh": Wording("发票", "别的", "")})
    with pytest.raises(Conflict, match="Sun saved version 1"):
        save_solution(facts=facts, viewer=cast.viewer(cast.owner), now=now, solution_id=invoice.pk, expected_version=0)
    assert Solution.objects.get().version == 1 and SolutionVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({}, "form"),
        ({"zh": Wording("", "x", "")}, "title_zh"),
        ({"en": Wording("x", "", "")}, "body_en"),
        ({"en": Wording("x" * 161, "x", "")}, "title_en"),
        ({"en": Wording("x", "", "{{customer.birthday}}")}, "reply_en"),
        ({"fr": Wording("x", "x", "x")}, "form"),
    ],
)
def test_what_cannot_be_saved_names_its_field_and_changes_nothing(cast, now, texts, field):
    with pytest.raises(InvalidInput) as refused:
        save_solution(facts=Facts(texts), viewer=cast.viewer(cast.supervisor), now=now)
    assert refused.value.field == field
    assert not Solution.objects.exists() and not SolutionVersion.objects.exists()


def test_agents_do_not_write_and_other_teams_do_not_see(cast, write, now):
    with pytest.raises(NotAllowed):
        write(INVOICE, who="agent")
    solution = write(INVOICE, team_id=cast.team.pk)
    with pytest.raises(NotFound):
        access_solution(solution.pk, cast.viewer(cast.outsider))
    with pytest.raises(InvalidInput, match="not one of yours"):
        write(INVOICE, team_id=cast.other_team.pk)
    assert Solution.objects.count() == 1


def test_search_finds_two_chinese_characters_and_english_in_either_language(cast, invoice, leak, now):
    assert listed(cast, now, query="发票") == ["Ask for an invoice"]
    assert listed(cast, now, query="漏水") == listed(cast, now, query="valve") == ["The water heater leaks"]
    assert listed(cast, now, query="退货") == []
    assert listed(cast, now, category="invoice") == ["Ask for an invoice"]
    assert listed(cast, now, status="DRAFT") == []


def test_reviews_that_are_due_are_flagged_and_told_once(cast, write, now):
    write(INVOICE, review_on=date(2026, 5, 4))
    write(INVOICE, review_on=date(2026, 5, 5))
    page = library(Wanted(is_due=True), cast.viewer(cast.agent), now.date())
    assert (page.n_due, [row.is_due for row in page.rows]) == (1, [True])
    assert remind_of_reviews(now=now) == remind_of_reviews(now=now) == 1
    told = User.objects.filter(pk__in=Notice.objects.filter(kind="SOLUTION").values("user"))
    assert sorted(told.values_list("display_name", flat=True)) == ["Olga", "Sun"] and Notice.objects.count() == 2


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def test_the_likeliest_solution_comes_first_by_words_while_no_vectors_are_kept(cast, case, invoice, leak, now):
    found = offers(case.pk, cast.viewer(cast.agent), now)
    assert found.offers[0].row.solution.pk == leak.pk and not found.ranked.by_meaning
    assert found.offers[0].reply == "请先断电并关闭进水阀，我们今天安排师傅上门。"
    assert [one.row.solution.pk for one in offers(case.pk, cast.viewer(cast.agent), now, "发票").offers] == [invoice.pk]


def test_no_screen_loads_the_encoder(cast, case, leak, now, monkeypatch):
    def refuse():
        raise AssertionError("a screen asked for the encoder")

    monkeypatch.setattr("careloop.desk.analysis.vectors.house_encoder", refuse)
    assert offers(case.pk, cast.viewer(cast.agent), now).offers
    library(Wanted(query="发票"), cast.viewer(cast.agent), now.date())


def test_meaning_decides_once_the_worker_has_made_the_vectors(cast, case, invoice, leak, now, monkeypatch):
    small = LetterEncoder()
    monkeypatch.setattr("careloop.desk.analysis.vectors.house_encoder", lambda: small)
    monkeypatch.setattr("careloop.desk.analysis.case_vectors.house_encoder_name", lambda: small.name)
    keep_vectors()
    case_vectors.keep_newest()
    found = offers(case.pk, cast.viewer(cast.agent), now)
    assert found.ranked.by_meaning and found.offers[0].row.solution.pk == leak.pk


def test_drafts_of_another_team_and_unpublished_ones_are_not_offered(cast, case, write, now):
    write(INVOICE, status="DRAFT")
    write(INVOICE, who="owner", team_id=cast.other_team.pk)
    found = offers(case.pk, cast.viewer(cast.agent), now)
    assert (found.offers, found.has_library) == ([], False)


def test_a_draft_is_a_whole_letter_in_the_customers_language(cast, case, invoice):
    _case, _solution, text = draft_of(case.pk, invoice.pk, cast.viewer(cast.agent))
    assert text.startswith("林晓彤，您好：\n\n电子发票今天会发到您的邮箱，工单 ") and text.endswith("Chen")


TOLD = "请先断电并关闭进水阀，我们今天安排师傅上门。"


@pytest.fixture
def use(cast, case, leak, now):
    """The solution was taken into the first reply."""

    def use(body=TOLD, solution=leak, at=now):
        viewer = cast.viewer(cast.agent)
        take(case_id=case.pk, solution_id=solution.pk, viewer=viewer, now=at)
        reply_to_case(case_id=case.pk, body=body, viewer=viewer, now=at)
        return note_uses(now=at)

    return use


def test_a_use_is_noted_when_the_reply_is_sent_and_only_if_it_was_kept(cast, case, use, invoice, leak, now):
    assert use() == 1
    told = SolutionUse.objects.values_list("solution_id", "how", "is_first_reply", "who_id", "question__body")
    assert list(told) == [(leak.pk, "INSERTED", True, cast.agent.pk, "热水器漏水，我要求退款。订单 20418837")]
    assert case.events.filter(kind="SOLUTION").get().after == {"solution": leak.pk, "title": "The water heater leaks"}
    assert use("另外，我们会回访。", invoice) == 0
    assert SolutionUse.objects.count() == 1 and not Taken.objects.exists()


def test_what_is_taken_and_never_sent_is_forgotten_after_a_week(cast, case, leak, now):
    take(case_id=case.pk, solution_id=leak.pk, viewer=cast.viewer(cast.agent), now=now)
    assert (note_uses(now=now + timedelta(days=6)), Taken.objects.count()) == (0, 1)
    assert (note_uses(now=now + timedelta(days=8)), Taken.objects.count()) == (0, 0)


def test_outsiders_and_analysts_take_nothing(cast, case, leak, now):
    for who, refusal in ((cast.outsider, NotFound), (cast.analyst, NotAllowed)):
        with pytest.raises(refusal):
            take(case_id=case.pk, solution_id=leak.pk, viewer=cast.viewer(who), now=now)
    assert not Taken.objects.exists()


def test_a_confident_offer_that_was_not_taken_is_noted_as_shown(cast, case, leak, now):
    message = case.messages.get()
    Suggested.objects.create(case=case, message=message, solution=leak, probability=0.8, is_sure=True, at=now)
    assert note_uses(now=now) == 0
    reply_to_case(case_id=case.pk, body="我们看一下。", viewer=cast.viewer(cast.agent), now=now)
    assert (note_uses(now=now), note_uses(now=now)) == (1, 0)
    assert SolutionUse.objects.values_list("how", "probability").get() == ("SHOWN", 0.8)


def test_whether_it_helped_follows_the_customer(case, use, inbound, now):
    use()
    assert (judge_uses(now=now + timedelta(days=1)), SolutionUse.objects.get().has_helped) == (0, None)
    assert (judge_uses(now=now + timedelta(days=8)), SolutionUse.objects.get().has_helped) == (1, True)
    later = now + timedelta(days=2)
    receive_message(inbound(external_id="m-2", text="还是漏水", sent_at=later), now=later)
    assert (judge_uses(now=now + timedelta(days=8)), SolutionUse.objects.get().has_helped) == (1, False)


def test_earlier_uses_teach_the_ranking(cast, case, invoice, leak, inbound, now, monkeypatch):
    monkeypatch.setattr("careloop.desk.analysis.rules.is_held_back", lambda _number: False)
    viewer = cast.viewer(cast.agent)
    assert offers(case.pk, viewer, now).offers[0].row.solution.pk == leak.pk
    for number in range(4):
        receipt = receive_message(inbound(external_id=f"u-{number}", text="热水器漏水，我要求退款", sender_name=f"C{number}"), now=now)
        SolutionUse.objects.create(solution=invoice, case_id=receipt.case_id, question_id=receipt.message_id, how="INSERTED", at=now)
    assert offers(case.pk, viewer, now).offers[0].row.solution.pk == invoice.pk


def test_help_pages_list_what_is_published_and_public(cast, write, invoice, now):
    write(INVOICE, status="DRAFT")
    write(INVOICE, is_public=False)
    assert [row.solution.pk for row in list_help("发票")] == [row.solution.pk for row in list_help("")] == [invoice.pk]


def test_a_visitor_counts_once(invoice, now):
    assert record_vote(slug=invoice.slug, visitor="a", has_helped=True, now=now)
    assert not record_vote(slug=invoice.slug, visitor="a", has_helped=False, now=now)
    assert record_vote(slug=invoice.slug, visitor="b", has_helped=False, now=now)
    assert sorted(HelpVote.objects.values_list("has_helped", flat=True)) == [False, True]


def test_the_librarys_texts_keep_their_vectors(invoice):
    assert "补开发票 在订单页申请补开发票，电子发票当天发到邮箱。" in set(texts_in_use())
    assert not TextVector.objects.exists()


def test_gaps_by_topic_count_cases_not_messages(cast, inbound, leak, now):
    run = TopicRun.objects.create(state="LIVE", started_at=now, finished_at=now)
    topic = Topic.objects.create(created_at=now)
    found = []
    for number in range(4):
        address = (AddressValue("EMAIL", f"t{number}@example.com"),)
        for part in ("a", "b"):
            found.append(receive_message(inbound(external_id=f"t-{number}{part}", addresses=address), now=now))
            MessageTopic.objects.create(run=run, message_id=found[-1].message_id, topic=topic, probability=1)
    SolutionUse.objects.create(solution=leak, case_id=found[0].case_id, how="INSERTED", at=now)
    viewer = cast.viewer(cast.agent)
    assert [(one.topic_id, one.n_cases, one.n_without) for one in list_topic_gaps(viewer, now)] == [(topic.pk, 4, 3)]
    assert list_topic_gaps(cast.viewer(cast.outsider), now) == []


def test_saving_tells_of_solutions_that_say_nearly_the_same(cast, write, invoice, leak):
    twin = write({"zh": Wording(INVOICE["zh"].title + "！", INVOICE["zh"].body, INVOICE["zh"].reply)})
    found = list_alike(twin)
    assert [(text.solution_id, share) for text, share in found] == [(invoice.pk, 1.0)]
    assert list_alike(leak) == []
    Solution.objects.filter(pk=invoice.pk).update(status="ARCHIVED")
    assert list_alike(twin) == []


def test_the_longest_article_is_kept_whole_and_a_longer_one_refused(cast, write, case, now):
    solution = write({"zh": Wording("漏水", "水" * 20_000, "")})
    assert len(offers(case.pk, cast.viewer(cast.agent), now).offers[0].reply) == 20_000
    with pytest.raises(InvalidInput, match="longer than 20000 characters") as refused:
        write({"zh": Wording("漏水", "水" * 20_001, "")})
    assert refused.value.field == "body_zh" and Solution.objects.get().pk == solution.pk


def test_an_article_in_one_language_only_is_offered_as_such(cast, write, case, now):
    write({"en": Wording("The water heater leaks (热水器漏水)", "Close the valve.", "Please close the valve.")})
    (offer,) = offers(case.pk, cast.viewer(cast.agent), now).offers
    assert (offer.language, offer.is_foreign, offer.reply) == ("en", True, "Please close the valve.")
    _case, _solution, text = draft_of(case.pk, offer.row.solution.pk, cast.viewer(cast.agent))
    assert text.startswith("Dear 林晓彤,\n\nPlease close the valve.\n\nYour case is #")


def test_a_solution_that_was_withdrawn_or_deleted_since_it_was_offered_is_not_used(cast, case, leak, now):
    viewer = cast.viewer(cast.agent)
    Suggested.objects.create(case=case, message=case.messages.get(), solution=leak, probability=0.8, is_sure=True, at=now)
    Solution.objects.filter(pk=leak.pk).update(status="ARCHIVED")
    with pytest.raises(Conflict, match="withdrawn in the meantime"):
        take(case_id=case.pk, solution_id=leak.pk, viewer=viewer, now=now)
    with pytest.raises(Conflict, match="withdrawn in the meantime"):
        draft_of(case.pk, leak.pk, viewer)
    leak.delete()
    assert offers(case.pk, viewer, now).offers == [] and not Suggested.objects.exists()
    with pytest.raises(NotFound):
        take(case_id=case.pk, solution_id=leak.pk, viewer=viewer, now=now)
    assert not Taken.objects.exists()


def test_what_helped_more_is_offered_earlier_and_held_back_cases_do_not_count(cast, case, write, inbound, now, monkeypatch):
    monkeypatch.setattr("careloop.desk.solutions.queries.is_held_back", lambda _number: False)
    first, second = (write({"zh": Wording("热水器漏水怎么办", "请断电关阀。", text)}) for text in ("好", "行"))
    viewer = cast.viewer(cast.agent)
    assert [one.row.solution.pk for one in offers(case.pk, viewer, now).offers] == [first.pk, second.pk]
    receipts = [receive_message(inbound(external_id=f"h-{n}", sender_name=f"C{n}"), now=now) for n in range(10)]
    messages = [Message.objects.get(pk=one.message_id) for one in receipts]
    for number in range(10):
        record_vote(slug=second.slug, visitor=f"v{number}", has_helped=True, now=now)
        SolutionUse.objects.create(
            solution=first, case_id=messages[number].case_id, question=messages[number], how="AUTO", has_helped=False, at=now
        )
    assert worth_of_all({first.pk, second.pk}) == {first.pk: 0.5, second.pk: 1.5}
    assert [one.row.solution.pk for one in offers(case.pk, viewer, now).offers] == [second.pk, first.pk]
    monkeypatch.setattr("careloop.desk.solutions.queries.is_held_back", lambda _number: True)
    assert worth_of_all({first.pk, second.pk}) == {first.pk: 1.0, second.pk: 1.0}  # visitors' words have no case


def test_probabilities_are_shown_once_thirty_cases_have_taught_them(cast, case, invoice, leak, inbound, now, monkeypatch):
    monkeypatch.setattr("careloop.desk.solutions.queries.is_held_back", lambda _number: False)
    assert [one.probability for one in offers(case.pk, cast.viewer(cast.agent), now).offers] == [None, None]
    for number in range(30):
        solution, text = ((leak, "热水器漏水"), (invoice, "补开发票"))[number % 2]
        receipt = receive_message(inbound(external_id=f"p-{number}", text=text, sender_name=f"C{number}"), now=now)
        SolutionUse.objects.create(solution=solution, case_id=receipt.case_id, question_id=receipt.message_id, how="INSERTED", at=now)
    found = offers(case.pk, cast.viewer(cast.agent), now)
    assert found.ranked.is_calibrated and found.offers[0].probability > 0.9


def test_an_automatic_reply_that_helped_teaches_the_ranking_and_one_that_did_not_does_not(case, leak, now, monkeypatch):
    monkeypatch.setattr("careloop.desk.solutions.queries.is_held_back", lambda _number: False)
    use = SolutionUse.objects.create(solution=leak, case=case, question=case.messages.get(), how="AUTO", at=now, has_helped=False)
    assert examples_of({leak.pk}) == []
    use.has_helped = True
    use.save()
    assert [(one.text, one.solution_id) for one in examples_of({leak.pk})] == [(case.messages.get().body, leak.pk)]
