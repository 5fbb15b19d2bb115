"""Suggestions on questions that nobody wrote for us: pairs with the same meaning, one of each as the solution's title."""

from pathlib import Path

import pytest

from benchmarks.bench_solutions import measure_pairs
from tests.house.tree import ROOT

PAIRS: Path = ROOT.parent / "shared" / "data" / "afqmc_train.csv.gz"


@pytest.mark.skipif(not PAIRS.exists(), reason="needs ../shared/data/afqmc_train.csv.gz, which is not shipped")
def test_words_alone_find_the_right_one_of_400_among_the_first_three():
    found = measure_pairs(PAIRS, by_meaning=False)
    assert (found["n"], round(found["hit@3"], 2)) == (400, 0.7)
