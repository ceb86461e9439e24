"""Models of AWS Trainium clusters: routes, link loads and collectives, from one chip to a million.

Sizes are bytes, rates bytes/s, times seconds; wherever one goes in, text such as ``"1 GiB"``,
``"50 GB/s"``, ``"200 Gbps"`` or ``"1.5 us"`` goes in too.

Examples
--------
>>> import rainier_fast as rf
>>> rf.preset("rainier").num_chips
524288
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rainier_fast.late import MODULES as _MODULES
from rainier_fast.late import ROOMS as _ROOMS

if TYPE_CHECKING:
    from rainier_fast._core import __version__, build_info
    from rainier_fast.ask.groups import Groups
    from rainier_fast.ask.messages import Block, Send
    from rainier_fast.ask.mpi import MpiChoice, mpi_choice
    from rainier_fast.ask.options import algorithms
    from rainier_fast.ask.schedule import Schedule
    from rainier_fast.catalog import assumptions, catalog
    from rainier_fast.catalog.prices import Price, prices
    from rainier_fast.collectives.mesh import DeviceMesh
    from rainier_fast.collectives.plan import Compute, Plan
    from rainier_fast.collectives.prepared import Prepared
    from rainier_fast.collectives.scheduling import schedule
    from rainier_fast.definitions.axis import Axis, Tier
    from rainier_fast.definitions.bucket import Bucket
    from rainier_fast.definitions.chip import Chip
    from rainier_fast.definitions.efficiency import Efficiency
    from rainier_fast.definitions.efficiency_fit import EfficiencyFit
    from rainier_fast.definitions.gpu import Gpu
    from rainier_fast.definitions.nccl import NcclTiming
    from rainier_fast.definitions.neuron import Neuron
    from rainier_fast.definitions.operators import AttentionRate, MatmulRate, MemoryRate
    from rainier_fast.definitions.places import ChipAt, LinkAt
    from rainier_fast.definitions.rates import FailureRates
    from rainier_fast.definitions.routing import (
        Balanced,
        DimensionOrder,
        MinimalAdaptive,
        Shortest,
        UpDown,
        Valiant,
        WildFirst,
    )
    from rainier_fast.definitions.site import Fabric, Site
    from rainier_fast.definitions.tpu import Tpu
    from rainier_fast.definitions.ultraserver import Nic, UltraServer
    from rainier_fast.definitions.wan import Wan
    from rainier_fast.errors import (
        AnswerChanged,
        InvalidArgument,
        InvalidFile,
        InvalidSchedule,
        InvalidType,
        OutOfRange,
        RainierError,
        SweepStopped,
        UnknownName,
        Unreachable,
        Unsupported,
    )
    from rainier_fast.faults.faults import Faults
    from rainier_fast.files.schema import machine_schema
    from rainier_fast.fleet.day import FleetDay
    from rainier_fast.fleet.demand import day_curve
    from rainier_fast.fleet.fleet import Fleet
    from rainier_fast.formats.kept import MeasuredTable
    from rainier_fast.machine.compare import compare
    from rainier_fast.machine.machine import Cluster, Machine
    from rainier_fast.machine.presets import preset, presets
    from rainier_fast.machine.price_performance import price_performance
    from rainier_fast.machine.shapes import domain, full_mesh, switch, torus
    from rainier_fast.measure import Calibration, calibrate
    from rainier_fast.memory import memory_limit
    from rainier_fast.operations.capping import Capped
    from rainier_fast.operations.checkpoint import Checkpoint
    from rainier_fast.operations.cost import Cost
    from rainier_fast.operations.goodput import Goodput
    from rainier_fast.operations.power import Power
    from rainier_fast.operations.price_performance import PricePerformance
    from rainier_fast.operations.tco import Tco
    from rainier_fast.placement.ec2 import Ec2Topology
    from rainier_fast.placement.hostfile import HostList
    from rainier_fast.placement.hostlist import expand_hosts, fold_hosts
    from rainier_fast.placement.placement import Placement
    from rainier_fast.placement.slurm import SlurmTopology
    from rainier_fast.program import Program, ProgramCollective, ProgramGroups
    from rainier_fast.program.cost import ProgramCost
    from rainier_fast.reading import formats, read
    from rainier_fast.results.collective import CollectiveResult
    from rainier_fast.results.comparison import Comparison
    from rainier_fast.results.edges import Edges
    from rainier_fast.results.link import Bottleneck, Link
    from rainier_fast.results.link_loads import LinkLoads
    from rainier_fast.results.monte_carlo import MonteCarlo
    from rainier_fast.results.recovery import Recoveries
    from rainier_fast.results.route import Route
    from rainier_fast.results.routing import RoutingReport
    from rainier_fast.results.times import Times
    from rainier_fast.results.together import Meeting, PlanResult, TogetherResult
    from rainier_fast.serving.cold import ColdStart
    from rainier_fast.serving.disaggregated_result import DisaggregatedResult
    from rainier_fast.serving.events import ServingEvents
    from rainier_fast.serving.lengths import Lengths
    from rainier_fast.serving.pace import Pace
    from rainier_fast.serving.result import ServingResult
    from rainier_fast.serving.serving import Serving
    from rainier_fast.serving.speculation import Speculation
    from rainier_fast.studies.placing import Tenant
    from rainier_fast.studies.ranking import MeshLayout, Ranking
    from rainier_fast.studies.recovery import policies
    from rainier_fast.studies.tenants import TenantsResult
    from rainier_fast.sweeps.result import SweepResult
    from rainier_fast.sweeps.sweep import sweep
    from rainier_fast.table import Table
    from rainier_fast.timelines import Timeline, timeline
    from rainier_fast.workload.layout import Layout
    from rainier_fast.workload.layout_ranking import LayoutRanking
    from rainier_fast.workload.models import model, models
    from rainier_fast.workload.orders.rank_groups import RankGroups, rank_groups
    from rainier_fast.workload.parts import Experts, Mla, Window
    from rainier_fast.workload.step import TrainingStep
    from rainier_fast.workload.step_comparison import StepComparison
    from rainier_fast.workload.training import Training
    from rainier_fast.workload.transformer import Transformer

    A100_40GB_INSTANCE: UltraServer
    A100_4NIC_NODE: UltraServer
    A100_NODE: UltraServer
    B200_NODE: UltraServer
    B300_NODE: UltraServer
    GB200_NVL72: UltraServer
    GB300_NVL72: UltraServer
    H100_96GB_NODE: UltraServer
    H100_NODE: UltraServer
    H200_NODE: UltraServer
    MAIA_100_NODE: UltraServer
    MAIA_200_NODE: UltraServer
    MI300X_NODE: UltraServer
    MI355X_NODE: UltraServer
    TPU_IRONWOOD_POD: UltraServer
    TPU_V4_POD: UltraServer
    TPU_V5E_POD: UltraServer
    TPU_V5P_POD: UltraServer
    TPU_V6E_POD: UltraServer
    TRN1_INSTANCE: UltraServer
    TRN2_INSTANCE: UltraServer
    TRN2_ULTRASERVER: UltraServer
    TRN3_ULTRASERVER_GEN1: UltraServer
    TRN3_ULTRASERVER_GEN2: UltraServer

__all__ = [
    "A100_4NIC_NODE",
    "A100_40GB_INSTANCE",
    "A100_NODE",
    "B200_NODE",
    "B300_NODE",
    "GB200_NVL72",
    "GB300_NVL72",
    "H100_96GB_NODE",
    "H100_NODE",
    "H200_NODE",
    "MAIA_100_NODE",
    "MAIA_200_NODE",
    "MI300X_NODE",
    "MI355X_NODE",
    "TPU_IRONWOOD_POD",
    "TPU_V4_POD",
    "TPU_V5E_POD",
    "TPU_V5P_POD",
    "TPU_V6E_POD",
    "TRN1_INSTANCE",
    "TRN2_INSTANCE",
    "TRN2_ULTRASERVER",
    "TRN3_ULTRASERVER_GEN1",
    "TRN3_ULTRASERVER_GEN2",
    "AnswerChanged",
    "AttentionRate",
    "Axis",
    "Balanced",
    "Block",
    "Bottleneck",
    "Bucket",
    "Calibration",
    "Capped",
    "Checkpoint",
    "Chip",
    "ChipAt",
    "Cluster",
    "ColdStart",
    "CollectiveResult",
    "Comparison",
    "Compute",
    "Cost",
    "DeviceMesh",
    "DimensionOrder",
    "DisaggregatedResult",
    "Ec2Topology",
    "Edges",
    "Efficiency",
    "EfficiencyFit",
    "Experts",
    "Fabric",
    "FailureRates",
    "Faults",
    "Fleet",
    "FleetDay",
    "Goodput",
    "Gpu",
    "Groups",
    "HostList",
    "InvalidArgument",
    "InvalidFile",
    "InvalidSchedule",
    "InvalidType",
    "Layout",
    "LayoutRanking",
    "Lengths",
    "Link",
    "LinkAt",
    "LinkLoads",
    "Machine",
    "MatmulRate",
    "MeasuredTable",
    "Meeting",
    "MemoryRate",
    "MeshLayout",
    "MinimalAdaptive",
    "Mla",
    "MonteCarlo",
    "MpiChoice",
    "NcclTiming",
    "Neuron",
    "Nic",
    "OutOfRange",
    "Pace",
    "Placement",
    "Plan",
    "PlanResult",
    "Power",
    "Prepared",
    "Price",
    "PricePerformance",
    "Program",
    "ProgramCollective",
    "ProgramCost",
    "ProgramGroups",
    "RainierError",
    "RankGroups",
    "Ranking",
    "Recoveries",
    "Route",
    "RoutingReport",
    "Schedule",
    "Send",
    "Serving",
    "ServingEvents",
    "ServingResult",
    "Shortest",
    "Site",
    "SlurmTopology",
    "Speculation",
    "StepComparison",
    "SweepResult",
    "SweepStopped",
    "Table",
    "Tco",
    "Tenant",
    "TenantsResult",
    "Tier",
    "Timeline",
    "Times",
    "TogetherResult",
    "Tpu",
    "Training",
    "TrainingStep",
    "Transformer",
    "UltraServer",
    "UnknownName",
    "Unreachable",
    "Unsupported",
    "UpDown",
    "Valiant",
    "Wan",
    "WildFirst",
    "Window",
    "__version__",
    "algorithms",
    "assumptions",
    "build_info",
    "calibrate",
    "catalog",
    "compare",
    "day_curve",
    "domain",
    "expand_hosts",
    "fold_hosts",
    "formats",
    "full_mesh",
    "machine_schema",
    "memory_limit",
    "model",
    "models",
    "mpi_choice",
    "policies",
    "preset",
    "presets",
    "price_performance",
    "prices",
    "rank_groups",
    "read",
    "schedule",
    "sweep",
    "switch",
    "timeline",
    "torus",
]


_LATE = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - several kinds of names
    # A bare import makes nothing: each name is found when it is first asked for, then kept.
    if name in _LATE:
        value = getattr(import_module(f"rainier_fast.{_LATE[name]}"), name)
    elif name in _ROOMS:
        value = import_module(f"rainier_fast.{name}")
    elif name in __all__:
        from rainier_fast.definitions.known import known

        value = known(name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Face(ModuleType):
    """The package, whose public names are not hidden by rooms of the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        # The import of a room sets it here: `rainier_fast.catalog` is a room and a function.
        if name not in _LATE or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
