"""Which chips the jobs of tenants get, by the rules by which the vendor allots them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Unpack

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.options import OPERATIONS, OPTIONS, Choices, Options, checked, refuse_unknown
from rainier_fast.definitions.check import as_count, as_name
from rainier_fast.errors import InvalidArgument, Unsupported, as_one_of, invalid, shown
from rainier_fast.faults.damaged import Damaged
from rainier_fast.frozen import put
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
    places = _Places(machine, planes, unit)
    choose = _chooser(placement, seed, len(tenants))
    # Whole UltraServers first: parts fill what is left.
    found: dict[int, NDArray[np.int64]] = {}
    needs = [_need(tenant, planes) for tenant in tenants]
    for part in (False, True):
        for at, (servers, own) in enumerate(needs):
            if (own < planes) == part:
                found[at] = places.take(tenants[at].name, servers, own, partial(choose, at))
    return [found[at] for at in range(len(tenants))]


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
    if count < planes and count in _PARTS:
        return 1, count
    parts = ", ".join(str(part) for part in _PARTS if part < planes)
    raise invalid(
        f"instances of {tenant.name}", count, f"must be {parts} or a multiple of {planes}"
    )


_Choice = Callable[[int, int], NDArray[np.int64]]


class _Places:
    """What is free."""

    def __init__(self, machine: Damaged, planes: int, unit: str) -> None:
        self._in_server = machine.ultraserver.num_chips
        self._planes = max(planes, 1)
        self._alone = unit == "ultraserver"
        self._broken = _dead(machine, self._planes)
        self._used = self._broken.copy()

    def take(self, name: str, servers: int, own: int, choose: _Choice) -> NDArray[np.int64]:
        """Take parts of `own` instances, aligned, of so many UltraServers."""
        parts = self._used.reshape(len(self._used), -1, own)
        taken_part: NDArray[np.bool_] = np.asarray(parts.any(axis=2))
        if self._alone:
            taken_part = taken_part | self._used.any(axis=1, keepdims=True)
        free = np.logical_not(taken_part)
        candidates = np.flatnonzero(free.any(axis=1))
        if len(candidates) < servers:
            whole = own == self._planes
            what = f"{servers} free UltraServers" if whole else f"{own} free instances together"
            there = f"{len(candidates)} are left" if whole else "none are left"
            broken = int(self._broken.any(axis=1).sum())
            dead = f" ({broken} of them have dead chips, which nobody gets)" if broken else ""
            raise InvalidArgument(
                f"tenants: got {name}, which needs {what}, and of {len(self._used)} "
                f"UltraServers{dead} {there}; use a larger machine, or fewer tenants"
            )
        taken = np.sort(candidates[choose(len(candidates), servers)])
        first = free[taken].argmax(axis=1)
        self._used[taken[:, np.newaxis], first[:, np.newaxis] * own + np.arange(own)] = True
        chips = self._in_server // self._planes * own
        starts = taken * self._in_server + first * chips
        return np.asarray((starts[:, np.newaxis] + np.arange(chips)).ravel(), np.int64)


def _dead(machine: Damaged, planes: int) -> NDArray[np.bool_]:
    """Return the planes of each UltraServer that have a dead chip: nobody gets them."""
    dead = np.zeros((machine.num_ultraservers, planes), dtype=np.bool_)
    faults = machine.faults
    dead.ravel()[faults.chips // (machine.ultraserver.num_chips // planes)] = True
    dead[faults.ultraservers] = True
    ends = np.cumsum([0, *(site.ultraservers for site in machine.sites)])
    for site in faults.sites:
        dead[ends[site] : ends[site + 1]] = True
    return dead


def _chooser(
    placement: str, seed: int, tenants: int
) -> Callable[[int, int, int], NDArray[np.int64]]:
    """Return what chooses k of n candidates for a tenant."""
    if placement == "packed":
        return lambda _, n, k: np.arange(k)
    if placement == "spread":
        # Evenly over what is free; tenants begin at different places.
        return lambda at, n, k: (np.arange(k) * n // k + (at * n) // (tenants * k)) % n
    random = np.random.default_rng(seed)
    return lambda _, n, k: random.choice(n, k, replace=False)
