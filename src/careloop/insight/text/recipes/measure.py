"""How good the shipped models are on data that they never saw, some of it not shippable; prints, never learns."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from careloop.insight.text.adaptation import MOST_TEXTS, SHIPPED, Adaptation, adapt
from careloop.insight.text.kind import CHINESE as CHINESE_KIND
from careloop.insight.text.kind import ENGLISH as ENGLISH_KIND
from careloop.insight.text.kind import load_kind
from careloop.insight.text.ngrams import Floats
from careloop.insight.text.readable import to_readable
from careloop.insight.text.recipes.examples import read_chinese, read_english
from careloop.insight.text.recipes.fit import measure_calibration
from careloop.insight.text.recipes.learn_kind import map_intent
from careloop.insight.text.recipes.phrases import load_phrases
from careloop.insight.text.recipes.reviews import read_held_out
from careloop.insight.text.recipes.sources import read_rows
from careloop.insight.text.sentiment import CHINESE, ENGLISH, load_sentiment
from careloop.insight.types import KINDS

_OVERLAPPING = frozenset({"书籍", "计算机", "酒店"})  # trades of shop_reviews that share rows with the training data


def measure(data: Path) -> dict[str, Any]:
    """Return accuracy, AUC and expected calibration error per data set, and accuracy of kinds."""
    buyers = [row for i in range(5) for row in read_rows(data / f"eprstmt_train_{i}.csv.gz")]
    apps = read_rows(data / "app_reviews.csv.gz")
    return {
        "sentiment": {
            "shop_reviews, unseen trades (zh)": measure_shops(data),
            "eprstmt, 32-shot files (zh)": _measure_sentiment("zh", ((row["sentence"], row["label"] == "Positive") for row in buyers)),
            "app_reviews (en)": _measure_sentiment("en", ((row["reviewText"], row["Positive"] == "1") for row in apps)),
        },
        "sentiment with the file's words and with meanings": measure_meanings(data),
        "kind": {
            "contacts written to measure with (zh)": measure_contacts("zh"),
            "contacts written to measure with (en)": measure_contacts("en"),
            "cic_train, noisy labels mapped to kinds (zh)": _measure_kind("zh", _map_cic(read_rows(data / "cic_train.csv.gz"))),
            "bitext_test, intents mapped to kinds, same templates as trained on (en)": _measure_kind(
                "en", _map_bitext(read_rows(data / "bitext_test.csv.gz"))
            ),
        },
    }


def measure_contacts(language: str) -> dict[str, Any]:
    """Return the figures of kinds on our own contacts that nothing learnt from."""
    return _measure_kind(language, [(one.text, one.label) for one in read_held_out(language)])


def measure_shops(data: Path) -> dict[str, Any]:
    """Return the figures of Chinese sentiment on the trades of shop_reviews that share no row with the training data."""
    rows = [row for row in read_rows(data / "shop_reviews.csv.gz") if row["cat"] not in _OVERLAPPING]
    return _measure_sentiment("zh", ((row["review"], row["label"] == "1") for row in rows))


def measure_meanings(data: Path, *, n_rows: int = 700) -> dict[str, Any]:
    """Return accuracy, AUC and calibration error of the shipped, adapted and meaning-comparing models on the same sampled rows."""
    shops = [(row["review"], row["label"] == "1") for row in read_rows(data / "shop_reviews.csv.gz") if row["cat"] not in _OVERLAPPING]
    apps = [(row["reviewText"], row["Positive"] == "1") for row in read_rows(data / "app_reviews.csv.gz")]
    buyers = [row for i in range(5) for row in read_rows(data / f"eprstmt_train_{i}.csv.gz")]
    unlabelled = [row["sentence"] for row in read_rows(data / "eprstmt_unlabelled.csv.gz")]
    rng = random.Random(5)
    sampled = {
        "shop_reviews, unseen trades (zh)": (CHINESE, rng.sample(shops, n_rows), [text for text, _ in rng.sample(shops, MOST_TEXTS)]),
        "eprstmt, 32-shot files (zh)": (CHINESE, [(row["sentence"], row["label"] == "Positive") for row in buyers], unlabelled),
        "app_reviews (en)": (ENGLISH, rng.sample(apps, n_rows), [text for text, _ in rng.sample(apps, MOST_TEXTS)]),
    }
    return {name: _measure_judges(language, rows, adapt(teaching)) for name, (language, rows, teaching) in sampled.items()}


def _measure_judges(name: str, rows: list[tuple[str, bool]], adaptation: Adaptation) -> dict[str, Any]:
    texts, is_positive = [text for text, _ in rows], np.array([label for _, label in rows])
    _, sequences = _read(name.removeprefix("sentiment_"), texts)
    judges = {
        "shipped": SHIPPED,
        "adapted": adaptation,
        "shipped, meanings": replace(SHIPPED, compares_meanings=True),
        "adapted, meanings": replace(adaptation, compares_meanings=True),
    }
    return {
        said: _describe_sentiment(one.choose_judge(name, [to_readable(text) for text in texts]).judge(sequences).logits, is_positive)
        for said, one in judges.items()
    }


def _measure_sentiment(language: str, rows: Iterable[tuple[str, bool]]) -> dict[str, Any]:
    texts, labels = zip(*rows, strict=True)
    model, sequences = _read(language, list(texts))
    return _describe_sentiment(model.judge(sequences).logits, np.array(labels))


def _describe_sentiment(logits: Floats, is_positive: NDArray[np.bool_]) -> dict[str, Any]:
    probabilities = expit(logits.astype(np.float64))
    return {
        "rows": len(is_positive),
        "accuracy": round(float(((probabilities >= 0.5) == is_positive).mean()), 4),
        "auc": round(float(roc_auc_score(is_positive, probabilities)), 4),
        "expected_calibration_error": round(measure_calibration(probabilities, is_positive), 4),
    }


def _measure_kind(language: str, rows: list[tuple[str, str]]) -> dict[str, Any]:
    model, sequences = _read(language, [text for text, _ in rows])
    kinds = load_kind(CHINESE_KIND if language == "zh" else ENGLISH_KIND)
    probabilities = kinds.judge(sequences, model.judge(sequences).logits).probabilities
    found, wanted = probabilities.argmax(axis=1), np.array([list(KINDS).index(kind) for _, kind in rows])  # type: ignore[arg-type]
    right = found == wanted
    return {
        "rows": len(rows),
        "accuracy": round(float(right.mean()), 4),
        "expected_calibration_error": round(measure_calibration(probabilities.max(axis=1).astype(np.float64), right), 4),
        "recall": {kind: round(float(right[wanted == i].mean()), 4) for i, kind in enumerate(KINDS) if (wanted == i).any()},
    }


def _read(language: str, texts: list[str]) -> Any:
    if language == "zh":
        return load_sentiment(CHINESE), read_chinese(texts)
    return load_sentiment(ENGLISH), read_english(texts)


def _map_cic(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    kinds = {intent: kind for kind, intents in load_phrases("intents")["cic"].items() for intent in intents}
    asked = {row["intent"] for row in rows if row["intent"].startswith("买家咨询") and "退" not in row["intent"]}
    kinds |= dict.fromkeys(asked, "consultation")
    return [(row["sentence"], kinds[row["intent"]]) for row in rows if row["intent"] in kinds]


def _map_bitext(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    mapped = [(row["utterance"], map_intent("bitext", row["intent"])) for row in rows]
    return [(text, kind) for text, kind in mapped if kind]
