"""Closed forms of Trn2 UltraServers: bounds, bucket loads, all-to-all, two-tier all-reduce."""

from __future__ import annotations

import math

from rainier_fast.definitions import Site
from rainier_fast.definitions.known import known
from rainier_fast.machine import Cluster, Machine, preset, torus
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows"]

_DOMAINS = 1024


def rows() -> list[Row]:
    """Return each closed form and our figure, latencies at zero."""
    data = read("closed_forms")
    size = data["size_bytes"]
    ours = {**_one_server(size), **_many_servers(size)}
    return [
        Row(
            "Closed forms of Trn2",
            row["case"],
            "ratio" if row["unit"] == "x" else "rate" if "GB/s" in row["unit"] else "time",
            row["unit"],
            row["published"],
            ours[row["key"]],
            "link_load",
            data["source"],
            row["note"],
        )
        for row in data["rows"]
    ]


def _one_server(size: float) -> dict[str, float]:
    server = preset("trn2-ultraserver").without_latency()
    plane = preset("trn2").without_latency()
    even = torus((4, 4, 4), server.ultraserver.axes[0].bandwidth_Bps)
    equal = server.all_reduce(size, algorithm="bucket_equal")
    weighted = server.all_reduce(size, algorithm="bucket")
    return {
        "bound": equal.lower_bound_s * 1e3,
        "half_bound": server.reduce_scatter(size).lower_bound_s * 1e3,
        "equal": equal.time_s / equal.lower_bound_s,
        "weighted": weighted.time_s / weighted.lower_bound_s,
        "all_to_all": server.all_to_all(size, algorithm="direct").algbw_Bps / 1e9,
        "all_to_all_even": even.all_to_all(size, algorithm="direct").algbw_Bps / 1e9,
        "sequential": _in_turn(server, size) / equal.lower_bound_s,
        "sequential_even": _in_turn(even, size) / even.all_reduce(size).lower_bound_s,
        "plane": plane.all_reduce(size).lower_bound_s * 1e3,
    }


def _in_turn(machine: Machine, size: float) -> float:
    """Seconds of reduce-scatters along x, y and z, one after the other, and all-gathers back."""
    mesh = machine.mesh(z=4, y=4, x=4)
    half = [
        mesh.reduce_scatter(size / 4**at, axis=axis, algorithm="ring").time_s
        for at, axis in enumerate("xyz")
    ]
    back = [
        mesh.all_gather(size / 4**at, axis=axis, algorithm="ring").time_s
        for at, axis in enumerate("xyz")
    ]
    return math.fsum(half + back)


def _many_servers(size: float) -> dict[str, float]:
    # One chunk, so that the tiers follow each other as the closed form adds them.
    found = {}
    for key, name, inside in (
        ("hierarchical", "TRN2_ULTRASERVER", "bucket"),
        ("hierarchical_plane", "TRN2_INSTANCE", "multi_ring"),
    ):
        machine = Cluster([Site("site", _DOMAINS, known(name))]).without_latency()
        result = machine.all_reduce(size, algorithm=(inside, "ring"), chunks=1)
        found[key] = result.time_s * 1e3
    return found
