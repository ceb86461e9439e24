"""Where the public names are: `__init__` finds each when it is first asked for."""

from __future__ import annotations

from typing import Final

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "_core": (
        "__version__",
        "build_info",
    ),
    "ask.groups": ("Groups",),
    "ask.mpi": (
        "MpiChoice",
        "mpi_choice",
    ),
    "ask.options": ("algorithms",),
    "ask.schedule": (
        "Block",
        "Schedule",
        "Send",
    ),
    "catalog": (
        "assumptions",
        "catalog",
    ),
    "catalog.prices": (
        "Price",
        "prices",
    ),
    "collectives.mesh": ("DeviceMesh",),
    "collectives.plan": (
        "Compute",
        "Plan",
    ),
    "collectives.prepared": ("Prepared",),
    "collectives.scheduling": ("schedule",),
    "definitions.axis": (
        "Axis",
        "Tier",
    ),
    "definitions.bucket": ("Bucket",),
    "definitions.chip": ("Chip",),
    "definitions.efficiency": ("Efficiency",),
    "definitions.efficiency_fit": ("EfficiencyFit",),
    "definitions.gpu": ("Gpu",),
    "definitions.nccl": ("NcclTiming",),
    "definitions.neuron": ("Neuron",),
    "definitions.operators": (
        "AttentionRate",
        "MatmulRate",
        "MemoryRate",
    ),
    "definitions.places": (
        "ChipAt",
        "LinkAt",
    ),
    "definitions.rates": ("FailureRates",),
    "definitions.routing": (
        "Balanced",
        "DimensionOrder",
        "MinimalAdaptive",
        "Shortest",
        "UpDown",
        "Valiant",
        "WildFirst",
    ),
    "definitions.site": (
        "Fabric",
        "Site",
    ),
    "definitions.tpu": ("Tpu",),
    "definitions.ultraserver": (
        "Nic",
        "UltraServer",
    ),
    "definitions.wan": ("Wan",),
    "errors": (
        "InvalidArgument",
        "InvalidFile",
        "InvalidSchedule",
        "InvalidType",
        "OutOfRange",
        "RainierError",
        "UnknownName",
        "Unreachable",
        "Unsupported",
    ),
    "faults.faults": ("Faults",),
    "files.schema": ("machine_schema",),
    "fleet.day": ("FleetDay",),
    "fleet.demand": ("day_curve",),
    "fleet.fleet": ("Fleet",),
    "formats.kept": ("MeasuredTable",),
    "machine.compare": ("compare",),
    "machine.machine": (
        "Cluster",
        "Machine",
    ),
    "machine.presets": (
        "preset",
        "presets",
    ),
    "machine.price_performance": ("price_performance",),
    "machine.shapes": (
        "domain",
        "full_mesh",
        "switch",
        "torus",
    ),
    "measure": (
        "Calibration",
        "calibrate",
    ),
    "memory": ("memory_limit",),
    "operations.capping": ("Capped",),
    "operations.checkpoint": ("Checkpoint",),
    "operations.cost": ("Cost",),
    "operations.goodput": ("Goodput",),
    "operations.power": ("Power",),
    "operations.price_performance": ("PricePerformance",),
    "operations.tco": ("Tco",),
    "program": (
        "Program",
        "ProgramCollective",
        "ProgramGroups",
    ),
    "reading": (
        "formats",
        "read",
    ),
    "results.collective": ("CollectiveResult",),
    "results.comparison": ("Comparison",),
    "results.link": (
        "Bottleneck",
        "Link",
    ),
    "results.link_loads": ("LinkLoads",),
    "results.monte_carlo": ("MonteCarlo",),
    "results.recovery": ("Recoveries",),
    "results.route": ("Route",),
    "results.routing": ("RoutingReport",),
    "results.times": ("Times",),
    "results.together": (
        "Meeting",
        "PlanResult",
        "TogetherResult",
    ),
    "serving.cold": ("ColdStart",),
    "serving.disaggregated_result": ("DisaggregatedResult",),
    "serving.events": ("ServingEvents",),
    "serving.pace": ("Pace",),
    "serving.result": ("ServingResult",),
    "serving.serving": ("Serving",),
    "serving.speculation": ("Speculation",),
    "studies.placing": ("Tenant",),
    "studies.ranking": (
        "MeshLayout",
        "Ranking",
    ),
    "studies.recovery": ("policies",),
    "studies.tenants": ("TenantsResult",),
    "table": ("Table",),
    "workload.layout": ("Layout",),
    "workload.layout_ranking": ("LayoutRanking",),
    "workload.models": (
        "model",
        "models",
    ),
    "workload.orders.rank_groups": (
        "RankGroups",
        "rank_groups",
    ),
    "workload.parts": (
        "Experts",
        "Mla",
        "Window",
    ),
    "workload.step": ("TrainingStep",),
    "workload.step_comparison": ("StepComparison",),
    "workload.training": ("Training",),
    "workload.transformer": ("Transformer",),
}
"""Public names by module. The UltraServers that are named in capitals are made by `known`."""

ROOMS: Final = ("astra_sim",)
"""Public rooms: modules whose names are public in them, found as names are."""
