"""How many units are under repair at once: Poisson, whatever the distribution of repair times.

Failures at a constant rate and repairs side by side are a queue with as many servers as it takes:
in the long run the number in repair is Poisson with mean rate x mean time (Palm's theorem).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

_DEVIATIONS: Final = 12.0
MOST_MEAN: Final = 1e6
"""Largest mean that is reckoned: its table has 24,000 entries."""


def support(mean: float) -> NDArray[np.int64]:
    """Return the counts that have all of the probability, but some 1e-30 of it."""
    spread = _DEVIATIONS * math.sqrt(mean) + 40
    return np.arange(max(0, math.floor(mean - spread)), math.ceil(mean + spread) + 1)


def probabilities(mean: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts and their probabilities, which add up to 1."""
    counts = support(mean)
    if mean == 0:
        return counts, (counts == 0).astype(np.float64)
    # Ratios of neighbours from the mode on: no logarithm of a factorial loses digits.
    mode = min(max(int(mean), int(counts[0])), int(counts[-1]))
    up = counts[counts > mode]
    down = counts[counts <= mode]
    logs = np.concatenate(
        (
            -np.cumsum(np.log(mean / down[:0:-1]))[::-1] if down.size > 1 else down[:0] * 1.0,
            [0.0],
            np.cumsum(np.log(mean / up)),
        )
    )
    weights = np.exp(logs)
    return counts, weights / weights.sum()


def at_most(mean: float, most: int) -> float:
    """Return the probability of no more than `most`."""
    counts, weights = probabilities(mean)
    if most >= counts[-1]:
        return 1.0
    return float(weights[counts <= most].sum())
