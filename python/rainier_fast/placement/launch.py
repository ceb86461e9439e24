"""Placements as files and commands that launchers take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import Unsupported
from rainier_fast.placement.hostlist import fold_hosts


class Placed(Protocol):
    """What a placement says."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names."""

    @property
    def host(self) -> NDArray[np.int64]:
        """The host of each rank."""

    @property
    def device(self) -> NDArray[np.int64]:
        """The device of each rank."""

    @property
    def ranks_per_host(self) -> int | None:
        """Ranks of each host."""

    @property
    def is_by_host(self) -> bool:
        """Whether ranks go on from host to host."""

    @property
    def is_by_device(self) -> bool:
        """Whether devices are numbered as local ranks."""


def slurm(placed: Placed) -> str:
    """Return the host of each rank, a line each: SLURM_HOSTFILE."""
    return "".join(f"{placed.hosts[at]}\n" for at in placed.host.tolist())


def rankfile(placed: Placed) -> str:
    """Return Open MPI's rankfile: the slot is the device's number, to which it binds a core too."""
    pairs = zip(placed.host.tolist(), placed.device.tolist(), strict=True)
    lines = (
        f"rank {rank}={placed.hosts[at]} slot={slot}\n" for rank, (at, slot) in enumerate(pairs)
    )
    return "".join(lines)


def hostfile(placed: Placed) -> str:
    """Return mpirun's hostfile, for ranks mapped by slot."""
    each = _each(placed, "hostfile")
    return "".join(f"{host} slots={each}\n" for host in placed.hosts)


def hosts(placed: Placed) -> str:
    """Return the hosts in the order in which their ranks go on."""
    _each(placed, "hosts")
    return "".join(f"{host}\n" for host in placed.hosts)


def nodelist(placed: Placed) -> str:
    """Return the hosts as a Slurm host list, in order."""
    _each(placed, "nodelist")
    return f"{fold_hosts(placed.hosts)}\n"


def torchrun(placed: Placed) -> str:
    """Return a command for each host; the first one is where ranks meet."""
    each = _each(placed, "torchrun")
    head = f"torchrun --nnodes={len(placed.hosts)} --nproc-per-node={each}"
    meet = f"--master-addr={placed.hosts[0]} --master-port=29500"
    lines = (
        f"{host}: {head} --node-rank={number} {meet} train.py\n"
        for number, host in enumerate(placed.hosts)
    )
    return "".join(lines)


def jax(placed: Placed) -> str:
    """Return the place in ``jax.devices()`` of each rank's device.

    Devices are listed by process, processes numbered as the hosts, and by their number on a host.
    """
    order = np.lexsort((placed.device, placed.host))
    places = np.empty(order.size, np.int64)
    places[order] = np.arange(order.size)
    return f"{json.dumps(places.tolist())}\n"


def as_json(content: Mapping[str, Any]) -> str:
    """Return what `save` writes."""
    return f"{json.dumps(content)}\n"


FORMS: Final[dict[str, Callable[[Any], str]]] = {
    "slurm": slurm,
    "rankfile": rankfile,
    "hostfile": hostfile,
    "hosts": hosts,
    "nodelist": nodelist,
    "torchrun": torchrun,
    "jax": jax,
}
OWN: Final = ("csv", "json")
"""What the placement writes itself."""


def _each(placed: Placed, form: str) -> int:
    """Return ranks of each host, where an order of hosts says who is where."""
    each = placed.ranks_per_host
    if each is None or not placed.is_by_host:
        raise Unsupported(
            f"form {form!r} says an order of hosts only, and these ranks do not go on from host to "
            "host; use 'slurm' or 'rankfile', which name the host of each rank"
        )
    return each
