"""Which chips the jobs of tenants get, by the rules by which the vendor allots them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Unpack

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.options import OPERATIONS, OPTIONS, Choices, Options, checked, refuse_unknown
from rainier_fast.definitions.check import as_count, as_name
from rainier_fast.errors import InvalidArgument, Unsupported, as_one_of, invalid, shown
from rainier_fast.faults.damaged import Damaged
from rainier_fast.frozen import put
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.units import Quantity

PLACEMENTS: Final = ("packed", "spread", "random")
"""How jobs are laid over a machine."""

UNITS: Final = ("instance", "ultraserver")
"""What no two jobs share."""

_INSTANCE: Final = 16
"""Chips of an instance (trn2.48xlarge; a plane of a Trn2 UltraServer)."""

_PARTS: Final = (1, 2, 4)
"""Instances of one UltraServer that a job may have (aws-neuron-sdk, Trn2 UltraServer modes)."""


@one_screen
@dataclass(frozen=True, slots=True, init=False, repr=False)
class Tenant(Choices):
    """A job of one tenant: how many chips it has, and the collective that it runs on all of them.

    Attributes
    ----------
    name
        Its name.
    collective
        The operation, such as ``"all_reduce"``.
    size
        Bytes, as nccl-tests defines them for the operation; 0 for a barrier.
    instances
        Instances of 16 chips: 1, 2 or 4 of one UltraServer, or a multiple of what makes whole ones.
    ultraservers
        Whole UltraServers, instead.
    algorithm, model, routing, chunks
        As in `Machine.all_reduce`, and its other options; all by name.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Tenant("a", "all_reduce", "1 GiB", instances=2).instances
    2
    """

    name: str
    collective: str
    size: Quantity
    instances: int | None
    ultraservers: int | None

    def __init__(
        self,
        name: str,
        collective: str,
        size: Quantity,
        instances: int | None = None,
        ultraservers: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        operation = as_one_of("collective", collective, OPERATIONS)
        refuse_unknown(options, OPTIONS)
        put(self, name=as_name("name", name), collective=operation, size=size)
        put(self, instances=instances, ultraservers=ultraservers, **checked(operation, options))
        counts = [count for count in (instances, ultraservers) if count is not None]
        if len(counts) != 1:
            given = f"instances={shown(instances)}, ultraservers={shown(ultraservers)}"
            raise invalid(
                f"tenant {self.name}", given, "say how many of one of the two, and not of the other"
            )
        which = "instances" if ultraservers is None else "ultraservers"
        put(self, **{which: as_count(which, counts[0])})

    def __repr__(self) -> str:
        own = ("name", "collective", "size", "instances", "ultraservers")
        given = {name: getattr(self, name) for name in own} | self._spelled()
        return f"Tenant({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def place(
    machine: Damaged, tenants: Sequence[Tenant], placement: str, unit: str, seed: int
) -> list[NDArray[np.int64]]:
    """Return the chips of each tenant, ascending."""
    planes = _planes(machine)
    wanted = [_need(tenant, planes) for tenant in tenants]
    free = _core.FreePlanes(machine._core, max(planes, 1), unit == "ultraserver")
    random = np.random.default_rng(seed)

    def take(job: int, servers: int, own: int) -> NDArray[np.int64]:
        left = free.count(own)
        if left < servers:
            part = own < planes
            needs = f"{own} free instances together" if part else f"{servers} free UltraServers"
            there = "none are left" if part else f"{left} are left"
            broken = f" ({free.broken} of them have dead chips, which nobody gets)"
            raise InvalidArgument(
                f"tenants: got {tenants[job].name}, which needs {needs}, and of "
                f"{machine.num_ultraservers} UltraServers{broken if free.broken else ''} {there}; "
                "use a larger machine, or fewer tenants"
            )
        if placement == "packed":
            return free.first(own, servers)
        if placement == "spread":
            return free.even(own, servers, job, len(tenants))
        reckon(8 * left, "a random choice of UltraServers", "place jobs packed or spread")
        return free.listed(own, random.choice(left, servers, replace=False))

    # Whole UltraServers first: parts fill what is left.
    order = sorted(range(len(wanted)), key=lambda job: wanted[job][1] < planes)
    chips = {job: take(job, *wanted[job]) for job in order}
    return [chips[job] for job in range(len(wanted))]


def _planes(machine: Damaged) -> int:
    """Return instances of an UltraServer; 1 where it has none that are known."""
    axes = machine.ultraserver.axes
    plane = axes[0].size * axes[1].size if len(axes) > 1 else 0
    if plane == _INSTANCE and len(axes) <= 3:
        return axes[2].size if len(axes) == 3 else 1
    return 0


def _need(tenant: Tenant, planes: int) -> tuple[int, int]:
    """Return UltraServers and instances of each."""
    if tenant.ultraservers is not None:
        return tenant.ultraservers, max(planes, 1)
    count = tenant.instances or 0
    if planes == 0:
        raise Unsupported(
            f"instances of {tenant.name}: the machine's UltraServers are not made of planes of "
            f"{_INSTANCE} chips; say ultraservers= instead"
        )
    if count % planes == 0:
        return count // planes, planes
    parts = [part for part in _PARTS if part < planes and planes % part == 0]
    if count in parts:
        return 1, count
    allowed = ", ".join(map(str, parts))
    raise invalid(
        f"instances of {tenant.name}", count, f"must be {allowed} or a multiple of {planes}"
    )
