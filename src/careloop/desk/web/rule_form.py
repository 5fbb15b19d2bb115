"""The form of a rule: what was typed, what is stored, and both versions side by side. Without script a button adds a line or a block.

A block of conditions has a path: "c" for the outermost, "c.0" for the first inside it, "c.0.1" for the second inside that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from careloop.desk.automation import queries
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules import fields
from careloop.desk.automation.rules.blocks import ALL, ANY, MODES, MOST_DEEP, MOST_INSIDE, Block, block_of, tree_of
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.web.conflicts import Side, different
from careloop.desk.web.rule_words import MODE_WORDS, OPERATOR_WORDS, Vocabulary, read_actions, read_conditions

ROOT = "c"
LINES = 3
ACTION_LINES = 3
MOST_LINES = 50
BLANK = ("", "", "")
Line = tuple[str, str, str]  # fact, comparison, what was typed


@dataclass
class FormBlock:
    """A block as it is drawn."""

    path: str
    mode: str = ALL
    lines: list[Line] = field(default_factory=list)
    blocks: list["FormBlock"] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """0 for the outermost."""
        return self.path.count(".")

    @property
    def takes_blocks(self) -> bool:
        """Whether another block fits inside."""
        return self.depth < MOST_DEEP and len(self.blocks) < MOST_INSIDE


@dataclass
class GivenRule:
    """What stands in the form."""

    name: str
    position: str
    events: list[str]
    block: FormBlock
    actions: list[tuple[str, str]]
    is_active: bool = True
    stops: bool = False
    is_too_deep: bool = False


def given_rule(sent: QueryDict) -> GivenRule:
    """What was sent, with the line or block that was asked for."""
    rows = [row for row in zip(sent.getlist("do"), sent.getlist("do_value"), strict=False) if row[0]]
    return GivenRule(
        name=sent.get("name", ""),
        position=sent.get("position", ""),
        events=sent.getlist("events"),
        block=_sent_block(sent, ROOT),
        actions=rows,
        is_active="is_active" in sent,
        stops="stops" in sent,
    )


def shown_rule(stored: Any, words: Vocabulary) -> GivenRule:
    """What is stored, or the beginning of a new rule."""
    if stored is None:
        return GivenRule("", "100", ["OPENED"], FormBlock(ROOT), [])
    block = block_of(stored.condition)
    acts = [(action["do"], words.action_value(action)) for action in stored.actions]
    drawn = _drawn(block, ROOT, words) if block is not None else FormBlock(ROOT)
    flags = (stored.is_active, stored.stops, block is None)
    return GivenRule(stored.name, str(stored.position), stored.events, drawn, acts, *flags)


def with_room(given: GivenRule, sent: QueryDict | None = None) -> GivenRule:
    """With blank lines to write into, and the line or block that a button asked for."""
    more = sent.get("more", "") if sent is not None else ""
    inside = sent.get("inside", "") if sent is not None else ""
    _make_room(given.block, more, inside)
    least = ACTION_LINES if len(given.actions) < ACTION_LINES else len(given.actions) + 1
    given.actions += [("", "")] * (least - len(given.actions) + (more == "do"))
    return given


def read_rule(given: GivenRule, words: Vocabulary) -> RuleFacts:
    """The rule that stands in the form."""
    return RuleFacts(
        name=given.name,
        events=given.events,
        condition=tree_of(_read_block(given.block, words)),
        actions=read_actions(given.actions, words),
        position=min(int(given.position), 32_000) if given.position.isdecimal() else 100,
        is_active=given.is_active,
        stops=given.stops,
    )


def rule_sides(stored: Any, mine: GivenRule, words: Vocabulary) -> list[Side]:
    """The fields in which a stored rule differs from what stands in the form."""
    theirs, events, yes_no = shown_rule(stored, words), dict(queries.event_choices()), {True: _("yes"), False: _("no")}
    both = (theirs, mine)
    rows: list[tuple[Any, ...]] = [
        (pgettext("thing", "Name"), theirs.name, mine.name),
        (_("Order"), theirs.position, mine.position),
        (pgettext("rule", "When"), *(", ".join(str(events.get(code, code)) for code in one.events) for one in both)),
        (_("If"), *("\n".join(_block_lines(one.block, words)) for one in both)),
        (_("Then"), *("\n".join(action_lines(one.actions)) for one in both)),
        (_("When it has acted, no later rule is asked about the same event"), *(yes_no[one.stops] for one in both)),
        (_("In force"), *(yes_no[one.is_active] for one in both)),
    ]
    return different(rows)


def action_lines(rows: Sequence[tuple[str, str]]) -> list[str]:
    """The actions of a form's lines as sentences."""
    return [": ".join(filter(None, [str(ACTIONS[code].label), typed])) for code, typed in rows if code in ACTIONS]


def offered(words: Vocabulary, codes: Sequence[str]) -> dict[str, Any]:
    """What a form may choose from: facts with their comparisons, values, and the actions of these codes."""
    facts = [(group, [(name, word, " ".join(_operators(name))) for name, word in found]) for group, found in words.facts()]
    names = [name for _group, found in facts for name, _word, _ops in found]
    return {
        "facts": facts,
        "fact_codes": names,
        "operator_words": OPERATOR_WORDS,
        "mode_words": MODE_WORDS,
        "value_lists": {name: list(found.values()) for name in names if (found := words.values(name))},
        **offered_actions(words, codes),
    }


def offered_actions(words: Vocabulary, codes: Sequence[str]) -> dict[str, Any]:
    """The actions that a form may choose from, what each takes, and how that is written."""
    return {
        "action_words": {code: ACTIONS[code].label for code in codes},
        "action_lists": {code: list(words.of_action(code).values()) for code in codes},
        "action_hints": {code: ACTIONS[code].hint for code in codes},
        "actions_alone": [code for code in codes if ACTIONS[code].takes == fields.NOTHING],
    }


def _sent_block(sent: QueryDict, path: str) -> FormBlock:
    names = (f"{path}.fact", f"{path}.op", f"{path}.value")
    lines = [row for row in zip(*(sent.getlist(name) for name in names), strict=False) if row[0]]
    mode = sent.get(f"{path}.mode", ALL)
    inside = (_sent_block(sent, f"{path}.{place}") for place in range(MOST_INSIDE) if f"{path}.{place}.mode" in sent)
    blocks = list(inside) if path.count(".") < MOST_DEEP else []
    return FormBlock(path, mode if mode in MODES else ALL, [(a, b, c) for a, b, c in lines[:MOST_LINES]], blocks)


def _drawn(block: Block, path: str, words: Vocabulary) -> FormBlock:
    lines = [(leaf["field"], leaf["op"], words.shown(leaf)) for leaf in block.leaves]
    return FormBlock(path, block.mode, lines, [_drawn(one, f"{path}.{place}", words) for place, one in enumerate(block.blocks)])


def _make_room(block: FormBlock, more: str, inside: str) -> None:
    """Blank lines, and the places of blocks counted anew: what a button names is the place before."""
    if block.path == inside and block.takes_blocks:
        block.blocks.append(FormBlock(f"{block.path}.{MOST_INSIDE}", ANY))
    least = LINES if block.depth == 0 and not block.blocks else 1
    block.lines += [BLANK] * (max(least - len(block.lines), 1) + (block.path == more))
    for one in block.blocks:
        _make_room(one, more, inside)
    for place, one in enumerate(block.blocks):
        _rename(one, f"{block.path}.{place}")


def _rename(block: FormBlock, path: str) -> None:
    block.path = path
    for place, one in enumerate(block.blocks):
        _rename(one, f"{path}.{place}")


def _read_block(block: FormBlock, words: Vocabulary) -> Block:
    return Block(block.mode, read_conditions(block.lines, words), [_read_block(one, words) for one in block.blocks])


def _block_lines(block: FormBlock, words: Vocabulary, margin: str = "") -> list[str]:
    lines = [f"{margin}{MODE_WORDS[block.mode]}:"] if block.depth or block.mode != ALL else []
    said = [
        " ".join([words.word(name), str(OPERATOR_WORDS.get(operator, operator)), typed]) for name, operator, typed in block.lines if name
    ]
    lines += [f"{margin}{line}" for line in said]
    for one in block.blocks:
        lines += _block_lines(one, words, f"{margin}– ")
    return lines


def _operators(name: str) -> tuple[str, ...]:
    return fields.OPERATORS[fields.type_of(name)]
