"""What a program computes between its collectives, in seconds of a chip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from rainier_fast.errors import RainierError, as_one_of
from rainier_fast.program.collective import ProgramCollective
from rainier_fast.topology.base import Base

if TYPE_CHECKING:
    from rainier_fast.definitions.efficiency import Efficiency

_UNKNOWN: Final = (
    "computation is not in the source, so neither is what hides behind it: capture.torch records it"
)


class Fast(NamedTuple):
    """How fast chips compute, as it was asked for: a type of number, rates, ranks of a chip."""

    dtype: str
    efficiency: Efficiency | None
    cores: int


@dataclass(frozen=True, slots=True)
class Computing:
    """Seconds of computation before each collective, all of its runs; None where not known."""

    before_s: tuple[float, ...] | None
    missing: str
    rate: str
    """At which rates, in words."""


def computing(
    machine: Base,
    collectives: Sequence[ProgramCollective],
    fast: Fast,
    trips: int | None,
) -> Computing:
    """Return what is computed before each collective.

    The larger of FLOPs at the rate of large products and of bytes at that of memory: launches and
    small shapes, which programs do not record, are left out.
    """
    if not any(one.after_flops or one.after_bytes for one in collectives):
        return Computing(None, _UNKNOWN, "")
    dtype, efficiency, cores = fast
    from rainier_fast.definitions.efficiency import Efficiency

    chip = machine.ultraserver.chip
    if chip is None:
        name = machine.ultraserver.name
        missing = f"computation: {name} does not say what its chips are; give it a chip="
        return Computing(None, missing, "")
    try:
        known = efficiency if efficiency is not None else Efficiency.of(chip)
        if cores > 1:
            known = known.part(cores)
    except RainierError as error:
        return Computing(None, f"computation: {error}", "")
    rates = known.rates()
    rate = rates[as_one_of("peak_dtype", dtype, rates)]
    flops = rate.peak_flops * rate.ceiling
    memory = float(known.memory.bandwidth_Bps) * known.memory.hbm_ceiling
    before = []
    for one in collectives:
        runs = runs_of(one, trips)
        if runs is None:
            missing = "computation in loops without a trip count: pass trips="
            return Computing(None, missing, "")
        seconds = max((one.after_flops or 0.0) / flops, (one.after_bytes or 0.0) / memory)
        before.append(runs * seconds)
    words = (
        f"{flops / 1e12:.0f} TFLOP/s in {dtype}, {memory / 1e12:.2f} TB/s "
        f"({known.chip}, {known.stack}): large products; launches and small shapes left out"
    )
    return Computing(tuple(before), "", words)


def runs_of(one: ProgramCollective, trips: int | None) -> int | None:
    """Return how often a collective runs; None where nothing says it."""
    return trips if one.count is None else one.count
