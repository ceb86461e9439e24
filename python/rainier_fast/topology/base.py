"""What every part of `Machine` stands on: the definition, frozen, and the core built from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sized
from typing import Protocol, Self

from rainier_fast import _core
from rainier_fast.catalog import Figure
from rainier_fast.definitions.routing import Routing, RoutingRow, routing_row
from rainier_fast.definitions.site import Site
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.frozen import frozen
from rainier_fast.topology.assumed import in_force

__all__ = ["Base"]


class _Faults(Hashable, Sized, Protocol):
    """What is broken, whatever keeps it."""


@frozen("a machine does not change; build another one")
class Base(ABC):
    """Sites and a WAN, checked; nothing here can be changed later."""

    __slots__ = ("__weakref__", "_core", "_faults", "_name", "_sites", "_spelling", "_wan")

    _core: _core.Machine
    _faults: _Faults
    _name: str | None
    _sites: tuple[Site, ...]
    _spelling: str | None
    _wan: Wan | None

    @classmethod
    @abstractmethod
    def _make(
        cls, sites: tuple[Site, ...], wan: Wan | None = None, name: str | None = None
    ) -> Self:
        """Build another one from a definition."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Base):
            return NotImplemented
        return self._definition() == other._definition()

    def __hash__(self) -> int:
        return hash(self._definition())

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
        """Return the dense rate of all chips that work.

        Parameters
        ----------
        dtype
            ``"fp8"``, ``"bf16"`` or ``"fp32"``.
        tensor_only
            Count the tensor engines only, which bound matrix products.

        Returns
        -------
        float
            FLOP/s.

        Raises
        ------
        UnknownName
            If the chip has no rate for this type.
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
        return in_force(self._sites, self._wan)

    def _numbering(self) -> tuple[int, ...]:
        """Return what decides how parts are numbered: chips, links, UltraServers, sites."""
        return self.num_chips, self.num_links, self.num_ultraservers, len(self._sites)

    def _axis_names(self) -> list[str]:
        return [axis.name for axis in self.ultraserver.axes]

    def _routing(self, routing: Routing) -> RoutingRow:
        return routing_row(routing, self._axis_names())

    def _definition(self) -> tuple[tuple[Site, ...], Wan | None, str | None, _Faults]:
        return self._sites, self._wan, self._name, self._faults
