"""`run`: ASTRA-sim's own analytical times."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from rainier_fast import _core
from rainier_fast.astra_sim import ours
from rainier_fast.astra_sim.faults import of as faults_of
from rainier_fast.astra_sim.memory import Memory
from rainier_fast.astra_sim.network import Network
from rainier_fast.astra_sim.result import AstraRun
from rainier_fast.astra_sim.system import System
from rainier_fast.astra_sim.workload import Workload
from rainier_fast.definitions.check import as_flag, as_integer, as_number
from rainier_fast.errors import as_one_of, invalid

_BACKENDS: Final = ("unaware", "aware")
_MOST_QUEUES: Final = 1024
_File = str | os.PathLike[str] | dict[str, Any]


def run(
    network: Network | _File,
    system: System | _File,
    workload: Workload
    | str
    | os.PathLike[str]
    | Sequence[str | os.PathLike[str]]
    | Mapping[str, Any],
    memory: Memory | _File | None = None,
    *,
    backend: str = "unaware",
    num_queues_per_dim: int = 1,
    injection_scale: float = 1.0,
    rendezvous: bool = False,
    compare: bool = True,
) -> AstraRun:
    """Return the times that ASTRA-sim's analytical backends give, to the nanosecond.

    This is a model of that program as of March 2026, with its faults; the answer names those that
    touch it, and holds what our own model says of the same collectives. Docs: astra_sim.md.

    Parameters
    ----------
    network, system, memory
        The objects of this room, or the peer's files by their paths, or what these hold as a dict.
        No memory file stands for ``"NO_MEMORY_EXPANSION"``.
    workload
        A `Workload`, or what `Workload.read` takes: the name of files ``name.{rank}.et``.
    backend
        ``"unaware"`` of congestion: each message has its links alone; ``"aware"``: links are
        shared, first come, first served, and the network has one dimension.
    num_queues_per_dim, injection_scale, rendezvous
        Options of the peer's command line.
    compare
        Whether to ask our own model too.

    Returns
    -------
    AstraRun
        Nanoseconds by NPU, faults, and our own answer.

    Raises
    ------
    InvalidArgument, InvalidType
        If an input is broken; the message names file, place and mend.
    Unsupported
        Where the peer has no answer: it refuses, divides by zero or stops.

    Examples
    --------
    >>> from rainier_fast import astra_sim
    >>> network = astra_sim.Network(("Switch",), (8,), (50.0,), (500.0,))
    >>> system = astra_sim.System.of_algorithm("direct", splits=1)
    >>> work = astra_sim.Workload.collective("all_to_all", 2**23, 8)
    >>> astra_sim.run(network, system, work).end_ns
    20551
    >>> astra_sim.run(network, system, work, backend="aware").end_ns
    157268
    """
    net = network if isinstance(network, Network) else Network.read(network)
    how = system if isinstance(system, System) else System.read(system)
    work = workload if isinstance(workload, Workload) else Workload.read(workload)
    store = Memory() if memory is None else memory
    store = store if isinstance(store, Memory) else Memory.read(store)
    aware = as_one_of("backend", backend, _BACKENDS) == "aware"
    if work.npus != net.npus:
        raise invalid("workload", f"traces of {work.npus} NPUs", f"must be for {net.npus}")
    row = how.row(
        aware=aware,
        queues=as_integer("num_queues_per_dim", num_queues_per_dim, 1, _MOST_QUEUES),
        rendezvous=as_flag("rendezvous", rendezvous),
        injection_scale=as_number("injection_scale", injection_scale, 0, 1e6, "must be 0 to 1e6"),
    )
    finished, computing, messages, _ = _core.astra_sim(
        list(zip(net.topology, net.npus_count, net.bandwidth, net.latency, strict=True)),
        row,
        store.row(net.npus),
        [[node.row() for node in trace] for trace in work.traces],
        np.array(work.trace_of, dtype=np.uint32),
        [(name, list(ranks)) for name, ranks in work.groups],
        each=False,
    )
    found, notes = ours.answers(net, how, work) if as_flag("compare", compare) else ((), ())
    if (finished < 0).any():
        notes = (*notes, f"{int((finished < 0).sum())} NPUs never finish there: it ends, status 0")
    if how.unused:
        notes = (*notes, f"keys of the system file that change no time: {', '.join(how.unused)}")
    faults = faults_of(net, how, work, aware=aware)
    return AstraRun(backend, finished, computing, faults, found, messages, notes)
