"""From a solution's reply text to a letter: variables, greeting, closing."""

import re
from collections.abc import Iterable, Mapping

from careloop.desk.kernel.variables import LINK, put, variables_of

CHINESE, ENGLISH = "zh", "en"
LANGUAGES = (CHINESE, ENGLISH)
ORDER, PARCEL = "order.number", "parcel.number"
NAMED = (ORDER, PARCEL)  # what the customer named, if they named exactly one
VARIABLES = ("customer.name", "case.number", "agent.name", *NAMED, LINK)
_SENTENCE = re.compile(r"[^。！？!?\n]*?(?:[。！？]+|[.!?]+(?=\s|$)|[!?]+|\n+|$)")
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_GREETING = {CHINESE: "{name}，您好：", ENGLISH: "Dear {name},"}
_GREETING_WITHOUT_NAME = {CHINESE: "您好：", ENGLISH: "Hello,"}
# how a reply may begin that greets by itself: a letter greets once
_ADDRESSED = re.compile(r"^\s*(dear\s+)?\{\{\s*customer\.name\s*\}\}\s*(，?\s*您好)?[，,：:！!]\s*", re.IGNORECASE)
_ABOUT = {CHINESE: "关于您的订单 {number}：", ENGLISH: "About your order {number}:"}
_CLOSING = {
    CHINESE: "工单号 #{number}，回复本消息即可继续联系我们。\n\n{agent}",
    ENGLISH: "Your case is #{number}; answer this message to reach us.\n\nKind regards\n{agent}",
}
_AUTOMATIC = {
    CHINESE: "以上是自动回复（工单 #{number}）。是否解决了问题，请在这里告诉我们：{link}\n"
    "如果没有解决，直接回复本消息，同事会接着为您处理。",
    ENGLISH: "This is an automatic reply (case #{number}). Tell us here whether it helped: {link}\n"
    "If it does not, answer this message and a colleague takes over.",
}


def unknown_variables(text: str) -> list[str]:
    """The names in double braces that nothing fills, in their order."""
    return [name for name in variables_of(text) if name not in VARIABLES]


def fill(text: str, facts: Mapping[str, str]) -> str:
    """The text with its variables; the customer's link stays until the reply is sent.

    A sentence that needs an order's or a parcel's number is left out where none is known; any other variable without a value leaves
    nothing behind.
    """
    known = "".join(one for one in _sentences(text) if not lacks_facts(one, facts))
    filled = put(known, lambda name: None if name == LINK else facts.get(name, ""))
    return re.sub(r"[ \t]+(?=[,.!?，。！？])", "", filled).strip()


def lacks_facts(text: str, facts: Mapping[str, str]) -> bool:
    """Whether the text speaks of an order or a parcel that the customer has not named, or not clearly."""
    return any(name in NAMED and not facts.get(name) for name in variables_of(text))


def named_once(entities: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What variables stand for of what was named, as (type, text): only where exactly one is, nothing is guessed."""
    found: dict[str, set[str]] = {"order": set(), "tracking": set()}
    for kind, text in entities:
        if kind in found:
            found[kind].add(text)
    names = {"order": ORDER, "tracking": PARCEL}
    return {names[kind]: next(iter(texts)) for kind, texts in found.items() if len(texts) == 1}


def _sentences(text: str) -> list[str]:
    return [one for one in _SENTENCE.findall(text) if one]


def language_of(text: str, known: str = "") -> str:
    """ "zh" or "en": what the customer's record says, else what the text is written in."""
    if known:
        return CHINESE if known.lower().startswith("zh") else ENGLISH
    letters = sum(one.isalpha() for one in text)
    return CHINESE if letters and len(_CHINESE.findall(text)) * 4 >= letters else ENGLISH


def letter(reply: str, facts: Mapping[str, str], language: str) -> str:
    """Greeting, the order that it is about unless the reply names it, the filled reply, closing."""
    agent = facts.get("agent.name", "").strip()
    closing = _CLOSING[language].format(number=facts["case.number"], agent=agent).strip()
    return "\n\n".join((_greet(facts, language), *_told(reply, facts, language), closing))


def automatic_letter(reply: str, facts: Mapping[str, str], language: str) -> str:
    """As a letter, but it ends with how to say whether it helped, and how to reach a person."""
    link = f"{{{{ {LINK} }}}}"
    ending = _AUTOMATIC[language].format(number=facts["case.number"], link=link)
    return "\n\n".join((_greet(facts, language), *_told(reply, facts, language), ending))


def _greet(facts: Mapping[str, str], language: str) -> str:
    name = facts.get("customer.name", "").strip()
    return _GREETING[language].format(name=name) if name else _GREETING_WITHOUT_NAME[language]


def _told(reply: str, facts: Mapping[str, str], language: str) -> list[str]:
    filled, order = fill(_ADDRESSED.sub("", reply), facts), facts.get(ORDER, "")
    about = [_ABOUT[language].format(number=order)] if order and order not in filled else []
    return [*about, filled]
