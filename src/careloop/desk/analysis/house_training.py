"""Making house models of kind and sentiment: learnt from corrections beside the shipped model, live only if better than what reads now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from careloop import insight
from careloop.desk.analysis.categorising import Answered
from careloop.desk.analysis.corrections import VALUES
from careloop.desk.analysis.house_reading import answer_with, core_task
from careloop.desk.analysis.model_files import pack
from careloop.desk.analysis.models import Correction, LearntModel, ModelFiles
from careloop.desk.analysis.rules import is_held_back, judge_house
from careloop.desk.analysis.training import Progress, Rows, answers_to, corrected_rows, decide, find_live, keep_figures
from careloop.desk.cases.models import Direction, Message

NEWEST_OTHERS = 3_000  # messages that nobody corrected: three quarters hold the model in place, a quarter tells how much it would change
READ_AT_ONCE = 500
ALGORITHM = "house"


@dataclass(frozen=True)
class _ReadRows:
    """Messages with what the shipped models read in them; iterates over (text, reading, value)."""

    rows: Rows
    readings: list[insight.Reading]

    def part(self, *, held_back: bool) -> "_ReadRows":
        kept = [reading for pk, reading in zip(self.rows.ids, self.readings, strict=True) if is_held_back(pk) == held_back]
        return _ReadRows(self.rows.part(held_back=held_back), kept)

    def slice(self, start: int | None, end: int | None) -> "_ReadRows":
        rows = Rows(self.rows.ids[start:end], self.rows.texts[start:end], self.rows.values[start:end])
        return _ReadRows(rows, self.readings[start:end])

    def __iter__(self) -> Iterator[tuple[str, insight.Reading, str]]:
        return zip(self.rows.texts, self.readings, self.rows.values, strict=True)


def train_house(candidate: LearntModel, *, clock: Callable[[], datetime], on_progress: Progress | None = None) -> LearntModel:
    """Learn a candidate, compare it on held-back messages with the model that reads now (a house model or the shipped one), and decide.

    Raises CareloopError, with a sentence that people can act on, when there is too little to learn from.
    """
    from careloop.insight.text.house_models import learn_house_model

    live = find_live(candidate.scope)
    rows, others = corrected_rows(candidate.scope, VALUES[candidate.task]), _others(candidate.scope)
    read = _read(Rows(rows.ids + others.ids, rows.texts + others.texts, rows.values + others.values), on_progress)
    corrected, uncorrected = read.slice(None, len(rows.ids)), read.slice(len(rows.ids), None)
    lesson, hold = corrected.part(held_back=False), uncorrected.part(held_back=False)
    taught = [(text, reading, value.lower()) for text, reading, value in lesson]
    model = learn_house_model(core_task(candidate.task), taught, [(text, reading) for text, reading, _value in hold])
    candidate.card, candidate.algorithm = model.card, ALGORITHM
    candidate.fingerprint = model.card["data"]["fingerprint"]
    ModelFiles.objects.update_or_create(model=candidate, defaults={"archive": pack(model)})
    return _compare(candidate, live, corrected.part(held_back=True), uncorrected.part(held_back=True), now=clock())


def _compare(candidate: LearntModel, live: LearntModel | None, tested: _ReadRows, unseen: _ReadRows, *, now: datetime) -> LearntModel:
    """Both read the same held-back messages, corrected ones and others; then one transaction decides."""
    from careloop.desk.analysis.figures import measure

    given = tested.rows.values
    said, before = _answers(candidate, tested, candidate), _answers(candidate, tested, live)
    pairs = zip(_answers(candidate, unseen, candidate), _answers(candidate, unseen, live), strict=True)
    others = (sum(new[0] != old[0] for new, old in pairs), len(unseen.rows.ids))
    candidate.figures = measure(given, [one[0] for one in said], [one[1] for one in said])
    candidate.figures["others"] = {"n": others[1], "changed": others[0]}
    candidate.rival, candidate.rival_figures = live, measure(given, [one[0] for one in before], [one[1] for one in before])
    if live is not None:
        keep_figures(live, {**candidate.rival_figures, "others": live.figures.get("others", {})}, answers_to(tested.rows, before))
    verdict = judge_house(given, [one[0] for one in said], [one[0] for one in before], others)
    return decide(candidate, live, verdict, answers_to(tested.rows, said), now=now)


def _answers(candidate: LearntModel, read: _ReadRows, model: LearntModel | None) -> list[Answered]:
    return answer_with(candidate.task, model, read.rows.texts, read.readings)


def _read(rows: Rows, on_progress: Progress | None) -> _ReadRows:
    readings: list[insight.Reading] = []
    for start in range(0, len(rows.ids), READ_AT_ONCE):
        readings += insight.read(rows.texts[start : start + READ_AT_ONCE], is_explained=False)
        if on_progress is not None:
            on_progress(len(readings), len(rows.ids))
    return _ReadRows(rows, readings)


def _others(scope: str) -> Rows:
    """The newest inbound messages that nobody corrected in this."""
    corrected = Correction.objects.filter(scope=scope).order_by().values("message_id")
    rows = Message.objects.filter(direction=Direction.INBOUND).exclude(pk__in=corrected)
    found = list(rows.order_by("-pk").values_list("pk", "body")[:NEWEST_OTHERS])
    return Rows([pk for pk, _body in found], [body for _pk, body in found], [""] * len(found))
