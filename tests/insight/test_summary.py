"""Summaries: the sentences that say most, in order, within the length; of conversations what was asked, promised and left open."""

import time
from datetime import datetime

import pytest

from careloop.insight.text.conversation import find_due, summarise_conversation
from careloop.insight.text.letters import is_courtesy, strip_letter
from careloop.insight.text.sentences import split_sentences
from careloop.insight.text.summary import summarise

LETTER = """Dear support team,

I bought a vacuum cleaner from your Leeds shop on 3 May. The vacuum cleaner stopped working after two weeks and the motor smells of burning.
The weather has been lovely, by the way. I would like a full refund of £129.99, because the vacuum cleaner is dangerous.
I would like a full refund of £129.99, because this vacuum cleaner is dangerous!

Kind regards,
Ann Smith
Sent from my iPhone

On Mon, 1 Jun 2026 at 10:00, Shop <help@shop.example> wrote:
> Our refund policy for a vacuum cleaner is long.
"""
BRIEF = (
    "您好，客服。我五月三号在你们店买了一台热水器。热水器装上第二天就漏水，地板都泡坏了。今天天气不错。"
    "打了三次客服电话都没人处理热水器漏水的问题。我要求退款并赔偿地板损失。我要求退款并且赔偿地板损失！谢谢。"
)


def test_a_letter_is_told_without_greeting_signature_quoted_mail_and_repetition():
    summary = summarise(LETTER, characters=200)
    assert "I would like a full refund of £129.99, because the" in summary
    assert summary.count("full refund") == 1
    assert not any(word in summary for word in ("Dear", "regards", "Ann Smith", "iPhone", "policy", "weather", "wrote"))
    assert len(summary) <= 200


def test_a_chinese_letter_keeps_the_order_of_its_sentences():
    summary = summarise(BRIEF, characters=80)
    assert len(summary) <= 80
    assert "漏水" in summary
    assert summary.count("赔偿") <= 1
    assert not any(word in summary for word in ("您好", "天气", "谢谢"))
    places = [BRIEF.index(sentence) for sentence in split_sentences(summary)]
    assert places == sorted(places)


@pytest.mark.parametrize("characters", [1, 2, 5, 20, 33, 60, 120, 500])
@pytest.mark.parametrize("text", [LETTER, BRIEF, "漏水" * 300, "x" * 900, "一句。" * 200, "a b. " * 200])
def test_the_length_asked_for_is_never_exceeded(text, characters):
    assert 0 < len(summarise(text, characters=characters)) <= characters


@pytest.mark.parametrize(
    ("text", "expected"), [("", ""), (" \n", ""), ("。。。", ""), ("👍", "👍"), ("好", "好"), ("退款", "退款"), ("\x00", "")]
)
def test_short_texts_are_their_own_summary(text, expected):
    assert summarise(text) == expected


def test_no_sentence_is_said_twice():
    text = "物流太慢了，等了十天。" * 30 + "客服态度也很差，没有人回复消息。" * 30
    assert summarise(text, characters=400) == "物流太慢了，等了十天。客服态度也很差，没有人回复消息。"


@pytest.mark.parametrize("text", ["退款什么时候到账？我等了三天。" * 70_000, "x" * 1_000_000, "。" * 1_000_000, "\n> a" * 250_000])
def test_a_million_characters_take_seconds(text):
    began = time.process_time()
    assert len(summarise(text)) <= 120
    assert time.process_time() - began < 8.0


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Lee paid 3.50. It broke.", ["Mr. Lee paid 3.50.", "It broke."]),
        ("see www.a.com/b.html now. Ok", ["see www.a.com/b.html now.", "Ok"]),
        ("坏了！怎么办？等；回复", ["坏了！", "怎么办？", "等；", "回复"]),
        ("他说“不退。”我走了", ["他说“不退。”", "我走了"]),
        ("a &quot;deal&quot; it was", ["a &quot;deal&quot; it was"]),
        ("...", []),
    ],
)
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize("text", ["谢谢", "好的~", "Thanks a lot!", "您好", "Hi there,", "请问还有什么可以帮您？"])
def test_courtesies_are_told_from_matters(text):
    assert is_courtesy(text)
    assert not is_courtesy(f"{text} 退款 refund 12")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Hi Tom,\nthe lamp broke.\n-- \nJo", "the lamp broke."),
        ("灯坏了\n发自我的iPhone", "灯坏了"),
        ("灯坏了\n-----原始邮件-----\n发件人：客服", "灯坏了"),
        ("灯坏了\n在 2026年5月1日，客服写道：\n> 您好", "灯坏了"),
        ("thanks\nfor nothing, the lamp broke again\nand again", "thanks\nfor nothing, the lamp broke again\nand again"),
        ("Hello", ""),
    ],
)
def test_letters_are_stripped(text, rest):
    assert strip_letter(text) == rest


NOON = datetime(2026, 11, 18, 12)  # a Wednesday


@pytest.mark.parametrize(
    ("sentence", "due"),
    [
        ("24小时内回复您", "2026-11-19"),
        ("3-5个工作日内到账", "2026-11-25"),
        ("within two days", "2026-11-20"),
        ("within 3 business days", "2026-11-23"),
        ("明天给您寄出", "2026-11-19"),
        ("by next Friday", "2026-11-27"),
        ("我们会处理", None),
    ],
)
def test_promises_have_a_day(sentence, due):
    assert find_due(sentence, NOON) == due


# Our own conversations: turns, then what was asked, promised (with its day) and left open.
CONVERSATIONS = {
    "refund, answered": (
        [("客户", "你好，我的退款什么时候到账？"), ("客服", "您好，退款已经提交，我们会在3个工作日内原路退回。"), ("客户", "好的谢谢")],
        ["我的退款什么时候到账？"], [("退款已经提交，我们会在3个工作日内原路退回。", "2026-11-23")], [],
    ),
    "agent never came back": (
        [("客户", "订单12345678怎么还没发货？"), ("客服", "请稍等，我帮您查一下。")],
        ["订单12345678怎么还没发货？"], [], ["订单12345678怎么还没发货？"],
    ),
    "two questions, one answered": (
        [("客户", "这个锅能用洗碗机吗？保修几年？"), ("客服", "保修两年。")],
        ["这个锅能用洗碗机吗？", "保修几年？"], [], ["这个锅能用洗碗机吗？"],
    ),
    "asked again": (
        [("客户", "发票怎么开？"), ("客服", "在订单页申请。"), ("客户", "还是没有收到发票"), ("客户", "发票怎么开？")],
        ["发票怎么开？"], [], ["发票怎么开？"],
    ),
    "promise without question": (
        [("客户", "热水器漏水，地板泡坏了。"), ("客服", "非常抱歉。"), ("客服", "明天上午安排师傅上门，我们会联系您。")],
        [], [("明天上午安排师傅上门，我们会联系您。", "2026-11-19")], [],
    ),
    "request and compensation": (
        [("买家", "我要求退货并赔偿运费"), ("卖家", "可以的，这边马上为您办理退货，运费明天退给您。")],
        ["我要求退货并赔偿运费"], [("可以的，这边马上为您办理退货，运费明天退给您。", "2026-11-19")], [],
    ),
    "traditional": (
        [("客户", "請問什麼時候發貨？"), ("客服", "我們會盡快為您發貨，預計後天送達。")],
        ["請問什麼時候發貨？"], [("我們會盡快為您發貨，預計後天送達。", "2026-11-20")], [],
    ),
    "english, answered with a promise": (
        [("customer", "Hi, where is my order 12345?"),
         ("agent", "Hello! It left our warehouse today and you will receive it by Friday."), ("customer", "thanks")],
        ["where is my order 12345?"], [("It left our warehouse today and you will receive it by Friday.", "2026-11-20")], [],
    ),
    "english, only an apology": (
        [("customer", "Why was I charged twice?"), ("agent", "I'm so sorry about that."), ("agent", "One moment, let me check.")],
        ["Why was I charged twice?"], [], ["Why was I charged twice?"],
    ),
    "english, question back": (
        [("customer", "Can you cancel my booking?"), ("agent", "What is your booking number?")],
        ["Can you cancel my booking?"], [], ["Can you cancel my booking?"],
    ),
    "english, two promises": (
        [("customer", "The kettle leaks. I want a replacement."),
         ("agent", "We'll send a new kettle within two days. I will also refund the postage tomorrow.")],
        ["I want a replacement."],
        [("We'll send a new kettle within two days.", "2026-11-20"), ("I will also refund the postage tomorrow.", "2026-11-19")], [],
    ),
    "english, still waiting": (
        [("customer", "When will the engineer come?"),
         ("agent", "The engineer will call you tomorrow."), ("customer", "Nobody called. I am still waiting.")],
        ["When will the engineer come?"], [("The engineer will call you tomorrow.", "2026-11-19")], ["When will the engineer come?"],
    ),
    "notes are passed over": (
        [("note", "Will wait?"), ("customer", "Is the shop open on Sunday?"), ("system", "taken"), ("agent", "Yes, from ten to six.")],
        ["Is the shop open on Sunday?"], [], [],
    ),
    "small talk": ([("客户", "你好"), ("客服", "您好，请问有什么可以帮您？"), ("客户", "没事了谢谢")], [], [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(name):
    turns, asked, promised, left_open = CONVERSATIONS[name]
    found = summarise_conversation([(role, text, NOON) for role, text in turns])
    assert [point.text for point in found.asked] == asked
    assert [(point.text, point.due) for point in found.promised] == promised
    assert [point.text for point in found.open] == left_open


@pytest.mark.parametrize("characters", [1, 10, 25, 60, 300])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_text_of_a_conversation_keeps_its_length(name, characters):
    turns, *_ = CONVERSATIONS[name]
    text = summarise_conversation(turns, characters=characters).text
    assert len(text) <= characters


def test_the_text_names_what_is_open_first_served_when_there_is_little_room():
    turns, *_ = CONVERSATIONS["english, still waiting"]
    timed = [(role, text, NOON) for role, text in turns]
    assert summarise_conversation(timed).text == (
        "Promised: The engineer will call you tomorrow. (2026-11-19)\nOpen: When will the engineer come?"
    )
    assert summarise_conversation(timed, characters=40).text == "Open: When will the engineer come?"  # the promise has no room
    turns, *_ = CONVERSATIONS["refund, answered"]
    assert summarise_conversation(turns).text == "客户问：我的退款什么时候到账？\n承诺：退款已经提交，我们会在3个工作日内原路退回。"


def test_a_long_conversation_takes_linear_time():
    names = [f"{first}{second}" for first in "甲乙丙丁戊己庚辛壬癸" for second in "子丑寅卯辰巳午未申酉"] * 8
    turns = [turn for name in names for turn in (("客户", f"{name}号箱子在哪个仓库里？"), ("客服", f"{name}在北边。"))]
    began = time.process_time()
    summarise_conversation(turns)
    assert time.process_time() - began < 8.0
