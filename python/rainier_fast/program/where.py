"""Where the ranks of a program are on a machine, and which chips its groups are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.cores import as_ranks_per_chip, core_groups
from rainier_fast.ask.groups import Groups, as_groups
from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.definitions.check import as_pairs
from rainier_fast.errors import Unsupported, invalid, invalid_type, unknown
from rainier_fast.memory import reckon
from rainier_fast.program.collective import OPERATIONS
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.program import Program
from rainier_fast.program.ranks import Ranks
from rainier_fast.topology.arrays import chip_array
from rainier_fast.topology.base import Base

ALONE: Final = "only the recorded rank's group is known, so it is priced alone"
UNEVEN: Final = "groups differ in size: the slowest size counts, as if it ran alone"


class Found(NamedTuple):
    """The groups of a collective on a machine; several where groups differ in size."""

    groups: tuple[Groups, ...]
    guess: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """Ranks on chips.

    `slots` has, of each rank, its chip times `cores` and its number there; None where rank r is
    slot r.
    """

    machine: Base
    world: int
    cores: int
    slots: NDArray[np.int64] | None = None
    mesh: DeviceMesh | None = None
    guess: str = ""

    def of(self, groups: ProgramGroups) -> Found:
        """Return the chips of groups; `Unsupported` where these have no model."""
        if groups.kind == "everyone":
            return self._axis(self.world, 1) if groups.size == self.world else self._lists(groups)
        if (line := groups.line()) is not None:
            return self._line(*line, alone=groups.kind == "own group")
        if groups.form[0] == "iota" and self.slots is None:
            found = self._iota(*groups.form[1:])
            if found is not None:
                return found
        return self._lists(groups)

    def of_axis(self, axis: str) -> Found:
        """Return the groups of an axis of the mesh."""
        assert self.mesh is not None
        return Found((self.mesh.axis_groups(axis),))

    def _axis(self, size: int, stride: int) -> Found:
        """Return all groups that are `size` ranks, `stride` apart."""
        if self.slots is None and self.cores == 1:
            return Found((Groups(self.machine.num_chips, size, stride),))
        reckon(40 * self.world, f"groups of {self.world:,} ranks", "use a smaller machine")
        ranks = np.arange(self.world).reshape(-1, size, stride).swapaxes(1, 2).reshape(-1, size)
        return Found((self._listed(ranks),))

    def _line(self, start: int, stride: int, size: int, *, alone: bool) -> Found:
        block = stride * size
        last = start + stride * (size - 1)
        if last >= self.world:
            raise invalid("world", self.world, f"must be above rank {last}, which a group has")
        if not alone or size == 1:
            return Found((self._listed(np.arange(start, last + 1, stride)[None]),))
        if self.world % block == 0 and start % block < stride:
            return self._axis(size, stride)
        members = np.arange(start, last + 1, stride)[None]
        return Found((self._listed(members),), ALONE)

    def _iota(
        self, count: int, size: int, dims: tuple[int, ...], perm: tuple[int, ...]
    ) -> Found | None:
        """Return groups that are whole axes of a mesh, if they are those of all ranks."""
        if count * size != self.world:
            return None
        inside: list[int] = []
        left = size
        for axis in reversed(perm):
            if left == 1:
                break
            if left % dims[axis]:
                return None
            left //= dims[axis]
            inside.insert(0, axis)
        names = {f"axis {at}": length for at, length in enumerate(dims)}
        mesh = DeviceMesh(self.machine, names, None, self.cores)
        if not inside:
            return self._axis(1, 1)
        return Found((mesh.axis_groups([f"axis {at}" for at in inside]),))

    def _lists(self, groups: ProgramGroups) -> Found:
        ranks = groups.to_array()
        if len(ranks) and int(ranks.max()) >= self.world:
            allowed = f"must be above rank {int(ranks.max())}, which a group has"
            raise invalid("world", self.world, allowed)
        guess = ALONE if groups.kind == "own group" else ""
        if groups.size is not None:
            return Found((self._listed(ranks.reshape(-1, groups.size)),), guess)
        sizes = np.asarray(groups.form[2])
        ends = np.cumsum(sizes)
        classes = []
        for size in np.unique(sizes).tolist():
            rows = [ranks[end - size : end] for end in ends[sizes == size].tolist()]
            classes.append(self._listed(np.stack(rows)))
        return Found(tuple(classes), UNEVEN)

    def _listed(self, ranks: Ranks) -> Groups:
        slots = ranks if self.slots is None else self.slots[ranks]
        if self.cores > 1:
            return core_groups(self.machine, slots, self.cores)
        return as_groups(slots, self.machine.num_chips)

    def chips_of(self, ranks: Ranks) -> Ranks:
        """Return the chips of ranks."""
        slots = ranks if self.slots is None else self.slots[ranks]
        return np.asarray(slots // self.cores)


def where(
    machine: Base,
    program: Program,
    mesh: object,
    placement: object,
    ranks_per_chip: object,
) -> Where:
    """Return where the ranks of a program are, or refuse by name what does not fit."""
    cores = as_ranks_per_chip(machine, ranks_per_chip)
    if placement is not None:
        if mesh is not None:
            raise invalid("mesh", mesh, "must be None with placement=: one says where ranks are")
        found = _placed(machine, placement, cores)
    else:
        found = _meshed(machine, mesh, cores)
    if program.world is not None and program.world != found.world:
        if mesh is None and placement is None and 0 < program.world < found.world:
            return _first(machine, program.world, cores)
        raise invalid(
            "world",
            f"a program of {program.world:,} ranks for {found.world:,} on {_named(machine)}",
            f"must be equal: cost it on a machine of {program.world:,} ranks, such as "
            "preset(..., chips=...), or say placement=, the chip of each rank",
        )
    return found


def _first(machine: Base, world: int, cores: int) -> Where:
    """Return the first chips, for a program that leaves the others free, which it says."""
    reckon(40 * world, f"places of {world:,} ranks", "use a machine of as many ranks")
    chips = -(-world // cores)
    guess = (
        f"the program is of {world:,} ranks, so it runs on the first {chips:,} of "
        f"{machine.num_chips:,} chips and the others are idle: made for all of them, it would have "
        "other bytes and groups"
    )
    return Where(machine, world, cores, np.arange(world), guess=guess)


def _meshed(machine: Base, mesh: object, cores: int) -> Where:
    if mesh is None:
        return Where(machine, machine.num_chips * cores, cores)
    if isinstance(mesh, Mapping):
        mesh = DeviceMesh(
            machine, dict(as_pairs("mesh", mesh, "must map names to sizes")), None, cores
        )
    if not isinstance(mesh, DeviceMesh):
        raise invalid_type("mesh", mesh, "must be a DeviceMesh, or sizes by name of axis")
    if mesh.machine != machine:
        raise invalid("mesh", mesh, "must be of the machine that costs the program")
    per = _agreed(cores, mesh.ranks_per_chip, "mesh")
    slots = None
    if mesh._order is not None:
        slots = mesh.chips().ravel()
    return Where(machine, machine.num_chips * per, per, slots, mesh)


def _placed(machine: Base, placement: Any, cores: int) -> Where:  # noqa: ANN401 - as given
    from rainier_fast.placement.placement import Placement  # large, and seldom given

    if isinstance(placement, Placement):
        if placement.num_chips != machine.num_chips:
            got = f"a placement on {placement.num_chips:,} chips"
            raise invalid("placement", got, f"must be on {machine.num_chips:,}, as the machine")
        cores = _agreed(cores, as_ranks_per_chip(machine, placement.ranks_per_chip), "placement")
        chips = placement.chips
    else:
        chips = chip_array("placement", placement, machine.num_chips).astype(np.int64)
        if chips.ndim != 1 or not chips.size:
            raise invalid("placement", placement, "must be the chip of each rank, in one row")
    order = np.argsort(chips, kind="stable")
    runs = np.r_[0, np.flatnonzero(np.diff(chips[order])) + 1]
    lengths = np.diff(np.r_[runs, len(chips)])
    if int(lengths.max()) > cores:
        chip = int(chips[order][runs[int(lengths.argmax())]])
        raise invalid(
            "placement", f"chip {chip} of {int(lengths.max())} ranks", f"must have at most {cores}"
        )
    slots = np.empty(len(chips), np.int64)
    slots[order] = np.arange(len(chips)) - np.repeat(runs, lengths) + cores * chips[order]
    if len(slots) == machine.num_chips * cores and bool((np.diff(slots) == 1).all()):
        return Where(machine, len(chips), cores)
    return Where(machine, len(chips), cores, slots)


def _agreed(asked: int, told: int, by: str) -> int:
    """Return the ranks of a chip that a mesh or placement tells, which nothing may contradict."""
    if asked not in (1, told):
        raise invalid("ranks_per_chip", asked, f"must be {told}, as the {by} has, or left out")
    return told


def _named(machine: Base) -> str:
    return machine.name or machine.ultraserver.name


def require_axes(found: Where, program: Program, axes: object) -> dict[str, str]:
    """Return which axis collectives without groups run over, by operation or name."""
    if axes is None:
        return {}
    given = dict(as_pairs("axes", axes, "must map operations or names to axes of mesh="))
    if found.mesh is None:
        raise Unsupported("axes: got some without mesh=; give the mesh whose axes they are")
    names = {one.name for one in program.collectives}
    for key, axis in given.items():
        if key not in names and key not in OPERATIONS:
            raise unknown("axes", key, (*OPERATIONS, *sorted(names)))
        found.mesh.axis_groups(axis)
    return given
