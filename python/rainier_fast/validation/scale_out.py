"""Between servers and between sites: what steps over EFA cost, and what a WAN costs."""

from __future__ import annotations

import math
from typing import Any

from rainier_fast.definitions import Axis, Nic, Site, UltraServer, Wan
from rainier_fast.definitions.known import known
from rainier_fast.definitions.site import Fabric
from rainier_fast.machine import Cluster
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows", "step_latency", "wan_time"]

_SERVERS = 256  # of each site: far more NICs than its WAN link takes


def rows() -> list[Row]:
    """Return the latency of all-reduces over many servers, and gradients over three sites."""
    data = read("scale_out")
    efa, wan = data["efa"], data["wan"]
    steps = [
        Row(
            "Steps over EFA",
            f"all_reduce by {case['algorithm']} over {case['servers']:,} servers",
            "latency",
            efa["unit"],
            case["published"],
            step_latency(case["algorithm"], case["servers"], efa["step_s"]) * 1e3,
            "link_load",
            data["source"],
            "no bytes; 7.5 us at each NIC, fabric and message overhead at zero",
        )
        for case in efa["rows"]
    ]
    gradients = [
        Row(
            "Gradients over a WAN",
            f"bf16 gradients of {case['parameters'] / 1e9:,.0f}e9 parameters, 3 sites",
            "time",
            wan["unit"],
            case["published"],
            wan_time(case["parameters"] * wan["bytes_per_parameter"], wan),
            "link_load",
            data["source"],
            wan["note"],
        )
        for case in wan["rows"]
    ]
    return steps + gradients


def step_latency(algorithm: str, servers: int, step_s: float) -> float:
    """Return what an all-reduce of nothing takes between servers."""
    alone = UltraServer("server", None, (Axis("x", 1, "line", 1e9),), Nic(25e9, step_s / 2))
    machine = Cluster([Site("site", servers, alone, Fabric())])
    return machine.all_reduce(0, algorithm=algorithm).time_s


def wan_time(size: float, wan: dict[str, Any]) -> float:
    """Return what a WAN adds to an all-reduce over all chips of some sites."""
    server = known("TRN2_ULTRASERVER")
    sites = [Site(f"site{at}", _SERVERS, server, Fabric()) for at in range(wan["sites"])]
    machine = Cluster(sites, wan=Wan(wan["wan_Bps"], 0, "hub")).without_latency()
    names = ("bucket", "ring", "direct")
    stages = machine.all_reduce(size, algorithm=names, chunks=1).stages
    return math.fsum(row["time_s"] for row in stages if row["tier"] == "wan")
