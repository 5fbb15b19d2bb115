"""Questions as data in both languages, what is wrong with them, and the ones that each kind of survey begins with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from careloop.desk.kernel.sentences import Sentence

LANGUAGES = ("en", "zh")
SCALE, CHOICE, TEXT, YES_NO = "SCALE", "CHOICE", "TEXT", "YES_NO"
KINDS = (SCALE, CHOICE, TEXT, YES_NO)
CSAT, NPS, CES, FORM = "CSAT", "NPS", "CES", "FORM"
LOWEST, HIGHEST = 0, 10
MOST_QUESTIONS, MOST_CHOICES = 20, 12
LONGEST_QUESTION, LONGEST_WORD = 300, 120

Words = dict[str, str]


@dataclass(frozen=True)
class Question:
    """One question; `code` names it in answers and never changes its meaning. Scales run from `low` to `high`, both included."""

    code: str
    kind: str
    text: Words
    is_required: bool = False
    low: int = 1
    high: int = 5
    low_words: Words = field(default_factory=dict)
    high_words: Words = field(default_factory=dict)
    choices: tuple[Words, ...] = ()  # {"code", "en", "zh"}

    def to_json(self) -> dict[str, Any]:
        """As a version keeps it."""
        return {**asdict(self), "choices": [dict(one) for one in self.choices]}

    @property
    def scores(self) -> list[int]:
        """The values of a scale, lowest first."""
        return list(range(self.low, self.high + 1))


def question_of(given: Mapping[str, Any]) -> Question:
    """A question as a version keeps it."""
    return Question(**{**given, "choices": tuple(dict(one) for one in given.get("choices", ()))})


def questions_of(given: Sequence[Mapping[str, Any]]) -> list[Question]:
    """The questions of a version in their order."""
    return [question_of(one) for one in given]


def score_question(questions: Sequence[Question]) -> Question | None:
    """The question whose answer is the score: the first one with a scale."""
    return next((one for one in questions if one.kind == SCALE), None)


def in_language(words: Mapping[str, str], language: str) -> str:
    """The words in a language, else in the other one."""
    return words.get(language) or next((words[one] for one in LANGUAGES if words.get(one)), "")


def problems_of(kind: str, questions: Sequence[Question]) -> list[tuple[str, Sentence]]:
    """(field, sentence) for everything that is wrong; fields are "questions" or "q<place>", counted from 0."""
    found: list[tuple[str, Sentence]] = []
    if not 1 <= len(questions) <= MOST_QUESTIONS:
        found.append(("questions", Sentence("There are {n} questions; ask 1 to {most}.", n=len(questions), most=MOST_QUESTIONS)))
    if len({one.code for one in questions}) != len(questions):
        found.append(("questions", Sentence("Two questions have the same code; give each its own.")))
    for place, one in enumerate(questions):
        found += [(f"q{place}", sentence) for sentence in _problems_of_one(one)]
    first = questions[0] if questions else None
    if kind != FORM and (first is None or first.kind != SCALE):
        found.append(("questions", Sentence("The first question of this kind of survey is its scale; put it first.")))
    elif kind == NPS and first is not None and (first.low, first.high) != (0, 10):
        found.append(("q0", Sentence("The scale of a recommendation runs from 0 to 10.")))
    return found


def _problems_of_one(one: Question) -> list[Sentence]:
    found = []
    if one.kind not in KINDS:
        found.append(Sentence("The kind of question is “{given}”; expected one of {expected}.", given=one.kind, expected=", ".join(KINDS)))
    if not one.code.isidentifier() or len(one.code) > 20:
        found.append(Sentence("The code “{given}” has to be 1 to 20 letters, digits or _, beginning with a letter.", given=one.code[:40]))
    if not all(1 <= len(one.text.get(language, "").strip()) <= LONGEST_QUESTION for language in LANGUAGES):
        found.append(Sentence("Write the question in both languages, up to {most} characters each.", most=LONGEST_QUESTION))
    if one.kind == SCALE and not LOWEST <= one.low < one.high <= HIGHEST:
        facts = {"low": one.low, "high": one.high, "lowest": LOWEST, "highest": HIGHEST}
        found.append(Sentence("The scale runs from {low} to {high}; expected a rising one between {lowest} and {highest}.", **facts))
    if one.kind == CHOICE:
        found += _problems_of_choices(one.choices)
    return found


def _problems_of_choices(choices: Sequence[Words]) -> list[Sentence]:
    codes = {one.get("code", "") for one in choices}
    if not 2 <= len(choices) <= MOST_CHOICES or len(codes) != len(choices) or "" in codes:
        return [Sentence("Offer 2 to {most} choices, each with a code of its own.", most=MOST_CHOICES)]
    if not all(1 <= len(one.get(language, "").strip()) <= LONGEST_WORD for one in choices for language in LANGUAGES):
        return [Sentence("Write every choice in both languages, up to {most} characters each.", most=LONGEST_WORD)]
    return []


WHY = Question("why", TEXT, {"en": "What could we do better?", "zh": "我们哪里可以做得更好？"})
BEGINNINGS: dict[str, tuple[Question, ...]] = {
    CSAT: (
        Question(
            "score", SCALE, {"en": "How satisfied are you with how we handled this?", "zh": "您对这次处理满意吗？"}, True, 1, 5,
            {"en": "Very dissatisfied", "zh": "很不满意"}, {"en": "Very satisfied", "zh": "很满意"},
        ),
        WHY,
    ),
    NPS: (
        Question(
            "score", SCALE, {"en": "How likely are you to recommend us to a friend?", "zh": "您有多大可能把我们推荐给朋友？"}, True, 0, 10,
            {"en": "Not at all likely", "zh": "完全不会"}, {"en": "Extremely likely", "zh": "一定会"},
        ),
        Question("why", TEXT, {"en": "What is the main reason for your score?", "zh": "您打这个分数的主要原因是什么？"}),
    ),
    CES: (
        Question(
            "score", SCALE, {"en": "It was easy to have my matter handled.", "zh": "解决我的问题很省事。"}, True, 1, 7,
            {"en": "Strongly disagree", "zh": "非常不同意"}, {"en": "Strongly agree", "zh": "非常同意"},
        ),
        WHY,
    ),
    FORM: (Question("q1", TEXT, {"en": "What would you like to tell us?", "zh": "您想对我们说什么？"}, True),),
}  # fmt: skip
