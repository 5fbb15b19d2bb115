"""Finding: Chinese words inside sentences, English words and beginnings, numbers, names, addresses; the same on both databases."""

import string

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case
from careloop.desk.cases.queries import InboxFilter, inbox
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.search.actions import Searchable, forget, index
from careloop.desk.search.models import SearchDocument
from careloop.desk.search.queries import find, find_messages, matching, one_of
from careloop.desk.search.rules import MAX_TOKENS, phrases, tokens

pytestmark = pytest.mark.django_db

TEXTS = {
    1: "你好，我的热水器漏水了，我要退款，订单 20418837，今天之内回复。",
    2: "林晓彤",
    3: "The kettle leaks. I want my money back for order AB-20418837!",
    4: "退回去的款项没有到账",
    5: "iPhone15手机壳，ＦＵＬＬ ｗｉｄｔｈ，Größe 42，naïve",
    6: "订 单",
}


@pytest.fixture
def library(db):
    index([Searchable("MESSAGE", number, text) for number, text in TEXTS.items()])


def found(query: str) -> set[int]:
    return set(matching(query).values_list("object_id", flat=True))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("退款", {1}),
        ("订单", {1}),
        ("热水器", {1}),
        ("林晓", {2}),
        ("晓彤", {2}),
        ("林彤", set()),
        ("退", {1, 4}),
        ("款", {1, 4}),
        ("水器漏水了", {1}),
        ("款订", set()),
        ("20418837", {1, 3}),
        ("2041", {1, 3}),
        ("0418837", set()),
        ("kettle", {3}),
        ("KETTLE", {3}),
        ("kett", {3}),
        ("ettle", set()),
        ("leaks kettle", {3}),
        ("kettle 退款", set()),
        ("退款 订单 2041", {1}),
        ("退款，订单！", {1}),
        ("ab-20418837", {3}),
        ("手机壳", {5}),
        ("iphone15", {5}),
        ("iphone15手机", {5}),
        ("full width", {5}),
        ("ｆｕｌｌ", {5}),
        ("grösse", {5}),
        ("naïve", {5}),
        ("", set()),
        ("   ", set()),
        ("!?，。", set()),
        ('"退款" OR NOT', set()),
        ("退款')) --", {1}),
        ("退款 & | ! <-> :*", {1}),
        ("\0退款", {1}),
    ],
)
def test_what_a_query_finds(library, query, expected):
    assert found(query) == expected


def test_a_changed_text_is_found_by_its_new_words_only(library):
    index([Searchable("MESSAGE", 1, "现在一切都好")])
    assert (found("退款"), found("一切")) == (set(), {1})
    assert SearchDocument.objects.filter(object_id=1).count() == 1


def test_a_forgotten_subject_is_not_found(library):
    forget("MESSAGE", [1, 3, 999])
    assert (found("退款"), found("kettle"), found("林晓")) == (set(), set(), {2})


def test_subjects_of_different_kinds_share_numbers(library):
    index([Searchable("CUSTOMER", 1, "退款先生", customer_id=1)])
    assert set(matching("退款").values_list("subject", "object_id")) == {("MESSAGE", 1), ("CUSTOMER", 1)}
    forget("CUSTOMER", [1])
    assert set(matching("退款").values_list("subject", "object_id")) == {("MESSAGE", 1)}


def test_indexing_nothing_is_nothing(db):
    index([])
    forget("MESSAGE", [])
    assert SearchDocument.objects.count() == 0


HAN = st.sampled_from("退款订单热水器漏了我要的一二三林晓彤𠮷𫝆㐀龥𬬭𰻝")
MIXED = st.text(st.one_of(HAN, st.sampled_from(" ，。!a1Zé\n-_")), min_size=1, max_size=60)
IN_ONE_TEST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@IN_ONE_TEST
@given(texts=st.lists(MIXED, min_size=1, max_size=6), query=st.text(HAN, min_size=2, max_size=6), data=st.data())
@example(texts=["我要退款", "退 款", "退x款", "退，款"], query="退款", data=None)
def test_two_or_more_characters_are_found_exactly_where_they_stand_side_by_side(db, texts, query, data):
    if data is not None and data.draw(st.booleans()):
        source = data.draw(st.sampled_from(texts))
        runs = ["".join(part) for part in han_runs(source) if len(part) >= 2]
        if runs:
            run = data.draw(st.sampled_from(runs))
            start = data.draw(st.integers(0, len(run) - 2))
            query = run[start : data.draw(st.integers(start + 2, len(run)))]
    SearchDocument.objects.all().delete() if not texts else forget("MESSAGE", list(range(100)))
    index([Searchable("MESSAGE", number, text) for number, text in enumerate(texts)])
    assert found(query) == {number for number, text in enumerate(texts) if query in text}


def han_runs(text: str) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for character in text:
        if ord(character) > 0x3000 and character not in "，。":
            runs[-1].append(character)
        else:
            runs.append([])
    return runs


WORD = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)


@IN_ONE_TEST
@given(texts=st.lists(st.lists(WORD, min_size=1, max_size=6), min_size=1, max_size=5), word=WORD)
@example(texts=[["1e5"], ["0x1F"], ["12e"], ["4G"]], word="1e5")
@example(texts=[["1e5"], ["1e55"], ["12e"], ["4G"]], word="12")
def test_a_word_finds_itself_and_what_it_begins(db, texts, word):
    forget("MESSAGE", list(range(100)))
    index([Searchable("MESSAGE", number, " ".join(words)) for number, words in enumerate(texts)])
    for query in (word, texts[0][0]):
        begins = {
            number
            for number, words in enumerate(texts)
            if any(one.lower() == query.lower() or (len(query) > 1 and one.lower().startswith(query.lower())) for one in words)
        }
        assert found(query) == begins


def test_a_run_becomes_pairs_and_its_last_character():
    assert tokens("我要退款 OK") == ["我要", "要退", "退款", "款", "ok"]
    assert phrases("退款") == [["退款"]]
    assert phrases("要退款 ok") == [["要退", "退款"], ["ok*"]]
    assert phrases("款") == [["款*"]]


def test_very_long_texts_and_words_are_cut_not_refused(db):
    index([Searchable("MESSAGE", 1, "字" * 50_000), Searchable("MESSAGE", 2, "x" * 1_000_000), Searchable("MESSAGE", 3, "a b " * 100_000)])
    assert (found("字字字"), found("x" * 70), found("b")) == ({1}, {2}, {3})
    assert len(tokens("字" * 50_000)) == MAX_TOKENS


def test_what_the_database_cannot_hold_does_not_break_the_index(db):
    index([Searchable("MESSAGE", 1, "a\0b 退\0款 \ud800 \ufeff退款")])
    assert found("退款") == {1}


def searched(cast, viewer, query: str) -> list[str]:
    return [case.subject for case in inbox(InboxFilter(view="all", query=query), viewer).cases]


@pytest.mark.parametrize(
    "query",
    ["退款", "林晓", "20418837", "lin@example.com", "LIN@EXAMPLE.COM", "138 0013 8000", "+86-138-0013-8000", "#{number}", "{number}"],
)
def test_a_case_is_found_by_words_names_numbers_and_exact_addresses(cast, inbound, now, query):
    addresses = (AddressValue("EMAIL", "lin@example.com"), AddressValue("PHONE", "13800138000"))
    receipt = receive_message(inbound(subject="漏水", addresses=addresses), now=now)
    receive_message(
        inbound(external_id="m-2", text="一切都好", sender_name="王", addresses=(AddressValue("EMAIL", "w@x.example"),)), now=now
    )
    assert searched(cast, viewer_of(cast.agent), query.format(number=receipt.case_id)) == ["漏水"]


@pytest.mark.parametrize("frequent_from", [0, 1_000_000])
def test_a_frequent_word_finds_the_same_cases_as_a_rare_one(cast, inbound, now, monkeypatch, frequent_from):
    monkeypatch.setattr("careloop.desk.cases.queries.FREQUENT", frequent_from)
    texts = {"甲": "我要退款", "乙": "一切都好", "丙": "退款，谢谢", "丁": "请问营业时间"}
    for name, text in texts.items():
        sender = "退款先生" if name == "丁" else "王"
        address = AddressValue("EMAIL", f"{ord(name)}@example.com")
        receive_message(inbound(external_id=name, subject=name, text=text, sender_name=sender, addresses=(address,)), now=now)
    assert searched(cast, viewer_of(cast.agent), "退款") == ["丁", "丙", "甲"]


def test_every_hit_counts_however_many_there_are(db):
    index([Searchable("MESSAGE", number, "退款", case_id=number % 7 + 1) for number in range(3_000)], is_new=True)
    index([Searchable("CUSTOMER", 5, "退款先生", customer_id=5), Searchable("MESSAGE", 3_000, "没有工单的退款")])
    hits = find("退款")
    assert (hits.case_ids.count, hits.customer_ids.count, find_messages("退款").count) == (3_000, 1, 3_001)
    assert set(SearchDocument.objects.filter(case_id__in=one_of(hits.case_ids)).values_list("case_id", flat=True)) == {1, 2, 3, 4, 5, 6, 7}
    assert find("！？").case_ids.count == 0


@pytest.mark.parametrize("query", ["退款", "林晓", "lin@example.com", "{number}"])
def test_an_outsider_finds_nothing(cast, inbound, now, query):
    receipt = receive_message(inbound(), now=now)
    assert Case.objects.count() == 1
    assert searched(cast, viewer_of(cast.outsider), query.format(number=receipt.case_id)) == []


@pytest.mark.parametrize("query", ["in@example.com", "lin@example.co", "1380013800"])
def test_a_part_of_an_address_finds_nothing(cast, inbound, now, query):
    receive_message(
        inbound(text="你好", addresses=(AddressValue("EMAIL", "lin@example.com"), AddressValue("PHONE", "13800138000"))), now=now
    )
    assert searched(cast, viewer_of(cast.agent), query) == []
