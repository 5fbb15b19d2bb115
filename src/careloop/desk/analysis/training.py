"""Making models: from categories' names alone, or from people's corrections; a candidate goes live only if it beats the live model."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from careloop.desk.analysis.categorising import Answered, read_values
from careloop.desk.analysis.doubts import keep_doubts
from careloop.desk.analysis.model_files import pack
from careloop.desk.analysis.models import Correction, LearntModel, ModelFiles, Status, Taxonomy
from careloop.desk.analysis.rules import LEAST_TO_LEARN, Verdict, is_held_back, judge
from careloop.desk.analysis.taxonomy_queries import list_leaves, to_describe
from careloop.desk.cases.models import Direction, Message
from careloop.insight.errors import CareloopError, Sentence

MOST_ROWS = 20_000  # newest corrected messages
TEXTS_TO_ADAPT = 400
FEWEST_TO_ADAPT = 300
DESCRIBED = "descriptions"
ALGORITHM = "auto"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rows:
    """Corrected messages: what people said of each, in the order of their ids."""

    ids: list[int]
    texts: list[str]
    values: list[str]

    def part(self, *, held_back: bool) -> "Rows":
        """Those that test, or those that teach."""
        places = [place for place, pk in enumerate(self.ids) if is_held_back(pk) == held_back]
        return Rows(
            [self.ids[place] for place in places], [self.texts[place] for place in places], [self.values[place] for place in places]
        )


def train(model_id: int, *, clock: Callable[[], datetime], on_progress: Progress | None = None) -> LearntModel | None:
    """Learn a candidate, compare it with the live model, and let the better one be live. None: it is no candidate any more.

    Whatever goes wrong, the live model stays; a sentence that people can act on is kept with the candidate.
    """
    candidate = LearntModel.objects.select_related("taxonomy").filter(pk=model_id, status=Status.CANDIDATE).first()
    if candidate is None:
        return None
    try:
        if candidate.taxonomy is None:
            from careloop.desk.analysis.house_training import train_house

            return train_house(candidate, clock=clock, on_progress=on_progress)
        live = find_live(candidate.scope)
        made = _make(candidate, candidate.taxonomy, on_progress)
    except CareloopError as error:
        return reject(candidate, error.sentence, now=clock())
    if isinstance(made, Verdict):
        return reject(candidate, made.reason, now=clock())
    return _compare(candidate, live, made, now=clock())


def find_live(scope: str) -> LearntModel | None:
    """The live model of a scope, or None."""
    return LearntModel.objects.filter(scope=scope, status=Status.LIVE).first()


def reject(candidate: LearntModel, reason: Sentence, *, now: datetime) -> LearntModel:
    """Put a candidate aside with the reason; what is live stays live."""
    candidate.status, candidate.reason, candidate.decided_at = Status.REJECTED, reason.to_json(), now
    changed = LearntModel.objects.filter(pk=candidate.pk, status=Status.CANDIDATE)
    changed.update(status=Status.REJECTED, reason=candidate.reason, decided_at=now)
    return candidate


def corrected_rows(scope: str, allowed: set[str]) -> Rows:
    """Messages with the newest word of people on each, if it is one that is still in use."""
    newest: dict[int, str] = {}
    for message_id, value in Correction.objects.filter(scope=scope).order_by("-pk").values_list("message_id", "value").iterator():
        newest.setdefault(message_id, value)
        if len(newest) >= MOST_ROWS:
            break
    ids = sorted(pk for pk, value in newest.items() if value in allowed)
    texts: dict[int, str] = {}
    for start in range(0, len(ids), 500):
        texts |= dict(Message.objects.filter(pk__in=ids[start : start + 500]).values_list("pk", "body"))
    return Rows(ids, [texts[pk] for pk in ids], [newest[pk] for pk in ids])


@dataclass(frozen=True)
class Made:
    """A model of the core with what its row keeps, and the rows that it must prove itself on."""

    model: Any
    codes: dict[str, str]
    fingerprint: str
    allowed: set[str]
    tested: Rows
    taught: Rows | None = None


def _make(candidate: LearntModel, taxonomy: Taxonomy, on_progress: Progress | None) -> Made | Verdict:
    from careloop.desk.analysis.vectors import KeptEncoder

    leaves = list_leaves(taxonomy)
    allowed = {one.code for one in leaves}
    rows = corrected_rows(candidate.scope, allowed)
    encoder = KeptEncoder(on_progress=on_progress)
    if candidate.algorithm == DESCRIBED:
        from careloop.insight.text.descriptions import describe_categories

        described, codes = to_describe(leaves)
        model = describe_categories(described, encoder=encoder)
        texts = _list_texts(taxonomy)
        if len(texts) >= FEWEST_TO_ADAPT:
            model = model.adapt(texts, encoder=encoder)
        return Made(model, codes, _fingerprint(described), allowed, rows.part(held_back=True))
    lesson = rows.part(held_back=False)
    if len(lesson.ids) < LEAST_TO_LEARN:
        return Verdict(False, Sentence("Too few corrections to learn from: {n} of {least}.", n=len(lesson.ids), least=LEAST_TO_LEARN))
    from careloop.insight.text.categories import learn_categories

    descriptions = {one.code: one.description for one in leaves}
    learnt = learn_categories(lesson.texts, lesson.values, descriptions=descriptions, algorithm=ALGORITHM, encoder=encoder)
    codes = {code: code for code in learnt.labels}
    return Made(learnt, codes, learnt.card["data"]["fingerprint"], allowed, rows.part(held_back=True), lesson)


def _list_texts(taxonomy: Taxonomy) -> list[str]:
    rows = Message.objects.filter(direction=Direction.INBOUND)
    if taxonomy.team_id is not None:
        rows = rows.filter(team_id=taxonomy.team_id)
    return list(rows.order_by("-pk").values_list("body", flat=True)[:TEXTS_TO_ADAPT])


def _fingerprint(described: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(described, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _compare(candidate: LearntModel, live: LearntModel | None, made: Made, *, now: datetime) -> LearntModel:
    """Both answer the same held-back messages; then one transaction decides."""
    from careloop.desk.analysis.figures import measure
    from careloop.desk.analysis.vectors import is_at_hand

    candidate.card = {key: value for key, value in made.model.card.items() if key not in ("confusion", "suspected_label_errors")}
    candidate.codes, candidate.fingerprint = made.codes, made.fingerprint
    candidate.algorithm = candidate.algorithm or str(made.model.card["algorithm"])
    tested = made.tested
    archive = pack(made.model)
    ModelFiles.objects.update_or_create(model=candidate, defaults={"archive": archive})
    said = read_values(candidate, tested.texts, made.allowed) if tested.ids else []
    candidate.figures = measure(tested.values, [one[0] for one in said], [one[1] for one in said])
    before: list[str] | None = None
    if live is not None and is_at_hand(live.card.get("encoder")):
        theirs = read_values(live, tested.texts, made.allowed) if tested.ids else []
        before = [one[0] for one in theirs]
        candidate.rival, candidate.rival_figures = live, measure(tested.values, before, [one[1] for one in theirs])
        keep_figures(live, candidate.rival_figures, answers_to(tested, theirs))  # those that it had are of fewer corrections
    if made.taught is not None and candidate.taxonomy is not None:
        keep_doubts(candidate.taxonomy, made.taught.ids, made.model.card["suspected_label_errors"])
    verdict = _verdict(candidate, live, tested, [one[0] for one in said], before)
    return decide(candidate, live, verdict, answers_to(tested, said), now=now)


def answers_to(tested: Rows, said: list[Answered]) -> list[Any]:
    """What is kept of a model's answers: [message, value by people, value by the model, probability] a row."""
    return [[pk, given, one[0], one[1]] for pk, given, one in zip(tested.ids, tested.values, said, strict=True)]


def keep_figures(live: LearntModel, figures: dict[str, Any], answers: list[Any]) -> None:
    """Store a live model's newest figures with the answers that they count."""
    with transaction.atomic():
        LearntModel.objects.filter(pk=live.pk).update(figures=figures)
        ModelFiles.objects.filter(model=live).update(answers=answers)


def _verdict(candidate: LearntModel, live: LearntModel | None, tested: Rows, said: list[str], before: list[str] | None) -> Verdict:
    from careloop.desk.analysis.vectors import is_at_hand

    if live is not None and not is_at_hand(encoder := live.card.get("encoder")):
        return Verdict(True, Sentence("The model before needs the encoder “{encoder}”, which is not in use any more.", encoder=encoder))
    if candidate.algorithm != DESCRIBED:
        return judge(tested.values, said, before)
    if live is None or live.algorithm == DESCRIBED:
        return Verdict(True, Sentence("Made from the names and descriptions alone, until people's corrections teach a better one."))
    return judge(tested.values, said, before)


def decide(candidate: LearntModel, live: LearntModel | None, verdict: Verdict, answers: list[Any], *, now: datetime) -> LearntModel:
    """Let the candidate be live or rejected, in one transaction that looks again which model is live."""
    with transaction.atomic():
        locked = {
            one.pk: one for one in LearntModel.objects.select_for_update().filter(scope=candidate.scope, status__in=("CANDIDATE", "LIVE"))
        }
        if candidate.pk not in locked:
            return candidate
        now_live = next((one for one in locked.values() if one.status == Status.LIVE), None)
        if (now_live.pk if now_live else None) != (live.pk if live else None):
            verdict = Verdict(False, Sentence("Another model went live during the training; start it again to compare with that one."))
        if verdict.goes_live and now_live is not None:
            LearntModel.objects.filter(pk=now_live.pk).update(status=Status.RETIRED)
        candidate.status = Status.LIVE if verdict.goes_live else Status.REJECTED
        candidate.reason, candidate.decided_at = verdict.reason.to_json(), now
        candidate.save()
        files = ModelFiles.objects.filter(model=candidate)
        files.update(answers=answers, **({} if verdict.goes_live else {"archive": None}))
    return candidate
