"""Power of a step as it goes on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rainier_fast.errors import Unsupported
from rainier_fast.operations.watts import PerChip
from rainier_fast.operations.work import Work
from rainier_fast.table import Table

_COMPUTING: Final = ("matmul", "attention", "memory_bound", "recompute")
_INSIDE: Final = ("tp", "cp", "ep")
_AFTER: Final = (("dp", 0.0), ("optimizer", 1.0), ("outer", 0.0), ("host", 0.0))
"""What follows the pipeline, and which share of it chips compute."""


def trace(work: Work | None, one: PerChip, chips: int) -> Table:
    """Return watts by stretches of a step: `Power.trace`."""
    step: Any = None if work is None else work.step
    if work is None or not hasattr(step, "timeline") or not hasattr(step, "kind"):
        raise Unsupported(
            "a trace of what has no timeline; give power() a training step, whose stages say when "
            "they compute"
        )
    parts = dict(work.parts)
    computing = sum(parts.get(name, 0.0) for name in _COMPUTING)
    inside = computing + sum(parts.get(name, 0.0) for name in _INSIDE)
    starts, ends, active = _active(step.timeline())
    shares = active * (computing / inside if inside else 0.0)
    at = float(ends[-1])
    tail = [(parts.get(name, 0.0), share) for name, share in _AFTER if parts.get(name, 0.0) > 0]
    edges = at + np.cumsum([0.0, *(seconds for seconds, _ in tail)])
    starts = np.concatenate((starts, edges[:-1]))
    ends = np.concatenate((ends, edges[1:]))
    shares = np.concatenate((shares, [share for _, share in tail]))
    each = one.idle.watts + (one.busy.watts - one.idle.watts) * shares + one.beside
    watts = each * one.pue.watts * chips
    return Table({"start_s": starts, "end_s": ends, "W": watts})._of_kind(str(step.kind))


def _active(events: Table) -> tuple[Any, Any, Any]:
    """Return stretches between events, and the share of the stages that are at work in each."""
    stages = int(events["stage"].max()) + 1
    moments = np.concatenate((events["start_s"], events["end_s"]))
    change = np.repeat([1, -1], len(events))
    edges, where = np.unique(moments, return_inverse=True)
    busy = np.cumsum(np.bincount(where, change, edges.size))[:-1]
    return edges[:-1], edges[1:], np.minimum(busy / stages, 1.0)
