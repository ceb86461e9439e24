"""Islands that trade what they have learnt: the tables of the DiLoCo papers beside ours.

They print the bandwidth between two islands at which a share of the time is spent computing; we say
the share at that bandwidth. The exchange is what `outer` of a training step is made of: an
all-reduce of the numbers of the model over the WAN.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

from rainier_fast.definitions.known import known
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.wan import Wan
from rainier_fast.machine.machine import Cluster, Machine
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

SOURCE: Final = "diloco"
"""The name of the reference."""

_BF16: Final = 2.0
_BITS: Final = 8
_ALGORITHMS: Final = ("bucket", "ring", "direct")


@cache
def islands(gigabits: float) -> Machine:
    """Return two islands of many NICs, with so many Gbit/s of each to the other."""
    sites = [Site(f"island{at}", 256, known("TRN2_ULTRASERVER"), Fabric()) for at in range(2)]
    return Cluster(sites, wan=Wan(gigabits * 1e9 / _BITS, 0, "hub")).without_latency()


def rows() -> list[Row]:
    """Return each cell of the tables beside ours."""
    data = read(SOURCE)
    return [
        _row(paper, line, int(every), share, gigabits)
        for paper in data["papers"]
        for line in paper["rows"]
        for every, cells in line["by_every"].items()
        for share, gigabits in zip(data["shares"], cells, strict=True)
    ]


def _row(
    paper: dict[str, Any], line: dict[str, Any], every: int, share: float, gigabits: float
) -> Row:
    size = _BF16 * line["parameters"]
    result = islands(gigabits).all_reduce(size, algorithm=_ALGORITHMS, chunks=1)
    traded = math.fsum(row["time_s"] for row in result.stages if row["tier"] == "wan")
    computed = every * line["step_s"]
    return Row(
        group=paper["group"],
        case=f"{line['model']}, {line['step_s']:g} s a step, H {every}, {gigabits:g} Gbit/s",
        quantity="share that computes",
        unit="%",
        published=100 * share,
        ours=100 * computed / (computed + traded),
        kind=result.kind,
        model=result.model,
        source=paper["source"],
        note="bf16, two islands; nothing hidden",
    )
