"""What a damaged machine may be run as, and what each way costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.axis import Axis, Tier
from rainier_fast.definitions.check import as_count
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.errors import (
    InvalidArgument,
    RainierError,
    Unreachable,
    Unsupported,
    invalid,
    invalid_type,
    unknown,
)
from rainier_fast.machine.base import Base
from rainier_fast.machine.groups import as_groups
from rainier_fast.machine.request import make_request
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.recovery import Recoveries
from rainier_fast.units import Quantity

if TYPE_CHECKING:
    from rainier_fast.machine.collectives import Group
    from rainier_fast.machine.faults import Faults
    from rainier_fast.machine.machine import Machine

__all__ = ["POLICIES", "Recovery"]

POLICIES: Final = {
    "detour": "all ranks stay; messages go round what is dead, a dead chip's rank moves next door",
    "drop_rank": "the ranks of dead chips are left out",
    "drop_ultraserver": "UltraServers with any damage are left out",
    "spare": "UltraServers with any damage are replaced by whole ones outside the group",
    "pairs": "every UltraServer runs as two pairs of instances: a Trn2 UltraServer as 2x32",
    "instances": "every UltraServer runs as single instances: a Trn2 UltraServer as 4x16",
    "synthesized": "all ranks stay; a schedule made for the links that work",
}
"""Ways to go on with a damaged machine, and one line each."""

_MOST_LISTED: Final = 4096
_UNITS: Final = {"pairs": 2, "instances": 1}


class Recovery(Base):
    """How to go on with a damaged machine."""

    __slots__ = ()

    def in_mode(self, instances: int) -> Machine:
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
        >>> hurt = preset("trn2-ultraserver").with_faults(links=LinkAt("z", x=1))
        >>> pairs = hurt.in_mode(2)
        >>> pairs.num_ultraservers, pairs.ultraserver.shape, len(pairs.faults)
        (2, (4, 4, 2), 0)
        """
        machine = self._whole
        server = machine.ultraserver
        planes = server.axes[-1].size
        size = as_count("instances", instances)
        if planes % size:
            raise invalid("instances", size, f"must divide the {planes} planes of an UltraServer")
        if size == planes:
            return machine
        if len(server.axes) < 2 or server.axes[-1].kind not in ("ring", "line"):
            raise Unsupported(
                f"units of {server.name}, whose last axis is {server.axes[-1].kind} or its only one"
                "; only UltraServers of planes along a ring or line run as units of some planes"
            )
        if server.nic is None:
            raise Unsupported(
                f"units of {server.name}, whose chips have no NICs to join them; give it a nic"
            )
        last = dataclasses.replace(server.axes[-1], size=size, kind="line")
        axes: tuple[Axis, ...] = (*server.axes[:-1], *((last,) if size > 1 else ()))
        units = planes // size
        name = f"{server.name} as {units}x{server.num_chips // units}"
        unit = dataclasses.replace(server, name=name, axes=axes)
        sites = tuple(
            Site(
                site.name,
                site.ultraservers * units,
                unit,
                Fabric(tuple(_widened(tier, units) for tier in site.tiers)),
            )
            for site in machine.sites
        )
        label = None if machine.name is None else f"{machine.name} as {units}x{unit.num_chips}"
        mode = type(machine)._make(sites, machine.wan, label)
        core, _ = _core.in_mode(machine._core, mode._core)
        return mode._hurt(core)

    def live_chips(self, group: Group = None) -> NDArray[np.int64]:
        """Return the chips of a group that work.

        Parameters
        ----------
        group
            Chips, or None for all.

        Returns
        -------
        numpy.ndarray
            int64, in the order of the group.

        Raises
        ------
        RainierError
            If the group is not usable, or more than one.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").with_faults(chips=[3, 4]).live_chips(range(6))
        array([0, 1, 2, 5])
        """
        chips = self._one_group(group)
        faults = self._faults
        dead = np.isin(chips, faults.chips)
        gone = _core.dead_ultraservers(self._core)
        if gone.size:
            dead |= np.isin(chips // self.ultraserver.num_chips, gone)
        return chips[~dead]

    def recoveries(
        self,
        collective: str,
        size: Quantity,
        group: Group = None,
        policies: Sequence[str] | None = None,
        model: str = "link_load",
        **arguments: Any,
    ) -> Recoveries:
        """Return what a collective costs by each way to go on with the damage.

        Parameters
        ----------
        collective
            What is done, such as ``"all_reduce"``.
        size
            Bytes, as a number or text, as nccl-tests defines them for the operation.
        group
            Chips that took part before the damage; None for all.
        policies
            Names of `POLICIES`; None for all of them.
        model
            As in `all_reduce`.
        **arguments
            Other arguments of the collective: ``algorithm``, ``routing``, ``chunks``, ``root``.

        Returns
        -------
        Recoveries
            A row for each policy, the best first: ``policy``, ``time_s``, ``slowdown`` (over the
            whole machine), ``chips`` that take part, ``cost_s`` (time x chips before / chips now:
            the time if the work of a step is spread over fewer chips), bounds, or the ``reason``
            why it does not apply. `Recoveries.best` is the result of least ``cost_s``.

        Raises
        ------
        RainierError
            If an argument is not usable. A policy that does not apply is a row with its reason.

        Examples
        --------
        >>> from rainier_fast import LinkAt, preset
        >>> hurt = preset("rainier", chips=256).with_faults(links=LinkAt("z", x=1))
        >>> found = hurt.recoveries("all_reduce", "1 GiB", policies=["detour", "drop_ultraserver"])
        >>> found["policy"].tolist(), found["chips"].tolist()
        (['detour', 'drop_ultraserver'], [256, 192])
        """
        machine = self._whole
        names = tuple(POLICIES) if policies is None else _names(policies)
        given = {"algorithm": "auto", "routing": "dor", "chunks": None, "root": 0, "shift": 0}
        for name in arguments:
            if name not in given:
                raise unknown("argument", name, sorted(given))
        asked = given | arguments
        whole = _run(machine.healthy(), collective, size, group, model, asked)
        results: list[CollectiveResult | None] = []
        reasons: list[str] = []
        for name in names:
            try:
                results.append(_by(machine, name, collective, size, group, model, asked))
                reasons.append("")
            except (Unsupported, Unreachable, InvalidArgument) as error:
                results.append(None)
                reasons.append(str(error))
        return Recoveries._of(whole, names, results, reasons)

    def impact(
        self,
        fault: Faults | Machine | dict[str, Any],
        collective: str,
        size: Quantity,
        group: Group = None,
        policies: Sequence[str] | None = None,
        model: str = "link_load",
        **arguments: Any,
    ) -> Recoveries:
        """Return what a fault would cost a collective, by each way to go on.

        Parameters
        ----------
        fault
            `Faults`, the arguments of `with_faults` as a dict, or this machine with the fault.
        collective, size, group, policies, model, **arguments
            As in `recoveries`.

        Returns
        -------
        Recoveries
            ``slowdown`` and ``cost_s`` are against this machine as it is.

        Raises
        ------
        RainierError
            If an argument is not usable.

        Examples
        --------
        >>> from rainier_fast import LinkAt, preset
        >>> cable = {"links": LinkAt("z", x=1)}
        >>> impact = preset("rainier", chips=256).impact(cable, "all_reduce", "1 GiB")
        >>> impact.best.time_s >= impact.whole.time_s
        True
        """
        from rainier_fast.machine.faults import Faults

        machine = self._whole
        if isinstance(fault, Base):
            if fault.healthy() != machine.healthy():
                raise invalid("fault", fault, "must be this machine with faults")
            hurt = fault._whole
        elif isinstance(fault, Faults):
            hurt = machine.with_faults(faults=fault)
        elif isinstance(fault, dict):
            hurt = machine.with_faults(**fault)
        else:
            allowed = "must be Faults, a dict of the arguments of with_faults, or a machine"
            raise invalid_type("fault", fault, allowed)
        found = hurt.recoveries(collective, size, group, policies, model, **arguments)
        if not machine._faults:
            return found
        given = {"algorithm": "auto", "routing": "dor", "chunks": None, "root": 0, "shift": 0}
        before = _run(machine, collective, size, group, model, given | arguments)
        return Recoveries._of(before, found.policies, found.results, found.reasons)

    def _one_group(self, group: Group) -> NDArray[np.int64]:
        groups = as_groups(group, self)
        if groups.count != 1:
            raise Unsupported(
                f"{groups.count} groups at once; name the chips of one group, or use policy 'detour'"
            )
        return groups.members(0)


def _widened(tier: Tier, units: int) -> Tier:
    return dataclasses.replace(tier, group=tier.group * units)


def _names(policies: object) -> tuple[str, ...]:
    if isinstance(policies, str) or not isinstance(policies, Sequence):
        raise invalid_type("policies", policies, "must be a sequence of names")
    for name in policies:
        if not isinstance(name, str) or name not in POLICIES:
            raise unknown("policies", name, list(POLICIES))
    return tuple(policies)


def _run(
    machine: Machine,
    collective: str,
    size: Quantity,
    group: Group,
    model: str,
    asked: dict[str, Any],
) -> CollectiveResult:
    request = make_request(
        machine,
        collective,
        size,
        group,
        asked["algorithm"],
        model,
        asked["routing"],
        asked["chunks"],
        asked["root"],
        asked["shift"],
    )
    return CollectiveResult._of(machine, request, request.outcome(machine))


def _by(
    machine: Machine,
    policy: str,
    collective: str,
    size: Quantity,
    group: Group,
    model: str,
    asked: dict[str, Any],
) -> CollectiveResult:
    """Run the collective by one policy."""
    if policy == "synthesized":
        asked = asked | {"algorithm": "synthesized"}
    elif policy in _UNITS:
        if group is not None and as_groups(group, machine).listed:
            _check_whole(machine, machine._one_group(group))
        planes = machine.ultraserver.axes[-1].size
        if planes != 4:
            raise Unsupported(
                f"{policy} of UltraServers of {planes} planes: the vendor's modes are those of four"
                " instances; use in_mode for others"
            )
        machine = machine.in_mode(_UNITS[policy])
        if group is not None:
            group = as_groups(group, machine)
    elif policy == "drop_rank":
        live = machine.live_chips(group)
        if live.size == machine._one_group(group).size:
            raise Unsupported("no rank is dead: the ranks of dead chips are what is left out")
        group = live
    elif policy == "drop_ultraserver":
        group = _whole_ultraservers(machine, machine._one_group(group))
    elif policy == "spare":
        group = _with_spares(machine, machine._one_group(group))
    return _run(machine, collective, size, group, model, asked)


def _hurt_ultraservers(machine: Machine) -> NDArray[np.int64]:
    damaged = _core.damaged_ultraservers(machine._core)
    dead = _core.dead_ultraservers(machine._core)
    return np.union1d(damaged, dead).astype(np.int64)


def _check_whole(machine: Machine, chips: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the UltraServers that a group is made of."""
    each = machine.ultraserver.num_chips
    servers, counts = np.unique(chips // each, return_counts=True)
    if (counts != each).any():
        raise Unsupported(
            "a group of parts of UltraServers; this policy replaces or divides whole ones: "
            "name all their chips"
        )
    return servers


def _whole_ultraservers(machine: Machine, chips: NDArray[np.int64]) -> NDArray[np.int64]:
    servers = chips // machine.ultraserver.num_chips
    left = chips[~np.isin(servers, _hurt_ultraservers(machine))]
    if left.size == chips.size:
        raise Unsupported("no UltraServer of the group is damaged: nothing to leave out")
    if left.size == 0:
        raise Unsupported("every UltraServer of the group is damaged: nothing would be left")
    return left


def _with_spares(machine: Machine, chips: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the chips with each damaged UltraServer replaced by a whole one outside the group."""
    used = _check_whole(machine, chips)
    hurt = np.intersect1d(used, _hurt_ultraservers(machine))
    if hurt.size == 0:
        raise Unsupported("no UltraServer of the group is damaged: nothing to replace")
    free = np.setdiff1d(
        np.arange(machine.num_ultraservers), np.union1d(used, _hurt_ultraservers(machine))
    )
    bounds = np.cumsum([site.ultraservers for site in machine.sites])
    site_of_free = np.searchsorted(bounds, free, side="right")
    swap = {}
    for server in hurt.tolist():
        if free.size == 0:
            raise Unsupported(
                f"no whole UltraServer is left outside the group to replace {server}; name a group "
                "that leaves some out, such as group=range(64 * 100)"
            )
        # One of the same site if there is one, the lowest number.
        same = np.flatnonzero(site_of_free == np.searchsorted(bounds, server, side="right"))
        at = int(same[0]) if same.size else 0
        swap[server] = int(free[at])
        free, site_of_free = np.delete(free, at), np.delete(site_of_free, at)
    each = machine.ultraserver.num_chips
    servers, local = np.divmod(chips, each)
    table = np.arange(machine.num_ultraservers)
    table[list(swap)] = list(swap.values())
    return np.asarray(np.sort(table[servers] * each + local))
