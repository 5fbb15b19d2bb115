"""From a solution's reply text to a letter: variables, greeting, closing."""

import re
from collections.abc import Mapping

from careloop.desk.kernel.variables import LINK, put, variables_of

CHINESE, ENGLISH = "zh", "en"
LANGUAGES = (CHINESE, ENGLISH)
VARIABLES = ("customer.name", "case.number", "agent.name", LINK)
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_GREETING = {CHINESE: "{name}，您好：", ENGLISH: "Dear {name},"}
_GREETING_WITHOUT_NAME = {CHINESE: "您好：", ENGLISH: "Hello,"}
_CLOSING = {
    CHINESE: "工单号 #{number}，回复本消息即可继续联系我们。\n\n{agent}",
    ENGLISH: "Your case is #{number}; answer this message to reach us.\n\nKind regards\n{agent}",
}
_AUTOMATIC = {
    CHINESE: "以上是自动回复（工单 #{number}）。如果没有解决您的问题，直接回复本消息，同事会接着为您处理。",
    ENGLISH: "This is an automatic reply (case #{number}). If it does not help, answer this message and a colleague takes over.",
}


def unknown_variables(text: str) -> list[str]:
    """The names in double braces that nothing fills, in their order."""
    return [name for name in variables_of(text) if name not in VARIABLES]


def fill(text: str, facts: Mapping[str, str]) -> str:
    """The text with its variables; one without a value leaves nothing behind, the customer's link stays until the reply is sent."""
    filled = put(text, lambda name: None if name == LINK else facts.get(name, ""))
    return re.sub(r"[ \t]+(?=[,.!?，。！？])", "", filled).strip()


def language_of(text: str, known: str = "") -> str:
    """ "zh" or "en": what the customer's record says, else what the text is written in."""
    if known:
        return CHINESE if known.lower().startswith("zh") else ENGLISH
    letters = sum(one.isalpha() for one in text)
    return CHINESE if letters and len(_CHINESE.findall(text)) * 4 >= letters else ENGLISH


def letter(reply: str, facts: Mapping[str, str], language: str) -> str:
    """Greeting, the filled reply, closing."""
    name, agent = facts.get("customer.name", "").strip(), facts.get("agent.name", "").strip()
    greeting = _GREETING[language].format(name=name) if name else _GREETING_WITHOUT_NAME[language]
    closing = _CLOSING[language].format(number=facts["case.number"], agent=agent).strip()
    return "\n\n".join((greeting, fill(reply, facts), closing))


def automatic_letter(reply: str, facts: Mapping[str, str], language: str) -> str:
    """Greeting, the filled reply, and how to reach a person."""
    name = facts.get("customer.name", "").strip()
    greeting = _GREETING[language].format(name=name) if name else _GREETING_WITHOUT_NAME[language]
    return "\n\n".join((greeting, fill(reply, facts), _AUTOMATIC[language].format(number=facts["case.number"])))
