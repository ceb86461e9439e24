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

from typing import TYPE_CHECKING, Any

from rainier_fast._core import __version__, build_info
from rainier_fast.catalog import assumptions, catalog
from rainier_fast.definitions import (
    Axis,
    Bucket,
    Chip,
    ChipAt,
    DimensionOrder,
    Fabric,
    FailureRates,
    Gpu,
    LinkAt,
    MinimalAdaptive,
    Neuron,
    Nic,
    Shortest,
    Site,
    Tier,
    UltraServer,
    UpDown,
    Valiant,
    Wan,
    WildFirst,
)
from rainier_fast.definitions.known import KNOWN as _KNOWN
from rainier_fast.definitions.known import known as _known
from rainier_fast.errors import (
    InvalidArgument,
    InvalidSchedule,
    InvalidType,
    OutOfRange,
    RainierError,
    UnknownName,
    Unreachable,
    Unsupported,
)
from rainier_fast.machine import (
    Cluster,
    Faults,
    Groups,
    Machine,
    algorithms,
    compare,
    domain,
    full_mesh,
    policies,
    preset,
    presets,
    schedule,
    switch,
    torus,
)
from rainier_fast.memory import memory_limit

if TYPE_CHECKING:
    from rainier_fast.ask.schedule import Block, Schedule, Send
    from rainier_fast.collectives.mesh import DeviceMesh
    from rainier_fast.collectives.plan import Compute, Plan
    from rainier_fast.measure import Calibration, calibrate
    from rainier_fast.results import (
        Bottleneck,
        CollectiveResult,
        Comparison,
        Link,
        LinkLoads,
        Meeting,
        MonteCarlo,
        PlanResult,
        Recoveries,
        Route,
        RoutingReport,
        Table,
        TogetherResult,
    )
    from rainier_fast.studies.placing import Tenant
    from rainier_fast.studies.ranking import Layout, Ranking
    from rainier_fast.studies.tenants import TenantsResult

    B200_NODE: UltraServer
    GB200_NVL72: UltraServer
    GB300_NVL72: UltraServer
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
    "B200_NODE",
    "GB200_NVL72",
    "GB300_NVL72",
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
    "Axis",
    "Block",
    "Bottleneck",
    "Bucket",
    "Calibration",
    "Chip",
    "ChipAt",
    "Cluster",
    "CollectiveResult",
    "Comparison",
    "Compute",
    "DeviceMesh",
    "DimensionOrder",
    "Fabric",
    "FailureRates",
    "Faults",
    "Gpu",
    "Groups",
    "InvalidArgument",
    "InvalidSchedule",
    "InvalidType",
    "Layout",
    "Link",
    "LinkAt",
    "LinkLoads",
    "Machine",
    "Meeting",
    "MinimalAdaptive",
    "MonteCarlo",
    "Neuron",
    "Nic",
    "OutOfRange",
    "Plan",
    "PlanResult",
    "RainierError",
    "Ranking",
    "Recoveries",
    "Route",
    "RoutingReport",
    "Schedule",
    "Send",
    "Shortest",
    "Site",
    "Table",
    "Tenant",
    "TenantsResult",
    "Tier",
    "TogetherResult",
    "UltraServer",
    "UnknownName",
    "Unreachable",
    "Unsupported",
    "UpDown",
    "Valiant",
    "Wan",
    "WildFirst",
    "__version__",
    "algorithms",
    "assumptions",
    "build_info",
    "calibrate",
    "catalog",
    "compare",
    "domain",
    "full_mesh",
    "memory_limit",
    "policies",
    "preset",
    "presets",
    "schedule",
    "switch",
    "torus",
]


# Classes whose modules load when they are asked for.
_LATE = {
    **dict.fromkeys(
        (
            "Bottleneck",
            "CollectiveResult",
            "Comparison",
            "Link",
            "LinkLoads",
            "Meeting",
            "MonteCarlo",
            "PlanResult",
            "Recoveries",
            "Route",
            "RoutingReport",
            "Table",
            "TogetherResult",
        ),
        "rainier_fast.results",
    ),
    **dict.fromkeys(("Block", "Schedule", "Send"), "rainier_fast.ask.schedule"),
    **dict.fromkeys(("Layout", "Ranking"), "rainier_fast.studies.ranking"),
    "DeviceMesh": "rainier_fast.collectives.mesh",
    "Compute": "rainier_fast.collectives.plan",
    "Plan": "rainier_fast.collectives.plan",
    "Tenant": "rainier_fast.studies.placing",
    "TenantsResult": "rainier_fast.studies.tenants",
    **dict.fromkeys(("Calibration", "calibrate"), "rainier_fast.measure"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - several kinds of names
    # What a bare import does not need is made when it is asked for.
    if name in _KNOWN:
        return _known(name)
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
