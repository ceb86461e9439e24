"""Running instances as hosts of a machine, and what the health of their blocks means there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.faults.faults import Faults
from rainier_fast.flows.places import Places
from rainier_fast.placement.ec2_rows import UNKNOWN, BlockStatus, Instance
from rainier_fast.placement.units import CHIPS, HostGroups, check_fit, instance_type, units_of
from rainier_fast.topology.base import Base

ASSUMED: Final = "the place of an instance inside its UltraServer's torus is in no field: assumed"
_IMPAIRED: Final = ("dead", "ignore")


class Answers(Protocol):
    """What EC2 said."""

    @property
    def source(self) -> str:
        """What was read."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Lists without a last page."""

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Instances."""

    @property
    def statuses(self) -> Mapping[str, BlockStatus]:
        """Health of blocks."""


def running_hosts(answers: Answers, machine: Places, wanted: str | None) -> HostGroups:
    """Return the running instances of a type by UltraServer: `Ec2Topology.hosts`."""
    if not isinstance(machine, Base):
        raise invalid_type("machine", machine, "must be a machine")
    own = instance_type(machine)
    kind = own if wanted is None else as_one_of("type", wanted, CHIPS)
    if kind != own:
        raise invalid("type", kind, f"must be {own}, of which {machine.ultraserver.name} is made")
    if "Instances" in answers.missing:
        allowed = "must end with a page that has no NextToken: the last one is missing"
        raise invalid("pages", answers.source, allowed)
    running = [one for one in answers.instances if one.type == kind and one.nodes]
    groups: dict[str, list[str]] = {}
    notes = []
    for one in _near_together(running):
        if one.ultraserver == UNKNOWN:
            notes.append(f"{one.id} is left out: its UltraServer is not said (no CapacityBlockId)")
        else:
            groups.setdefault(one.block or one.id, []).append(one.id)
    if not groups:
        allowed = f"must have a running {kind} whose place is known"
        raise invalid("hosts", answers.source, allowed)
    for name in groups:
        status = answers.statuses.get(name)
        if status is not None and not status.is_healthy:
            ill = "is impaired" if status.is_impaired else "has unavailable instances"
            notes.append(f"{name} {ill}: with_faults(faults=ec2.faults(machine)) goes round it")
    if any(len(ids) > 1 for ids in groups.values()):
        notes.append(ASSUMED)
    listed = tuple((name, tuple(ids)) for name, ids in groups.items())
    return HostGroups(listed, tuple(notes))


def health(answers: Answers, machine: Places, impaired: str) -> Faults:
    """Return what the health of blocks means on a machine: `Ec2Topology.faults`."""
    rule = as_one_of("impaired", impaired, _IMPAIRED)
    hosts, units = running_hosts(answers, machine, None), units_of(machine)
    error = check_fit(hosts, units)
    if error is not None:
        raise error
    dead: list[int] = []
    chips: list[int] = []
    for number, (name, ids) in enumerate(hosts.groups):
        status = answers.statuses.get(name)
        if status is None:
            continue
        absent, gone = units.planes - len(ids), status.unavailable or 0
        if (status.is_impaired and rule == "dead") or gone > absent:
            dead.append(number)
        elif gone:
            start = (number * units.planes + len(ids)) * units.chips
            chips += range(start, start + absent * units.chips)
    return Faults(ultraservers=dead, chips=chips).on(machine)


def _near_together(instances: Iterable[Instance]) -> list[Instance]:
    """Return instances by their network nodes, each level in the order of first sight."""
    order: dict[tuple[str, ...], int] = {}
    for one in instances:
        for level in range(1, len(one.nodes or ()) + 1):
            order.setdefault((one.nodes or ())[:level], len(order))

    def key(one: Instance) -> list[int]:
        nodes = one.nodes or ()
        return [order[nodes[:level]] for level in range(1, len(nodes) + 1)]

    return sorted(instances, key=key)
