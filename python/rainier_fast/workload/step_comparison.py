"""Training steps of one job on several machines, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from rainier_fast.screen import Paged, Pictured, Report, one_screen
from rainier_fast.table import Table, TableWith
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.training import Training

_NUMBERS: Final = ("time_s", "tokens_per_s", "tokens_per_s_per_chip", "mfu")
_SHOWN: Final = ("machine", "chips", "kind", *_NUMBERS, "memory_bytes", "fits", "largest", "layout")


class Compared(NamedTuple):
    """One machine, its step, and what is known of it."""

    machine: str
    chips: int
    step: TrainingStep | None
    about: Mapping[str, Any]
    reason: str


@one_screen
class StepComparison(Pictured, Paged, Report, TableWith):
    """A table with a row for each machine; made by ``rainier_fast.compare(..., job=job)``.

    Prints times and layouts, with the reasons of machines that have none below.

    Attributes
    ----------
    training
        What a step computes.
    steps
        The step of each row; None where there is a reason instead.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
    >>> both = rf.compare(["trn2", "h100"], job=job, layout=rf.Layout(tp=8))
    >>> both["chips"].tolist(), [step.kind for step in both.steps]
    ([16, 8], ['as neuron runs it', 'as nccl runs it'])
    """

    _beside = ("training", "steps")
    __slots__ = _beside

    training: Training
    steps: tuple[TrainingStep | None, ...]

    @property
    def kind(self) -> str:
        """The kinds of number that the steps are, each once."""
        found = dict.fromkeys(step.kind for step in self.steps if step is not None)
        return ", ".join(found) or "no answers"

    def _page(self) -> list[Any]:
        lines = [f"{row['machine']}: {row['reason']}" for row in self if row["reason"]]
        head = f"a step of {self.training}; {self.kind}"
        return [head, "", self._part(_SHOWN), *([""] if lines else []), *lines]


def comparison_of(rows: Sequence[Compared], training: Training) -> StepComparison:
    """Return the rows as a table."""
    steps = tuple(row.step for row in rows)

    def column(name: str, missing: object) -> list[Any]:
        return [missing if step is None else getattr(step, name) for step in steps]

    columns: dict[str, list[Any]] = {
        "machine": [row.machine for row in rows],
        "chips": [row.chips for row in rows],
        "kind": column("kind", ""),
        **{name: column(name, math.nan) for name in _NUMBERS},
        "memory_bytes": [math.nan if step is None else _memory(step) for step in steps],
        "fits": column("fits", missing=False),
        "largest": ["" if step is None else _largest(step) for step in steps],
        "layout": [
            "" if step is None else str(step.layout.with_(dp=step.replicas)) for step in steps
        ],
        **{name: [row.about[name] for row in rows] for name in rows[0].about},
        "reason": [row.reason for row in rows],
    }
    return StepComparison(Table(columns)._columns, training, steps)


def _memory(step: TrainingStep) -> float:
    return float(max(step.memory["total_bytes"].tolist()))


def _largest(step: TrainingStep) -> str:
    """Return the part that takes most of a step."""
    name = max(step.parts, key=lambda part: step.parts[part])
    return f"{name} {step.parts[name] / step.time_s:.0%}"
