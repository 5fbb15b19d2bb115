"""What a customer gave, checked against the questions of the version that was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from careloop.desk.kernel.sentences import Sentence
from careloop.desk.surveys.rules.questions import CHOICE, SCALE, TEXT, YES_NO, Question, score_question

LONGEST_TEXT = 2_000
YES, NO = "yes", "no"


@dataclass(frozen=True)
class Given:
    """Checked answers by the question's code, and what is wrong by the same; nothing is stored while something is."""

    answers: dict[str, Any]
    problems: dict[str, Sentence]


def read_answers(questions: Sequence[Question], given: Mapping[str, Any], *, is_click: bool = False) -> Given:
    """Answers from a form's texts or a program's JSON; blank is no answer. Of a click only the score is wanted."""
    answers: dict[str, Any] = {}
    problems: dict[str, Sentence] = {}
    wanted = score_question(questions)
    for one in questions:
        said = given.get(one.code)
        if said is None or (isinstance(said, str) and not said.strip()):
            if (one.is_required and not is_click) or (is_click and one is wanted):
                problems[one.code] = Sentence("Please answer this question.")
            continue
        try:
            answers[one.code] = READ[one.kind](one, said)
        except ValueError as error:
            problems[one.code] = error.args[0]
    if not answers and not problems:
        problems["form"] = Sentence("Please answer at least one question.")
    return Given(answers, problems)


def score_of(questions: Sequence[Question], answers: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Score, lowest and highest possible score; None where there is no scale, the score alone None where it was left out."""
    scale = score_question(questions)
    return (None, None, None) if scale is None else (answers.get(scale.code), scale.low, scale.high)


def text_of(questions: Sequence[Question], answers: Mapping[str, Any]) -> str:
    """Everything that was written, in the order of the questions."""
    return "\n\n".join(answers[one.code] for one in questions if one.kind == TEXT and answers.get(one.code))


def _scale(one: Question, said: Any) -> int:
    number = int(said) if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) < 4 else said
    if isinstance(number, bool) or not isinstance(number, int) or not one.low <= number <= one.high:
        raise ValueError(
            Sentence("“{given}” is not on the scale; choose {low} to {high}.", given=str(said)[:20], low=one.low, high=one.high)
        )
    return number


def _choice(one: Question, said: Any) -> str:
    codes = [choice["code"] for choice in one.choices]
    if said not in codes:
        raise ValueError(Sentence("“{given}” is not among the choices; choose one of those shown.", given=str(said)[:20]))
    return str(said)


def _text(_one: Question, said: Any) -> str:
    if not isinstance(said, str):
        raise ValueError(Sentence("A text is expected here."))
    text = said.replace("\0", "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        raise ValueError(Sentence("The text has {n} characters; at most {most} fit.", n=len(text), most=LONGEST_TEXT))
    return text


def _yes_no(_one: Question, said: Any) -> bool:
    if said not in (YES, NO, True, False):
        raise ValueError(Sentence("Choose yes or no."))
    return said in (YES, True)


READ = {SCALE: _scale, CHOICE: _choice, TEXT: _text, YES_NO: _yes_no}
