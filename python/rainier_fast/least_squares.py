"""Least squares of relative errors within bounds: Levenberg and Marquardt, in logarithms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]

_STEP: Final = 1e-6
_ROUNDS: Final = 60
# So weak that it decides only what the rows leave open: stay at the start.
_PULL: Final = 1e-3


def least_squares(
    errors: Callable[[Vector], Vector],
    start: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
) -> tuple[Vector, float]:
    """Find the values whose errors have the least sum of squares."""
    at = np.log(np.asarray(start, float))
    bottom, top = np.log(np.asarray(low, float)), np.log(np.asarray(high, float))
    at = np.clip(at, bottom, top)
    origin, damping = at.copy(), 1e-2

    def residuals(point: Vector) -> Vector:
        return np.concatenate([errors(np.exp(point)), _PULL * (point - origin)])

    now = residuals(at)
    for _ in range(_ROUNDS):
        slope = np.empty((now.size, at.size))
        for column in range(at.size):
            # Inwards, where the value sits at its upper limit.
            step = -_STEP if at[column] + _STEP > top[column] else _STEP
            moved = at.copy()
            moved[column] += step
            slope[:, column] = (residuals(moved) - now) / step
        gradient = slope.T @ now
        # A value at a limit that it wants to leave stays there.
        free = ~(((at >= top) & (gradient < 0)) | ((at <= bottom) & (gradient > 0)))
        if not free.any():
            break
        normal = (slope.T @ slope)[np.ix_(free, free)]
        for _ in range(12):
            system = normal + damping * np.diag(np.diag(normal) + 1e-12)
            change = np.zeros(at.size)
            change[free] = -np.linalg.solve(system, gradient[free])
            candidate = np.clip(at + change, bottom, top)
            then = residuals(candidate)
            if then @ then < now @ now:
                break
            damping *= 4.0
        else:
            break
        gain = 1.0 - (then @ then) / (now @ now)
        at, now, damping = candidate, then, max(damping / 8.0, 1e-9)
        if gain < 1e-9:
            break
    final = errors(np.exp(at))
    return np.exp(at), float(final @ final)
