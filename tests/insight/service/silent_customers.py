"""How well answers are weighted when who answers depends on known traits: `python -m tests.insight.service.silent_customers`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from careloop.insight.service.response_weights import Method, estimate_satisfaction, weigh_answers
from careloop.insight.service.satisfaction_model import Learnt, SatisfactionModel, learn_satisfaction
from careloop.insight.service.silent_share import estimate_silent_share

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


def draw_cases(n, *, seed=1):
    """Cases as columns, whether their customers were dissatisfied, and with what chance; a ninth of the sentiments is not known."""
    rng = np.random.default_rng(seed)
    sentiment, hours = rng.beta(2, 2, n), rng.exponential(4, n)
    reopened, kind = rng.random(n) < 0.15, rng.choice(["question", "complaint", "refund"], n)
    odds = -1.2 + 3.5 * (0.5 - sentiment) + 0.9 * (hours > 6) + 1.6 * reopened + 0.8 * (kind == "complaint")
    table = {
        "sentiment": [None if place % 9 == 0 else float(one) for place, one in enumerate(sentiment)],
        "hours": hours.tolist(),
        "reopened": reopened.tolist(),
        "kind": kind.tolist(),
    }
    return table, rng.random(n) < expit(odds), expit(odds)


def simulate_share(model: SatisfactionModel | None = None, *, draws: int, n: int = 800) -> Told:
    """Those whose case took long, was reopened or sounds unhappy answer less often; a model already learnt elsewhere saves time."""
    hits, plain, told = 0, 0.0, 0.0
    for seed in range(1_000, 1_000 + draws):
        table, is_bad, _ = draw_cases(n, seed=seed)
        sentiment = np.array([0.5 if one is None else one for one in table["sentiment"]])
        chance = expit(-0.4 + 1.2 * (sentiment - 0.5) - 0.8 * (np.array(table["hours"]) > 6) - 0.5 * np.array(table["reopened"]))
        spoke = np.random.default_rng(seed + 500_000).random(n) < chance
        said, silent = (
            {name: [values[place] for place in np.flatnonzero(part)] for name, values in table.items()} for part in (spoke, ~spoke)
        )
        learnt = learn_satisfaction(said, is_bad[spoke]) if model is None else Learnt(model, model.estimate(said)[0])
        share, truth = estimate_silent_share(learnt, said, is_bad[spoke], silent), is_bad[~spoke].mean()
        hits += share.low <= truth <= share.high
        plain += is_bad[spoke].mean() - truth
        told += share.value - truth
    return Told(hits / draws, plain / draws, told / draws)


if __name__ == "__main__":
    for method in ("cells", "raking", "probability"):
        for is_share in (True, False):
            told = simulate(method, is_share=is_share, draws=2_000)
            figure = "share" if is_share else "score"
            print(f"{method:12}{figure:7}covered {told.coverage:.3f}  bias {told.plain_bias:+.4f} -> {told.weighted_bias:+.4f}", flush=True)
    told = simulate_share(draws=500)
    print(f"silent share        covered {told.coverage:.3f}  bias {told.plain_bias:+.4f} -> {told.weighted_bias:+.4f}", flush=True)
