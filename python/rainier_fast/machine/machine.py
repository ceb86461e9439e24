"""A machine: chips, the links between them, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rainier_fast.ask.options import Model
from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.collectives.methods import stated
from rainier_fast.collectives.order import Devices, Order, laid_by
from rainier_fast.collectives.run import RESULT, Running
from rainier_fast.collectives.scheduling import run_schedule
from rainier_fast.definitions.axis import Tier
from rainier_fast.definitions.check import as_pairs
from rainier_fast.definitions.routing import Routing
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.errors import InvalidType, invalid
from rainier_fast.faults.rerouting import Rerouting
from rainier_fast.faults.text import arguments
from rainier_fast.files.saved import Told
from rainier_fast.flows.sharing import Sharing
from rainier_fast.flows.traffic import Traffic
from rainier_fast.machine.text import page
from rainier_fast.operations.operating import Operations
from rainier_fast.placement.placing import Placing
from rainier_fast.program.costing import ProgramCosts
from rainier_fast.provenance import keep
from rainier_fast.screen import one_screen
from rainier_fast.serving.services import Services
from rainier_fast.studies.mapping import Mappings
from rainier_fast.studies.recovery import Recovery
from rainier_fast.studies.sampling import Sampling
from rainier_fast.studies.tenants import Tenants
from rainier_fast.whole import whole
from rainier_fast.workload.searching import LayoutSearch
from rainier_fast.workload.stepping import TrainingSteps

if TYPE_CHECKING:
    from rainier_fast.ask.schedule import Schedule
    from rainier_fast.results.collective import CollectiveResult


@whole
@one_screen
@stated("group", RESULT, '>>> preset("trn2").{call}.ranks', "16")
class Machine(
    Sampling,
    Recovery,
    Rerouting,
    Traffic,
    Sharing,
    Running,
    Tenants,
    Mappings,
    TrainingSteps,
    Services,
    LayoutSearch,
    Placing,
    ProgramCosts,
    Operations,
    Told,
):
    """A machine. Immutable; equal and of the same hash where the definition is; pickles by it.

    Made by `Cluster`, `torus`, `switch`, `full_mesh`, `domain` and `preset`, not by its own name.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> torus((4, 4, 4), bandwidth="50 GB/s").num_links
    384
    """

    __slots__ = ()

    _saved_as = "machine"

    def __init__(self) -> None:
        raise InvalidType(
            "use Cluster(...), torus(...), switch(...), full_mesh(...) or preset(...)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        definition = self._sites, self._wan, self._name, self._spelling, self._faults
        return type(self)._make, definition

    def __repr__(self) -> str:
        whole = self._whole_repr()
        if not self._faults:
            return whole
        return f"{whole}.with_faults({arguments(self._faults, 'degrade')})"

    def _whole_repr(self) -> str:
        if self._spelling is not None:
            return self._spelling
        parts = [f"sites={list(self._sites)!r}"]
        if self._wan is not None:
            parts.append(f"wan={self._wan!r}")
        if self._name is not None:
            parts.append(f"name={self._name!r}")
        return f"Cluster({', '.join(parts)})"

    def _page(self) -> list[Any]:
        return page(self)

    def mesh(
        self,
        axes: Mapping[str, int] | None = None,
        /,
        *,
        order: Order | None = None,
        devices: Devices | None = None,
        names: Sequence[str] | None = None,
        ranks_per_chip: int = 1,
        **sizes: int,
    ) -> DeviceMesh:
        """Lay all chips out as a mesh of named axes, the last one fastest.

        Parameters
        ----------
        axes
            Size of each axis by name, slowest first; one may be -1 and takes what is left.
        order
            The chip at each place, where that is not the ascending order: an array of all chip
            numbers, flat or of the shape of the mesh, or a `MeshLayout` of `best_mapping` for a
            mesh with the same axes. One whose groups are alike in all UltraServers stays small and
            cheap on any machine; the groups of another are listed chip by chip.
        devices
            The same in JAX's words, in place of sizes and `order`: an array of all chip numbers
            with a dimension for each axis, and in `names` what they are called.
        names
            The names of the dimensions of `devices`.
        ranks_per_chip
            Where ranks are cores, as software on Trainium and TPU7x has it, how many of each chip
            (4 on Trainium2 with LNC 2, 2 on Trainium1 and TPU7x); the last axis goes through those
            of one chip first. Axes across chips share their links with the other ranks of the
            chips; what happens inside a chip is known of all-reduces on Trainium2, by
            ``algorithm="neuron"``.
        **sizes
            The same as `axes` by keywords, or further axes, faster than those.

        Returns
        -------
        DeviceMesh
            Its collectives run over all groups of an axis at once.

        Raises
        ------
        InvalidArgument, InvalidType, OutOfRange
            If the sizes do not multiply to the number of chips, an axis has two, `order` or
            `devices` does not name each chip once, or a mesh is said in two ways.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2-ultraserver").mesh(dp=-1, tp=16).shape
        {'dp': 4, 'tp': 16}
        >>> preset("trn2-ultraserver").mesh({"dp": -1, "tp": 16}).shape
        {'dp': 4, 'tp': 16}
        >>> rings = [[0, 1, 2, 3, 7, 6, 5, 4], [8, 9, 10, 11, 15, 14, 13, 12]]
        >>> preset("trn2").mesh(devices=rings, names=("dp", "tp")).shape
        {'dp': 2, 'tp': 8}
        """
        if devices is not None or names is not None:
            if axes is not None or sizes or order is not None:
                said = "must say the whole mesh with names=, without sizes of axes and order="
                raise invalid("devices", devices, said)
            shape, chips = laid_by(self, devices, names)
            return DeviceMesh(self, shape, chips, ranks_per_chip)
        if axes is None:
            return DeviceMesh(self, sizes, order, ranks_per_chip)
        given = dict(as_pairs("axes", axes, "must map names to sizes"))
        for name in sizes:
            if name in given:
                raise invalid(name, sizes[name], "axes has this axis too: name each once")
        return DeviceMesh(self, given | sizes, order, ranks_per_chip)

    def run(
        self, schedule: Schedule, model: Model = "link_load", routing: Routing | None = None
    ) -> CollectiveResult:
        """Run a schedule: an algorithm's, or one of your own.

        Parameters
        ----------
        schedule
            What `rainier_fast.schedule` or `Schedule` made. One that an algorithm made for this
            machine runs as that algorithm does: in pieces and chunks, over all groups at once where
            it is the schedule of one of several. Any other is run message by message, as it is.
        model
            ``"link_load"``, ``"alpha_beta"``, ``"fluid"`` or ``"fifo"``.
        routing
            A policy, as in `all_reduce`; None for the one that the schedule was made with. Under
            another one, an algorithm's schedule is made anew, which may give a bucket other
            weights.

        Returns
        -------
        CollectiveResult
            Time (s), bandwidths (bytes/s), bottleneck, lower bound, phases. It is not verified:
            call `Schedule.verify`.

        Raises
        ------
        RainierError
            If the schedule does not run on this machine.

        Examples
        --------
        >>> from rainier_fast import preset, schedule
        >>> trn2 = preset("trn2")
        >>> made = schedule("all_reduce", trn2, "1 GiB", algorithm="multi_ring")
        >>> trn2.run(made, model="fluid").algorithm
        'multi_ring'
        """
        return run_schedule(self, schedule, model, routing)

    def without_latency(self) -> Machine:
        """Return the same machine with every latency and overhead at zero.

        Returns
        -------
        Machine
            What remains of every time is bytes over bandwidth, by ``algorithm="runtime"`` too. All
            else stays: chips, faults, and how the machine's software chooses.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").without_latency().route(0, 1).latency_s
        0.0
        """
        server = _silent(self.ultraserver)
        sites = tuple(
            replace(site, ultraserver=server, fabric=Fabric(_quiet(site.tiers)))
            for site in self._sites
        )
        wan = None if self._wan is None else replace(self._wan, latency=0.0)
        return Machine._make(sites, wan, self._name, faults=self._faults)


class Cluster(Machine):
    """A machine of sites with UltraServers, joined by a WAN where there are several.

    Parameters
    ----------
    sites
        The sites; chips are numbered in their order. They share one UltraServer definition.
    wan
        What joins the sites; needed where there are several.
    name
        A name for reading.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.
    Unsupported
        If sites have different UltraServers.

    Examples
    --------
    >>> from rainier_fast import TRN2_ULTRASERVER, Site
    >>> Cluster([Site("indiana", 4096, TRN2_ULTRASERVER)]).num_chips
    262144
    """

    __slots__ = ()

    def __init__(
        self, sites: Sequence[Site], wan: Wan | None = None, name: str | None = None
    ) -> None:
        self._define(sites, wan, name)


def _silent(server: UltraServer) -> UltraServer:
    nic = server.nic
    return replace(
        server,
        axes=tuple(replace(axis, latency=0.0, tiers=_quiet(axis.tiers)) for axis in server.axes),
        nic=None if nic is None else replace(nic, latency=0.0, overhead=0.0),
        overhead=0.0,
        launch=keep(server.launch, 0.0),
        gpu=None if server.gpu is None else replace(server.gpu, silent=True),
        neuron=None if server.neuron is None else server.neuron.quiet(),
    )


def _quiet(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    return tuple(replace(tier, latency=0.0) for tier in tiers)
