"""The workers and loads that serve most where prefill and decoding are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from rainier_fast.errors import InvalidArgument, Unsupported, invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.apart import Apart, Floats, closed
from rainier_fast.serving.candidates import Objective, Row, layouts_of
from rainier_fast.serving.disaggregated import Worker, _handover, _worker, _world, prompts_of
from rainier_fast.serving.ready import Asked, ready
from rainier_fast.serving.serving import Serving

_MOST_SPLITS: Final = 64
_MOST_LAYOUTS: Final = 8


class _Prefill(NamedTuple):
    """A prefill worker, and what its machine says of one prompt."""

    worker: Worker
    told: dict[str, Any]
    per_chip: float


class _Decode(NamedTuple):
    """A decode worker, and what it gives by sequences of a replica."""

    worker: Worker
    world: Apart


def rows_apart(
    machine: Damaged, service: Serving, asked: Asked, aims: Objective, loads: Sequence[int]
) -> list[Row]:
    """Return the best split and load of each pair of layouts that no other pair is better than.

    Layouts of prefill are kept where none has a shorter prompt and more prompts/s and chip, layouts
    of decoding where none has a shorter step and more tokens/s and chip at any load.
    """
    prompts, own = prompts_of(service), asked._replace(chips=None)
    firsts, seconds = _workers(machine, service, prompts, own)
    found = [
        row for first in firsts for second in seconds if (row := _best(first, second, aims, loads))
    ]
    if not found:
        allowed = f"must leave room for two workers on {machine.num_chips:,} chips; use more chips"
        raise invalid("disaggregated", True, f"{allowed}, or disaggregated=False")  # noqa: FBT003
    return found


def _workers(
    machine: Damaged, service: Serving, prompts: Serving, asked: Asked
) -> tuple[list[_Prefill], list[_Decode]]:
    firsts: list[_Prefill] = []
    seconds: list[_Decode] = []
    for layout in layouts_of(machine, service):
        try:
            one = _worker("prefill", ready(machine, prompts, layout, asked))
            told = one.told()
            each = sum(float(part[1]) for part in told["prefill"]) / layout.pp
            firsts.append(_Prefill(one, told, one.replicas / each / one.chips))
            other = _worker("decode", ready(machine, service, layout, asked))
            seconds.append(_Decode(other, _world(one, other, told, 0.0, write=False)))
        except (InvalidArgument, Unsupported):
            continue  # which fits not, as it did not where all chips do both
    points = [[(float(one.told["ttft"]), one.per_chip)] for one in firsts]
    steps = [list(zip(two.world.tpot, _per_chip(two), strict=True)) for two in seconds]
    return [firsts[at] for at in _kept(points)], [seconds[at] for at in _kept(steps)]


def _per_chip(one: _Decode) -> Floats:
    world = one.world
    return np.asarray(one.worker.replicas * world.sizes / world.tpot / one.worker.chips)


def _kept(points: list[list[tuple[float, float]]]) -> list[int]:
    """Return which have a point that no other is better than, those with most of them first."""
    flat = [(time, -rate, at) for at, own in enumerate(points) for time, rate in own]
    counts: dict[int, int] = {}
    best = math.inf
    for _, rate, at in sorted(flat):
        if rate < best:
            best = rate
            counts[at] = counts.get(at, 0) + 1
    return sorted(counts, key=lambda at: -counts[at])[:_MOST_LAYOUTS]


def _best(first: _Prefill, second: _Decode, aims: Objective, loads: Sequence[int]) -> Row | None:
    """Return the best split and load of two layouts; None where both do not fit."""
    prefill, decode = first.worker, second.worker
    chips = prefill.one.machine.num_chips
    most = (chips - decode.chips) // prefill.chips
    if most < 1:
        return None
    _, sent = _handover(prefill, decode, math.inf)
    world = _world(prefill, decode, first.told, sent.seconds, write=False)
    counts = np.unique(np.linspace(1, most, _MOST_SPLITS).astype(int)).astype(float)
    others = (chips - counts * prefill.chips) // decode.chips
    many = np.array(loads, float)
    own, rest = (np.repeat(each, len(many)) for each in (counts, others))
    requests = np.tile(many, len(counts)) * rest * world.per_decode
    found = closed(world, own, rest, requests)
    good = _within(found.ttft, found.tpot, aims)
    at = int(np.argmax(np.where(good <= 1, found.rate, -1.0) if (good <= 1).any() else -good))
    told = {name: float(getattr(found, name)[at]) for name in ("rate", "ttft", "tpot")}
    replicas = int(rest[at]) * decode.replicas
    return Row(
        decode.one.layout,
        replicas,
        int(requests[at]),
        told,
        *aims.passed(told),
        prefill.one.layout,
        (int(own[at]), int(rest[at])),
    )


def _within(first: Floats, between: Floats, aims: Objective) -> Floats:
    """Return by which factor the worse of both times is passed."""
    return np.maximum(first / aims.ttft, between / aims.tpot)
