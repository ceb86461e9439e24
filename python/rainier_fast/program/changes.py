"""Changes of a program or of its place that would save time, each priced again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from rainier_fast.program.collective import ProgramCollective
from rainier_fast.program.cost_figures import CostFigures
from rainier_fast.program.hidden import hidden
from rainier_fast.program.order import orders
from rainier_fast.table import Table
from rainier_fast.workload.overlap import rules

_MERGED: Final = ("all_reduce", "all_gather", "reduce_scatter")
_DATA: Final = ("weights", "gradients")
_MOST: Final = 3
_LITTLE: Final = 1e-3
"""Of a collective's own time: computation before it that hardly parts it from the one before."""


class Change(NamedTuple):
    """One change: in words, what is left to wait for, and what it assumes."""

    words: str
    left_s: float
    assumes: str


def best_changes(cost: CostFigures) -> Table:
    """Return the changes that save most."""
    now = _waits(cost)
    found = [change for make in _CHANGES for change in make(cost)]
    best = sorted((one for one in found if one.left_s < now), key=lambda one: one.left_s)[:_MOST]
    rest = cost.computation_s or 0.0
    columns: dict[str, list[Any]] = {
        "change": [one.words for one in best],
        "saved_s": [now - one.left_s for one in best],
        "time_s": [one.left_s + rest for one in best],
        "assumes": [one.assumes for one in best],
    }
    return Table(columns)._of_kind(cost.kind)


def _waits(cost: CostFigures) -> float:
    """Return the seconds of communication that are waited for, as far as that is known."""
    return cost.communication_s if cost.exposed_s is None else cost.exposed_s


def _again(cost: CostFigures, collectives: list[ProgramCollective]) -> CostFigures:
    program = replace(cost.program, collectives=tuple(collectives))
    return cost._other(program, cost._pricing.where, cost.algorithm)


def _smaller_type(cost: CostFigures) -> Iterator[Change]:
    wide = [one.dtype == "fp32" and one.op in _MERGED for one in cost.program.collectives]
    if any(wide):
        made = [
            _halved(one) if is_wide else one
            for one, is_wide in zip(cost.program.collectives, wide, strict=True)
        ]
        words = f"send {sum(wide):,} collectives of fp32 in bf16"
        yield Change(words, _waits(_again(cost, made)), "sums in bf16 are exact enough")


def _halved(one: ProgramCollective) -> ProgramCollective:
    into, out = (None if size is None else size // 2 for size in (one.bytes_in, one.bytes_out))
    return replace(one, dtype="bf16", bytes_in=into, bytes_out=out)


def _merged_layers(cost: CostFigures) -> Iterator[Change]:
    """Weights of two layers in one collective, and gradients of two."""
    for role in _DATA:
        joined = list(_pairs(cost.program.collectives, role))
        if joined:
            made = without(cost.program.collectives, joined, keep_first=role == "weights")
            words = f"merge {role} of two layers into one bucket, {len(joined):,} times"
            assumes = "memory holds those of two layers at once, in one buffer"
            yield Change(words, _waits(_again(cost, made)), assumes)


def _merged_neighbours(cost: CostFigures) -> Iterator[Change]:
    """Alike collectives that follow each other with nothing computed between."""
    collectives, joined = cost.program.collectives, []
    before = cost._computing.before_s
    gone: set[int] = set()
    for at in range(1, len(collectives)):
        one, last = collectives[at], collectives[at - 1]
        apart = before is not None and before[at] > _LITTLE * cost._times[at]
        if at - 1 in gone or apart or one.op not in _MERGED or _alike(one) != _alike(last):
            continue
        joined.append((at - 1, at))
        gone.add(at)
    if joined:
        made = without(collectives, joined, keep_first=True)
        words = f"merge {len(joined):,} alike collectives with the one right before each"
        yield Change(words, _waits(_again(cost, made)), "neither waits for what the other gives")


def _pairs(collectives: Sequence[ProgramCollective], role: str) -> Iterator[tuple[int, int]]:
    """Return places of collectives of a role that could be one, two by two."""
    waiting: dict[Any, int] = {}
    for at, one in enumerate(collectives):
        if one.role == role and one.op in _MERGED and one.waited_by is None:
            first = waiting.pop(_alike(one), None)
            if first is None:
                waiting[_alike(one)] = at
            else:
                yield first, at


def _alike(one: ProgramCollective) -> tuple[Any, ...]:
    return one.op, one.groups, one.dtype, one.phase, one.count, one.role


def without(
    collectives: Sequence[ProgramCollective],
    joined: Sequence[tuple[int, int]],
    *,
    keep_first: bool,
) -> list[ProgramCollective]:
    """Return a program in which pairs of collectives are one each, at the place of one of them."""
    kept = {pair[not keep_first]: pair for pair in joined}
    dropped = {pair[keep_first] for pair in joined}
    places = [at for at in range(len(collectives)) if at not in dropped]
    made = []
    flops = nbytes = 0.0
    for at, one in enumerate(collectives):
        flops += one.after_flops or 0.0
        nbytes += one.after_bytes or 0.0
        if at in dropped:
            continue
        sizes: dict[str, Any] = {}
        if at in kept:
            pair = [collectives[place] for place in kept[at]]
            for name in ("bytes_in", "bytes_out"):
                both = [getattr(half, name) for half in pair]
                sizes[name] = None if None in both else sum(both)
        if one.waited_by is not None:
            sizes["waited_by"] = bisect_left(places, one.waited_by)
        if one.after_flops is not None or flops or nbytes:
            sizes |= {"after_flops": flops, "after_bytes": nbytes}
        made.append(replace(one, **sizes))
        flops = nbytes = 0.0
    return made


def _other_order(cost: CostFigures) -> Iterator[Change]:
    """Each axis of the program inside the UltraServers, or as far inside as it goes."""
    for words, place in orders(cost.program, cost._pricing.where):
        made = cost._other(cost.program, place, cost.algorithm)
        if sum(isinstance(one, str) for one in made._prices) == len(cost._missed):
            assumes = "ranks can be started in that order: Machine.place writes it"
            yield Change(f"put {words}", _waits(made), assumes)


def _other_algorithm(cost: CostFigures) -> Iterator[Change]:
    if cost.algorithm == "auto":
        return
    made = cost._other(cost.program, cost._pricing.where, "auto")
    words = "run each collective by the fastest algorithm on the links"
    assumes = f"software with those algorithms and no time of its own, in place of {cost.algorithm}"
    yield Change(words, _waits(made), assumes)


def _hide_tensor(cost: CostFigures) -> Iterator[Change]:
    before = cost._computing.before_s
    if before is None or not any(one.role == "tensor" for one in cost.program.collectives):
        return
    known = dict(rules(cost.machine.runtime))
    if known["tensor"]["hidden"]:
        return
    known["tensor"] = {"hidden": True}
    behind = hidden(cost.program.collectives, cost._times, before, known)
    left = cost.communication_s - sum(behind)
    assumes = "products can be cut and run beside their own collectives, as XLA does on TPUs"
    yield Change("hide collectives of tensor parallelism behind their products", left, assumes)


_CHANGES: Final[tuple[Callable[[CostFigures], Iterator[Change]], ...]] = (
    _smaller_type,
    _merged_layers,
    _merged_neighbours,
    _other_order,
    _other_algorithm,
    _hide_tensor,
)
