"""What was answered, question by question, with n and intervals: the same numbers for the page, its file and the API."""

from collections import Counter
from dataclasses import dataclass
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
    """One possible answer: as it is stored, and how many of those who answered the question gave it."""

    value: str
    words: dict[str, str]
    rate: Rate


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


def figures_of(survey: Survey, shown: SurveyVersion, viewer: Viewer, *, since: datetime | None = None) -> list[QuestionFigures]:
    """Every question of a version; answers to earlier or later versions count where the question could be answered in the same way.

    Of an erased customer the score counts on, everything else is gone.
    """
    asked = {one.pk: questions_of(one.questions) for one in survey.versions.all()}
    questions = questions_of(shown.questions)
    scale = score_question(questions)
    alike = [{pk for pk, theirs in asked.items() if any(_is_alike(one, other) for other in theirs)} for one in questions]
    counted: list[Counter[str]] = [Counter() for _one in questions]
    for version_id, score, said in answers_of(survey, viewer, since).values_list("invitation__version_id", "score", "answers"):
        for place, one in enumerate(questions):
            value = score if one is scale else said.get(one.code)
            if value is not None and version_id in alike[place]:
                counted[place][_value_of(value)] += 1
    return [_figures(one, counts, is_net=survey.kind == NPS and one is scale) for one, counts in zip(questions, counted, strict=True)]


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
