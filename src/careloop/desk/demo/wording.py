"""How a sentence is said: politely, plainly, in two words, in anger, with slips of the finger, or with English words in Chinese."""

import random
import re
from collections.abc import Callable

from careloop.desk.demo.scenarios import ENGLISH, MIXED, Thread, manners

STYLES = ("polite", "plain", "terse", "angry", "sloppy")
STYLE_WEIGHTS = {"P": (45, 35, 8, 0, 12), "M": (32, 38, 16, 2, 12), "N": (14, 34, 12, 30, 10)}

ENGLISH_WORDS = {
    "退款": "refund",
    "订单": "order",
    "客服": "support",
    "航班": "flight",
    "酒店": "hotel",
    "邮箱": "email",
    "信用卡": "credit card",
    "取消": "cancel",
    "确认": "confirm",
    "发票": "invoice",
    "验证码": "code",
    "手续费": "fee",
    "物流": "tracking",
    "包装": "packaging",
    "前台": "reception",
    "预订": "booking",
    "账单": "statement",
    "质量": "quality",
}
SLIPS_ZH = (
    ("已经", "己经"),
    ("账", "帐"),
    ("的时候", "时候"),
    ("什么", "啥"),
    ("怎么", "咋"),
    ("没有", "没"),
    ("再", "在"),
    ("那里", "哪里"),
)
SLIPS_EN = (("please", "pls"), ("you ", "u "), ("'", ""), ("because", "bc"), ("and ", "& "), ("really", "realy"), ("receive", "recieve"))
PLACEHOLDER = re.compile(r"(\{\w+\})")


def draw_style(mood: str, rng: random.Random) -> str:
    """One of STYLES; unhappy people are angry more often."""
    return rng.choices(STYLES, weights=STYLE_WEIGHTS[mood])[0]


def opening(thread: Thread, language: str, style: str, rng: random.Random) -> str:
    """The first message of a customer, placeholders still in it."""
    said = manners("customer", language)
    parts = [thread.choose("O")]
    if style != "terse":
        parts += [thread.choose("D") for _ in range(2 if style == "angry" and rng.random() < 0.5 else 1)]
    if style == "angry":
        parts.append(rng.choice(said["ANGRY"]))
    if style != "terse" or rng.random() < 0.4:
        parts.append(thread.choose("Q"))
    text = join([part for part in parts if part], language)
    if style == "polite":
        hello, end = rng.choice(said["HELLO"]), rng.choice(said["POLITE"])
        text = f"{hello}\n{text}\n{end}" if rng.random() < 0.5 else join([hello, text, end], language)
    return coloured(text, language, style, rng)


def later(sentence: str, language: str, style: str, rng: random.Random) -> str:
    """What a customer adds later."""
    return coloured(sentence, language, style if style in {"angry", "sloppy"} else "plain", rng)


def answer(sentence: str, language: str, rng: random.Random, *, is_last: bool) -> str:
    """What an agent writes: greeting, the matter, an ending that promises more unless it is the last answer."""
    said = manners("agent", language)
    hello = rng.choice(said["HELLO"])
    end = rng.choice(said["END"] + ([] if is_last else said["SOON"])) if rng.random() < 0.7 else ""
    sentence = sentence.removeprefix("您好，")
    if language == ENGLISH or rng.random() < 0.6:
        return "\n".join(part for part in (hello, sentence, end) if part)
    return join([hello, sentence, *([end] if end else [])], language)


def join(parts: list[str], language: str) -> str:
    """Sentences one after the other: with a space in English, without in Chinese."""
    return (" " if language == ENGLISH else "").join(parts)


def coloured(text: str, language: str, style: str, rng: random.Random) -> str:
    """The same words in a style and a mixture of languages; facts in braces are left alone."""
    if language == MIXED:
        text = _outside_facts(text, lambda piece: _with_english(piece, rng))
    if style == "angry" and rng.random() < 0.5:
        mark = "!" if language == ENGLISH else "！"
        text = re.sub(r"[.。]$", mark * rng.randint(1, 3), text)
    if style == "sloppy":
        slip = _slips_en if language == ENGLISH else _slips_zh
        text = _outside_facts(text, lambda piece: slip(piece, rng))
    return text


def _outside_facts(text: str, change: Callable[[str], str]) -> str:
    return "".join(piece if piece.startswith("{") else change(piece) for piece in PLACEHOLDER.split(text))


def _with_english(text: str, rng: random.Random) -> str:
    for chinese, english in ENGLISH_WORDS.items():
        if chinese in text and rng.random() < 0.85:
            text = text.replace(chinese, f" {english} ")
    return re.sub(r" ?([，。？！]) ?", r"\1", re.sub(r" {2,}", " ", text))


def _slips_zh(text: str, rng: random.Random) -> str:
    for right, wrong in SLIPS_ZH:
        if rng.random() < 0.4:
            text = text.replace(right, wrong, 1)
    return text.replace("。", " ").replace("，", " ") if rng.random() < 0.4 else text


def _slips_en(text: str, rng: random.Random) -> str:
    for right, wrong in SLIPS_EN:
        if rng.random() < 0.5:
            text = text.replace(right, wrong)
    if rng.random() < 0.7:
        text = text.lower()
    words = text.split(" ")
    for position, word in enumerate(words):
        if len(word) > 4 and word.isalpha() and rng.random() < 0.07:
            at = rng.randrange(1, len(word) - 2)
            words[position] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
