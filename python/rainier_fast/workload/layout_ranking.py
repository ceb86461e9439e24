"""The layouts of a job on a machine, ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.check import as_integer
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import Routing
from rainier_fast.faults.damaged import Damaged
from rainier_fast.screen import Pictured, Report, one_screen
from rainier_fast.table import Table, TableWith
from rainier_fast.units import format_bytes, format_time
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.peaks import peak_flops
from rainier_fast.workload.ran import PARTS
from rainier_fast.workload.step import TrainingStep
from rainier_fast.workload.stepped import Asked, run_step
from rainier_fast.workload.training import Training

_FIELDS: Final = (
    "tp",
    "pp",
    "dp",
    "cp",
    "ep",
    "etp",
    "zero",
    "microbatch",
    "schedule",
    "virtual",
    "sequence_parallel",
)
_OF_FRONT: Final = ("time_s", "mfu", "memory_bytes", "recompute")
_ROUNDING: Final = 1e-9  # of a step: sums in another order differ by less
_SHOWN: Final = ("time_s", "mfu", "memory_bytes", *_FIELDS)


@one_screen
class LayoutRanking(Pictured, Report, TableWith):
    """A table with a row for each layout, the fastest first; made by `Machine.best_layouts`.

    Columns: ``time_s``, ``mfu``, ``memory_bytes`` of the fullest stage's chips, the fields of
    `Layout` that were chosen, ``recompute`` of the job, ``microbatches``, and ``<part>_s`` for each
    part of `TrainingStep.parts`.

    Attributes
    ----------
    machine
        Where they run: the part of a machine that was asked for.
    training
        What a step computes.
    algorithm, routing
        How collectives run.
    efficiency
        How fast chips compute.
    layouts
        The layout of each row.
    pareto
        Those that no other beats in time and memory, the fastest first: a table of ``time_s``,
        ``mfu``, ``memory_bytes``, ``recompute`` and ``layout``, the text of each.
    pareto_layouts
        The layout of each row of that.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
    >>> ranking = rf.preset("trn2-ultraserver").best_layouts(job, cp=1, tp=[4, 8], schedule="1f1b")
    >>> ranking.layouts[0] == ranking.best, ranking.step(0).time_s == ranking["time_s"][0]
    (True, np.True_)
    >>> sum(ranking.pruned.values()) == ranking.total
    True
    """

    _beside = (
        "machine",
        "training",
        "algorithm",
        "routing",
        "efficiency",
        "layouts",
        "pareto",
        "pareto_layouts",
        "_counts",
    )
    __slots__ = _beside

    machine: Damaged
    training: Training
    algorithm: str
    routing: Routing
    efficiency: Efficiency
    layouts: tuple[Layout, ...]
    pareto: Table
    pareto_layouts: tuple[Layout, ...]
    _counts: tuple[int, ...]

    @property
    def best(self) -> Layout:
        """The fastest layout."""
        return self.layouts[0]

    @property
    def kind(self) -> str:
        """What kind of number the times are: `TrainingStep.kind`."""
        return kind_of(self.algorithm)

    @property
    def total(self) -> int:
        """How many ways there are to choose, whether they fit each other or not."""
        return self._counts[0]

    @property
    def searched(self) -> int:
        """How many layouts there are whose sizes divide, inside the places that were named."""
        return self._counts[1]

    @property
    def pruned(self) -> Mapping[str, int]:
        """What became of all ways to choose.

        ``"does not divide"``; ``"straddles"`` a place of `within`; ``"does not fit"`` the memory;
        ``"bounded out"``, which fit, and whose bounds say that they are neither among the best nor
        on the front; and ``"simulated"``, which were run.
        """
        total, layouts, straddle, full, simulated = self._counts
        found = {
            "does not divide": total - layouts - straddle,
            "straddles": straddle,
            "does not fit": full,
            "bounded out": layouts - full - simulated,
            "simulated": simulated,
        }
        return MappingProxyType(found)

    @property
    def jobs(self) -> tuple[Training, ...]:
        """The job of each row: with what it computes again."""
        return tuple(self.training.with_(recompute=str(one)) for one in self["recompute"])

    @property
    def runner_up(self) -> str:
        """What would have to change for the second layout to win, part by part, in words."""
        return _runner_up([self._parts(row) for row in range(min(2, len(self)))], self.layouts)

    def _parts(self, row: int) -> dict[str, float]:
        return {part: float(self[f"{part}_s"][row]) for part in PARTS}

    def step(self, row: int) -> TrainingStep:
        """Return the training step of a row, with all that there is to say of it.

        Parameters
        ----------
        row
            Its number in the ranking.

        Returns
        -------
        TrainingStep
            That of `Machine.training_step`.

        Raises
        ------
        OutOfRange, InvalidType
            If there is no such row.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
        >>> ranking = rf.preset("trn2-ultraserver").best_layouts(job, pp=1, cp=1, keep=3)
        >>> ranking.step(2).fits
        True
        """
        row = as_integer("row", row, -len(self), len(self) - 1)
        asked = Asked(None, self.algorithm, self.efficiency, self.routing)
        return run_step(self.machine, self.jobs[row], self.layouts[row], asked)

    def _page(self) -> list[Any]:
        fates = ", ".join(f"{count:,} {what}" for what, count in self.pruned.items() if count)
        head = [
            f"{self.training} on {self.machine.num_chips:,} chips, {self.kind}",
            f"{self.total:,} ways to choose: {fates}",
            f"best: {self.best}: {format_time(self['time_s'][0])}, MFU {self['mfu'][0]:.1%}, "
            f"{format_bytes(self['memory_bytes'][0])} a chip",
            f"second: {self.runner_up}",
        ]
        shown = [name for name in _SHOWN if name in self.columns and not self._is_dull(name)]
        return [*head, "", self._part(shown)]

    def _is_dull(self, name: str) -> bool:
        """Return whether a column says nothing: an axis that no layout has."""
        return name in ("cp", "ep", "etp", "virtual") and set(self[name].tolist()) <= {1}


def _runner_up(parts: Sequence[Mapping[str, float]], layouts: Sequence[Layout]) -> str:
    if len(parts) < 2:
        return "there is none"
    first, second = parts
    behind = sum(second.values()) - sum(first.values())
    differences = {part: second[part] - first[part] for part in first}
    least = _ROUNDING * sum(first.values())
    longer = {part: more for part, more in differences.items() if more > least}
    shorter = {part: -more for part, more in differences.items() if more < -least}
    if not longer:
        return f"{layouts[1]}: as fast as the first"

    def words(some: Mapping[str, float]) -> str:
        ordered = sorted(some.items(), key=lambda one: -one[1])
        return ", ".join(f"{part} {format_time(seconds)}" for part, seconds in ordered[:4])

    text = f"{layouts[1]}: {format_time(behind)} behind, longer by {words(longer)}"
    if shorter:
        text += f"; shorter by {words(shorter)}"
    most = max(longer, key=lambda part: longer[part])
    if second[most] > behind > 0:
        text += f"; wins where its {most} falls by {behind / second[most]:.1%}"
    return text


def ranked(
    asked: tuple[Damaged, Training, str, Routing, Efficiency],
    order: str,
    found: Mapping[str, Any],
) -> LayoutRanking:
    """Return the ranking of what the core found."""
    machine, job = asked[0], asked[1]
    best = _columns(machine, job, found["best"])
    front = _columns(machine, job, found["front"])
    dense = job.transformer.experts is None
    layouts, on_front = (
        tuple(_layout(row, order, dense=dense) for row in found[which])
        for which in ("best", "front")
    )
    pareto = {name: front[name] for name in _OF_FRONT} | {"layout": [str(one) for one in on_front]}
    names = ("total", "layouts", "straddle", "full", "simulated")
    counts = tuple(int(found[name]) for name in names)
    return LayoutRanking(
        best, *asked, layouts, Table(pareto)._of_kind(kind_of(asked[2])), on_front, counts
    )


def _layout(row: Mapping[str, Any], order: str, *, dense: bool) -> Layout:
    fields = {name: row[name] for name in _FIELDS}
    if dense:
        fields["etp"] = None
    return Layout(**fields, order=order)


def _columns(
    machine: Damaged, job: Training, rows: Sequence[Mapping[str, Any]]
) -> dict[str, list[Any]]:
    """Return the columns of layouts."""
    could = peak_flops(machine, job)
    times = [sum(row["parts"]) for row in rows]
    columns: dict[str, list[Any]] = {
        "time_s": times,
        "mfu": [job.flops / could / time for time in times],
        "memory_bytes": [row["memory"] for row in rows],
    }
    for name in (*_FIELDS, "recompute", "microbatches"):
        columns[name] = [row[name] for row in rows]
    for at, part in enumerate(PARTS):
        columns[f"{part}_s"] = [row["parts"][at] for row in rows]
    return columns
