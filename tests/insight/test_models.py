"""Shipped models: what they learnt from is on their card, and may ship."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from careloop.insight.errors import ModelError
from careloop.insight.text.artefacts import load
from careloop.insight.text.recipes.fit import fit_line, measure_calibration
from careloop.insight.text.recipes.sources import SHIPPABLE

NAMES = ["sentiment_zh", "sentiment_en", "sentiment_meaning", "kind_zh", "kind_en", "background"]
FOLDER = Path(__file__).parents[2] / "src" / "careloop" / "insight" / "text" / "models"
DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("name", NAMES)
def test_card_names_data_that_may_ship(name):
    card = load(name).card
    assert {source["file"] for source in card["learnt_from"]} <= {source.file for source in SHIPPABLE.values()}
    assert all(len(source["sha256"]) == 64 and source["rows"] > 0 and source["licence"] for source in card["learnt_from"])
    assert card["version"] == ("3" if name.startswith("kind") else "2")


def test_models_together_stay_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 8_000_000


def test_no_model_file_can_execute():
    for path in FOLDER.glob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)


def test_missing_model_is_a_sentence():
    with pytest.raises(ModelError, match="install careloop again"):
        load("nothing")


def test_importing_the_package_loads_no_model_library():
    code = "import sys, careloop.insight; print([m for m in ('numpy', 'scipy', 'sklearn', 'polars', 'rjieba') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.skipif(not DATA.exists(), reason="needs the measuring data beside the repository")
def test_unseen_shop_trades_are_judged_as_measured():
    from careloop.insight.text.recipes.measure import measure_shops

    figures = measure_shops(DATA)
    assert figures["accuracy"] == pytest.approx(0.917, abs=0.003)
    assert figures["expected_calibration_error"] <= 0.03


def test_calibration_error_of_a_known_case():
    probabilities = np.array([0.95, 0.95, 0.15, 0.15])
    outcomes = np.array([True, False, False, False])
    assert measure_calibration(probabilities, outcomes) == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)


def test_calibrating_line_is_recovered():
    rng = np.random.default_rng(7)
    scores = rng.normal(size=50_000)
    labels = (rng.random(50_000) < 1 / (1 + np.exp(-(2 * scores - 0.5)))).astype(float)
    slope, bias = fit_line(scores, labels)
    assert (slope, bias) == (pytest.approx(2, abs=0.07), pytest.approx(-0.5, abs=0.05))
