"""Fits the figures of operators to measured rows, by the formulas of the core."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.check import as_items
from rainier_fast.definitions.operators import MatmulRate, Residual
from rainier_fast.errors import invalid
from rainier_fast.least_squares import least_squares
from rainier_fast.units import as_real

Vector: TypeAlias = NDArray[np.float64]

FREE: Final[Mapping[str, tuple[float, float, float]]] = {
    "ceiling": (0.7, 0.01, 1.0),
    "hbm_ceiling": (0.8, 0.01, 1.0),
    "launch_s": (5e-6, 1e-8, 1e-1),
    "area": (1e5, 1.0, 1e9),
    "depth": (1e2, 1.0, 1e5),
}
"""Figures of products that are fitted: where the fit starts, and its limits."""

CONVERSION: Final = {"conversion_B": (4.0, 0.1, 1e3)}
"""The same of one that only operands which are converted have."""

_FEWEST: Final = 6
_FASTEST: Final = 1.5  # times the peak: clocks above the one of the data sheet
_SLOWEST: Final = 1000.0
_SHORT_S: Final = 0.1  # what a start may take, as `FREE` has it
_BLUNT: Final = 0.1
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class EfficiencyFit:
    """An efficiency that was fitted to measured products.

    Attributes
    ----------
    efficiency
        The `Efficiency`, whose products of one precision are the fit's.
    residuals
        Predicted over measured time, less 1, of each row, as fractions.

    Examples
    --------
    >>> from rainier_fast import Efficiency
    >>> known = Efficiency.of("a100")
    >>> sizes = [(2**power, 4096, 4096) for power in range(4, 14)]
    >>> fit = Efficiency.fit([(*size, known.matmul_s(*size)) for size in sizes], known)
    >>> len(fit.residuals), fit.worst_error < 0.05
    (10, True)
    """

    efficiency: Any
    residuals: tuple[float, ...]

    @property
    def mean_error(self) -> float:
        """Mean size of the residuals."""
        return sum(map(abs, self.residuals)) / len(self.residuals)

    @property
    def worst_error(self) -> float:
        """Largest size of a residual."""
        return max(map(abs, self.residuals))

    def __str__(self) -> str:
        errors = f"{len(self.residuals):,} rows, {self.mean_error:.1%} off, worst "
        return f"{errors}{self.worst_error:.1%}\n{self.efficiency}"


class Found(NamedTuple):
    """A rate that was fitted, and the residual of each row."""

    rate: MatmulRate
    residuals: Vector


def measured(rows: Iterable[Sequence[float]]) -> Vector:
    """Return rows of M, K, N and seconds as an array, each number above 0."""
    allowed = "must be rows of M, K, N and seconds, each a finite number above 0"
    table = []
    for at, row in enumerate(as_items("rows", rows, allowed)):
        name = f"rows[{at}]"
        numbers = [as_real(value, name, allowed) for value in as_items(name, row, allowed)]
        if len(numbers) != 4 or not all(0 < number < math.inf for number in numbers):
            raise invalid(name, numbers, allowed)
        table.append(numbers)
    if len(table) < _FEWEST:
        raise invalid("rows", len(table), f"must be at least {_FEWEST}: {len(FREE)} figures")
    return np.array(table)


def fit_matmul(table: Vector, row: _core._EfficiencyRow, start: MatmulRate) -> Found:
    """Fit the figures of products; what is converted is fitted where it was not 0."""
    free = {**FREE, **(CONVERSION if start.conversion_B else {})}
    sizes, times = np.ascontiguousarray(table[:, :3]), table[:, 3]
    _check_speeds(sizes, times, start)
    weights = by_octave(sizes)

    def made(values: Mapping[str, float]) -> MatmulRate:
        figures: dict[str, Any] = dict(values)
        return dataclasses.replace(start, **figures)

    def at(values: Mapping[str, float]) -> Vector:
        return np.asarray(_core.matmul_times((made(values).row(), *row[1:]), sizes) / times)

    values = fitted(at, free, weights)
    residuals = at(values) - 1
    about = Residual(len(table), float(np.abs(residuals).mean()))
    rate = dataclasses.replace(made(values), kind="fit", source="rows given", residual=about)
    return Found(rate, residuals)


def _check_speeds(sizes: Vector, times: Vector, start: MatmulRate) -> None:
    """Refuse times that no such chip has: of another unit, another chip, or another product."""
    least = 2.0 * sizes.prod(axis=1) / start.peak_flops
    fast, slow = least / times > _FASTEST, times > _SLOWEST * least + _SHORT_S
    for at in np.flatnonzero(fast | slow)[:1]:
        m, k, n = (f"{size:g}" for size in sizes[at])
        peak = f"{start.peak_flops:.4g} FLOP/s, the peak, give {least[at]:.4g} s"
        allowed = f"seconds of {m} x {k} x {n}: {peak}; is it another unit, or another chip?"
        raise invalid(f"rows[{at}]", float(times[at]), allowed)


def fitted(
    ratios: Callable[[Mapping[str, float]], Vector],
    free: Mapping[str, tuple[float, float, float]],
    weights: Vector,
) -> dict[str, float]:
    """Find the figures whose ratios of predicted to measured times are nearest to 1."""
    first, low, high = zip(*free.values(), strict=True)

    def errors(values: Vector) -> Vector:
        named = dict(zip(free, map(float, values), strict=True))
        return weights * _blunted(np.log(ratios(named)))

    found, _ = least_squares(errors, first, low, high)
    rounded = [float(f"{value:.{_DIGITS}g}") for value in found]
    return dict(zip(free, rounded, strict=True))


def by_octave(sizes: Vector) -> Vector:
    """Return weights by which rows whose sizes are alike count less: the fourth root of each."""
    weights = np.ones(len(sizes))
    for column in np.floor(np.log2(sizes)).T:
        _, place, counts = np.unique(column, return_inverse=True, return_counts=True)
        weights *= counts[place].astype(np.float64) ** -0.25
    return np.asarray(weights / weights.mean())


def _blunted(errors: Vector) -> Vector:
    """Return errors whose squares grow as the errors do where these are large."""
    size = np.sqrt(1.0 + (errors / _BLUNT) ** 2)
    return np.asarray(np.sign(errors) * _BLUNT * np.sqrt(2.0 * (size - 1.0)))
