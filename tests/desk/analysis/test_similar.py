"""Cases like a case: candidates by words, order by meaning, near-repetitions, outcome, scope."""

from datetime import timedelta

import numpy as np
import pytest

from careloop.desk.analysis import case_vectors
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.case_vectors import StoredVectors, VectorsMissing
from careloop.desk.analysis.models import TextVector
from careloop.desk.analysis.similar_queries import list_similar
from careloop.desk.analysis.vectors import hash_of
from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.search.sharing import find_sharing
from careloop.insight.text.similarity import semantic

pytestmark = pytest.mark.django_db
LEAK = "热水器漏水，我要求退款。订单 20418837"


@pytest.fixture
def open_case(inbound, now):
    """Opens a case of its own customer with one message, read by the engine."""

    def open_case(text: str, *, at=now, **facts) -> Case:
        number = Case.objects.count()
        given = {"external_id": f"s-{number}", "text": text, "sent_at": at, "addresses": (AddressValue("EMAIL", f"c{number}@example.com"),)}
        receipt = receive_message(inbound(**{**given, **facts}), now=at)
        understand([receipt.message_id], now=at)
        return Case.objects.get(pk=receipt.case_id)

    return open_case


@pytest.fixture
def means(monkeypatch):
    """Gives texts vectors: axis 0 is one meaning, axis 1 another."""
    name = StoredVectors().name
    monkeypatch.setitem(semantic._CENTRES, name, np.zeros(384, dtype=np.float32))

    def means(text: str, *shares: float) -> None:
        vector = np.zeros(384, dtype="<f2")
        vector[: len(shares)] = shares
        TextVector.objects.create(
            encoder=name, text_hash=hash_of(text), vector=(vector / np.linalg.norm(vector.astype(float))).astype("<f2").tobytes()
        )

    return means


def found(cast, case, who="agent") -> list:
    return [one.case.pk for one in list_similar(case.pk, cast.viewer(getattr(cast, who))).found]


def test_cases_that_share_distinctive_words_are_found_and_others_not(cast, open_case):
    case = open_case(LEAK)
    like = open_case("新买的热水器一直漏水，想退款")
    open_case("衣服颜色很好看，谢谢")
    assert found(cast, case) == [like.pk]


def test_a_message_is_found_as_soon_as_it_has_arrived(cast, open_case, inbound, now):
    case = open_case(LEAK)
    assert found(cast, case) == []
    receipt = receive_message(
        inbound(external_id="new", text="我家热水器也漏水", addresses=(AddressValue("EMAIL", "x@example.com"),)), now=now
    )
    assert found(cast, case) == [receipt.case_id]


def test_almost_the_same_text_comes_first_and_says_how_much_earlier(cast, open_case, now):
    open_case("热水器漏水漏水漏水，热水器漏水，求退款退款", at=now - timedelta(days=1))
    twin = open_case("热水器漏水, 我要求退款!订单20418837", at=now - timedelta(minutes=3))
    case = open_case(LEAK)
    first = list_similar(case.pk, cast.viewer(cast.agent)).found[0]
    assert (first.case.pk, first.is_almost_the_same, first.gap) == (twin.pk, True, timedelta(minutes=-3))


def test_a_follow_up_that_everybody_writes_is_no_repetition(cast, open_case, inbound, now):
    case, other = open_case(LEAK), open_case("热水器漏水漏水，漏到楼下了，退款")
    for number, address in enumerate(("c0@example.com", "c1@example.com")):
        later = inbound(
            external_id=f"any-news-{number}", text="在吗？热水器漏水的事情怎么样了", addresses=(AddressValue("EMAIL", address),)
        )
        understand([receive_message(later, now=now).message_id], now=now)
    similar = list_similar(case.pk, cast.viewer(cast.agent)).found
    assert [(one.case.pk, one.is_almost_the_same) for one in similar] == [(other.pk, False)]


def test_meaning_decides_among_cases_that_share_words(cast, open_case, means):
    texts = ["热水器漏水了怎么办", "热水器怎么安装才不会漏水", "热水器边上渗出水来，地板都湿了，漏水严重"]
    case, *others = [open_case(text) for text in texts]
    for text, shares in zip(texts, [(1, 0), (0, 1), (1, 0.1)], strict=True):
        means(text, *shares)
    similar = list_similar(case.pk, cast.viewer(cast.agent))
    assert (similar.by_meaning, similar.found[0].case.pk) == (True, others[1].pk)


def test_without_vectors_words_decide_and_it_is_said(cast, open_case):
    case = open_case(LEAK)
    open_case("热水器漏水，退款")
    assert list_similar(case.pk, cast.viewer(cast.agent)).by_meaning is False


def test_the_reply_that_solved_a_case_is_shown_of_resolved_ones_only(cast, open_case, now):
    solved, waiting, case = open_case("热水器漏水，退款吧"), open_case("热水器又漏水，要退款"), open_case(LEAK)
    for one, status in ((solved, "RESOLVED"), (waiting, "WAITING")):
        reply_to_case(case_id=one.pk, body="请先关阀门。", viewer=cast.viewer(cast.agent), now=now, status="WAITING")
        reply_to_case(case_id=one.pk, body="师傅已换密封圈，\n费用全免。", viewer=cast.viewer(cast.agent), now=now, status=status)
    replies = {one.case.pk: one.reply for one in list_similar(case.pk, cast.viewer(cast.agent)).found}
    assert replies == {solved.pk: "师傅已换密封圈， 费用全免。", waiting.pk: ""}


def test_other_teams_cases_are_out_of_sight(cast, open_case):
    case = open_case(LEAK)
    theirs = open_case("热水器漏水，要求退款", channel_slug="wholesale")
    assert found(cast, case) == []
    assert found(cast, case, "owner") == [theirs.pk]


def test_an_unread_case_says_so(cast, inbound, now):
    receipt = receive_message(inbound(), now=now)
    similar = list_similar(receipt.case_id, cast.viewer(cast.agent))
    assert (similar.is_read, similar.found) == (False, [])


def test_the_number_of_queries_is_fixed(cast, open_case, means, django_assert_num_queries):
    case = open_case(LEAK)
    means(LEAK, 1)
    viewer = cast.viewer(cast.agent)
    for text in ("热水器漏水，退款一", "热水器漏水，退款二", "热水器漏水，退款三"):
        open_case(text)
        with django_assert_num_queries(9):
            list_similar(case.pk, viewer)


def test_words_that_would_break_a_query_find_nothing_else(cast, open_case):
    case = open_case(LEAK)
    words = ['"', "a' OR 1=1 --", "漏水", "NEAR(", "*", "", "热水器"]
    team = frozenset({cast.team.pk})
    assert [one.case_id for one in find_sharing(words, besides_case=0, team_ids=team, most=9)] == [case.pk]
    assert find_sharing(words, besides_case=case.pk, team_ids=team, most=9) == []
    assert find_sharing(words, besides_case=0, team_ids=frozenset(), most=9) == []
    assert find_sharing([], besides_case=0, team_ids=None, most=9) == []


def test_two_words_together_are_worth_more_than_one(cast, open_case):
    one, both = open_case("热水器声音大"), open_case("热水器漏水")
    found = find_sharing(["热水器", "漏水"], besides_case=0, team_ids=None, most=9)
    assert [hit.case_id for hit in found] == [both.pk, one.pk]


class Counting:
    """An encoder that counts what it is asked."""

    name, dimensions = StoredVectors().name, 384

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode(self, texts):
        self.encoded += texts
        return np.ones((len(texts), 384), dtype=np.float32) / np.sqrt(384)


def test_the_worker_keeps_vectors_of_the_newest_messages_a_few_at_a_time_and_once(cast, open_case, monkeypatch):
    encoder = Counting()
    monkeypatch.setattr("careloop.desk.analysis.vectors.house_encoder", lambda: encoder)
    monkeypatch.setattr(case_vectors, "guess_centre", lambda _encoder: None)
    texts = ["第一条消息", "第二条消息", "第三条消息"]
    for text in (*texts, texts[0]):
        open_case(text)
    assert case_vectors.keep_newest(2) == (2, True)
    assert case_vectors.keep_newest(2) == (1, False)
    assert case_vectors.keep_newest(2) == (0, False)
    assert sorted(encoder.encoded) == sorted(texts)


def test_stored_vectors_never_encode(cast):
    with pytest.raises(VectorsMissing):
        StoredVectors().encode(["没有"])
