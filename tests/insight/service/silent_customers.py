"""How well answers are weighted when who answers depends on known traits: `python -m tests.insight.service.silent_customers`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from careloop.insight.service.response_weights import Method, estimate_satisfaction, weigh_answers

N_INVITED = 500


class Told(NamedTuple):
    """Share of intervals that hold the truth, and the mean error of the plain and of the weighted figure."""

    coverage: float
    plain_bias: float
    weighted_bias: float


def chance_of_content(is_late, is_phone):
    return 1 / (1 + np.exp(-(1.6 - 1.8 * is_late - 0.7 * is_phone)))


TRUE = float(np.mean([chance_of_content(late, phone) for late in (1, 1, 0, 0, 0) for phone in (0, 1)]))


def simulate(method: Method, *, is_share: bool, draws: int, seed: int = 11) -> Told:
    """Two of five are late, half call; the late answer less often, callers more often, and both are less content."""
    rng = np.random.default_rng(seed)
    hits, plain, weighted = 0, 0.0, 0.0
    for _ in range(draws):
        is_late, is_phone = rng.random(N_INVITED) < 0.4, rng.random(N_INVITED) < 0.5
        chance = chance_of_content(is_late, is_phone)
        answered = rng.random(N_INVITED) < 1 / (1 + np.exp(-(0.2 - 1.4 * is_late + 0.5 * is_phone)))
        scores = (rng.random(N_INVITED) < chance) * 1.0 if is_share else rng.binomial(4, chance) / 4
        traits = {"late": np.where(is_late, "yes", "no").tolist(), "channel": np.where(is_phone, "phone", "mail").tolist()}
        weights = weigh_answers(traits, answered, method=method)
        found = estimate_satisfaction(scores[answered], weights, traits, answered)
        hits += found.low <= TRUE <= found.high
        plain += found.plain - TRUE
        weighted += found.value - TRUE
    return Told(hits / draws, plain / draws, weighted / draws)


if __name__ == "__main__":
    for method in ("cells", "raking", "probability"):
        for is_share in (True, False):
            told = simulate(method, is_share=is_share, draws=2_000)
            figure = "share" if is_share else "score"
            print(f"{method:12}{figure:7}covered {told.coverage:.3f}  bias {told.plain_bias:+.4f} -> {told.weighted_bias:+.4f}", flush=True)
