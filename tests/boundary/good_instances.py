"""One instance of every public class, by class."""

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
