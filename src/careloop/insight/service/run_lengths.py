"""How far a chart's limits must be apart so that quiet times raise an alarm as seldom as promised.

The chart looks at each period's standardised deviation (far off at once) and at its exponentially weighted mean (a lasting change).
Quiet deviations are independent standard normal; the run length is that of a Markov chain over cells of the mean.

References
----------
Brook & Evans 1972, An approach to the probability distribution of CUSUM run length (the Markov chain).
Lucas & Saccucci 1990, Exponentially weighted moving average control schemes: properties and enhancements (both limits together).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from careloop.insight.errors import InputError

SMOOTHING = 0.1  # of the exponentially weighted mean, 0–1
SINGLE_SHARE = 0.25  # of false alarms are those of single periods; lasting changes, which are common, get the rest
_CELLS = 101


class Limits(NamedTuple):
    """When a chart alarms.

    Attributes
    ----------
    single : float
        Of the deviation of one period, in standard deviations.
    lasting : float
        Of the exponentially weighted mean of the deviations.
    """

    single: float
    lasting: float


def measure_run_length(limits: Limits, *, shift: float = 0.0, smoothing: float = SMOOTHING) -> float:
    """Return the mean number of periods until the first alarm.

    Parameters
    ----------
    limits : Limits
    shift : float
        By which every deviation is moved; 0 is quiet.
    smoothing : float

    Examples
    --------
    Without the limit of single periods: Lucas & Saccucci 1990, table 1, give 500 for weight 0.25 and limits of 2.998 deviations.

    >>> width = 2.998 * (0.25 / 1.75) ** 0.5
    >>> round(measure_run_length(Limits(9.0, width), smoothing=0.25) / 500, 2)
    1.0
    """
    edges = np.linspace(-limits.lasting, limits.lasting, _CELLS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    reached = (edges[None, :] - (1 - smoothing) * middles[:, None]) / smoothing  # deviation that leads from a middle to an edge
    chances = norm.cdf(np.clip(reached, -limits.single, limits.single) - shift)
    stay = np.diff(chances, axis=1)
    lengths = np.linalg.solve(np.eye(_CELLS) - stay, np.ones(_CELLS))
    return float(lengths[_CELLS // 2])


@lru_cache(maxsize=256)
def find_limits(run_length: float, *, used: float = 1.0, smoothing: float = SMOOTHING) -> Limits:
    """Return limits under which quiet periods alarm once in `run_length` on average, a quarter of the times as single periods.

    Parameters
    ----------
    run_length : float
        In periods.
    used : float
        How much of their part single periods can use: small numbers move in steps and hit their limit seldomer (0–1) or, where a step
        lies just beyond it, more often (up to 2). Lasting changes get what is left.
    smoothing : float

    Raises
    ------
    InputError
        When the run length is not between 5 and 1,000,000 periods, or `used` not between 0 and 2.
    """
    if not 5 <= run_length <= 1_000_000:
        raise InputError(f"A false alarm once in {run_length:g} periods cannot be promised; ask for 5 to 1,000,000.")
    if not 0 <= used <= 2:
        raise InputError(f"Single periods cannot use {used:g} of their part of the promise; give 0 to 2.")
    own = SINGLE_SHARE / (2 * run_length)
    single, really = float(norm.isf(own)), float(norm.isf(max(own * used, 1e-12)))
    low, high = 0.0, 6 * (smoothing / (2 - smoothing)) ** 0.5
    for _ in range(22):
        middle = (low + high) / 2
        if measure_run_length(Limits(really, middle), smoothing=smoothing) < run_length:
            low = middle
        else:
            high = middle
    return Limits(single, high)
