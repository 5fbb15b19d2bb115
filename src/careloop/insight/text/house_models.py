"""Sentiment and kind as a house's own people see them: the shipped models, and what their corrections add to them.

A house model never starts from nothing. It takes the log-probabilities that follow from a reading of the shipped models and adds weights of
the text's n-grams, learnt from what people said. People correct where the models err, so a model of their words alone would learn that the
shipped one is always wrong: other texts, which nobody corrected, hold it in place. Of a text in which it knows nothing, it says what the
shipped one says.

References
----------
The shipped model's log-probabilities as offset of a penalised regression: Hastie, Tibshirani and Friedman 2009, The Elements of Statistical
Learning, 4.4 and 10.2 (forward stagewise fitting); choice of the penalty and what was measured: docs/decisions/0020-house-models.md.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_limits

from careloop.insight.errors import InputError, ModelError, Sentence
from careloop.insight.text.categories.ngrams import NgramSpace
from careloop.insight.text.model_folder import read_arrays, read_card, write_model
from careloop.insight.types import KINDS, SENTIMENTS, Category, Reading

FORMAT = 1
LEAST_ROWS = 20
MOST_OTHERS = 2_000  # texts that nobody corrected; more hold no better and cost time
LABELS: dict[str, tuple[str, ...]] = {"sentiment": SENTIMENTS, "kind": KINDS}
_OTHERS_WEIGHT = 0.3  # of such a text beside a corrected one: some of them are wrong, too
_STRENGTHS = (0.3, 1.0, 3.0, 10.0)  # inverse of the ridge penalty; cross-validation chooses, or nothing when none helps
_FOLDS = 5
_STEPS = 40
_MOST_LOGIT = 5.0
_NEUTRAL_LEAD = 0.5  # log-odds by which a neutral reading leads
_SURE = 0.5  # below it another answer may be as likely

Doubles = NDArray[np.float64]
Task = Literal["sentiment", "kind"]


@dataclass(frozen=True, slots=True)
class HouseModel:
    """What a house's corrections add to the shipped model of one task.

    Attributes
    ----------
    task : {"sentiment", "kind"}
    space : NgramSpace
        The n-grams that it weighs.
    weights : ndarray of float32, shape (n_ngrams, n_labels)
        What each adds to the log-probability of each label of `LABELS[task]`.
    card : dict
        What it learnt from; plain lists, strings and numbers.
    """

    task: Task
    space: NgramSpace
    weights: NDArray[np.float32]
    card: dict[str, Any]

    @property
    def labels(self) -> tuple[str, ...]:
        """The names that it may answer with."""
        return LABELS[self.task]

    def answer(self, texts: Sequence[str], readings: Sequence[Reading]) -> list[Category]:
        """Return one answer a text with all labels ranked, in order, given what the shipped models read in the same texts."""
        started = start_from(self.task, readings)
        probabilities = softmax(started + _count(self.space, texts) @ self.weights.astype(np.float64), axis=1)
        return _answers(self.task, probabilities, readings)

    def apply(self, texts: Sequence[str], readings: Sequence[Reading], *, version: str) -> list[Reading]:
        """Return the readings as the house sees them; `version` is noted as the model's.

        Where the label changes, the words that decided are left out: they spoke for the other one. Failed readings stay as they are.
        """
        answers = self.answer(texts, readings)
        return [self._change(reading, answer, version) for reading, answer in zip(readings, answers, strict=True)]

    def _change(self, reading: Reading, answer: Category, version: str) -> Reading:
        if reading.error is not None:
            return reading
        models = {**reading.models, self.task: version}
        changes: dict[str, Any] = {self.task: answer.label, f"{self.task}_abstained": answer.abstained}
        changes[f"{self.task}_probability"] = answer.probability
        if self.task == "sentiment":
            share = dict(answer.ranked)
            changes["sentiment_probability"] = round(share["positive"] / max(share["positive"] + share["negative"], 1e-9), 4)
        if answer.label != getattr(reading, self.task):
            changes[f"{self.task}_evidence"] = ()
        return replace(reading, models=models, **changes)

    def save(self, folder: str | Path) -> None:
        """Write card.json and model.npz into a folder, made when it is not there; a model that is there is replaced."""
        arrays = {"buckets": self.space.buckets, "scales": self.space.weights, "weights": self.weights}
        write_model(folder, self.card | {"task": f"house {self.task}", "format": FORMAT}, arrays)


def start_from(task: Task, readings: Sequence[Reading]) -> Doubles:
    """Return the log-probabilities of all labels that follow from readings, shape (n_texts, n_labels); the likeliest is the reading's.

    A kind has the probability that the reading gives it; the other kinds share the rest evenly. Positive and negative lie as far apart
    as the reading says, with “neutral” in the middle, or half a log-odds ahead where the reading is neutral.
    """
    scores = np.zeros((len(readings), len(LABELS[task])))
    for row, reading in zip(scores, readings, strict=True):
        if task == "kind":
            least = 1 / len(KINDS)
            said = min(max(reading.kind_probability, least + 1e-6), 1 - 1e-4)
            row[:] = math.log((1 - said) / (len(KINDS) - 1))
            row[KINDS.index(reading.kind)] = math.log(said)
        else:
            positive = min(max(reading.sentiment_probability, 1e-4), 1 - 1e-4)
            logit = min(max(math.log(positive / (1 - positive)), -_MOST_LOGIT), _MOST_LOGIT)
            half = logit / 2 or 1e-6
            neutral = abs(half) + _NEUTRAL_LEAD if reading.sentiment == "neutral" else -abs(half)
            row[:] = [{"positive": half, "neutral": neutral, "negative": -half}[name] for name in SENTIMENTS]
    return np.asarray(log_softmax(scores, axis=1))


def answer_as_shipped(task: Task, readings: Sequence[Reading]) -> list[Category]:
    """Return the shipped models' answers in the form of a house model's, to be compared with one."""
    return _answers(task, np.exp(start_from(task, readings)), readings)


def _answers(task: Task, probabilities: Doubles, readings: Sequence[Reading]) -> list[Category]:
    """Where the house agrees with the reading, it abstains as the reading does; where not, when it is not sure."""
    names, answers = LABELS[task], []
    for row, reading in zip(probabilities, readings, strict=True):
        order = np.argsort(-row, kind="stable").tolist()
        ranked = tuple((names[place], round(float(row[place]), 4)) for place in order)
        label, probability = ranked[0]
        is_agreed = label == getattr(reading, task)
        is_unsure = getattr(reading, f"{task}_abstained") if is_agreed else probability < _SURE
        answers.append(Category(label, probability, bool(is_unsure), ranked))
    return answers


def _count(space: NgramSpace, texts: Sequence[str]) -> sparse.csr_matrix:
    """Return the n-grams of texts; none where only the blank around every text is known."""
    counts = space.count(texts)
    n_known = np.diff(counts.indptr)
    counts.data *= np.repeat(n_known > 1, n_known)
    return counts


@dataclass(frozen=True, slots=True)
class _Lesson:
    """Rows to learn from: features, where the shipped model starts, what is right, and how much each counts."""

    features: sparse.csr_matrix
    started: Doubles
    targets: Doubles
    trust: Doubles

    def pick(self, rows: NDArray[np.bool_]) -> _Lesson:
        return _Lesson(self.features[rows], self.started[rows], self.targets[rows], self.trust[rows])


def learn_house_model(
    task: Task,
    rows: Sequence[tuple[str, Reading, str]],
    others: Sequence[tuple[str, Reading]] = (),
) -> HouseModel:
    """Learn what a house's corrections add to the shipped model.

    Parameters
    ----------
    task : {"sentiment", "kind"}
    rows : sequence of (text, reading, label)
        What the shipped models read in each text, and what people said of it; confirmed readings are as welcome as corrected ones.
    others : sequence of (text, reading)
        Texts that nobody corrected, of the same house and time; the first 2,000 are used. Without them a model that only learns from
        errors would undo what is right.

    Returns
    -------
    HouseModel
        Its penalty is chosen by five-fold cross-validation of the log-loss; where nothing helps, it adds nothing and says what is shipped.

    Raises
    ------
    InputError
        With fewer than 20 rows, a single label, or a label that the task does not have.
    """
    labels = [label for _text, _reading, label in rows]
    _check(task, labels)
    kept = list(others[:MOST_OTHERS])
    texts = [text for text, _reading, _label in rows] + [text for text, _reading in kept]
    readings = [reading for _text, reading, _label in rows] + [reading for _text, reading in kept]
    started = start_from(task, readings)
    targets = np.exp(started)
    targets[: len(rows)] = np.eye(len(LABELS[task]))[[LABELS[task].index(label) for label in labels]]
    trust = np.where(np.arange(len(texts)) < len(rows), 1.0, _OTHERS_WEIGHT)
    space = NgramSpace.learn(texts[: len(rows)], least_rows=2)
    lesson = _Lesson(_count(space, texts), started, targets, trust)
    losses = _try_strengths(lesson, texts)
    strength = min(losses, key=lambda one: (losses[one], one))
    weights = _fit(lesson, strength) if strength else np.zeros((len(space.buckets), len(LABELS[task])))
    card = {
        "task": f"house {task}",
        "algorithm": "house",
        "rows": len(rows),
        "other_rows": len(kept),
        "labels": dict(sorted(Counter(labels).items())),
        "strength": strength,
        "cross_validated_loss": {str(one): round(loss, 4) for one, loss in losses.items()},
        "shipped": _name_versions(task, readings),
        "data": {"fingerprint": _fingerprint(rows)},
    }
    return HouseModel(task, space, weights.astype(np.float32), card)


def _check(task: Task, labels: Sequence[str]) -> None:
    if unknown := sorted(set(labels) - set(LABELS[task])):
        raise InputError(f"“{unknown[0]}” is no {task}; choose one of {', '.join(LABELS[task])}.", field="labels")
    if len(labels) < LEAST_ROWS:
        raise InputError(Sentence("Too few corrections to learn from: {n} of {least}.", n=len(labels), least=LEAST_ROWS), field="labels")
    if len(set(labels)) < 2:
        raise InputError(Sentence("All {n} corrections say the same; two different ones are needed.", n=len(labels)), field="labels")


def _try_strengths(lesson: _Lesson, texts: Sequence[str]) -> dict[float, float]:
    """Return the mean log-loss on rows left out by strength; 0 stands for the shipped model. Equal texts are left out together."""
    folds = np.array([int(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8], 16) % _FOLDS for text in texts])
    nothing = np.zeros((lesson.features.shape[1], lesson.targets.shape[1]))
    losses = {0.0: _lose(nothing, lesson)}
    for strength in _STRENGTHS:
        parts = [(_fit(lesson.pick(folds != fold), strength), lesson.pick(folds == fold)) for fold in np.unique(folds)]
        losses[strength] = sum(_lose(weights, part) for weights, part in parts)
    return {strength: loss / float(lesson.trust.sum()) for strength, loss in losses.items()}


def _lose(weights: Doubles, lesson: _Lesson) -> float:
    logs = log_softmax(lesson.started + lesson.features @ weights, axis=1)
    return float(-(lesson.trust[:, None] * lesson.targets * logs).sum())


def _fit(lesson: _Lesson, strength: float) -> Doubles:
    """Return the weights that minimise trusted log-loss + ‖weights‖² / (2 · strength), shape (n_ngrams, n_labels); deterministic."""
    shape = (lesson.features.shape[1], lesson.targets.shape[1])
    backwards = lesson.features.T.tocsr()

    def objective(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(shape)
        scores = lesson.started + lesson.features @ weights
        errors = lesson.trust[:, None] * (softmax(scores, axis=1) - lesson.targets)
        value = _lose(weights, lesson) + float(np.vdot(weights, weights)) / (2 * strength)
        return value, (backwards @ errors + weights / strength).ravel()

    with threadpool_limits(1):  # threads would only wait for one another
        found = minimize(objective, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "ftol": 1e-6})
    return np.asarray(found.x.reshape(shape))


def _name_versions(task: Task, readings: Sequence[Reading]) -> list[str]:
    return sorted({reading.models[task] for reading in readings if task in reading.models})


def _fingerprint(rows: Sequence[tuple[str, Reading, str]]) -> str:
    digest = hashlib.sha256()
    for text, _reading, label in rows:
        digest.update(f"{text}\0{label}\1".encode("utf-8", "replace"))
    return digest.hexdigest()


def load_house_model(folder: str | Path, task: Task) -> HouseModel:
    """Return the model that `HouseModel.save` wrote.

    Raises
    ------
    ModelError
        When there is none, it is damaged, for another task, or of a format that this version does not read.
    """
    card = read_card(folder, task=f"house {task}", format=FORMAT)
    arrays = read_arrays(folder)
    try:
        return HouseModel(task, NgramSpace(arrays["buckets"], arrays["scales"]), arrays["weights"], card)
    except KeyError as error:
        raise ModelError(f"The model in “{folder}” cannot be read ({error}); learn it again.") from error
