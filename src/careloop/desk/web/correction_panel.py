"""What can be corrected on the case page with one click: category, kind and sentiment of the message whose reading is shown."""

from dataclasses import dataclass, field
from typing import Any

from careloop.desk.analysis.correction_queries import Correctable
from careloop.desk.analysis.taxonomy_queries import name_of
from careloop.desk.cases.queries import choices

SHOWN = 3


@dataclass(frozen=True)
class Option:
    """One value: a click on it is a person's word."""

    value: str
    label: str
    probability: float | None = None
    is_current: bool = False


@dataclass(frozen=True)
class Correctables:
    """One row of the panel; `by` is whose word counts, `others` are offered in a list behind the buttons."""

    task: str
    message_id: int
    options: list[Option]
    others: list[Option] = field(default_factory=list)
    seen: int = 0
    by: str = ""
    at: Any = None
    current: str = ""
    model_label: str = ""
    model_probability: float | None = None
    is_unsure: bool = False


def correction_panel(found: Correctable, reading: Any) -> dict[str, Correctables]:
    """The rows by task; no row of categories where there are none."""
    offered = choices()
    kinds = [(str(code), str(label)) for code, label in offered["kind"]]
    sentiments = [(str(code), str(label)) for code, label in offered["sentiment"]]
    rows = {
        "SENTIMENT": _row("SENTIMENT", sentiments, reading.sentiment, found),
        "KIND": _row("KIND", kinds, reading.kind, found),
    }
    if found.categories:
        rows["CATEGORY"] = _categories(found)
    return rows


def _row(task: str, values: list[tuple[str, str]], current: str, found: Correctable) -> Correctables:
    return Correctables(
        task, found.message_id, [Option(code, label, None, code == current) for code, label in values], **_word(task, dict(values), found)
    )


def _categories(found: Correctable) -> Correctables:
    names = {one.code: name_of(one) for one in found.categories}
    word, said = found.corrections.get("CATEGORY"), found.said
    ranked = [(code, p) for code, p in (said.ranked if said else []) if code in names]
    sure = said.value if said and not said.has_abstained else ""
    current = word.value if word else sure
    options = [Option(code, names[code], p, code == current) for code, p in ranked[:SHOWN]]
    shown = {one.value for one in options}
    if word and word.value not in shown:
        options.insert(0, Option(word.value, names.get(word.value, word.value), None, True))
        shown.add(word.value)
    others = [Option(code, name) for code, name in names.items() if code not in shown]
    facts = {"current": names.get(current, ""), "is_unsure": said is None or said.has_abstained}
    return Correctables("CATEGORY", found.category_message_id, options, others, **{**_word("CATEGORY", names, found), **facts})


def _word(task: str, names: dict[str, str], found: Correctable) -> dict[str, Any]:
    word = found.corrections.get(task)
    if word is None:
        return {}
    return {
        "seen": word.pk,
        "by": word.made_by_name,
        "at": word.made_at,
        "current": names.get(word.value, word.value),
        "model_label": names.get(word.model_value, word.model_value),
        "model_probability": word.model_probability,
    }
