"""One instance of every public class, and a good call of every public callable, by introspection.

`instances` is a table by class; `calls` walks it and fills in the arguments of each function and
method by name from `GOOD`, so that what is new is in the tests, or asks for a line here.
"""

from __future__ import annotations

import inspect
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import rainier_fast as rf
from rainier_fast.ask import options as asking

TRN2 = rf.preset("trn2")
PAIR = rf.preset("rainier", chips=128, sites=2)
HURT = TRN2.with_faults(links=[3], chips=[5], degrade={9: 0.5})
MESH = TRN2.mesh(dp=4, tp=4)
PLANS = [MESH.plan.all_gather(1e6, axis="tp"), MESH.plan.all_reduce(1e6, axis="dp")]
JOBS = [rf.Tenant(name, "all_reduce", 1e6, ultraservers=1) for name in "ab"]
RESULT = TRN2.all_reduce(1e6)
TOGETHER = TRN2.together(PLANS)
SENDS = [rf.Send(0, 1, [0], step=0, reduce=True), rf.Send(1, 0, [0], step=0, reduce=True)]
# What the machine says itself, far from its thresholds: a fit ends at once.
ROWS = [
    {"op": "allr", "bytes": size, "time_s": TRN2.all_reduce(size, algorithm="neuron").time_s}
    for size in (2**12, 2**14, 2**29, 2**30, 2**31)
]
RANKING = TRN2.best_mapping({"dp": 4, "tp": 4}, {"tp": ("all_gather", 1e6)})
LOADS = TRN2.link_loads([0, 1], [2, 3], 1000)
H100 = rf.Efficiency.of("h100")
PRODUCTS = [(m, k, 4096, H100.matmul_s(m, k, 4096)) for m in (64, 512, 4096) for k in (512, 8192)]
JOB = rf.Training("llama-3.1-8b", sequence=4096, batch=8)
LAYOUT = rf.Layout(tp=8)
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256)
FLEET = rf.Fleet(PAIR, services=[(SERVICE, LAYOUT.with_(ranks_per_chip=4), [1000.0] * 24)])

PROGRAM = rf.Program(
    (rf.ProgramCollective("a", "all_gather", 8, 64, "bf16", rf.ProgramGroups.everyone(8)),), 8
)
EC2 = """{"Instances": [{"InstanceId": "i-0123456789abcdef0", "InstanceType": "trn2.48xlarge",
    "NetworkNodes": ["nn-0123456789abcdef0", "nn-0123456789abcdef1", "nn-0123456789abcdef2"]}]}"""
PLACED = TRN2.place(MESH, hosts="n1")
STEP = rf.Program(
    (
        rf.ProgramCollective("w", "all_gather", 8, 32, "bf16", rf.ProgramGroups.own([0, 4, 8, 12]),
                             role="weights", after_flops=1e6),
        rf.ProgramCollective("c", "all_reduce", 84, 84, "fp32", rf.ProgramGroups.everyone(16)),
    ),
    16,
)  # fmt: skip
TABLE = b"op,size(B),time(us)\nallr,1024,12.5\nallr,2048,13.0\n"
SWEPT = (
    b'# {"format": "rainier_fast sweep", "version": 1, "function": "squares", "axes": ["x"], '
    b'"space": {"points": 2}, "columns": [["x", "int"], ["value", "int"], ["error_type", "str"], '
    b'["error", "str"]]}\nx,value,error_type,error\n1,1,,\n2,4,,\n'
)


FOLDER = tempfile.TemporaryDirectory()


def abs_of(x: float) -> float:
    return abs(x)


def instances() -> dict[type, Any]:
    """Return an instance of every public class that is no exception."""
    made = [
        rf.Axis("x", 4),
        rf.Balanced(),
        rf.Block(0, None, 1.0),
        RESULT.bottleneck,
        rf.Bucket({"xy": 0.5, "yx": 0.5}),
        rf.calibrate(TRN2, ROWS),
        rf.Checkpoint(blocking="30 s"),
        rf.Chip.from_catalog("trainium2"),
        rf.ChipAt(x=1),
        rf.Cluster(PAIR.sites, PAIR.wan),
        RESULT,
        rf.compare(["trn2"], "all_reduce", 1e6),
        TRN2.plan.compute("1 ms", "2 GiB").request,
        MESH,
        rf.DimensionOrder(order=("y", "x")),
        TRN2.edges(),
        H100,
        rf.Efficiency.fit(PRODUCTS, "h100"),
        H100.rate("bf16"),
        H100.attention,
        H100.memory,
        PAIR.sites[0].fabric,
        rf.FailureRates.published("llama3"),
        HURT.faults,
        TRN2.cost("20 s", hours=30),
        TRN2.goodput("20 s"),
        TRN2.power(TRN2.training_step(JOB, LAYOUT), cap="10 kW"),
        TRN2.power(cap="10 kW").capped,
        FLEET,
        FLEET.day(),
        rf.prices()[0],
        rf.Tco(capex=2e4, life_years=5, power_kw=0.9, price_per_kwh=0.09),
        rf.Gpu("hopper"),
        rf.Tpu("v5p"),
        rf.model("qwen3-8b"),
        JOB,
        LAYOUT,
        TRN2.training_step(JOB, LAYOUT),
        SERVICE,
        rf.Pace(layer_s="10 us"),
        rf.Speculation(tokens=2, acceptance=0.5),
        rf.Lengths([100, 300], weights=[2, 1]),
        TRN2.serve(SERVICE, LAYOUT, concurrency=4),
        TRN2.serve_events(SERVICE, LAYOUT, concurrency=4, requests=8),
        TRN2.serve_disaggregated(SERVICE, LAYOUT, LAYOUT, concurrency=4),
        SERVICE.cold_start(),
        TRN2.best_layouts(JOB, cp=1, pp=1, keep=2),
        rf.price_performance(["trn2", "h100"], SERVICE, [{"tpot": "50 ms"}], layouts=[LAYOUT]),
        rf.compare([TRN2, "h100"], job=JOB, layout=LAYOUT),
        rf.Experts(count=8, per_token=2, width=64),
        rf.Mla(q_rank=None, kv_rank=512, nope_size=128, rope_size=64, value_size=128),
        rf.Window(size=128, full_every=2),
        PROGRAM,
        PROGRAM[0],
        PROGRAM[0].groups,
        TRN2.cost_of(STEP),
        rf.read(TABLE),
        rf.read(SWEPT),
        rf.Ec2Topology.parse(EC2),
        rf.SlurmTopology.parse("SwitchName=s0 Nodes=n[1-4]"),
        rf.HostList.parse("n[1-4]"),
        PLACED,
        rf.Table({"class": ["x", "y"], "bytes": [1000, 2000]}),
        MESH.axis_groups("tp"),
        RANKING.best,
        rf.rank_groups("megatron", 64, tp=4, cp=2, ep=4),
        TRN2.link(3),
        rf.LinkAt("x", "+", y=1),
        LOADS,
        TRN2,
        rf.Meeting("nic egress", 12, None, ("a", "b")),
        rf.MinimalAdaptive(),
        TRN2.monte_carlo("all_reduce", 1e6, draws=4),
        rf.mpi_choice("all_gather", 64, "64 KiB"),
        rf.NcclTiming.from_catalog("hopper"),
        rf.Neuron.from_catalog(),
        rf.Nic("25 GB/s", "1 us"),
        PLANS[0],
        PLANS[0].prepared(),
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
        rf.timeline(rf.Schedule("all_reduce", 1e6, [0, 1], SENDS), TRN2),
        TRN2.times("all_reduce", [1e6]),
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
    "backward": True,
    "bandwidth": "50 GB/s",
    "blocking_s": 30.0,
    "blocks": 1,
    "bytes_per_chip": 1000,
    "bytes_per_number": 2,
    "chips": 4,
    "chunks": None,
    "coordinates": 1,
    "collective": "all_reduce",
    "collective_packet": "64 KiB",
    "config": {"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1, "vocab_size": 9},
    "context": 100,
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
    "head": True,
    "hours": 24.0,
    "index": 0,
    "instances": 1,
    "keep": 2,
    "latency": "1 us",
    "library": "openmpi-4.1.4",
    "link": 3,
    "links": [3],
    "machine": TRN2,
    "machines": ["trn2"],
    "mask": "full",
    "model": "link_load",
    "mtbf_s": 1e5,
    "mtp": False,
    "n": 3,
    "n_threads": 1,
    "name": "mine",
    "nbytes": 1000,
    "op": None,
    "ax": None,
    "picture": None,
    "operation": "all_reduce",
    "overhead": "1 us",
    "packet": "4 KiB",
    "pattern": "tornado",
    "placement": "packed",
    "plans": PLANS,
    "policies": ["detour"],
    "policy": "detour",
    "progress": None,
    "ranks": 8,
    "rates": "llama3",
    "replica_groups": 1,
    "root": 0,
    "routing": "dor",
    "schedule": rf.schedule("all_reduce", TRN2, 1e6),
    "seed": 0,
    "share": 0.5,
    "sequence": 4096,
    "shift": 1,
    "sites": None,
    "size": 1000,
    "sizes": [1000],
    "src": [0, 1],
    "start": 0.0,
    "step": "20 s",
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
    "Ec2Topology.parse": {"texts": [EC2]},
    "Ec2Topology.instance": {"name": "i-0123456789abcdef0"},
    "SlurmTopology.__getitem__": {"name": "tree"},
    "SlurmTopology.groups": {"name": "tree"},
    "HostList.parse": {"text": "n[1-4]"},
    "Machine.place": {"job": MESH, "hosts": "n1"},
    "Placement.launch": {"form": "hostfile"},
    "Placement.parse": {"text": json.dumps(PLACED.to_dict())},
    "Placement.where": {"rank": 0},
    "SlurmTopology.parse": {"text": "SwitchName=s0 Nodes=n[1-4]"},
    "expand_hosts": {"text": "n[1-4]"},
    "fold_hosts": {"hosts": ["n1", "n2"]},
    "Ec2Topology.distance": {"a": "i-0123456789abcdef0", "b": "i-0123456789abcdef0"},
    "LayoutRanking.step": {"row": 0},
    "best_layouts": {
        "job": JOB,
        "chips": 16,
        "memory": "96 GB",
        "algorithm": "auto",
        "efficiency": None,
        "within": {"tp": "instance"},
        "pp": [1, 2],
        "cp": 1,
        "ep": 1,
        "etp": None,
        "zero": 1,
        "tp": 4,
        "microbatch": 1,
        "virtual": 1,
        "schedule": "1f1b",
        "recompute": "none",
        "sequence_parallel": True,
        "order": "megatron",
    },
    "best_mapping": {"algorithm": "ring"},
    "broadcast": {"algorithm": "binomial_tree"},
    "ChipAt": {"coordinates": {"x": 1}},
    "Bucket": {"weights": {"xy": 1.0}},
    "calibrate": {"size_unit": None, "time_unit": None, "dtype": None},
    "Cluster": {"sites": PAIR.sites, "wan": PAIR.wan},
    "compare": {"group_chips": None, "job": None, "layout": None},
    "LinkAt": {"coordinates": {"y": 1}},
    "Site": {"fabric": None},
    "day_curve": {"peak": 100.0, "low": 40.0, "peak_hour": 15},
    "Fleet": {
        "machine": PAIR,
        "services": FLEET.services,
        "jobs": [(JOB, LAYOUT)],
        "policy": "restart",
        **dict.fromkeys(("ttft", "tpot", "repair", "checkpoint", "spares")),
        **dict.fromkeys(("loading", "compiling", "restore", "prices", "region", "instance")),
        **dict.fromkeys(("chip", "idle", "host", "network", "pue")),
    },
    "Comparison.__getitem__": {"name": "machine"},
    "Ranking.__getitem__": {"name": "layout"},
    "StepComparison.__getitem__": {"name": "machine"},
    "LayoutRanking.__getitem__": {"name": "tp"},
    "Recoveries.__getitem__": {"name": "policy"},
    "Table.__getitem__": {"name": "class"},
    "SweepResult": {"source": SWEPT},
    "sweep": {
        "space": {"x": [1]},
        "fn": abs_of,
        "executor": "serial",
        "into": f"{FOLDER.name}/sweep.csv",
        "workers": 1,
        "batch": 1,
        "extend": False,
        "retry_errors": False,
    },
    "SweepResult.__getitem__": {"name": "value"},
    "TenantsResult.__getitem__": {"which": "a"},
    "TenantsResult.chips": {"which": "a"},
    "TogetherResult.__getitem__": {"which": 0},
    "MeshLayout.groups": {"axis": "tp"},
    "chip": {"coordinates": {"x": 1}},
    "chips": {"fixed": {"tp": 1}},
    "check_program": {"streams": 2},
    "Efficiency.attention_s": {"heads": 8, "head_size": 64},
    "Efficiency.fit": {"rows": PRODUCTS, "chip": "h100"},
    "Efficiency.matmul_s": {"m": 8, "k": 16, "n": 32},
    "Efficiency.of": {"chip": "h100"},
    "Efficiency.part": {"parts": 4},
    "Efficiency.rate": {"precision": "bf16"},
    "finish_times": {"model": "fluid"},
    "from_catalog": {"name": "trainium2"},
    "full_mesh": {"chips": 4},
    "cost": {"hours": 30.0, "prices": "capacity-block", "goodput": 0.9},
    "goodput": {"policy": "restart"},
    "power": {"cap": "10 kW"},
    "impact": {"policies": ["detour"]},
    "in_mode": {"instances": 4},
    "merged": {"other": HURT.faults},
    "mesh": {"axes": {"dp": 4}, "sizes": {"tp": 4}},
    "model": {"name": "gpt-2"},
    "monte_carlo": {"algorithm": "ring"},
    "NcclTiming.from_catalog": {"generation": "hopper"},
    "of": {"policy": "detour"},
    "preset": {"name": "rainier", "chips": 128, "shape": None, "sites": None},
    "published": {"name": "llama3"},
    "Pace.of": {"chip": "h100", "engine": "vllm"},
    "serve": {
        "service": SERVICE,
        "layout": LAYOUT,
        "concurrency": 4.0,
        "rate": None,
        "requests": None,
        "chips": 16,
        "algorithm": "auto",
        "efficiency": None,
        "pace": None,
    },
    "best_serving": {
        "service": SERVICE,
        "ttft": "1 s",
        "tpot": "50 ms",
        "keep": 2,
        "price": 2.0,
        "chips": 16,
        "algorithm": "auto",
        "efficiency": None,
        "pace": None,
    },
    "price_performance": {
        "machines": ["h100"],
        "service_or_job": SERVICE,
        "slo": [{"tpot": "50 ms"}],
        "prices": "capacity-block",
        "date": "2026-07",
        "region": None,
        "chips": 8,
        "layouts": LAYOUT,
    },
    "PricePerformance.__getitem__": {"name": "machine"},
    "serve_events": {
        "service": SERVICE,
        "layout": LAYOUT,
        "concurrency": 4,
        "rate": None,
        "trace": None,
        "requests": 8,
        "spread": 0.2,
        "chips": 16,
        "algorithm": "auto",
        "efficiency": None,
        "pace": None,
    },
    "serve_disaggregated": {
        "service": SERVICE,
        "prefill": LAYOUT,
        "decode": LAYOUT,
        "workers": (1, 1),
        "concurrency": 4.0,
        "rate": None,
        "chips": 16,
        "algorithm": "auto",
        "efficiency": None,
        "pace": None,
    },
    "serve_times": {
        "service": SERVICE,
        "layout": LAYOUT,
        "concurrency": [1.0, 8.0],
        "requests": None,
        "chips": 16,
        "algorithm": "auto",
        "efficiency": None,
        "pace": None,
    },
    "Lengths": {"values": [100, 300], "weights": [2, 1], "trace": ""},
    "Lengths.uniform": {"low": 10, "high": 20},
    "Lengths.lognormal": {"p50": 10, "p90": 20, "most": 100},
    "Lengths.of_trace": {"trace": "input,output\n1,2\n"},
    "Lengths.quantile": {"share": 0.5},
    "Serving.with_": {"changes": {"input": 16}},
    "Speculation.of": {"model": rf.model("gpt-2")},
    "Training.with_": {"changes": {"batch": 16}},
    "Layout.with_": {"changes": {"tp": 4}},
    "Transformer.flops_per_token": {"recompute": "none"},
    "Program": {
        "collectives": PROGRAM.collectives,
        "world": 8,
        "rank": 0,
        "source": "a test",
        "notes": (),
    },
    "cost_of": {
        "program": STEP,
        "mesh": {"dp": 4, "tp": 4},
        "axes": {"all_reduce": "tp"},
        "placement": None,
        "ranks_per_chip": 1,
        "algorithm": "auto",
        "peak_dtype": "bf16",
        "efficiency": None,
        "trips": 2,
    },
    "Program.__getitem__": {"place": 0},
    "Program.from_dict": {"told": PROGRAM.to_dict()},
    "ProgramCollective": {
        "name": "a",
        "op": "all_reduce",
        "groups": rf.ProgramGroups.everyone(8),
        **dict.fromkeys(("bytes_in", "bytes_out", "count", "root", "peer", "waited_by"), 4),
        **dict.fromkeys(("start_s", "duration_s", "after_flops", "after_bytes"), 1.0),
        **dict.fromkeys(("phase", "original", "role"), "fwd"),
        **dict.fromkeys(("in_splits", "out_splits"), (1, 2)),
        "asynchronous": True,
        "notes": (),
    },
    "ProgramGroups.of_lists": {"lists": [[0, 1]], "world": 8},
    "ProgramGroups.of_iota": {"count": 2, "size": 2, "dims": [2, 2], "perm": [1, 0], "world": 8},
    "ProgramGroups.own": {
        "members": None,
        "start": 0,
        "stride": 2,
        "size": 2,
        "world": 8,
    },
    "ProgramGroups.pairs": {"pairs": [(0, 1)], "world": 8},
    "ProgramGroups.everyone": {"world": 8},
    "Machine.from_dict": {"content": TRN2.to_dict()},
    "Schedule.from_dict": {"content": rf.Schedule("all_reduce", 1e6, [0, 1], SENDS).to_dict()},
    "read": {"path": TABLE, "format": None},
    "rank_groups": {"order": "megatron", "world": 64, "sizes": {"tp": 4}},
    "recoveries": {"policies": ["detour"]},
    "repaired": dict.fromkeys(("links", "chips", "nics", "sites", "ultraservers", "degraded"), ()),
    "routing_report": {"ultraserver": 0},
    "route": {"src": 0, "dst": 3},
    "send_recv": {"algorithm": "direct"},
    "tenants": {"tenants": [rf.Tenant("a", "all_reduce", 1e6, instances=1)]},
    "torus": {"shape": (4, 2), "wrap": True},
    "to_parquet": {"path": f"{FOLDER.name}/table.parquet"},
    "Schedule.at": {"size": 1e6, "chips": None},
    "timeline": {
        "what": rf.Schedule("all_reduce", 1e6, [0, 1], SENDS),
        "model": "fluid",
        "by": "rank",
    },
    "training_step": {
        "job": JOB,
        "layout": LAYOUT,
        "chips": 16,
        "algorithm": "auto",
        "efficiency": None,
    },
    "traffic": {"pattern": "permutation", "shift": None},
    "with_faults": {
        **dict.fromkeys(("links", "chips", "nics", "sites", "ultraservers"), ()),
        "degrade": None,
        "faults": None,
    },
}

# Methods that give the core what a class holds, whose arguments come from this package; and what
# asks the system for files, whose errors are the system's.
_INTERNAL = {"row", "rows", "core", "tables", "neuron_row"} | {"load", "report", "save", "write"}
# What needs a library that tests do not install.
_INTERNAL |= {"to_polars", "to_networkx"}
# What a kind of the same class alone has.
_INTERNAL |= {"to_pairs"}

# Made by the package, of values that it has checked.
_MADE = {
    "Calibration",
    "Capped",
    "Cost",
    "Edges",
    "EfficiencyFit",
    "FleetDay",
    "Goodput",
    "LayoutRanking",
    "Machine",
    "MeshLayout",
    "MonteCarlo",
    "MpiChoice",
    "Placement",
    "Power",
    "Prepared",
    "Price",
    "PricePerformance",
    "ProgramGroups",
    "RankGroups",
    "Ranking",
    "ServingEvents",
    "ServingResult",
    "StepComparison",
    "Timeline",
    "TrainingStep",
}


@dataclass(frozen=True)
class Call:
    """A callable with good arguments."""

    label: str
    function: Callable[..., Any]
    arguments: dict[str, Any]
    keywords: str | None
    positional: tuple[str, ...]
    several: str | None = None

    def run(self, changed: dict[str, Any]) -> object:
        """Call it with some of the arguments changed."""
        given = self.arguments | changed
        free = given.pop(self.keywords, {}) if self.keywords else {}
        if not isinstance(free, dict) or not all(isinstance(name, str) for name in free):
            free = {next(iter(self.arguments[self.keywords or ""])): free}
        first = [given.pop(name) for name in self.positional]
        more = given.pop(self.several) if self.several else ()
        more = more if isinstance(more, list | tuple) else [more]
        return self.function(*first, *more, **given, **free)


def calls(made: dict[type, Any]) -> Iterator[Call]:
    """Yield every public function, class and method, with good arguments."""
    for name in rf.__all__:
        value = getattr(rf, name)
        if inspect.isclass(value) and not issubclass(value, Exception):
            one = made.get(value) or next(one for one in made.values() if isinstance(one, value))
            results = value.__module__.startswith("rainier_fast.results") and value is not rf.Table
            if name not in _MADE and not results:
                yield _call(name, value, one)
            if value is not rf.Cluster:
                yield from _methods(name, value, one)
        elif callable(value) and not inspect.isclass(value):
            yield _call(name, value, None)
    for label, plans in (("Machine.plan", TRN2.plan), ("DeviceMesh.plan", MESH.plan)):
        yield from _methods(label, type(plans), plans)


def _methods(label: str, kind: type, one: object) -> Iterator[Call]:
    for name in dir(kind):
        held = inspect.getattr_static(kind, name)
        public = not name.startswith("_") or name in ("__getitem__", "__contains__")
        if not public or name in _INTERNAL:
            continue
        if isinstance(held, staticmethod | classmethod):
            yield _call(f"{label}.{name}", getattr(kind, name), None)
        elif inspect.isfunction(held):
            yield _call(f"{label}.{name}", getattr(one, name), None)


def _options(label: str) -> list[str]:
    """Return the options of a collective that a call takes."""
    names = list(
        asking.OPTIONS
        if label in ("Tenant", "Machine.best_mapping")
        else asking.Call.__annotations__
    )
    kept = [name for name in names if name not in _FIXED.get(label, ("shift",))]
    return kept + ["axis"] * (label == "DeviceMesh.times")


# Options that a call does not take, or whose good value depends on the others.
_FIXED = {
    "schedule": ("model", "shift"),
    "compare": ("group", "shift"),
    "DeviceMesh.times": ("group", "shift"),
}


def _call(label: str, function: Callable[..., Any], one: object) -> Call:
    own = OWN.get(label, OWN.get(label.rpartition(".")[2], {}))
    arguments, keywords, several, positional = {}, None, None, []
    good = {"algorithm": "auto", **GOOD}
    for item in inspect.signature(function).parameters.values():
        if item.name == "options" and label.endswith(".plot"):
            continue  # those of each picture: tests/unit/test_plot.py
        if item.name == "options":
            arguments |= {name: own.get(name, good[name]) for name in _options(label)}
            continue
        if item.name in own:
            arguments[item.name] = own[item.name]
        elif one is not None and hasattr(one, item.name):
            arguments[item.name] = getattr(one, item.name)
        elif item.name in GOOD:
            arguments[item.name] = GOOD[item.name]
        elif item.default is not item.empty:
            arguments[item.name] = item.default
        else:
            raise LookupError(f"{label}: say in GOOD or OWN what a good {item.name} is")
        if item.kind is item.VAR_KEYWORD:
            keywords = item.name
        elif item.kind is item.VAR_POSITIONAL:
            several = item.name
        elif item.kind is item.POSITIONAL_ONLY:
            positional.append(item.name)
    return Call(label, function, arguments, keywords, tuple(positional), several)
