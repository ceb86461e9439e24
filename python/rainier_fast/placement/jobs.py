"""What can be placed: how many ranks a job has, on which chips it says they are, and its axes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.cores import as_ranks_per_chip
from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.definitions.check import as_count
from rainier_fast.errors import Unsupported, invalid, invalid_type
from rainier_fast.memory import reckon
from rainier_fast.placement.units import Units
from rainier_fast.studies.placing import Tenant
from rainier_fast.studies.ranking import MeshLayout, Ranking
from rainier_fast.topology.base import Base
from rainier_fast.workload.layout import ORDERS, Layout
from rainier_fast.workload.layout_ranking import LayoutRanking
from rainier_fast.workload.orders.layout_axes import layout_axes
from rainier_fast.workload.step import TrainingStep

_ALLOWED = (
    "must be a number of ranks, a Tenant, a Layout, a training step, a mesh, or a layout of "
    "best_mapping or best_layouts"
)
_BYTES = 64
"""Of a rank in all columns of a placement while it is made."""


@dataclass(frozen=True, slots=True)
class Job:
    """Ranks in their order; `chips` where the job itself says them, of the whole machine."""

    what: str
    ranks: int
    ranks_per_chip: int
    axes: tuple[tuple[str, int, int], ...] = ()
    chips: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    together: int = 1
    """Chips that must be of one UltraServer, as far as they are no more than it has."""


def job_of(given: object, machine: Base, units: Units, free: int, per_chip: int | None) -> Job:
    """Return what is to be placed; `free` chips are there for what takes all that is left."""
    given = _within(given)
    cores = None if per_chip is None else as_ranks_per_chip(machine, per_chip)
    if isinstance(given, Layout):
        if cores is not None and cores != given.ranks_per_chip:
            raise invalid("ranks_per_chip", cores, f"must be the layout's {given.ranks_per_chip}")
        made = _of_layout(given, as_ranks_per_chip(machine, given.ranks_per_chip), free)
    elif isinstance(given, DeviceMesh | MeshLayout):
        made = _of_mesh(given, machine, cores)
    elif isinstance(given, Tenant):
        planes = units.planes if given.instances is None else 1
        count = given.instances or given.ultraservers or 0
        ranks = count * planes * units.chips * (cores or 1)
        wanted = f"tenant {given.name}"
        made = Job(wanted, ranks, cores or 1, together=count * planes * units.chips)
    elif isinstance(given, int | np.integer) and not isinstance(given, bool):
        ranks = as_count("job", given)
        made = Job(f"{ranks:,} ranks", ranks, cores or 1)
    else:
        raise invalid_type("job", given, _ALLOWED)
    reckon(_BYTES * made.ranks, f"a placement of {made.ranks:,} ranks", "place a smaller job")
    return made


def _within(given: object) -> object:
    """Return the layout that an answer is about: a ranking's best, that of a step as it ran."""
    if isinstance(given, Ranking | LayoutRanking):
        return given.best
    if isinstance(given, TrainingStep):
        layout = given.layout
        ranks = given.machine.num_chips * layout.ranks_per_chip
        return layout.with_(dp=ranks // layout.model_ranks) if layout.dp == -1 else layout
    return given


def _of_layout(layout: Layout, cores: int, free: int) -> Job:
    ranks = layout.ranks
    if ranks is None:
        each = layout.model_ranks
        ranks = free * cores // each * each
        if ranks == 0:
            allowed = f"needs {each:,} ranks, and {free * cores:,} are free"
            raise invalid("job", str(layout), allowed)
    axes, notes = _axes(layout, ranks)
    return Job(f"layout {layout}", ranks, cores, axes, None, notes, -(-layout.tp // cores))


def _axes(layout: Layout, ranks: int) -> tuple[tuple[tuple[str, int, int], ...], tuple[str, ...]]:
    """Return the axes of a layout as its stack counts ranks."""
    island = ranks // layout.islands
    dp = island // (layout.tp * layout.cp * layout.pp)
    sizes: dict[str, int | None] = {"tp": layout.tp, "cp": layout.cp, "dp": dp, "pp": layout.pp}
    found: dict[str, Any] = {}
    if layout.order in ORDERS:
        found = layout_axes(layout.order, island, sizes)
    else:
        step = 1
        for name in layout.axes:
            size = sizes[name] or 1
            found[name] = (size, step)
            step *= size
    axes, notes = [], []
    for name in (name for name, size in sizes.items() if size != 1):
        digit = found[name]
        if isinstance(digit, tuple):
            axes.append((name, *digit))
        else:
            notes.append(f"ranks of {name} are not counted up by {layout.order}: see rank_groups")
    if layout.islands > 1:
        axes.append(("island", layout.islands, island))
    return tuple(axes), tuple(notes)


def _of_mesh(mesh: DeviceMesh | MeshLayout, machine: Base, cores: int | None) -> Job:
    own = mesh._machine if isinstance(mesh, MeshLayout) else mesh.machine
    if own._numbering() != machine._numbering():
        raise invalid("job", mesh, "must be of this machine")
    if machine.num_live_chips < machine.num_chips:
        raise Unsupported(
            "a mesh has every chip of the machine, and some are dead; place a Layout or a number "
            "of ranks, which goes round them"
        )
    if isinstance(mesh, MeshLayout):
        shape, per_chip, what = dict(mesh._axes), 1, f"layout of best_mapping {mesh.text}"
    else:
        shape, per_chip, what = mesh.shape, mesh.ranks_per_chip, str(mesh)
    if cores is not None and cores != per_chip:
        raise invalid("ranks_per_chip", cores, f"must be the mesh's {per_chip}")
    chips = (mesh.chips if isinstance(mesh, MeshLayout) else mesh.chips()).ravel()
    names = list(shape)
    axes = tuple(
        (name, size, prod(shape[after] for after in names[at + 1 :]))
        for at, (name, size) in enumerate(shape.items())
        if size > 1
    )
    return Job(what, chips.size, per_chip, axes, chips)
