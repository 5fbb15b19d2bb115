"""How often quiet weeks are called emerging: `python -m careloop.insight.topics.false_alarms`.

Nothing changes in the simulated weeks but chance. Shares of twelve topics are drawn anew for each history (Dirichlet); each week's volume
varies by a fifth; weeks differ by more than chance where an overdispersion (intra-week correlation) or a scatter of the shares' logarithms,
which is not what the method assumes, is set. For comparison: how often a topic that doubles is noticed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from careloop.insight.topics.trends import Trend, find_emerging

N_TOPICS = 12
VOLUMES = (60, 300, 3_000)  # texts a week
HISTORIES = (4, 6, 12, 26)  # weeks before the one that is looked at
_VOLUME_SCATTER = 0.2


@dataclass(frozen=True)
class Unrest:
    """How much weeks differ beyond chance.

    Attributes
    ----------
    dispersion : float
        Intra-week correlation of a Dirichlet-multinomial, 0–1.
    scatter : float
        Standard deviation of the logarithms of each week's shares, from 0.
    """

    dispersion: float = 0.0
    scatter: float = 0.0


UNREST = {
    "chance alone": Unrest(),
    "0.002": Unrest(0.002),
    "0.01": Unrest(0.01),
    "0.05": Unrest(0.05),
    "logs 0.4": Unrest(scatter=0.4),
}


def draw_weeks(generator: np.random.Generator, unrest: Unrest, *, volume: int, n_before: int, growth: float = 1.0) -> Trend:
    """Return weeks in which the last is as the others, but for the first topic's share, which is multiplied by `growth`.

    Parameters
    ----------
    generator : Generator
    unrest : Unrest
    volume : int
        Texts a week on average.
    n_before : int
        Weeks before the last.
    growth : float
        1 is a quiet week.
    """
    shares = generator.dirichlet(np.ones(N_TOPICS))
    totals = generator.poisson(volume * np.exp(generator.normal(0, _VOLUME_SCATTER, n_before + 1)))
    weeks: list[NDArray[np.int64]] = []
    for week, total in enumerate(totals):
        wanted = shares * np.exp(generator.normal(0, unrest.scatter, N_TOPICS))
        wanted[0] *= growth if week == n_before else 1
        wanted /= wanted.sum()
        told = generator.dirichlet(wanted * (1 / unrest.dispersion - 1)) if unrest.dispersion else wanted
        weeks.append(generator.multinomial(total, told))
    return Trend((date(2026, 1, 5),) * len(weeks), np.array(weeks), totals)


def measure(n_weeks: int, unrest: Unrest, *, volume: int, n_before: int, seed: int = 0) -> tuple[float, float]:
    """Return the share of quiet weeks with any alarm, and the share of weeks with a doubled topic in which that topic is found."""
    generator = np.random.default_rng(seed)
    false = sum(bool(find_emerging(draw_weeks(generator, unrest, volume=volume, n_before=n_before))) for _ in range(n_weeks))
    n_doubled = max(1, n_weeks // 4)
    noticed = sum(
        any(one.topic == 0 for one in find_emerging(draw_weeks(generator, unrest, volume=volume, n_before=n_before, growth=2.0)))
        for _ in range(n_doubled)
    )
    return false / n_weeks, noticed / n_doubled


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each kind of unrest and volume, a column for each length of the history."""
    parser = argparse.ArgumentParser(prog="python -m careloop.insight.topics.false_alarms", description=__doc__)
    parser.add_argument("--weeks", type=int, default=2_000, help="quiet weeks for each figure")
    n_weeks = parser.parse_args(arguments).weeks
    print(f"{'unrest':14}{'texts':>6}" + "".join(f"{f'{n_before} weeks before':>18}" for n_before in HISTORIES))
    worst, alarms, n_cells = 0.0, 0.0, 0
    for name, unrest in UNREST.items():
        for volume in VOLUMES:
            cells = ""
            for n_before in HISTORIES:
                false, noticed = measure(n_weeks, unrest, volume=volume, n_before=n_before)
                cells += f"{f'{100 * false:.2f} % ({100 * noticed:.0f})':>18}"
                worst, alarms, n_cells = max(worst, false), alarms + false, n_cells + 1
            print(f"{name:14}{volume:6}{cells}", flush=True)
    share = f"{100 * alarms / n_cells:.2f} %, at most {100 * worst:.2f} %"
    print(f"False alarms in {n_cells * n_weeks:,} quiet weeks: {share} (in brackets: % of doubled topics noticed)")


if __name__ == "__main__":
    main()
