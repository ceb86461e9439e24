"""What every part of `Machine` stands on: the definition, frozen, and the core built from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self, TypeAlias

from rainier_fast import _core
from rainier_fast.catalog import Assumptions, Figure, assumptions
from rainier_fast.definitions.check import as_name, as_several
from rainier_fast.definitions.routing import Routing, RoutingRow, routing_row
from rainier_fast.definitions.site import Site
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.errors import Unsupported, invalid, invalid_type
from rainier_fast.frozen import frozen, put
from rainier_fast.provenance import names_in

if TYPE_CHECKING:
    from rainier_fast.definitions.efficiency import Efficiency

_CoreFaults: TypeAlias = _core.Faults


@frozen("a machine does not change; build another one")
class Base:
    """Sites and a WAN, checked; nothing here can be changed later."""

    __slots__ = ("__weakref__", "_core", "_name", "_sites", "_spelling", "_wan")

    _core: _core.Machine
    _name: str | None
    _sites: tuple[Site, ...]
    _spelling: str | None
    _wan: Wan | None

    @classmethod
    def _make(
        cls,
        sites: tuple[Site, ...],
        wan: Wan | None = None,
        name: str | None = None,
        spelling: str | None = None,
        faults: _CoreFaults | None = None,
    ) -> Self:
        """Build from a definition; `spelling` is what ``repr`` gives, if not a Cluster."""
        machine = object.__new__(cls)
        machine._define(sites, wan, name, spelling, faults)
        return machine

    def _define(
        self,
        sites: Sequence[Site],
        wan: Wan | None,
        name: str | None,
        spelling: str | None = None,
        faults: _CoreFaults | None = None,
    ) -> None:
        checked = _checked_sites(sites)
        if wan is not None and not isinstance(wan, Wan):
            raise invalid_type("wan", wan, "must be a Wan or None")
        if name is not None:
            name = as_name("name", name)
        server = checked[0].ultraserver
        nic = server.nic
        core = _core.Machine(
            [axis.row() for axis in server.axes],
            server.overhead_s,
            None if nic is None else nic.row(),
            [site.row() for site in checked],
            None if wan is None else wan.tables(len(checked)),
            server.launch_s,
            None if server.gpu is None else server.gpu.row(),
            server.neuron_row(),
            None if server.tpu is None else server.tpu.row(),
        )
        if faults:
            core = _core.with_faults(core, None, faults)
        put(self, _core=core, _name=name, _sites=checked, _spelling=spelling, _wan=wan)

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites, in the order of the chip numbers."""
        return self._sites

    @property
    def wan(self) -> Wan | None:
        """What joins the sites, if anything does."""
        return self._wan

    @property
    def name(self) -> str | None:
        """The name it was given, if any."""
        return self._name

    @property
    def ultraserver(self) -> UltraServer:
        """The scale-up domain that all sites repeat."""
        return self._sites[0].ultraserver

    @property
    def runtime(self) -> str | None:
        """The machine's own software, ``algorithm="runtime"``: `UltraServer.runtime`.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> [preset(name).runtime for name in ("trn2", "h100", "tpu-v5p", "mi300x")]
        ['neuron', 'nccl', 'xla', None]
        """
        return self.ultraserver.runtime

    @property
    def efficiency(self) -> Efficiency:
        """How fast its chips run operators: `Efficiency.of` of the UltraServer's chip.

        Raises
        ------
        Unsupported
            If the machine does not say what its chips are, or nothing is known of them; an
            `Efficiency` of your own does.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("rainier").efficiency == preset("trn2").efficiency
        True
        """
        from rainier_fast.definitions.efficiency import Efficiency  # only who asks pays for it

        chip = self.ultraserver.chip
        if chip is None:
            raise Unsupported(
                "the machine does not say what its chips are, so not how fast they compute; pass "
                "an Efficiency, as Efficiency.of('trn2'), or give its UltraServer a Chip"
            )
        return Efficiency.of(chip)

    @property
    def num_chips(self) -> int:
        """Chips of the machine."""
        return self._core.num_chips

    @property
    def num_links(self) -> int:
        """Directed links of the machine."""
        return self._core.num_links

    @property
    def num_ultraservers(self) -> int:
        """Scale-up domains of the machine."""
        return self._core.num_domains

    @property
    def _faults(self) -> _CoreFaults:
        """What is broken, as the core has it."""
        return _core.faults(self._core)

    @property
    def num_live_chips(self) -> int:
        """Chips that work: `num_chips` less those that are dead, alone or with all around them."""
        return _core.num_live_chips(self._core)

    @property
    def is_damaged(self) -> bool:
        """Whether anything is broken or slower."""
        return len(self._faults) > 0

    @property
    def hbm_bytes(self) -> int:
        """Bytes of memory of all chips that work; `Unsupported` where they are not defined."""
        whole = self.num_ultraservers * self.ultraserver.hbm_bytes
        return whole // self.num_chips * self.num_live_chips if self.is_damaged else whole

    def peak_flops(self, dtype: str, *, tensor_only: bool = False) -> float:
        """Return the dense FLOP/s of all chips that work; arguments and errors as `Chip.flops`.

        Raises
        ------
        Unsupported
            If the machine does not say what its chips are.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").peak_flops("bf16")
        1.0672e+16
        """
        server = self.ultraserver.peak_flops(dtype, tensor_only=tensor_only)
        whole = self.num_ultraservers * server
        return whole * (self.num_live_chips / self.num_chips) if self.is_damaged else whole

    @property
    def assumptions(self) -> Mapping[str, Figure]:
        """The catalogue's assumptions that are in force: those whose values the machine has."""
        # What matters between UltraServers counts where there are several, and what matters between
        # sites where a WAN joins them.
        server, sites, wan = self.ultraserver, self._sites, self._wan
        own = (server.axes, server.overhead, server.launch, server.gpu, server.tpu)
        parts: list[object] = [*own]
        if self.num_ultraservers > 1:
            parts += [server.nic, [site.fabric for site in sites]]
        if wan is not None:
            parts += [wan, [site.ultraservers for site in sites]]
        names = set(names_in(parts))
        return Assumptions({name: one for name, one in assumptions().items() if name in names})

    def _numbering(self) -> tuple[int, ...]:
        """Return what decides how parts are numbered: chips, links, UltraServers, sites."""
        return self.num_chips, self.num_links, self.num_ultraservers, len(self._sites)

    def _axis_names(self) -> list[str]:
        return [axis.name for axis in self.ultraserver.axes]

    def _routing(self, routing: Routing) -> RoutingRow:
        return routing_row(routing, self._axis_names())

    def _key(self) -> tuple[tuple[Site, ...], Wan | None, str | None, _CoreFaults]:
        return self._sites, self._wan, self._name, self._faults


def _checked_sites(sites: object) -> tuple[Site, ...]:
    checked = as_several("sites", sites, Site)
    names = [site.name for site in checked]
    if len(set(names)) < len(names):
        raise invalid("sites", names, "must have a different name each")
    first = checked[0].ultraserver
    for at, site in enumerate(checked):
        if site.ultraserver != first:
            raise Unsupported(
                f"sites[{at}]: got {site.name} with another UltraServer ({site.ultraserver.name}) "
                f"than {checked[0].name} ({first.name}); all sites of a Cluster share one for now: "
                "model each kind as a Cluster of its own"
            )
    return checked
