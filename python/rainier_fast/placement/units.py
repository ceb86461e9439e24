"""Hosts on a machine: how many chips a host has, and which UltraServers hosts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rainier_fast.definitions.check import as_count
from rainier_fast.errors import InvalidArgument, Unsupported, invalid
from rainier_fast.topology.base import Base

INSTANCE: Final = 16
"""Chips of trn2.48xlarge and trn2u.48xlarge (EC2 Trn2 instances), a plane of an UltraServer."""

CHIPS: Final = {"trn2.3xlarge": 1, "trn2.48xlarge": INSTANCE, "trn2u.48xlarge": INSTANCE}
"""Trainium2 chips of the instance types that are modelled (EC2 Trn2 instances)."""

PLANES: Final = 4
"""trn2u.48xlarge instances of a Trn2 UltraServer."""


@dataclass(frozen=True, slots=True)
class HostGroups:
    """Hosts by what they share: each group is at most one UltraServer, in the order of its parts.

    `notes` say what is assumed.
    """

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many hosts there are."""
        return sum(len(hosts) for _, hosts in self.groups)


@dataclass(frozen=True, slots=True)
class Units:
    """How a machine is made of hosts: chips of one, and hosts of an UltraServer."""

    chips: int
    planes: int
    ultraservers: int

    @property
    def hosts(self) -> int:
        """Hosts of the whole machine."""
        return self.planes * self.ultraservers


def units_of(machine: Base, chips_per_host: int | None = None) -> Units:
    """Return how a machine is made of hosts; without a word, instances of 16 chips or domains."""
    domain = machine.ultraserver.num_chips
    if chips_per_host is None:
        chips = _usual(machine, domain)
    else:
        chips = as_count("chips_per_host", chips_per_host)
        if domain % chips:
            allowed = f"must divide the {domain:,} chips of {machine.ultraserver.name}"
            raise invalid("chips_per_host", chips, allowed)
    return Units(chips, domain // chips, machine.num_ultraservers)


def _usual(machine: Base, domain: int) -> int:
    axes = machine.ultraserver.axes
    plane = axes[0].size * axes[1].size if len(axes) > 1 else 0
    if plane == INSTANCE and len(axes) <= 3:
        return INSTANCE
    if domain <= INSTANCE:
        return domain
    raise Unsupported(
        f"chips_per_host: {machine.ultraserver.name} has {domain:,} chips and is not made of "
        f"planes of {INSTANCE}, so how many a host has is not known; say chips_per_host="
    )


def instance_type(machine: Base) -> str:
    """Return the EC2 type of which a Trainium2 machine is made."""
    domain, axes = machine.ultraserver.num_chips, machine.ultraserver.axes
    if domain == 1:
        return "trn2.3xlarge"
    if domain == INSTANCE and len(axes) == 2:
        return "trn2.48xlarge"
    if domain == INSTANCE * PLANES and len(axes) == 3 and axes[0].size * axes[1].size == INSTANCE:
        return "trn2u.48xlarge"
    raise Unsupported(
        f"type: {machine.ultraserver.name} is not made of an instance type that is modelled "
        f"({', '.join(CHIPS)}); pass names of hosts instead"
    )


def in_order(hosts: Sequence[str], planes: int) -> HostGroups:
    """Return hosts of a plain list: so many after each other are taken as one UltraServer."""
    seen: set[str] = set()
    for at, host in enumerate(hosts):
        if host in seen:
            raise invalid(
                f"hosts[{at}]", host, "must be another host than those before: name each once"
            )
        seen.add(host)
    groups = [
        (f"hosts {at} to {min(at + planes, len(hosts)) - 1}", tuple(hosts[at : at + planes]))
        for at in range(0, len(hosts), planes)
    ]
    notes = [] if planes == 1 else [f"every {planes} hosts of the list share an UltraServer"]
    return HostGroups(tuple(groups), tuple(notes))


def fitted(groups: Sequence[tuple[str, tuple[str, ...]]], planes: int, what: str) -> HostGroups:
    """Return groups of any size cut into UltraServers, each group from its first host on."""
    found: list[tuple[str, tuple[str, ...]]] = []
    cut = False
    for name, hosts in groups:
        cut = cut or len(hosts) > planes
        for at in range(0, len(hosts), planes):
            part = f" part {at // planes}" if len(hosts) > planes else ""
            found.append((f"{name}{part}", tuple(hosts[at : at + planes])))
    notes = [f"each {what} is one UltraServer"] if planes > 1 else []
    if cut and planes > 1:
        notes = [f"every {planes} hosts of a {what}, in its order, share an UltraServer"]
    return HostGroups(tuple(found), tuple(notes))


def check_fit(groups: HostGroups, units: Units) -> InvalidArgument | None:
    """Return the error where groups do not fit on a machine."""
    if len(groups.groups) > units.ultraservers:
        got = f"hosts of {len(groups.groups):,} UltraServers"
        return invalid("hosts", got, f"must be at most the machine's {units.ultraservers:,}")
    for name, hosts in groups.groups:
        if len(hosts) > units.planes:
            got = f"{len(hosts)} hosts of {name}"
            allowed = f"must be at most {units.planes}, the hosts of an UltraServer of the machine"
            return invalid("hosts", got, allowed)
    return None
