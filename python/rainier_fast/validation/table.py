"""References that are tables: each row says a machine, a call on it, and what is read off it.

A row has the fields of its source and of its group, with its own over them: ``machine`` is one of
`_MACHINES`, ``call`` one of `_CALLS` or a collective, ``take`` one of `_TAKES`; they say which
fields else they need. ``case`` may quote fields, and ``ran``, the algorithm that ran.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from rainier_fast.definitions import Axis, Gpu, Nic, Site, UltraServer, Wan
from rainier_fast.definitions.known import known
from rainier_fast.definitions.site import Fabric
from rainier_fast.machine import Cluster, Machine, preset, torus
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row
from rainier_fast.validation.swing_paper import doubling_congestion

__all__ = ["rows"]

_Case = Mapping[str, Any]


def rows(name: str) -> list[Row]:
    """Return the rows of a source that is a table."""
    data = read(name)
    return [
        _row({**data, **group, **line}) for group in data.pop("groups") for line in group["rows"]
    ]


def _row(case: _Case) -> Row:
    result = _CALLS.get(case["call"], _collective)(_MACHINES[case["machine"]](case), case)
    words = {
        **case,
        "shape": " x ".join(map(str, case.get("shape", ()))),
        "ran": getattr(result, "algorithm", None),
    }
    return Row(
        case["group"],
        case["case"].format(**words),
        case["quantity"],
        case["unit"],
        case["published"],
        _TAKES[case["take"]](result, case),
        case.get("model") or result.model,
        case["source"],
        case.get("note", ""),
    )


def _collective(machine: Machine, case: _Case) -> Any:  # noqa: ANN401
    names = case.get("algorithm", "auto")
    algorithm = tuple(names) if isinstance(names, list) else names
    return getattr(machine, case["call"])(
        case["size"], algorithm=algorithm, chunks=case.get("chunks")
    )


def _p6_b200(case: _Case) -> Machine:
    """With the latency and the protocols that aws-ofi-nccl sets; AWS's data sheet has the rates."""
    gpu = Gpu(
        "blackwell",
        network_latency=case["network_latency_s"],
        protocols=tuple(case["protocols"]),
    )
    axis = Axis("x", 8, "switch", "900 GB/s")
    server = UltraServer("P6-B200", None, (axis,), Nic(case["nic_Bps"], 0), gpu=gpu)
    return Cluster([Site("site", case["nodes"], server)])


def _servers(case: _Case) -> Machine:
    """Join servers of one rank each, half a step's latency at each NIC."""
    alone = (Axis("x", 1, "line", 1e9),)
    server = UltraServer("server", None, alone, Nic(25e9, case["step_s"] / 2))
    return Cluster([Site("site", case["servers"], server, Fabric())])


def _sites(case: _Case) -> Machine:
    """Join sites of 256 UltraServers, which have far more NICs than the WAN takes."""
    server = known("TRN2_ULTRASERVER")
    sites = [Site(f"site{at}", 256, server, Fabric()) for at in range(case["sites"])]
    return Cluster(sites, wan=Wan(case["wan_Bps"], 0, "hub")).without_latency()


_MACHINES: Final[Mapping[str, Callable[[_Case], Machine]]] = {
    "torus": lambda case: torus(case["shape"], case["link_Bps"]),
    "preset": lambda case: preset(case["preset"]).without_latency(),
    "many": lambda case: Cluster([Site("site", 1024, known(case["server"]))]).without_latency(),
    "P6-B200": _p6_b200,
    "servers": _servers,
    "sites": _sites,
}


def _in_turn(machine: Machine, case: _Case) -> float:
    """Seconds of reduce-scatters along x, y and z in turn and all-gathers back, over the bound."""
    mesh, size = machine.mesh(z=4, y=4, x=4), case["size"]
    seconds = [
        getattr(mesh, what)(size / 4**at, axis=axis, algorithm="ring").time_s
        for what in ("reduce_scatter", "all_gather")
        for at, axis in enumerate("xyz")
    ]
    return math.fsum(seconds) / machine.all_reduce(size).lower_bound_s


_CALLS: Final[Mapping[str, Callable[[Machine, _Case], Any]]] = {
    "traffic": lambda machine, case: machine.traffic(
        case["pattern"], 1, routing=case.get("routing", "dor")
    ),
    "in turn": _in_turn,
    "doubling": lambda _, case: doubling_congestion(tuple(case["shape"])),
}


def _congestion(result: Any, case: _Case) -> float:  # noqa: ANN401
    """Psi x Xi: seconds of the busiest link of every phase, in units of n beta / D."""
    busy = math.fsum(result.phases["serialisation_s"].tolist())
    return busy * len(case["shape"]) / float(case["size"])


_TAKES: Final[Mapping[str, Callable[[Any, _Case], float]]] = {
    "itself": lambda result, _: float(result),
    "time in ms": lambda result, _: result.time_s * 1e3,
    "bound in ms": lambda result, _: result.lower_bound_s * 1e3,
    "time over bound": lambda result, _: result.time_s / result.lower_bound_s,
    "algorithm bandwidth in GB/s": lambda result, _: result.algbw_Bps / 1e9,
    "bus bandwidth in GB/s": lambda result, _: result.busbw_Bps / 1e9,
    "time between sites in s": lambda result, _: math.fsum(
        row["time_s"] for row in result.stages if row["tier"] == "wan"
    ),
    "busiest link": lambda result, _: float(result.bytes.max()),
    "inverse of the busiest link": lambda result, _: 1 / float(result.bytes.max()),
    "congestion": _congestion,
    # Lambda: steps over log2 of the ranks.
    "steps": lambda result, case: (
        float(result.phases["steps"].sum()) / math.log2(math.prod(case["shape"]))
    ),
}
