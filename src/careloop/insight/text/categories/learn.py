"""Learning categories from labelled texts: choose by cross-validation, measure on rows not trained on, then fit on all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from careloop.insight.errors import InputError
from careloop.insight.text.categories.card import describe_quality
from careloop.insight.text.categories.cascade import FIRSTS, Cascade, First
from careloop.insight.text.categories.model import Calibration, CategoryModel, Scorer
from careloop.insight.text.categories.recipes import RECIPES
from careloop.insight.text.categories.rows import LabelledRows, check_rows, fold_rows
from careloop.insight.text.categories.suspects import list_suspects
from careloop.insight.text.categories.trials import (
    FOLDS,
    TESTED_FOLDS,
    Chosen,
    Lesson,
    Material,
    Trial,
    choose_recipes,
    choose_unlabelled,
    try_recipe,
)
from careloop.insight.text.categories.unlabelled import Unlabelled, choose_texts
from careloop.insight.text.encoder import Encoder, encode_pieces, get_bundled_encoder
from careloop.insight.text.ngrams import Floats

ALGORITHMS = ("auto", *RECIPES)
_LEAST_PROBABILITY = 0.5  # below it another label may be as likely

Doubles = NDArray[np.float64]


def learn_categories(  # noqa: PLR0913  (the last only says whether to show a bar)
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    descriptions: Mapping[str, str] | None = None,
    algorithm: str = "auto",
    encoder: Encoder | Literal["bundled"] | None = "bundled",
    seed: int = 0,
    progress: bool = False,
) -> CategoryModel:
    """Learn to tell categories apart.

    Parameters
    ----------
    texts, labels : sequence of str, length n_rows
        Rows without a text are left out, and so are those without a label unless fewer than 2,000 have one: then they are learnt, too,
        as what models take them for, if that helps (docs/decisions/0015-categories.md). The card counts them.
    descriptions : mapping of str to str, optional
        What a label means, in words; labels without a row are named in the card.
    algorithm : {"auto", "svm", "logistic", "ridge", "tree", "forest"}
        “auto” takes the one that is best in cross-validation inside rows that no figure of the card is measured on.
    encoder : Encoder, "bundled" or None
        None learns from words alone.
    seed : int
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    CategoryModel
        Its card's figures come from rows that took part neither in fitting nor in choosing.

    Raises
    ------
    InputError
        When the rows cannot be learnt from, or the algorithm is not known.
    """
    started = time.perf_counter()
    if algorithm not in ALGORITHMS:
        raise InputError(f"There is no algorithm “{algorithm}”; choose one of {', '.join(ALGORITHMS)}.", field="algorithm")
    rows = check_rows(texts, labels)
    if encoder == "bundled":
        encoder = get_bundled_encoder()
    with tqdm(total=FOLDS + 3, disable=not progress, unit=" steps") as bar:
        material = _gather(rows, rows.name_labels(descriptions or {}), encoder, seed=seed)
        bar.update()
        folds = fold_rows(rows.classes, FOLDS, seed=seed)
        recipes = [one for name, ones in RECIPES.items() if algorithm in ("auto", name) for one in ones]
        chosen = choose_recipes(material, folds, recipes, seed=seed)
        material, chosen = choose_unlabelled(material, folds, chosen, recipes, seed=seed)
        bar.update()
        trial = try_recipe(material, folds, chosen, seed=seed, step=bar.update)
        lesson = Lesson.prepare(material, np.arange(len(rows.texts)), seed=seed)
        cascade = _choose_cascade(rows, trial, lesson.judgement.noise_ratio)
        lessons = {"fast": lesson} | ({"semantic": lesson} if material.vectors is not None else {})
        if cascade.first == "pieces" and material.pieces is not None:
            lessons["pieces"] = lesson.look_at(material.pieces, np.arange(len(rows.texts)))
        scorers = _fit_scorers(lessons, chosen, trial, rows, seed=seed)
        bar.update(bar.total - bar.n)
    card = _describe(rows, chosen, trial, lesson, cascade)
    card["encoder"] = None if encoder is None else encoder.name
    card["settings"] |= {"asked_for": algorithm, "seed": seed}
    card["labels_without_rows"] = sorted(set(descriptions or ()) - set(rows.labels))
    card["seconds"] = round(time.perf_counter() - started, 1)
    return CategoryModel(rows.labels, card, scorers, _LEAST_PROBABILITY)


def _gather(rows: LabelledRows, names: list[str], encoder: Encoder | None, *, seed: int) -> Material:
    more = choose_texts(rows.unlabelled, n_labelled=len(rows.texts), seed=seed)
    if encoder is None:
        return Material(rows, None, names, None, Unlabelled(more, None) if more else None)
    unlabelled = Unlabelled(more, encoder.encode(more)) if more else None
    material = Material(rows, encoder.encode(rows.texts), names, encoder.encode(names), unlabelled)
    return replace(material, pieces=_gather_pieces(material, encoder))


def _gather_pieces(material: Material, encoder: Encoder) -> Material | None:
    """Return the same with vectors that the encoder makes without its layers, or None when it cannot."""
    vectors, name_vectors = encode_pieces(encoder, material.rows.texts), encode_pieces(encoder, material.names)
    if vectors is None or name_vectors is None:
        return None
    more = material.unlabelled
    unlabelled = None if more is None else Unlabelled(more.texts, encode_pieces(encoder, more.texts))
    return replace(material, vectors=vectors, name_vectors=name_vectors, unlabelled=unlabelled)


def _fit_scorers(lessons: dict[str, Lesson], chosen: Chosen, trial: Trial, rows: LabelledRows, *, seed: int) -> dict[str, Scorer]:
    shares = np.bincount(rows.classes, minlength=len(rows.labels)) / len(rows.classes)
    scorers = {}
    for name, lesson in lessons.items():
        has_vectors = name != "fast"
        space = lesson.space if has_vectors else lesson.space.without_vectors()
        scores, noise = trial.scores[name].astype(np.float64), lesson.judgement.noise_ratio
        calibration = Calibration.learn(scores, rows.classes[trial.rows], rows.labels, noise_ratio=noise)
        model = lesson.fit(chosen.semantic if has_vectors else chosen.fast, seed=seed, is_semantic=has_vectors)
        scorers[name] = Scorer(space, model, calibration, shares)
    return scorers


def _describe(rows: LabelledRows, chosen: Chosen, trial: Trial, lesson: Lesson, cascade: Cascade) -> dict[str, Any]:
    noise = lesson.judgement.noise_ratio
    tested = trial.folds < TESTED_FOLDS
    said = {name: _calibrate_across(scores, rows, trial, noise) for name, scores in trial.scores.items()}
    if cascade.reading == "both":
        said["both"] = cascade.combine(said[cascade.first], said["semantic"])
    quality = {name: describe_quality(rows, one[tested], trial.rows[tested], noise) for name, one in said.items()}
    figures = ("accuracy", "macro_f1", "expected_calibration_error")
    return {
        "task": "categories",
        "algorithm": chosen.fast.algorithm if cascade.reading == "fast" else chosen.semantic.algorithm,
        "rows": len(rows.texts),
        **quality[cascade.reading],
        "reads_with": cascade.reading,
        "reads_first": cascade.first,
        "doubt_limit": cascade.limit,
        "encoded_ratio": round(float(cascade.find_doubtful(said[cascade.first][tested]).mean()), 4),
        "readers": {name: {figure: one[figure] for figure in figures} for name, one in quality.items()},
        "noise_ratio": round(noise, 4),
        "suspected_label_errors": list_suspects(rows, lesson.judgement),
        "data": {
            "fingerprint": rows.fingerprint,
            "rows_without_text": rows.n_without_text,
            "rows_without_label": rows.n_without_label,
            "rows_not_credible": len(rows.texts) - int((lesson.kept < len(rows.texts)).sum()),
            "rows_learnt_without_label": len(lesson.believed),
            "label_names_are_learnt": lesson.has_names,
            "labels_with_one_row": rows.list_rare(),
        },
        "settings": {
            **{name: getattr(chosen, name)._asdict() for name in Chosen._fields if name in trial.scores},
            "folds": FOLDS,
            "tested_folds": TESTED_FOLDS,
        },
    }


def _choose_cascade(rows: LabelledRows, trial: Trial, noise_ratio: float) -> Cascade:
    """Return which texts to encode, chosen on the tried rows that are not tested."""
    if "semantic" not in trial.scores:
        return Cascade("fast", 0.0)
    choosing = trial.folds >= TESTED_FOLDS
    classes = rows.classes[trial.rows[choosing]]
    if not len(classes):
        return Cascade("semantic", 0.0)
    wide = {name: one[choosing].astype(np.float64) for name, one in trial.scores.items()}
    said = {name: Calibration.learn(one, classes, rows.labels, noise_ratio=noise_ratio).apply(one) for name, one in wide.items()}
    firsts: dict[First, Doubles] = {name: said[name] for name in FIRSTS if name in said}
    return Cascade.choose(firsts, said["semantic"], classes, noise_ratio=noise_ratio)


def _calibrate_across(scores: Floats, rows: LabelledRows, trial: Trial, noise_ratio: float) -> Doubles:
    """Return probabilities of every tried row by a calibration learnt from the other folds."""
    wide, classes = scores.astype(np.float64), rows.classes[trial.rows]
    probabilities = np.full_like(wide, 1 / wide.shape[1])
    for fold in np.unique(trial.folds):
        inside, outside = trial.folds != fold, trial.folds == fold
        if inside.any():
            learnt = Calibration.learn(wide[inside], classes[inside], rows.labels, noise_ratio=noise_ratio)
            probabilities[outside] = learnt.apply(wide[outside])
    return probabilities
