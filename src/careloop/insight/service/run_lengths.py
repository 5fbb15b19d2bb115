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

SMOOTHING = 0.15  # of the exponentially weighted mean, 0–1
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
def find_limits(run_length: float, *, smoothing: float = SMOOTHING) -> Limits:
    """Return limits under which quiet periods alarm once in `run_length` on average; each of the two kinds about half of the time.

    Raises
    ------
    InputError
        When the run length is not between 5 and 1,000,000 periods.
    """
    if not 5 <= run_length <= 1_000_000:
        raise InputError(f"A false alarm once in {run_length:g} periods cannot be promised; ask for 5 to 1,000,000.")
    single = float(norm.isf(1 / (4 * run_length)))
    low, high = 0.0, 6 * (smoothing / (2 - smoothing)) ** 0.5
    for _ in range(22):
        middle = (low + high) / 2
        if measure_run_length(Limits(single, middle), smoothing=smoothing) < run_length:
            low = middle
        else:
            high = middle
    return Limits(single, high)
