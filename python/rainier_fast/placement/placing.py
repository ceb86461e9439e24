"""`Machine.place`: ranks of a job on chips, and on hosts by the names that a cluster has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_integer, as_items
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.topology.base import Base

if TYPE_CHECKING:
    from rainier_fast.collectives.mesh import DeviceMesh
    from rainier_fast.placement.ec2 import Ec2Topology
    from rainier_fast.placement.hostfile import HostList
    from rainier_fast.placement.jobs import Job
    from rainier_fast.placement.placement import Placement
    from rainier_fast.placement.slurm import SlurmTopology
    from rainier_fast.placement.units import HostGroups, Units
    from rainier_fast.studies.placing import Tenant
    from rainier_fast.studies.ranking import MeshLayout, Ranking
    from rainier_fast.workload.layout import Layout
    from rainier_fast.workload.layout_ranking import LayoutRanking
    from rainier_fast.workload.step import TrainingStep

Placeable: TypeAlias = (
    "int | Tenant | Layout | TrainingStep | LayoutRanking | DeviceMesh | MeshLayout | Ranking"
)
Hosts: TypeAlias = "str | Sequence[str] | HostList | Ec2Topology | SlurmTopology | HostGroups"


class Placing(Damaged):
    """Placements of jobs on the machine."""

    def place(
        self,
        job: Placeable,
        hosts: Hosts | None = None,
        *,
        chips_per_host: int | None = None,
        ranks_per_chip: int | None = None,
        taken: Sequence[Placement] = (),
        segment: int | None = None,
    ) -> Placement:
        """Say which rank of a job runs on which chip, and on which host, as launchers take it.

        Ranks of a mesh or of a layout of `best_mapping` are where it has them, its last axis
        fastest. A `Layout` or a number of ranks is packed: whole UltraServers, of as few leaf
        groups of the fabric as may be, what is left over side by side in the UltraServer with least
        room; round hosts with dead chips (or dead NICs, where it has several UltraServers) and
        those of jobs before. Ranks go up with chips then, as the stacks of `Layout.order` count
        them.

        Parameters
        ----------
        job
            A number of ranks, a `Tenant`, a `Layout` (whose dp of -1 takes all that is free), a
            `DeviceMesh`, a `MeshLayout`, a `Ranking` or `LayoutRanking` (its best), or a
            `TrainingStep`, with as many ranks as it ran on.
        hosts
            The names of the machine's hosts: a Slurm host list, names, or what `rainier_fast.read`
            made of EC2's answers, of Slurm's topology or of a host file. Those of one capacity
            block or block share an UltraServer, those of a plain list in turn. None makes names up.
        chips_per_host
            Chips of a host; None for instances of 16, or whole domains where those are smaller.
        ranks_per_chip
            Ranks of a chip; None for those of the layout or mesh, else 1.
        taken
            Placements of jobs that run already.
        segment
            Hosts that must be of one UltraServer, as Slurm's ``--segment``; None for those of the
            ranks that share matrices (tp) of a layout, all of a tenant, else 1.

        Returns
        -------
        Placement
            The chip, host and device of each rank; `Placement.launch` writes it for launchers.

        Raises
        ------
        InvalidArgument, InvalidType, OutOfRange
            If the job does not fit, or hosts are not those of such a machine.
        Unsupported
            If a mesh would have dead chips, or hosts do not say who is close.

        Examples
        --------
        >>> from rainier_fast import Layout, preset
        >>> rainier = preset("rainier", chips=256)
        >>> placed = rainier.with_faults(chips=[5]).place(Layout(tp=16, dp=4))
        >>> placed.hosts[0], int(placed.chips[0])
        ('us1-host0', 64)
        >>> rainier.place(Layout(tp=16, dp=2), taken=[placed]).hosts
        ('us0-host0', 'us0-host1')
        """
        from rainier_fast.placement.hosts import named_hosts
        from rainier_fast.placement.jobs import job_of
        from rainier_fast.placement.placement import busy
        from rainier_fast.placement.units import units_of

        units = units_of(self, chips_per_host)
        groups = None if hosts is None else named_hosts(hosts, self, units)
        used = busy(as_items("taken", taken, "must be a sequence of Placements"), self.num_chips)
        clear = _clear(self, units, used, groups)
        made = job_of(job, self, units, int(clear.sum()) * units.chips, ranks_per_chip)
        if made.chips is None:
            chips = _packed(self, units, made, clear, segment)
        else:
            chips = _as_said(made, units, clear)
        return _placement(self, units, made, chips, groups)


def _clear(
    machine: Damaged, units: Units, used: NDArray[np.int64], groups: HostGroups | None
) -> NDArray[np.bool_]:
    """Return which hosts are there, whole and free: a row for each UltraServer."""
    clear = np.ones((units.ultraservers, units.planes), np.bool_)
    if groups is not None:
        sizes = [len(hosts) for _, hosts in groups.groups]
        there = np.zeros(units.ultraservers, np.int64)
        there[: len(sizes)] = sizes
        clear = np.arange(units.planes) < there[:, None]
    flat = clear.reshape(-1)
    flat[used // units.chips] = False
    faults = machine.faults
    flat[faults.chips // units.chips] = False
    clear[faults.ultraservers] = False
    starts = np.concatenate([[0], np.cumsum([site.ultraservers for site in machine.sites])])
    for site in faults.sites.tolist():
        clear[starts[site] : starts[site + 1]] = False
    return clear


def _packed(
    machine: Damaged,
    units: Units,
    job: Job,
    clear: NDArray[np.bool_],
    segment: int | None,
) -> NDArray[np.int64]:
    """Return the chip of each rank of a job that goes where there is room."""
    from rainier_fast.placement.packing import levels_of, pack

    chips = -(-job.ranks // job.ranks_per_chip)
    hosts = -(-chips // units.chips)
    free = clear
    nics = machine.faults.nics
    if hosts > units.planes and nics.size:
        free = clear.copy()
        free.reshape(-1)[nics // units.chips] = False
    sites = [(site.ultraservers, [tier.group for tier in site.tiers]) for site in machine.sites]
    if segment is None:
        part = min(-(-job.together // units.chips), units.planes, hosts)
    else:
        part = as_integer("segment", segment, 1, units.planes)
    picked = pack(free, hosts, levels_of(sites), part)
    first = np.array([(server * units.planes + plane) * units.chips for server, plane in picked])
    whole = (first[:, None] + np.arange(units.chips)).reshape(-1)[:chips]
    return np.repeat(whole, job.ranks_per_chip)[: job.ranks]


def _as_said(job: Job, units: Units, clear: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the chips of a mesh, all of which must be there."""
    assert job.chips is not None
    flat = clear.reshape(-1)
    if not flat.all():
        number = int(np.flatnonzero(~flat)[0])
        raise Unsupported(
            f"a mesh has every chip of the machine, and host {number % units.planes} of "
            f"UltraServer {number // units.planes} is taken or has no name; place a Layout or a "
            "number of ranks"
        )
    return job.chips


def _placement(
    machine: Base,
    units: Units,
    job: Job,
    chips: NDArray[np.int64],
    groups: HostGroups | None,
) -> Placement:
    """Return the placement of ranks whose chips are known."""
    from rainier_fast.placement.placement import Placement
    from rainier_fast.placement.units import INSTANCE

    number = chips // units.chips
    core = np.arange(job.ranks) % job.ranks_per_chip
    device = (chips % units.chips) * job.ranks_per_chip + core
    _, first, inverse = np.unique(number, return_index=True, return_inverse=True)
    order = np.argsort(first)  # hosts in the order of their first ranks
    place = np.empty(order.size, np.int64)
    place[order] = np.arange(order.size)
    names = tuple(_name(int(at), units, groups) for at in number[first[order]])
    if len(set(names)) < len(names):
        raise invalid("hosts", names, "must have a name each")
    notes = list(job.notes) + (
        ["names of hosts are made up: pass hosts="] if groups is None else []
    )
    if groups is not None:
        notes += groups.notes
    if groups is not None and units.planes > 1 and units.chips == INSTANCE:
        said = "hosts of an UltraServer are its planes in the order given, which is assumed"
        notes.append(f"{said}: their place in its torus is in no file")
    return Placement._made(
        what=job.what,
        machine=machine.name or machine.ultraserver.name,
        num_chips=machine.num_chips,
        chips=chips,
        ranks_per_chip=job.ranks_per_chip,
        hosts=names,
        host=place[inverse.reshape(-1)],
        device=device,
        axes=job.axes,
        assumed=tuple(notes),
    )


def _name(number: int, units: Units, groups: HostGroups | None) -> str:
    server, plane = divmod(number, units.planes)
    if groups is not None:
        return groups.groups[server][1][plane]
    return f"us{server}-host{plane}" if units.planes > 1 else f"host{server}"
