"""What a damaged machine may be run as, and what each way costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Unpack

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.groups import Group, as_groups
from rainier_fast.ask.options import Call
from rainier_fast.collectives.run import run
from rainier_fast.definitions.check import as_items
from rainier_fast.errors import (
    InvalidArgument,
    Unreachable,
    Unsupported,
    as_one_of,
    invalid,
    invalid_type,
)
from rainier_fast.faults.faults import Faults
from rainier_fast.faults.modes import Modes
from rainier_fast.studies.spares import check_whole, whole_ultraservers, with_spares
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult
    from rainier_fast.results.recovery import Recoveries

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

_ROOTED: Final = ("broadcast", "reduce", "gather", "scatter")
_FAULTS: Final = ("links", "chips", "nics", "ultraservers", "sites", "degrade", "faults")
_UNITS: Final = {"pairs": 2, "instances": 1}
_VENDOR_PLANES: Final = 4
_MOST_LISTED: Final = 4096


def policies() -> dict[str, str]:
    """Return the ways to go on with a damaged machine, and one line each.

    Returns
    -------
    dict
        Names that ``policies=`` of `Machine.recoveries` and `Machine.impact` takes.

    Examples
    --------
    >>> policies()["drop_rank"]
    'the ranks of dead chips are left out'
    """
    return dict(POLICIES)


class Recovery(Modes):
    """How to go on with a damaged machine."""

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
        *,
        policies: Sequence[str] | None = None,
        **options: Unpack[Call],
    ) -> Recoveries:
        """Return what a collective costs by each way to go on with the damage.

        Parameters
        ----------
        collective
            What is done, such as ``"all_reduce"``.
        size
            Bytes, as a number or text, as nccl-tests defines them for the operation.
        policies
            Names of `POLICIES`; None for all of them.
        **options
            Those of the collective, such as ``algorithm``, ``root`` or ``shift``; ``group`` is the
            chips that took part before the damage.

        Returns
        -------
        Recoveries
            A row for each policy, the best first: ``policy``, ``time_s``, ``slowdown`` (over the
            whole machine), ``chips`` that take part, ``cost_s`` (time x chips before / chips now:
            the time if the work of a step is spread over fewer chips), bounds, or the ``reason``
            why it does not apply; all of one kind of number (``kind``). `Recoveries.best` is the
            result of least ``cost_s``.

        Raises
        ------
        RainierError
            If an argument is not usable. A policy that does not apply is a row with its reason.

        Examples
        --------
        >>> from rainier_fast import LinkAt, preset
        >>> damaged = preset("rainier", chips=256).with_faults(links=LinkAt("z", x=1))
        >>> policies = ["detour", "drop_ultraserver"]
        >>> found = damaged.recoveries("all_reduce", "1 GiB", policies=policies)
        >>> found["policy"].tolist(), found["chips"].tolist()
        (['detour', 'drop_ultraserver'], [256, 192])
        """
        names = _names(policies)
        template = _RequestTemplate(collective, size, options)
        whole = template.run(self.healthy())
        return _table(self, names, template, whole)

    def impact(
        self,
        fault: Faults | Recovery | Mapping[str, Any],
        collective: str,
        size: Quantity,
        *,
        policies: Sequence[str] | None = None,
        **options: Unpack[Call],
    ) -> Recoveries:
        """Return what a fault would cost a collective, by each way to go on.

        Parameters
        ----------
        fault
            `Faults`, the arguments of `with_faults` as a dict, or this machine with the fault.
        collective, size, policies, **options
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
        if isinstance(fault, Base):
            if fault.healthy() != self.healthy():
                raise invalid("fault", fault, "must be this machine with faults")
            damaged = fault
        elif isinstance(fault, Faults):
            damaged = self.with_faults(faults=fault)
        else:
            damaged = self.with_faults(**_arguments(fault))
        template = _RequestTemplate(collective, size, options)
        return _table(damaged, _names(policies), template, template.run(self))

    def _one_group(self, group: Group) -> NDArray[np.int64]:
        groups = as_groups(group, self.num_chips)
        if groups.count != 1:
            raise Unsupported(
                f"{groups.count} groups at once; name the chips of one, or use policy 'detour'"
            )
        return groups.members(0)


def _arguments(fault: object) -> dict[str, Any]:
    if isinstance(fault, Mapping):
        for name in fault:
            as_one_of("fault", name, _FAULTS)
        return dict(fault)
    allowed = "must be Faults, a dict of the arguments of with_faults, or a machine"
    raise invalid_type("fault", fault, allowed)


def _names(policies: object) -> tuple[str, ...]:
    if policies is None:
        return tuple(POLICIES)
    names = as_items("policies", policies, "must be a sequence of names")
    return tuple(as_one_of("policies", name, POLICIES) for name in names)


@dataclass(frozen=True, slots=True)
class _RequestTemplate:
    """A collective as it was asked for, to be run on several machines and groups."""

    collective: str
    size: Quantity
    options: Call

    @property
    def group(self) -> Group:
        return self.options.get("group")

    @property
    def root(self) -> int:
        return self.options.get("root", 0)

    def over(self, before: NDArray[np.int64], chips: NDArray[np.int64]) -> _RequestTemplate:
        """Return the same over some of the chips; the root stays the chip that it was."""
        root = self.root
        if self.collective in _ROOTED:
            chip = int(before[root])
            found = np.flatnonzero(chips == chip)
            if not found.size:
                raise Unsupported(f"the root, chip {chip}, is among what is left out; name another")
            root = int(found[0])
        return self.but({"group": chips, "root": root})

    def but(self, changed: Call) -> _RequestTemplate:
        """Return the same with other options."""
        return replace(self, options={**self.options, **changed})

    def run(self, machine: Base) -> CollectiveResult:
        return run(machine, self.collective, self.size, **self.options)


def _table(
    machine: Recovery, names: Sequence[str], template: _RequestTemplate, before: CollectiveResult
) -> Recoveries:
    from rainier_fast.results.recovery import Recoveries

    results: list[CollectiveResult | None] = []
    reasons: list[str] = []
    for name in names:
        try:
            results.append(_of_kind(before.kind, _by(machine, name, template)))
            reasons.append("")
        except (Unsupported, Unreachable, InvalidArgument) as error:
            results.append(None)
            reasons.append(str(error))
    return Recoveries._of(before, names, results, reasons)


def _of_kind(kind: str, result: CollectiveResult) -> CollectiveResult:
    """Refuse a result of another kind of number than what it is compared with."""
    if result.kind != kind:
        raise Unsupported(
            f"its time is {result.kind} and that of the whole machine is {kind}, kinds that no "
            "slowdown compares; leave the algorithm to 'auto'"
        )
    return result


def _by(machine: Recovery, policy: str, template: _RequestTemplate) -> CollectiveResult:
    """Run the collective by one policy."""
    if policy == "detour":
        return template.run(machine)
    group = machine._one_group(template.group)
    if policy == "synthesized":
        # A dead chip passes nothing on, so nobody can stand in for it: its rank is left out.
        live = machine.live_chips(template.group)
        return template.over(group, live).but({"algorithm": "synthesized"}).run(machine)
    if policy in _UNITS:
        planes = machine.ultraserver.axes[-1].size
        if planes != _VENDOR_PLANES:
            raise Unsupported(
                f"{policy}: the vendor's modes are those of UltraServers of {_VENDOR_PLANES} "
                f"instances (planes of the last axis), and these have {planes}; use in_mode"
            )
        check_whole(machine, group)
        return template.run(machine.in_mode(_UNITS[policy]))
    if policy == "drop_rank":
        live = machine.live_chips(template.group)
        if live.size == group.size:
            raise Unsupported("no rank is dead: the ranks of dead chips are what is left out")
        if live.size > _MOST_LISTED:
            raise Unsupported(
                f"a list of {live.size:,} ranks, which only flat algorithms run and not a "
                f"hierarchical one: up to {_MOST_LISTED:,} ranks here; policy 'detour' keeps the "
                "rank on the chip next door, or name the group of live_chips() yourself"
            )
        return template.over(group, live).run(machine)
    if policy == "drop_ultraserver":
        return template.over(group, whole_ultraservers(machine, group)).run(machine)
    spares, root = with_spares(machine, group, template.root)
    moved: Call = {"root": root} if template.collective in _ROOTED else {}
    return template.but({"group": spares, **moved}).run(machine)
