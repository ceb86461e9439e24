"""UltraServers run as smaller units."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from rainier_fast import _core
from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.check import as_count
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.faults.damaged import Damaged


class Modes(Damaged):
    """The modes in which UltraServers run."""

    def in_mode(self, instances: int) -> Self:
        """Return the machine with each UltraServer run as units of so many instances.

        An instance is one plane of the last axis. A Trn2 UltraServer runs as four instances, as two
        pairs or as single ones; with a bad Z link its driver falls back to pairs
        (aws-neuron-driver, neuron_pelect.c).

        Parameters
        ----------
        instances
            Planes of a unit; must divide those of an UltraServer.

        Returns
        -------
        Machine
            Its UltraServers are the units, joined by their NICs alone. Chips keep their numbers,
            but in UltraServers with dead cables between planes: there the pairing that leaves
            fewest of those inside units is taken, (1, 2) and (3, 0) rather than (0, 1) and (2, 3),
            and planes are numbered from the first of them. Faults come along.

        Raises
        ------
        InvalidArgument, InvalidType
            If the number does not divide the planes.
        Unsupported
            If UltraServers have a single axis, or the last one is no ring or line.

        Examples
        --------
        >>> from rainier_fast import LinkAt, preset
        >>> damaged = preset("rainier", chips=64).with_faults(links=LinkAt("z", x=1))
        >>> pairs = damaged.in_mode(2)
        >>> pairs.num_ultraservers, pairs.ultraserver.shape, len(pairs.faults)
        (2, (4, 4, 2), 0)
        """
        server = self.ultraserver
        planes = server.axes[-1].size
        size = as_count("instances", instances)
        if planes % size:
            raise invalid("instances", size, f"must divide the {planes} planes of an UltraServer")
        if size == planes:
            return self
        if len(server.axes) < 2 or server.axes[-1].kind not in ("ring", "line"):
            raise Unsupported(
                f"units of {server.name}, whose last axis is {server.axes[-1].kind} or its only one"
                "; only UltraServers of planes along a ring or line run as units of some planes"
            )
        if server.nic is None:
            raise Unsupported(
                f"units of {server.name}, whose chips have no NICs to join them; give it a nic, or "
                "take a cluster such as preset('rainier', chips=64)"
            )
        last = replace(server.axes[-1], size=size, kind="line")
        axes: tuple[Axis, ...] = (*server.axes[:-1], *((last,) if size > 1 else ()))
        units = planes // size
        name = f"{server.name} as {units}x{server.num_chips // units}"
        unit = replace(server, name=name, axes=axes)
        sites = tuple(
            Site(
                site.name,
                site.ultraservers * units,
                unit,
                Fabric(tuple(replace(tier, group=tier.group * units) for tier in site.tiers)),
            )
            for site in self.sites
        )
        label = None if self.name is None else f"{self.name} as {units}x{unit.num_chips}"
        mode = type(self)._make(sites, self.wan, label)
        core, _ = _core.in_mode(self._core, mode._core)
        return mode._with_core(core)
