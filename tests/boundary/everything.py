"""One instance of every public class, and a good call of every public callable, by introspection.

`instances` is a table by class; `calls` walks it and fills in the arguments of each function and
method by name from `GOOD`, so that what is new is in the tests, or asks for a line here.
"""

from __future__ import annotations

from typing import Any

import rainier_fast as rf

TRN2 = rf.preset("trn2")
PAIR = rf.preset("rainier", chips=128, sites=2)
HURT = TRN2.with_faults(links=[3], chips=[5], degrade={9: 0.5})
MESH = TRN2.mesh(dp=4, tp=4)
PLANS = [MESH.plan.all_gather(1e6, axis="tp"), MESH.plan.all_reduce(1e6, axis="dp")]
JOBS = [rf.Tenant(name, "all_reduce", 1e6, ultraservers=1) for name in "ab"]
RESULT = TRN2.all_reduce(1e6)
TOGETHER = TRN2.together(PLANS)
SENDS = [rf.Send(0, 1, [0], step=0, reduce=True), rf.Send(1, 0, [0], step=0, reduce=True)]
ROWS = [{"op": "allr", "bytes": 2e6 * at, "time_us": 50 + 20 * at} for at in range(1, 7)]
RANKING = TRN2.best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_gather", 1e6)})
LOADS = TRN2.link_loads([0, 1], [2, 3], 1000)


def instances() -> dict[type, Any]:
    """Return an instance of every public class that is no exception."""
    made = [
        rf.Axis("x", 4),
        rf.Block(0, None, 1.0),
        RESULT.bottleneck,
        rf.Bucket({"xy": 0.5, "yx": 0.5}),
        rf.calibrate(TRN2, ROWS),
        rf.Chip.from_catalog("trainium2"),
        rf.ChipAt(x=1),
        rf.Cluster(PAIR.sites, PAIR.wan),
        RESULT,
        rf.compare(["trn2"], "all_reduce", 1e6),
        TRN2.plan.compute("1 ms", "2 GiB").request,
        MESH,
        rf.DimensionOrder(order=("y", "x")),
        PAIR.sites[0].fabric,
        rf.FailureRates.published("llama3"),
        HURT.faults,
        rf.Gpu("hopper"),
        MESH.axis_groups("tp"),
        RANKING.best,
        TRN2.link(3),
        rf.LinkAt("x", "+", y=1),
        LOADS,
        TRN2,
        rf.Meeting("nic egress", 12, None, ("a", "b")),
        rf.MinimalAdaptive(),
        TRN2.monte_carlo("all_reduce", 1e6, draws=4),
        rf.Neuron.from_catalog(),
        rf.Nic("25 GB/s", "1 us"),
        PLANS[0],
        TOGETHER["all_gather tp"],
        RANKING,
        HURT.recoveries("all_reduce", 1e6),
        TRN2.route(0, 5),
        TRN2.routing_report()[0],
        rf.Schedule("all_reduce", 1e6, [0, 1], SENDS),
        SENDS[0],
        rf.Shortest(),
        PAIR.sites[0],
        LOADS.by_class(),
        JOBS[0],
        PAIR.tenants(JOBS),
        rf.Tier(4),
        TOGETHER,
        PAIR.ultraserver,
        rf.UpDown(),
        rf.Valiant(),
        rf.Wan("10 Tbps", "6 ms"),
        rf.WildFirst(),
    ]
    return {type(one): one for one in made}


GOOD: dict[str, Any] = {
    "axes": {"dp": 4, "tp": 4},
    "axis": "tp",
    "bandwidth": "50 GB/s",
    "blocks": 1,
    "bytes_per_chip": 1000,
    "chips": 4,
    "chunks": 2,
    "coordinates": 1,
    "collective": "all_reduce",
    "collective_packet": "64 KiB",
    "draw": 0,
    "draws": 2,
    "dst": [2, 3],
    "dtype": "bf16",
    "executor": None,
    "fabric": None,
    "fault": {"chips": [5]},
    "faults": HURT.faults,
    "fixed": 1,
    "group": [0, 1],
    "group_chips": 4,
    "hbm_bytes": "2 GiB",
    "hours": 24.0,
    "index": 0,
    "instances": 1,
    "keep": 2,
    "latency": "1 us",
    "links": [3],
    "machine": TRN2,
    "machines": ["trn2"],
    "model": "link_load",
    "n": 3,
    "n_threads": 1,
    "name": "mine",
    "nbytes": 1000,
    "op": None,
    "operation": "all_reduce",
    "overhead": "1 us",
    "packet": "4 KiB",
    "pattern": "tornado",
    "placement": "packed",
    "plans": PLANS,
    "policies": ["detour"],
    "policy": "detour",
    "progress": None,
    "rates": "llama3",
    "replica_groups": 1,
    "root": 0,
    "routing": "dor",
    "schedule": rf.schedule("all_reduce", TRN2, 1e6),
    "seed": 0,
    "share": 0.5,
    "shift": 1,
    "sites": None,
    "size": 1000,
    "src": [0, 1],
    "start": 0.0,
    "streams": 1,
    "switching": "cut_through",
    "table": ROWS,
    "tenants": JOBS,
    "tensor_only": False,
    "tiers": (rf.Tier(2),),
    "time": 1.0,
    "time_s": "1 ms",
    "traffic": {"tp": ("all_gather", 1e6)},
    "twisted": False,
    "ultraserver": PAIR.ultraserver,
    "unit": "instance",
}

# By callable: arguments that differ from `GOOD`.
OWN: dict[str, dict[str, Any]] = {
    "best_mapping": {"algorithm": "ring"},
    "broadcast": {"algorithm": "binomial_tree"},
    "calibrate": {"size_unit": None, "time_unit": None},
    "chip": {"coordinates": {"x": 1}},
    "chips": {"fixed": {"tp": 1}},
    "check_program": {"streams": 2},
    "compare": {"options": {"model": "link_load"}},
    "finish_times": {"model": "fluid"},
    "from_catalog": {"name": "trainium2"},
    "full_mesh": {"chips": 4},
    "in_mode": {"instances": 4},
    "merged": {"other": HURT.faults},
    "mesh": {"axes": {"dp": 4, "tp": 4}},
    "of": {"policy": "detour"},
    "preset": {"name": "rainier", "chips": 128, "shape": None, "sites": None},
    "published": {"name": "llama3"},
    "recoveries": {"policies": ["detour"]},
    "repaired": {"links": (), "chips": (), "nics": (), "degraded": ()},
    "route": {"src": 0, "dst": 3},
    "send_recv": {"algorithm": "direct"},
    "tenants": {"model": "link_load"},
    "torus": {"shape": (4, 2), "wrap": True},
    "with_faults": {"links": (), "chips": (), "nics": (), "degrade": None, "faults": None},
}
