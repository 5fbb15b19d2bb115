"""What was answered, question by question, with n and intervals: the same numbers for the page, its file and the API."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.intervals import Mean, Rate, mean_of, rate_of
from careloop.desk.surveys.models import Answer, Survey, SurveyVersion
from careloop.desk.surveys.rules.answers import NO, YES
from careloop.desk.surveys.rules.questions import CHOICE, NPS, SCALE, TEXT, Question, questions_of, score_question
from careloop.desk.surveys.rules.scores import is_top, points_of


@dataclass(frozen=True)
class Line:
    """One possible answer: as it is stored, and how many of those who answered the question gave it.

    `silent` are the ends (0–1) between which its share of all who were asked lies, whatever the silent think; None where nobody was asked.
    """

    value: str
    words: dict[str, str]
    rate: Rate
    silent: tuple[float, float] | None = None


@dataclass(frozen=True)
class QuestionFigures:
    """One question: `n` answered it; `mean` of a scale; `top` is the share of scores in the top quarter; `net` is NPS, −100 to 100."""

    question: Question
    n: int
    lines: list[Line]
    mean: Mean | None = None
    top: Rate | None = None
    net: Mean | None = None


def answers_of(survey: Survey, viewer: Viewer, since: datetime | None = None) -> Any:
    """The answers of the viewer's teams to a survey, of those who were invited (or came) since a moment."""
    teams = Q() if viewer.team_ids is None else Q(invitation__team_id__in=viewer.team_ids)
    recent = Q() if since is None else Q(invitation__created_at__gte=since)
    return Answer.objects.filter(teams, recent, invitation__survey=survey)


def figures_of(
    survey: Survey, shown: SurveyVersion, viewer: Viewer, *, since: datetime | None = None, asked_n: int = 0
) -> list[QuestionFigures]:
    """Every question of a version; answers to earlier or later versions count where the question could be answered in the same way.

    `asked_n` is how many were asked, for what the silent leave open; whoever came by themselves is none of them.
    Of an erased customer the score counts on, everything else is gone.
    """
    asked = {one.pk: questions_of(one.questions) for one in survey.versions.all()}
    questions = questions_of(shown.questions)
    scale = score_question(questions)
    alike = [{pk for pk, theirs in asked.items() if any(_is_alike(one, other) for other in theirs)} for one in questions]
    counted: list[Counter[str]] = [Counter() for _one in questions]
    of_asked: list[Counter[str]] = [Counter() for _one in questions]
    columns = ("invitation__version_id", "invitation__sent_at", "score", "answers")
    for version_id, asked_at, score, said in answers_of(survey, viewer, since).values_list(*columns):
        for place, one in enumerate(questions):
            value = score if one is scale else said.get(one.code)
            if value is not None and version_id in alike[place]:
                counted[place][_value_of(value)] += 1
                of_asked[place][_value_of(value)] += asked_at is not None
    found = [_figures(one, counts, is_net=survey.kind == NPS and one is scale) for one, counts in zip(questions, counted, strict=True)]
    return [_with_silent(one, counts, asked_n) for one, counts in zip(found, of_asked, strict=True)] if asked_n else found


def _with_silent(found: QuestionFigures, counts: Counter[str], asked_n: int) -> QuestionFigures:
    """Each share of all who were asked lies between none and all of those who gave no answer."""
    silent = max(0, asked_n - counts.total())
    ends = [(counts[line.value] / asked_n, (counts[line.value] + silent) / asked_n) for line in found.lines]
    return replace(found, lines=[replace(line, silent=pair) for line, pair in zip(found.lines, ends, strict=True)])


def _is_alike(one: Question, other: Question) -> bool:
    """Whether answers to both mean the same; other words of the question itself do not matter, other choices do."""
    return (one.code, one.kind, one.low, one.high, one.choices) == (other.code, other.kind, other.low, other.high, other.choices)


def _value_of(said: Any) -> str:
    return {True: YES, False: NO}[said] if isinstance(said, bool) else str(said)


def _figures(one: Question, counts: Counter[str], *, is_net: bool) -> QuestionFigures:
    n = counts.total()
    if one.kind == TEXT:
        return QuestionFigures(one, n, [])
    lines = [Line(value, words, rate_of(counts[value], n)) for value, words in _possible(one)]
    if one.kind != SCALE:
        return QuestionFigures(one, n, lines)
    scores = [(score, counts[str(score)]) for score in one.scores]
    mean = mean_of(((float(score), count) for score, count in scores), lowest=one.low, highest=one.high)
    top = rate_of(sum(count for score, count in scores if is_top(score, one.low, one.high)), n)
    net = mean_of(((points_of(score), count) for score, count in scores), lowest=-100, highest=100) if is_net else None
    return QuestionFigures(one, n, lines, mean, top, net)


def _possible(one: Question) -> list[tuple[str, dict[str, str]]]:
    if one.kind == SCALE:
        return [(str(score), {one.low: one.low_words, one.high: one.high_words}.get(score, {})) for score in one.scores]
    if one.kind == CHOICE:
        return [(choice["code"], {name: word for name, word in choice.items() if name != "code"}) for choice in one.choices]
    return [(YES, {"en": "Yes", "zh": "是"}), (NO, {"en": "No", "zh": "否"})]
