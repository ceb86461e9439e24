"""What rows of tables name: machines, calls on them, what is read off, and words for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.gpu import Gpu
from rainier_fast.definitions.known import known
from rainier_fast.definitions.nccl import NcclTiming
from rainier_fast.definitions.places import ChipAt, LinkAt
from rainier_fast.definitions.routing import DimensionOrder
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.ultraserver import Nic, UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.machine.machine import Cluster, Machine
from rainier_fast.machine.presets import preset
from rainier_fast.machine.shapes import torus
from rainier_fast.measure import calibrate
from rainier_fast.measured.public import public_rows
from rainier_fast.validation.swing_paper import doubling_congestion

_Case = Mapping[str, Any]


def _p6_b200(case: _Case) -> Machine:
    """With the latency and the protocols that aws-ofi-nccl sets; AWS's data sheet has the rates."""
    gpu = Gpu(
        "blackwell",
        network_latency=case["network_latency_s"],
        protocols=tuple(case["protocols"]),
        timing=NcclTiming.from_catalog("blackwell"),
    )
    axis = Axis("x", 8, "switch", "900 GB/s")
    server = UltraServer("P6-B200", None, (axis,), Nic(case["nic_Bps"], 0), gpu=gpu)
    return Cluster([Site("site", case["nodes"], server)])


def _gpus(case: _Case) -> Machine:
    """Join nodes of so many GPUs, each with a NIC."""
    gpu = Gpu(case["generation"], timing=NcclTiming.from_catalog(case["generation"]))
    axis = Axis("x", case["per_node"], "switch", "300 GB/s")
    server = UltraServer("node", None, (axis,), Nic(case["nic_Bps"], 0), gpu=gpu)
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


def _damaged_torus(case: _Case) -> Machine:
    """Take cables, by axis and coordinates, and chips out of a torus."""
    whole = torus(case["shape"], case["link_Bps"])

    def at(coordinates: list[int]) -> dict[str, Any]:
        return dict(zip("xyz", coordinates, strict=False))

    cables = [LinkAt(axis, **at(place)) for axis, *place in case.get("cables", ())]
    return whole.with_faults(
        links=cables, chips=[ChipAt(**at(place)) for place in case.get("chips", ())]
    )


MACHINES: Final[Mapping[str, Callable[[_Case], Machine]]] = {
    "torus": lambda case: torus(case["shape"], case["link_Bps"], case.get("latency_s", 0)),
    "damaged torus": _damaged_torus,
    "preset": lambda case: preset(case["preset"]).without_latency(),
    "preset as it is": lambda case: preset(case["preset"], shape=case.get("shape")),
    "many": lambda case: Cluster([Site("site", 1024, known(case["server"]))]).without_latency(),
    "P6-B200": _p6_b200,
    "nodes of GPUs": _gpus,
    "p4d": lambda case: preset("p4d", chips=8 * case["nodes"]),
    "servers": _servers,
    "sites": _sites,
}


class _Answer(NamedTuple):
    """What rows need of a result, where it is no collective's as it is."""

    algorithm: str
    kind: str
    model: str
    time_s: float


def collective(machine: Machine, case: _Case) -> Any:  # noqa: ANN401
    """Run the collective of a row."""
    names = case.get("algorithm", "auto")
    algorithm = tuple(names) if isinstance(names, list) else names
    run = getattr(machine, case.get("operation") or case["call"])
    more = {"chunks": case.get("chunks"), "dtype": case.get("dtype")}
    return run(case["size"], algorithm=algorithm, **more)


def along(machine: Machine, case: _Case) -> Any:  # noqa: ANN401
    """Run the collective of a row along the last axis of its shape."""
    # All groups of the axis at once: the chips of one are a stride apart.
    *rest, size = case["shape"]
    mesh = machine.mesh(ring=size, rest=math.prod(rest))
    run = getattr(mesh, case["operation"])
    return run(case["size"], axis="ring", algorithm=case.get("algorithm", "ring"))


def _in_turn(machine: Machine, case: _Case) -> float:
    """Seconds of reduce-scatters along x, y and z in turn and all-gathers back, over the bound."""
    mesh, size = machine.mesh(z=4, y=4, x=4), case["size"]
    seconds = [
        getattr(mesh, what)(size / 4**at, axis=axis, algorithm="ring").time_s
        for what in ("reduce_scatter", "all_gather")
        for at, axis in enumerate("xyz")
    ]
    return math.fsum(seconds) / machine.all_reduce(size).lower_bound_s


def _ring(machine: Machine, size: float) -> Any:  # noqa: ANN401
    return machine.all_reduce(size, algorithm="ring_one_way")


def _ring_seconds(machine: Machine, size: float) -> float:
    rows = machine.all_reduce(size, algorithm="nccl").candidates
    (row,) = (one for one in rows if one["algorithm"] == "nccl(ring, simple)")
    return float(row["time_s"])


def _over_one_a_node(machine: Machine, case: _Case) -> float:
    alone = _gpus({**case, "nodes": machine.num_chips, "per_node": 1})
    return _ring_seconds(machine, case["size"]) / _ring_seconds(alone, case["size"])


@cache
def _left_out(machine: Machine) -> dict[tuple[str, float], float]:
    columns = calibrate(machine, public_rows()).leave_one_out.to_dict()
    keys = zip(columns["op"], columns["bytes"], strict=True)
    return dict(zip(keys, columns["predicted_s"], strict=True))


def _calibrated(machine: Machine, case: _Case) -> _Answer:
    vendor = collective(machine, {**case, "algorithm": "neuron"})
    seconds = _left_out(machine)[case["operation"], case["size"]]
    return _Answer(vendor.algorithm, vendor.kind, vendor.model, seconds)


def _flows(case: _Case) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return senders and receivers of an all-to-all or a random permutation."""
    chips = math.prod(case["shape"])
    if case["flows"] == "all-to-all":
        src, dst = np.divmod(np.arange(chips * chips), chips)
    else:
        src, dst = np.arange(chips), np.random.default_rng(1).permutation(chips)
    return src[src != dst], dst[src != dst]


CALLS: Final[Mapping[str, Callable[[Machine, _Case], Any]]] = {
    "traffic": lambda machine, case: machine.traffic(
        case["pattern"], 1, routing=case.get("routing", "dor")
    ),
    "in turn": _in_turn,
    "doubling": lambda _, case: doubling_congestion(tuple(case["shape"])),
    "along the last axis": along,
    "ring less a byte a chunk": lambda machine, case: _ring(
        machine, machine.num_chips * (case["size"] // machine.num_chips - 1)
    ),
    "a hop of a piece": lambda machine, case: machine.send_recv(
        case["size"] / (machine.num_chips * case["pieces"]), group=[0, 1]
    ),
    "synthesized all-gather": lambda machine, case: machine.all_gather(
        case["size"], algorithm="synthesized", chunks=case["pieces"]
    ),
    "ring over that of one GPU a node": _over_one_a_node,
    "calibrated on the other sizes": _calibrated,
    "loads of flows": lambda machine, case: machine.link_loads(
        *_flows(case), 1, DimensionOrder(case["tie"])
    ),
    "routing report": lambda machine, case: machine.routing_report(case["routing"])[0],
    "finish times of flows": lambda machine, case: machine.finish_times(
        *_flows(case), 1, routing=DimensionOrder(case["tie"])
    ),
}


def _congestion(result: Any, case: _Case) -> float:  # noqa: ANN401
    """Psi x Xi: seconds of the busiest link of every phase, in units of n beta / D."""
    busy = math.fsum(result.phases["serialisation_s"].tolist())
    return busy * len(case["shape"]) / float(case["size"])


TAKES: Final[Mapping[str, Callable[[Any, _Case], float]]] = {
    "itself": lambda result, _: float(result),
    "last": lambda result, _: float(result.max()),
    "mean": lambda result, _: float(result.mean()),
    "seconds": lambda result, _: float(result.time_s),
    "time in ms": lambda result, _: result.time_s * 1e3,
    "time in us": lambda result, _: result.time_s * 1e6,
    "time in ns": lambda result, _: result.time_s * 1e9,
    "rounds in us": lambda result, case: case["rounds"] * result.time_s * 1e6,
    "bound in ms": lambda result, _: result.lower_bound_s * 1e3,
    "time over bound": lambda result, _: result.time_s / result.lower_bound_s,
    "algorithm bandwidth in GB/s": lambda result, _: result.algbw_Bps / 1e9,
    "bus bandwidth in GB/s": lambda result, _: result.busbw_Bps / 1e9,
    "time between sites in s": lambda result, _: math.fsum(
        row["time_s"] for row in result.stages if row["tier"] == "wan"
    ),
    "mean hops": lambda result, _: result.mean_hops,
    "busiest channel": lambda result, _: result.highest_load,
    "virtual channels": lambda result, _: float(result.virtual_channels),
    "busiest link": lambda result, _: float(result.bytes.max()),
    "inverse of the busiest link": lambda result, _: 1 / float(result.bytes.max()),
    "congestion": _congestion,
    # Lambda: steps over log2 of the ranks.
    "steps": lambda result, case: (
        float(result.phases["steps"].sum()) / math.log2(math.prod(case["shape"]))
    ),
}


def _apart(machine: Machine, _: object, case: _Case) -> str:
    """How far off the ring is that sends every byte."""
    ours = _ring(machine, case["size"]).time_s * 1e9
    return f"{(ours - case['published']) / case['published']:+.1e}"


WORDS: Final[Mapping[str, Callable[[Machine, Any, _Case], str]]] = {
    "shape": lambda _, __, case: " x ".join(map(str, case["shape"])),
    "last_axis": lambda _, __, case: str(case["shape"][-1]),
    "MiB": lambda _, __, case: str(case["size"] // 2**20),
    "count": lambda _, __, case: f"{len(_flows(case)[0]):,}",
    "ran": lambda _, result, __: str(result.algorithm),
    "bound_us": lambda _, result, __: f"{result.lower_bound_s * 1e6:.1f}",
    "apart": _apart,
}
