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
    Chip,
    DimensionOrder,
    Fabric,
    MinimalAdaptive,
    Neuron,
    Nic,
    Site,
    Tier,
    UltraServer,
    Valiant,
    Wan,
)
from rainier_fast.definitions.known import KNOWN as _KNOWN
from rainier_fast.definitions.known import known as _known
from rainier_fast.errors import (
    InvalidArgument,
    InvalidType,
    OutOfRange,
    RainierError,
    UnknownName,
    Unreachable,
    Unsupported,
)
from rainier_fast.machine import (
    Cluster,
    Groups,
    Machine,
    algorithms,
    domain,
    full_mesh,
    preset,
    presets,
    switch,
    torus,
)

if TYPE_CHECKING:
    from rainier_fast.machine.mesh import DeviceMesh
    from rainier_fast.measure import Calibration, calibrate
    from rainier_fast.results import Bottleneck, CollectiveResult, Link, LinkLoads, Route, Table

    TRN1_INSTANCE: UltraServer
    TRN2_INSTANCE: UltraServer
    TRN2_ULTRASERVER: UltraServer
    TRN3_ULTRASERVER_GEN1: UltraServer
    TRN3_ULTRASERVER_GEN2: UltraServer

__all__ = [
    "TRN1_INSTANCE",
    "TRN2_INSTANCE",
    "TRN2_ULTRASERVER",
    "TRN3_ULTRASERVER_GEN1",
    "TRN3_ULTRASERVER_GEN2",
    "Axis",
    "Bottleneck",
    "Calibration",
    "Chip",
    "Cluster",
    "CollectiveResult",
    "DeviceMesh",
    "DimensionOrder",
    "Fabric",
    "Groups",
    "InvalidArgument",
    "InvalidType",
    "Link",
    "LinkLoads",
    "Machine",
    "MinimalAdaptive",
    "Neuron",
    "Nic",
    "OutOfRange",
    "RainierError",
    "Route",
    "Site",
    "Table",
    "Tier",
    "UltraServer",
    "UnknownName",
    "Unreachable",
    "Unsupported",
    "Valiant",
    "Wan",
    "__version__",
    "algorithms",
    "assumptions",
    "build_info",
    "calibrate",
    "catalog",
    "domain",
    "full_mesh",
    "preset",
    "presets",
    "switch",
    "torus",
]


# Classes of results, whose modules load with the first result.
_RESULTS = ("Bottleneck", "CollectiveResult", "Link", "LinkLoads", "Route", "Table")
_MEASURE = ("Calibration", "calibrate")


def __getattr__(name: str) -> Any:  # noqa: ANN401 - several kinds of names
    # What a bare import does not need is made when it is asked for.
    if name in _KNOWN:
        return _known(name)
    if name in _MEASURE:
        from rainier_fast import measure

        return getattr(measure, name)
    if name in _RESULTS or name == "DeviceMesh":
        from importlib import import_module

        where = "rainier_fast.machine.mesh" if name == "DeviceMesh" else "rainier_fast.results"
        return getattr(import_module(where), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
