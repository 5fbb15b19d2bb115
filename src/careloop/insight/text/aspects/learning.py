"""Learning a house's own aspects from texts labelled with them, with figures from texts that were not learnt from.

Rows that share a text are one text with several aspects; it is either learnt from or held back, never both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.errors import InputError
from careloop.insight.text.aspects.clauses import Clause, find_clauses
from careloop.insight.text.aspects.features import choose_columns, choose_units, find_features
from careloop.insight.text.aspects.model import SHORTEST, AspectModel, Detector, Doubles, Polarity, find_signs, lay_out, to_probabilities

_FOLDS = 5
_SEED = 20240503
_LEAST_TEXTS = 2  # that hold an n-gram
_SIGNS = 4  # of an aspect; see `find_signs`
_RATIO_POWER = 0.7  # of log-count ratios as scales
_COST, _POLARITY_COST = 0.5, 0.3  # of support vectors and of the softmax, inverse to their ridge
_LEAST_EXAMPLES = 5  # of an aspect; a rarer one cannot be held back and learnt
_POOLED = 4.0  # examples' worth of trust in the common calibration line and threshold


@dataclass(frozen=True, slots=True)
class AspectReport:
    """Figures from held-back texts (five folds, thresholds chosen on the other folds).

    Attributes
    ----------
    rows, texts : int
        Labelled rows, and different texts among them.
    labels : int
        Number of aspects.
    macro_f1 : float
        Mean over aspects of the harmonic mean of precision and recall, 0–1.
    accuracy : float
        Share of texts whose likeliest aspect is one of theirs, 0–1.
    expected_calibration_error : float
        Of the probability that a text speaks of an aspect, 0–1.
    per_label : list of dict
        Label, texts, precision, recall, f1.
    sentiment_accuracy, sentiment_macro_f1 : float or None
        Of the opinion on aspects that the text speaks of; None where none was given.
    """

    rows: int
    texts: int
    labels: int
    macro_f1: float
    accuracy: float
    expected_calibration_error: float
    per_label: list[dict[str, Any]]
    sentiment_accuracy: float | None
    sentiment_macro_f1: float | None


@dataclass(frozen=True, slots=True)
class _Task:
    """The labelled rows as one matrix: texts × aspects."""

    texts: list[str]
    aspects: tuple[str, ...]
    is_spoken_of: NDArray[np.bool_]
    opinions: dict[tuple[int, int], str]  # (text, aspect) → polarity
    n_rows: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """The n-grams of all texts and of their clauses."""

    texts: sparse.csr_matrix
    clauses: list[Clause]
    parts: sparse.csr_matrix


def learn_aspects(
    texts: Sequence[str], aspects: Sequence[str], polarities: Sequence[str] | None = None
) -> tuple[AspectModel, AspectReport]:
    """Learn which texts speak of which aspect, and how.

    Parameters
    ----------
    texts : sequence of str, length n_rows
        Several rows may share a text.
    aspects : sequence of str, length n_rows
        “” says that the text speaks of none.
    polarities : sequence of str, length n_rows, or None
        The opinion of each row, in any words (“positive”, “-1” …); None or “” where there is none.

    Returns
    -------
    model : AspectModel
        Learnt from all rows.
    report : AspectReport
        From texts held back.

    Raises
    ------
    InputError
        When the lengths differ, or fewer than two aspects have five texts each.

    References
    ----------
    Wang & Manning 2012 (log-count ratios as scales of a support vector machine; the power is ours), Platt 1999 (calibration).
    """
    task = _gather(texts, aspects, polarities)
    units = choose_units(task.texts)
    clauses = find_clauses(task.texts)
    seen = _Seen(
        find_features(task.texts, units), clauses, find_features([task.texts[one.row][one.start : one.end] for one in clauses], units)
    )
    signs, folds = _hold_back(seen, task.is_spoken_of)
    report, lines, thresholds, is_always_one = _measure(task, signs, folds)
    detector = _fit_detector(seen.texts, task.is_spoken_of, np.arange(len(task.texts)))
    card = {"fingerprint": _fingerprint(task), "figures": asdict(report)}
    model = AspectModel(task.aspects, units, detector, lines, thresholds, is_always_one, None, card)
    if not task.opinions:
        return model, report
    return _add_polarity(model, task, seen, folds, report)


def _gather(texts: Sequence[str], aspects: Sequence[str], polarities: Sequence[str] | None) -> _Task:
    given = [len(texts), len(aspects), len(texts) if polarities is None else len(polarities)]
    if len(set(given)) > 1:
        raise InputError(f"Texts, aspects and polarities must be of one length; {given} were given.", field="label")
    names = [str(name).strip() for name in aspects]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    n_texts: dict[str, set[str]] = {}
    for text, name in zip(texts, names, strict=True):
        if name:
            n_texts.setdefault(name, set()).add(text)
    kept = tuple(sorted(name for name, holding in n_texts.items() if len(holding) >= _LEAST_EXAMPLES))
    if len(kept) < 2:
        raise InputError(
            f"At least 2 aspects with {_LEAST_EXAMPLES} different texts each are needed; there are {len(kept)}. Label more texts.",
            field="label",
        )
    is_spoken_of = np.zeros((len(places), len(kept)), dtype=bool)
    opinions: dict[tuple[int, int], str] = {}
    for row, (text, name) in enumerate(zip(texts, names, strict=True)):
        if name in kept:
            pair = (places[text], kept.index(name))
            is_spoken_of[pair] = True
            if polarities is not None and (polarity := str(polarities[row]).strip()):
                opinions[pair] = polarity
    return _Task(list(places), kept, is_spoken_of, opinions, len(texts))


def _fingerprint(task: _Task) -> str:
    digest = hashlib.sha256("\x1e".join(task.texts).encode("utf-8", "surrogatepass"))
    digest.update(repr((task.aspects, task.is_spoken_of.tobytes(), sorted(task.opinions.items()))).encode())
    return digest.hexdigest()


def _fit_detector(found: sparse.csr_matrix, is_spoken_of: NDArray[np.bool_], rows: NDArray[np.int64]) -> Detector:
    """Fit one support vector machine per aspect, on n-grams scaled by a power of their absolute log-count ratio."""
    from sklearn.svm import LinearSVC

    columns = choose_columns(found[rows], least=_LEAST_TEXTS)
    present, labels = found[rows][:, columns], is_spoken_of[rows].astype(np.float64)
    inside, outside = present.T @ labels + 1, present.T @ (1 - labels) + 1
    scales = np.abs(np.log(inside / inside.sum(axis=0)) - np.log(outside / outside.sum(axis=0))) ** _RATIO_POWER
    weights, bias = np.zeros_like(scales), np.full(labels.shape[1], -1.0)
    for aspect in np.flatnonzero((labels.sum(axis=0) > 0) & (labels.sum(axis=0) < len(rows))):
        scaled = present @ sparse.diags(scales[:, aspect])
        length = np.sqrt(present @ scales[:, aspect] ** 2 + SHORTEST)
        fitted = LinearSVC(C=_COST, random_state=0).fit(sparse.diags(1 / length) @ scaled, labels[:, aspect])
        weights[:, aspect], bias[aspect] = fitted.coef_[0] * scales[:, aspect], fitted.intercept_[0]
    return Detector(columns, scales.astype(np.float32), weights.astype(np.float32), bias)


def _hold_back(seen: _Seen, is_spoken_of: NDArray[np.bool_]) -> tuple[Doubles, NDArray[np.int64]]:
    """Return the signs of every text by a detector that did not see it, and the number of its fold."""
    n_texts = len(is_spoken_of)
    folds = np.random.default_rng(_SEED).permutation(n_texts) % _FOLDS
    fold_of_clause = folds[[one.row for one in seen.clauses]]
    signs = np.zeros((*is_spoken_of.shape, _SIGNS))
    for fold in np.unique(folds):
        held_back = np.flatnonzero(folds == fold)
        detector = _fit_detector(seen.texts, is_spoken_of, np.flatnonzero(folds != fold))
        places = np.flatnonzero(fold_of_clause == fold)
        clauses = [seen.clauses[place] for place in places]
        renumbered = [one._replace(row=row) for one, row in zip(clauses, np.searchsorted(held_back, [c.row for c in clauses]), strict=True)]
        signs[held_back] = find_signs(detector, seen.texts[held_back], seen.parts[places], renumbered)
    return signs, folds


def _measure(task: _Task, signs: Doubles, folds: NDArray[np.int64]) -> tuple[AspectReport, Doubles, Doubles, bool]:
    """Return the report, and calibration lines and thresholds from all held-back signs."""
    labels = task.is_spoken_of
    is_always_one = bool(labels.any(axis=1).all())
    probabilities, is_named = np.zeros(labels.shape), np.zeros(labels.shape, dtype=bool)
    for fold in range(_FOLDS):
        held_back = folds == fold
        lines, thresholds = _calibrate(signs[~held_back], labels[~held_back])
        probabilities[held_back] = to_probabilities(signs[held_back], lines)
        is_named[held_back] = _name(probabilities[held_back], thresholds, is_always_one=is_always_one)
    per_label = [_describe(name, labels[:, place], is_named[:, place]) for place, name in enumerate(task.aspects)]
    spoken = labels.any(axis=1)
    best = probabilities.argmax(axis=1)
    report = AspectReport(
        rows=task.n_rows, texts=len(task.texts), labels=len(task.aspects),
        macro_f1=round(float(np.mean([one["f1"] for one in per_label])), 4),
        accuracy=round(float(labels[spoken, best[spoken]].mean()), 4),
        expected_calibration_error=round(_calibration_error(probabilities, labels), 4),
        per_label=per_label, sentiment_accuracy=None, sentiment_macro_f1=None,
    )  # fmt: skip
    return report, *_calibrate(signs, labels), is_always_one


def _calibrate(signs: Doubles, labels: NDArray[np.bool_]) -> tuple[Doubles, Doubles]:
    """Return slopes and bias per aspect, and the probability from which on naming it gives the best F1; rare aspects lean on others."""
    from sklearn.linear_model import LogisticRegression

    def fit(own: Doubles, is_true: NDArray[np.bool_]) -> Doubles:
        fitted = LogisticRegression(C=100.0).fit(own, is_true)
        return np.append(fitted.coef_[0], fitted.intercept_[0])

    common_line = fit(signs.reshape(-1, _SIGNS), labels.ravel())
    lines, thresholds = np.tile(common_line, (labels.shape[1], 1)), np.zeros(labels.shape[1])
    common_threshold = _best_threshold(to_probabilities(signs, lines).ravel(), labels.ravel())
    for aspect in range(labels.shape[1]):
        n_examples = int(labels[:, aspect].sum())
        trust = n_examples / (n_examples + _POOLED * _FOLDS)
        if 0 < n_examples < len(labels):
            lines[aspect] = trust * fit(signs[:, aspect], labels[:, aspect]) + (1 - trust) * common_line
        probabilities = to_probabilities(signs[:, [aspect]], lines[[aspect]])[:, 0]
        thresholds[aspect] = trust * _best_threshold(probabilities, labels[:, aspect]) + (1 - trust) * common_threshold
    return lines, thresholds


def _best_threshold(probabilities: Doubles, labels: NDArray[np.bool_]) -> float:
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum(labels[order])
    f1 = 2 * right / (np.arange(1, len(labels) + 1) + max(int(labels.sum()), 1))
    best = int(f1.argmax())
    below = probabilities[order[best + 1]] if best + 1 < len(order) else 0.0
    return float(np.clip((probabilities[order[best]] + below) / 2, 0.1, 0.6))


def _name(probabilities: Doubles, thresholds: Doubles, *, is_always_one: bool) -> NDArray[np.bool_]:
    is_named = probabilities >= thresholds
    if is_always_one:
        is_named[np.arange(len(probabilities)), (probabilities / thresholds).argmax(axis=1)] = True
    return np.asarray(is_named)


def _describe(name: str, labels: NDArray[np.bool_], is_named: NDArray[np.bool_]) -> dict[str, Any]:
    right, wanted, given = int((labels & is_named).sum()), int(labels.sum()), int(is_named.sum())
    return {
        "label": name,
        "texts": wanted,
        "precision": round(right / given, 4) if given else 0.0,
        "recall": round(right / wanted, 4) if wanted else 0.0,
        "f1": round(2 * right / (given + wanted), 4) if given + wanted else 0.0,
    }


def _calibration_error(probabilities: Doubles, labels: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Return the expected calibration error over all texts and aspects, equally wide bins."""
    flat, outcomes = probabilities.ravel(), labels.ravel()
    places = np.minimum((flat * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(places, weights=flat - outcomes, minlength=bins)
    return float(np.abs(gaps).sum() / len(flat))


def _add_polarity(
    model: AspectModel, task: _Task, seen: _Seen, folds: NDArray[np.int64], report: AspectReport
) -> tuple[AspectModel, AspectReport]:
    from sklearn.metrics import f1_score

    pairs = np.array(sorted(task.opinions))
    names = tuple(sorted(set(task.opinions.values())))
    wanted = np.array([names.index(task.opinions[row, aspect]) for row, aspect in pairs.tolist()])
    chosen = model.find_best_clauses(seen.clauses, seen.parts, pairs)
    columns = choose_columns(seen.texts, least=_LEAST_TEXTS)
    features = lay_out(seen.parts[chosen][:, columns], seen.texts[pairs[:, 0]][:, columns], pairs[:, 1], len(task.aspects))
    guessed = np.zeros(len(wanted), dtype=np.int64)
    for fold in range(_FOLDS):
        held_back = folds[pairs[:, 0]] == fold
        weights, bias = _fit_polarity(features[~held_back], wanted[~held_back], len(names))
        guessed[held_back] = np.asarray(features[held_back] @ weights + bias).argmax(axis=1)
    weights, bias = _fit_polarity(features, wanted, len(names))
    accuracy = round(float((guessed == wanted).mean()), 4)
    macro_f1 = round(float(f1_score(wanted, guessed, average="macro")), 4)
    values = asdict(report) | {"sentiment_accuracy": accuracy, "sentiment_macro_f1": macro_f1}
    polarity = Polarity(names, columns, weights.astype(np.float32), bias)
    return (
        AspectModel(
            model.aspects, model.units, model.detector, model.lines, model.thresholds, model.is_always_one, polarity,
            model.card | {"figures": values},
        ),
        AspectReport(**values),
    )  # fmt: skip


def _fit_polarity(features: sparse.csr_matrix, wanted: NDArray[np.int64], n_names: int) -> tuple[Doubles, Doubles]:
    """Return weights and bias of a softmax; a polarity without examples gets a bias that never wins."""
    from sklearn.svm import LinearSVC

    weights, bias = np.zeros((features.shape[1], n_names)), np.full(n_names, -1e6)
    present = np.unique(wanted)
    if len(present) == 1:
        bias[present] = 0.0
        return weights, bias
    fitted = LinearSVC(C=_POLARITY_COST, random_state=0).fit(features, wanted)
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(present) == 2:
        coefficients, intercepts = np.vstack([-coefficients, coefficients]), np.array([-intercepts[0], intercepts[0]])
    weights[:, present], bias[present] = coefficients.T, intercepts
    return weights, bias
