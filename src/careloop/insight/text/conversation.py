"""A summary of a conversation: who asked what, what was promised for when, what is still open."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from careloop.insight.text.entities import find_entities, resolve_date
from careloop.insight.text.keywords import weigh_words
from careloop.insight.text.letters import is_courtesy, strip_greeting, strip_letter
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sentences import is_same, pair_characters, shorten, split_sentences
from careloop.insight.text.summary import summarise
from careloop.insight.text.words import find_words

LONGEST = 300
_MOST_EARLIER, _MOST_LATER = 50, 300  # sentences that are compared; keeps the time linear in the length
_WORDS_OF_CUSTOMERS = "customer client user buyer visitor inbound 客户 顾客 用户 买家 客人 访客"
_WORDS_OF_OTHERS = "note system internal event 备注 系统 内部"
_CUSTOMERS, _OTHERS = frozenset(_WORDS_OF_CUSTOMERS.split()), frozenset(_WORDS_OF_OTHERS.split())

_QUESTION = re.compile(
    r"[?？][”」』\"）)]?$|吗[。!！]?$|呢[。!！]?$|什么|甚麼|什麼|怎么|怎麼|怎样|如何|为什么|為什麼|为何|多久|多少|几天|哪[里儿个些天]"
    r"|是否|是不是|能不能|能否|可不可以|可否|有没有|有沒有|会不会|要不要"
    r"|^(?:请问|請問)|^(?:and |but |so )?(?:what|when|where|why|how|who|which|can|could|will|would|is|are|do|does|did|may|should|has"
    r"|have)\s(?:\w+\s){1,}",
    re.IGNORECASE,
)
_NOT_A_QUESTION = re.compile("(?:不知道|没什么|沒什麼|不管|无论|不论|怎么也|怎么都|什么都|为什么都)", re.IGNORECASE)
_REQUEST = re.compile(
    r"(?:我|我们|我們)?(?:要求|想要|想|要|需要|希望|申请|申請)(?:你们|你們|您)?.{0,4}(?:退|换|換|改|取消|查|补|補|修|赔|賠|投诉|投訴"
    r"|开|開|知道|了解|咨询|諮詢|处理|處理|解决|解決)|(?:请|請|麻烦|麻煩)(?!问|問|稍).{0,3}(?:帮|幫|给|給|尽快|盡快|把|你|您)"
    r"|\bplease\b|\bi(?:'d| would) like\b|\bi (?:want|need)\b|\bcan you\b|\bi(?:'m| am) (?:asking|requesting)\b",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"(?<!不)(?<!才)(?<!就)(?:将会|將會|会(?!员|议|不会|不會|计|面|场|话)|會(?!員|議|不會|計|面))(?:在|尽快|盡快|立即|马上|馬上|为|為"
    r"|给|給|把|帮|幫|安排|联系|聯繫|通知|处理|處理|退|补|補|发|發|寄|重新|继续|跟进|跟進|回|核实|核實|有|同步|反馈|优先|于|主动|向|与"
    r"|上门|电话|派)"
    r"|(?:我们|我們|我|这边|這邊|本店|小店)(?:将|將|马上|馬上|立即|立刻|稍后|稍後|现在就|尽快|盡快|明天|今天|这就"
    r"|這就)(?!.{0,2}(?:收到|看到))"
    r"|(?:保证|保證|承诺|承諾)(?!书|金)|(?:为您|為您|给您|給您|帮您|幫您)(?:安排|办理|辦理|申请|申請|登记|登記|补发|補發|退|换|換|处理"
    r"|處理|催|跟进|跟進|重新|加急|优先|升级|反馈)"
    r"|(?:小时|小時|天|工作日|分钟|分鐘)(?:之)?内.{0,6}(?:到账|到賬|发货|發貨|回复|回覆|联系|聯繫|处理|處理|送达|上门|解决|退|给您"
    r"|與您|与您)"
    r"|\b(?:i|we|our \w+(?: \w+)?|someone|a colleague|the \w+(?: team)?|a technician|an engineer)(?:'ll|’ll| will| shall|'m going to"
    r"|'re going to| am going to| are going to)\b(?! not\b)"
    r"|\b(?:you(?:'ll|’ll| will)) (?:receive|get|hear|have|be (?:refunded|contacted|called))\b|\bwill be (?:\w+ly )?(?:refunded"
    r"|shipped|sent|delivered|replaced|credited|processed|fixed|repaired|called|contacted|dispatched|returned)\b"
    r"|\b(?:i|we) (?:promise|guarantee|commit)\b|\bgoing to (?:refund|send|ship|call|fix|replace)\b",
    re.IGNORECASE,
)
_HOLD = re.compile(
    r"稍等|请稍|請稍|等一下|正在(?:为您|為您)?(?:查询|查詢|核实|核實|查看)|我(?:帮您|幫您|为您|為您)?(?:看一下|查一下|查询一下|看看)"
    r"|(?:one|just a) (?:moment|minute|second)|let me (?:check|look|see)|please (?:wait|hold)|bear with me|checking",
    re.IGNORECASE,
)
_APOLOGY = re.compile(
    r"^(?:非常|十分|很|真的)?(?:抱歉|对不起|對不起|不好意思|给您添麻烦|給您添麻煩|理解您|i(?:'m| am) (?:so |very |really )?sorry|sorry"
    r"|we apologi[sz]e|apologies|my apologies|i understand).{0,40}$",
    re.IGNORECASE,
)
_STILL_WAITING = re.compile(
    r"(?:还|還|仍然?|依然|到现在(?:都)?|至今)(?:是)?(?:没|沒|未)|没人(?:回|理|联系|处理)|沒人(?:回|理)|\bstill (?:not|no|waiting"
    r"|haven'?t|hasn'?t|don'?t|nothing)|\bno (?:one|reply|answer|response)\b|haven'?t (?:heard|received|got)",
    re.IGNORECASE,
)
_WITHIN = re.compile(
    r"(?P<count>\d{1,3}|[一二两三四五六七八九十])\s?(?:[-~到至]\s?(?P<most>\d{1,3})\s?)?个?(?P<unit>小时|小時|工作日|天|日|分钟"
    r"|周)(?:之)?内"
    r"|within (?P<english_count>\d{1,3}|an?|one|two|three|four|five|seven|ten) (?P<english_unit>hour|business day|working day|day|week"
    r"|minute)s?",
    re.IGNORECASE,
)
_COUNTS = {name: number for number, name in enumerate("一二三四五六七八九十", start=1)} | {
    "两": 2, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "seven": 7, "ten": 10,
}  # fmt: skip


class Turn(NamedTuple):
    """What one side said: "customer" or "agent" (also in Chinese; notes and system messages are passed over), text, and when."""

    role: str
    text: str
    time: datetime | None = None


class Point(NamedTuple):
    """A sentence of a conversation.

    Attributes
    ----------
    role : {"customer", "agent"}
    text : str
        The sentence, as it was written.
    turn : int
        The turn in which it stands, from 0.
    due : str or None
        For a promise the day, ISO week, month or year that it names, when the time of the turn is known.
    """

    role: str
    text: str
    turn: int
    due: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """What matters of a conversation.

    Attributes
    ----------
    text : str
        What is open, promised and asked, in that order of importance, within the length asked for.
    asked : tuple of Point
        The customer's questions and requests in order, each once.
    promised : tuple of Point
        What the agent's side undertook, each once.
    open : tuple of Point
        The questions without an answer.
    """

    text: str
    asked: tuple[Point, ...]
    promised: tuple[Point, ...]
    open: tuple[Point, ...]


class _Said(NamedTuple):
    role: str
    sentence: str
    turn: int
    words: frozenset[str]
    pairs: frozenset[str]


def summarise_conversation(turns: Iterable[Sequence[object]], *, characters: int = LONGEST) -> ConversationSummary:
    """Return who asked what, what was promised for when, and what is open.

    A question counts as answered when the next words of the agent's side are more than courtesy, a request to wait or a question back,
    and — where several questions were put at once — speak of the same thing or are as many as the questions. It is open again when the
    customer later writes that nothing came.

    Parameters
    ----------
    turns : iterable of (role, text, time) or `Turn`
        In order of time; the time may be None, or left out.
    characters : int
        Longest `text`, at least 1.

    Returns
    -------
    ConversationSummary
    """
    given = [Turn(*turn) for turn in turns]  # type: ignore[arg-type]
    said = _list_sentences(given)
    asked = _once([one for one in said if one.role == "customer" and _is_asking(one.sentence)])
    promised = [
        Point("agent", one.sentence, one.turn, find_due(one.sentence, given[one.turn].time))
        for one, _ in _once([one for one in said if one.role == "agent" and _is_promise(one.sentence)])
    ]
    turns_of_said = [one.turn for one in said]
    open_ones = []
    for question, last in asked:
        first = bisect_right(turns_of_said, last)
        if not _is_answered(question, [one for one, _ in asked if one.turn == question.turn], said[first : first + _MOST_LATER]):
            open_ones.append(question)
    questions = tuple(Point("customer", one.sentence, one.turn) for one, _ in asked)
    still_open = tuple(Point("customer", one.sentence, one.turn) for one in open_ones)
    whole = "\n".join(turn.text for turn in given if _side(turn.role))
    text = _compose(questions, tuple(promised), still_open, whole, characters)
    return ConversationSummary(text, questions, tuple(promised), still_open)


def _side(role: str) -> str | None:
    name = role.strip().lower()
    if name in _OTHERS:
        return None
    return "customer" if name in _CUSTOMERS else "agent"


def _list_sentences(turns: Sequence[Turn]) -> list[_Said]:
    said: list[_Said] = []
    for place, turn in enumerate(turns):
        side = _side(turn.role)
        for sentence in split_sentences(strip_letter(to_readable(turn.text))) if side else ():
            plain = strip_greeting(sentence)
            if side and plain and not is_courtesy(plain):
                words = frozenset(weigh_words(find_words(plain)))
                said.append(_Said(side, plain, place, words, pair_characters(plain)))
    return said


def _is_asking(sentence: str) -> bool:
    return (bool(_QUESTION.search(sentence)) and not _NOT_A_QUESTION.search(sentence)) or bool(_REQUEST.search(sentence))


def _is_promise(sentence: str) -> bool:
    return not sentence.endswith(("?", "？")) and bool(_PROMISE.search(sentence)) and not _HOLD.search(sentence)


def _once(said: list[_Said]) -> list[tuple[_Said, int]]:
    """Return sentences without those that say what one of the last fifty said, each with the turn in which it was said last."""
    kept: list[tuple[_Said, int]] = []
    for one in said:
        for place in range(len(kept) - 1, max(-1, len(kept) - 1 - _MOST_EARLIER), -1):
            if is_same(one.pairs, kept[place][0].pairs):
                kept[place] = (kept[place][0], one.turn)
                break
        else:
            kept.append((one, one.turn))
    return kept


def _is_answered(question: _Said, together: list[_Said], later: list[_Said]) -> bool:
    """Tell whether the agent's side answered, and the customer did not write afterwards that nothing came."""
    waits = [one.turn for one in later if one.role == "customer" and _STILL_WAITING.search(one.sentence)]
    replies = [one for one in later if one.role == "agent" and _is_substance(one.sentence) and (not waits or one.turn > waits[-1])]
    if not replies:
        return False
    ends = [one.turn for one in later if one.role == "customer" and one.turn > replies[0].turn]
    until = ends[0] if ends else later[-1].turn + 1
    if len(together) == 1 or sum(reply.turn < until for reply in replies) >= len(together):
        return True
    is_any_met = any(one.words & reply.words for one in together for reply in replies)
    return any(question.words & reply.words for reply in replies) or (together[-1] is question and not is_any_met)


def _is_substance(sentence: str) -> bool:
    return not (_HOLD.search(sentence) or _APOLOGY.match(sentence) or sentence.endswith(("?", "？")))


def find_due(sentence: str, written: datetime | None) -> str | None:
    """Return the day that a sentence names, seen from when it was written: the last date in it, or the end of “within three days”."""
    if written is None:
        return None
    match = _WITHIN.search(sentence)
    if match:
        return _add(written, match).date().isoformat()
    dates = [entity for entity in find_entities(sentence) if entity.type in {"date", "relative_date"}]
    return resolve_date(dates[-1].value, today=written.date()) if dates else None


def _add(written: datetime, match: re.Match[str]) -> datetime:
    given = (match["most"] or match["count"] or match["english_count"]).lower()
    count = int(given) if given.isdigit() else _COUNTS[given]
    unit = (match["unit"] or match["english_unit"]).lower()
    if unit in {"工作日", "business day", "working day"}:
        day = written
        while count:
            day += timedelta(days=1)
            count -= day.weekday() < 5
        return day
    steps = {"小时": 1 / 24, "小時": 1 / 24, "hour": 1 / 24, "分钟": 1 / 1440, "minute": 1 / 1440, "周": 7, "week": 7}
    return written + timedelta(days=count * steps.get(unit, 1))


def _compose(asked: tuple[Point, ...], promised: tuple[Point, ...], still_open: tuple[Point, ...], whole: str, characters: int) -> str:
    """Return lines with a heading each, the open questions first served, never longer than asked for."""
    is_chinese = not whole.isascii() and sum("\u4e00" <= character <= "\u9fff" for character in whole) * 4 > len(whole)
    headings = ("客户问：", "承诺：", "待答：") if is_chinese else ("Asked: ", "Promised: ", "Open: ")
    if not asked and not promised:
        return summarise(whole, characters=characters)
    open_texts = {point.text for point in still_open}
    groups = [
        (2, [point.text for point in still_open]),
        (1, [point.text + (f" ({point.due})" if point.due and point.due not in point.text else "") for point in promised]),
        (0, [point.text for point in asked if point.text not in open_texts]),
    ]
    taken: list[list[str]] = [[], [], []]
    for group, texts in groups:
        for text in texts:
            length = len(_lay_out(headings, taken))
            heading = 0 if taken[group] else len(headings[group]) + (1 if any(taken) else 0)
            room = characters - length - heading - (1 if taken[group] else 0)
            if room >= len(text) or (room >= 20 and not taken[group]) or not any(taken):
                taken[group].append(shorten(text, room))
    return shorten(_lay_out(headings, taken), characters)


def _lay_out(headings: Sequence[str], taken: list[list[str]]) -> str:
    return "\n".join(heading + " ".join(texts) for heading, texts in zip(headings, taken, strict=True) if texts)
