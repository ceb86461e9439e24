"""How fast one chip runs each kind of operator: products, attention, what only moves bytes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from rainier_fast import _core
from rainier_fast.definitions.check import as_items, as_name, as_pairs, as_ratio
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.units import Quantity, as_real, parse_bandwidth, parse_time

KINDS: Final = ("fit", "published", "guess", "given")
"""Fitted to measured rows; a figure that is published; carried over from another chip; a user's."""


class Residual(NamedTuple):
    """How far a fit is from measured rows: means of the sizes of errors, as fractions."""

    rows: int
    """Rows that were fitted."""
    fitted: float
    """Of those."""
    held_out: float | None = None
    """Of rows that were not fitted; where there are few, each row by a fit to the others."""
    large: float | None = None
    """Of rows not fitted whose sizes are those of training."""

    def __str__(self) -> str:
        text = f"{self.rows:,} rows, {self.fitted:.1%} off"
        if self.held_out is not None:
            text += f", {self.held_out:.1%} on rows left out"
        return text + (f", {self.large:.1%} on large ones" if self.large is not None else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatmulRate:
    """How fast a chip multiplies matrices of one precision.

    Seconds of M x K with K x N: launch + hypot(2 (M N + area) (K + depth) / (peak x ceiling),
    bytes / (bandwidth x HBM ceiling)) + M K conversion / (bandwidth x HBM ceiling). It grows with
    M, K and N.

    Attributes
    ----------
    peak_flops
        FLOP/s of the data sheet.
    ceiling
        Share of it that products without end reach, at most 1.
    bandwidth_Bps
        Bytes/s of the data sheet's memory.
    hbm_ceiling
        Share of it at which operands and outputs move, at most 1.
    launch_s
        Seconds of a call that do not depend on its sizes.
    area
        Numbers of the output that take as long as filling the chip does.
    depth
        Numbers of the sum that take as long as filling an engine does.
    conversion_B
        Bytes moved to convert one number of the M x K operand; 0 where none is converted.
    operand_B, output_B
        Bytes of a number of the operands and of the output.
    kind
        ``"fit"``, ``"published"``, ``"guess"`` or ``"given"``.
    source
        Where the figures are from.
    residual
        How far the fit is from its rows; None where there was none.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> rate = MatmulRate(peak_flops=100e12, ceiling=0.8, bandwidth_Bps="2 TB/s", hbm_ceiling=0.9)
    >>> rate.launch_s
    0.0
    """

    peak_flops: float
    ceiling: float
    bandwidth_Bps: Quantity  # noqa: N815 - B is the unit's letter
    hbm_ceiling: float
    launch_s: Quantity = 0.0
    area: float = 0.0
    depth: float = 0.0
    conversion_B: float = 0.0  # noqa: N815 - B is the unit's letter
    operand_B: float = 2.0  # noqa: N815 - B is the unit's letter
    output_B: float = 2.0  # noqa: N815 - B is the unit's letter
    # What figures are from is no part of what they are.
    kind: str = field(default="given", compare=False)
    source: str = field(default="given", compare=False)
    residual: Residual | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _put(self, ratios=("peak_flops", "operand_B", "output_B"), shares=("ceiling",))
        _put(self, numbers=("area", "depth", "conversion_B"))
        _put_memory(self)

    def row(self) -> _core._MatmulRow:
        """Return what the core takes."""
        return (
            self.peak_flops * self.ceiling,
            float(self.bandwidth_Bps) * self.hbm_ceiling,
            float(self.launch_s),
            self.area,
            self.depth,
            self.conversion_B,
            self.operand_B,
            self.output_B,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRate:
    """How fast a chip runs fused attention.

    Seconds forward: launch + (rows + few_rows) (keys (FLOPs of a score + score_flops) + row_flops)
    / (peak x ceiling) + bytes / (bandwidth x HBM ceiling); a row is a query of a head. The backward
    pass has five products for two, at a share of that rate, and twice the bytes.

    Attributes
    ----------
    peak_flops
        FLOP/s of the data sheet, for the precision of queries, keys and values.
    ceiling
        Share of it that products without end reach, at most 1.
    backward
        Share of the forward rate that the backward pass reaches, at most 1.
    bandwidth_Bps
        Bytes/s of the data sheet's memory.
    hbm_ceiling
        Share of it at which queries, keys, values and outputs move, at most 1.
    launch_s
        Seconds of a call that do not depend on its sizes.
    few_rows
        Rows that take as long as filling the chip does.
    score_flops
        FLOPs that the softmax of one score takes as long as.
    row_flops
        FLOPs that each row takes as long as beside its scores.
    number_B
        Bytes of a number.
    kind, source, residual
        As of `MatmulRate`.
    backward_kind, backward_source
        The same of `backward`.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> rate = AttentionRate(
    ...     peak_flops=100e12, ceiling=0.6, bandwidth_Bps="2 TB/s", hbm_ceiling=0.9, backward=0.8
    ... )
    >>> rate.few_rows
    0.0
    """

    peak_flops: float
    ceiling: float
    backward: float
    bandwidth_Bps: Quantity  # noqa: N815 - B is the unit's letter
    hbm_ceiling: float
    launch_s: Quantity = 0.0
    few_rows: float = 0.0
    score_flops: float = 0.0
    row_flops: float = 0.0
    number_B: float = 2.0  # noqa: N815 - B is the unit's letter
    # What figures are from is no part of what they are.
    kind: str = field(default="given", compare=False)
    source: str = field(default="given", compare=False)
    residual: Residual | None = field(default=None, compare=False)
    backward_kind: str = field(default="given", compare=False)
    backward_source: str = field(default="given", compare=False)

    def __post_init__(self) -> None:
        _put(self, ratios=("peak_flops", "number_B"), shares=("ceiling", "backward"))
        _put(self, numbers=("few_rows", "score_flops", "row_flops"))
        _put_memory(self)
        as_one_of("backward_kind", self.backward_kind, KINDS)
        as_name("backward_source", self.backward_source)

    def row(self) -> _core._AttentionRow:
        """Return what the core takes."""
        return (
            self.peak_flops * self.ceiling,
            self.backward,
            float(self.bandwidth_Bps) * self.hbm_ceiling,
            float(self.launch_s),
            self.few_rows,
            self.score_flops,
            self.row_flops,
            self.number_B,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRate:
    """How fast a chip runs operators that only move bytes: launch + bytes / (bandwidth x ceiling).

    Attributes
    ----------
    bandwidth_Bps
        Bytes/s of the data sheet's memory.
    hbm_ceiling
        Share of it that such operators reach, at most 1.
    launch_s
        Seconds of a call that do not depend on its bytes.
    kind, source, residual
        As of `MatmulRate`.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> MemoryRate(bandwidth_Bps="2 TB/s", hbm_ceiling=0.9, launch_s="2 us").launch_s
    2e-06
    """

    bandwidth_Bps: Quantity  # noqa: N815 - B is the unit's letter
    hbm_ceiling: float
    launch_s: Quantity = 0.0
    # What figures are from is no part of what they are.
    kind: str = field(default="given", compare=False)
    source: str = field(default="given", compare=False)
    residual: Residual | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _put_memory(self)

    def row(self) -> _core._MemoryRow:
        """Return what the core takes."""
        return float(self.bandwidth_Bps) * self.hbm_ceiling, float(self.launch_s)


_SHARED: Final = {
    MatmulRate: ("peak_flops", "bandwidth_Bps", "area"),
    AttentionRate: ("peak_flops", "bandwidth_Bps", "few_rows"),
    MemoryRate: ("bandwidth_Bps",),
}


def cut(rate: Any, parts: int) -> Any:  # noqa: ANN401 - one of the classes above
    """Return the rate of one of so many equal parts of a chip that work apart."""
    own = {name: float(getattr(rate, name)) / parts for name in _SHARED[type(rate)]}
    return dataclasses.replace(rate, **own)


def by_precision(given: object) -> tuple[tuple[str, MatmulRate], ...]:
    """Return rates of products as pairs, sorted, each precision once."""
    allowed = "must map precisions such as 'bf16' to MatmulRate"
    rates: dict[str, MatmulRate] = {}
    read = as_pairs if isinstance(given, Mapping) else as_items
    for pair in read("matmul", given, allowed):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise invalid_type("matmul", given, allowed)
        name = as_name("matmul precision", pair[0])
        if name in rates:
            raise invalid("matmul", name, "must name each precision once")
        if not isinstance(pair[1], MatmulRate):
            raise invalid_type(f"matmul[{name!r}]", pair[1], "must be a MatmulRate")
        rates[name] = pair[1]
    if not rates:
        raise invalid("matmul", given, "must have at least one precision")
    return tuple(sorted(rates.items()))


def _put_memory(rate: Any) -> None:  # noqa: ANN401 - one of the classes above
    put = object.__setattr__
    put(rate, "bandwidth_Bps", parse_bandwidth(rate.bandwidth_Bps, "bandwidth_Bps"))
    put(rate, "launch_s", parse_time(rate.launch_s, "launch_s"))
    _put(rate, shares=("hbm_ceiling",))
    as_one_of("kind", rate.kind, KINDS)
    as_name("source", rate.source)
    if rate.residual is not None and not isinstance(rate.residual, Residual):
        raise invalid_type("residual", rate.residual, "must be a Residual or None")


def _put(
    rate: Any,  # noqa: ANN401 - one of the classes above
    ratios: tuple[str, ...] = (),
    shares: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
) -> None:
    put = object.__setattr__
    for name in ratios:
        put(rate, name, as_ratio(name, getattr(rate, name)))
    for name in shares:
        share = as_ratio(name, getattr(rate, name))
        if share > 1:
            raise invalid(name, share, "must be above 0 and at most 1: a share of the data sheet")
        put(rate, name, share)
    for name in numbers:
        allowed = "must be a finite number >= 0"
        number = as_real(getattr(rate, name), name, allowed)
        if not 0 <= number < math.inf:
            raise invalid(name, getattr(rate, name), allowed)
        put(rate, name, number)
