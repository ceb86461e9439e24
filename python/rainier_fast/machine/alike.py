"""Groups of as many chips of unlike machines: slices where there are, else the first chips."""

from __future__ import annotations

from collections.abc import Sequence

from rainier_fast.ask.groups import Group
from rainier_fast.catalog import catalog
from rainier_fast.definitions.check import as_count
from rainier_fast.definitions.rivals import PODS, pod
from rainier_fast.definitions.slices import rule_of, shape_of
from rainier_fast.errors import invalid
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.rivals import slice_of


def name_of(machine: Machine) -> str:
    """Return what a machine is called."""
    return machine.name or machine.ultraserver.name


def of_as_many(machines: Sequence[Machine], group_chips: int) -> list[tuple[Machine, Group, str]]:
    """Return for each machine what takes part, and what a reader must know of it."""
    count = as_count("group_chips", group_chips)
    for at, machine in enumerate(machines):
        if machine.num_chips < count:
            had = f"machines[{at}] ({name_of(machine)}) has {machine.num_chips:,} chips"
            raise invalid("group_chips", count, f"must be at most the chips of each machine; {had}")
    return [_part(machine, count, at) for at, machine in enumerate(machines)]


def _part(machine: Machine, count: int, at: int) -> tuple[Machine, Group, str]:
    # All chips are no list, so that nothing is listed for the largest machines.
    if machine.num_chips == count:
        return machine, None, ""
    chip = _sliced(machine)
    if chip is None:
        return machine, range(count), _cut(machine, count)
    entry = catalog()[PODS[chip]]
    shape = shape_of(entry, count)
    if shape is None:
        sold = f"machines[{at}] ({name_of(machine)}) has none of so many: {rule_of(entry, count)}"
        raise invalid("group_chips", count, f"must be a slice that can be bought; {sold}")
    return slice_of(chip, shape, twisted=False), None, ""


def _sliced(machine: Machine) -> str | None:
    """Return the chip of a machine that is a slice as it is sold, or a whole pod."""
    server = machine.ultraserver
    chip = None if server.chip is None else server.chip.name
    if chip not in PODS or machine.is_damaged or machine.num_ultraservers != 1:
        return None
    return chip if server in (pod(chip), pod(chip, server.shape)) else None


def _cut(machine: Machine, count: int) -> str:
    """Return which ring the first chips are only a part of, if any."""
    server, below = machine.ultraserver, 1
    if count >= server.num_chips:
        odd = count % server.num_chips > 0
        return f"its first {count:,} chips are no whole number of {server.name}" * odd
    for axis in server.axes:
        if below * axis.size > count:
            cut = axis.kind == "ring" and count > below
            shape = "x".join(map(str, server.shape))
            return f"its first {count:,} chips have a part of ring {axis.name} of {shape}" * cut
        if count % (below * axis.size):
            return f"its first {count:,} chips are no whole rows of axis {axis.name}"
        below *= axis.size
    return ""  # not reached: the axes have more chips than the group
