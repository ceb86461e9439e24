"""One result on a screen: candidates, the assumptions that matter most; and the same as a dict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rainier_fast.results.collective import CollectiveResult
from rainier_fast.table import Table
from rainier_fast.units import format_time

_MOST_CANDIDATES: Final = 4
_MOST_ASSUMPTIONS: Final = 6


def explained(result: CollectiveResult, took: float) -> Iterator[str | Table]:
    """Yield what stands below a result: other algorithms, assumptions, the time it took."""
    considered = list(result.candidates)
    if len(considered) > 1:
        rows = [row for row in considered if row["time_s"] == row["time_s"]][:_MOST_CANDIDATES]
        top = {name: [row[name] for row in rows] for name in ("algorithm", "time_s")}
        yield f"fastest of {len(considered)} algorithms\n{Table(top)}"
    named = list(result.assumptions.items())
    if named:
        by_weight = sorted(named, key=lambda item: -_weight(item[0], result))
        lines = ["assumptions that matter most (machine.assumptions has all)"]
        lines += [
            f"  {name} {figure.text}" + (f" ({figure.range_text})" if figure.range_text else "")
            for name, figure in by_weight[:_MOST_ASSUMPTIONS]
        ]
        yield "\n".join(lines)
    yield f"calculated in {format_time(took)}"


def _weight(name: str, result: CollectiveResult) -> float:
    """Return how much of the time an assumption has a hand in, roughly, to sort by."""
    kinds = {"wan": "wan", "efa": "nic", "rdma": "nic", "fabric": "fabric", "site": "site"}
    kinds |= dict.fromkeys(("node", "nvl72", "scale"), "fabric")
    kinds |= dict.fromkeys(("neuronlink", "nvlink", "xgmi", "ici", "ethernet"), "domain")
    kind = kinds.get(name.split("_")[0], name)
    phases = list(result.phases)
    of_class = result.bottleneck is not None and result.bottleneck.link_class.startswith(kind)
    shared = sum(
        row["time_s"] for row in phases if row["bottleneck"].startswith(kind) or row["tier"] == kind
    )
    return float(shared) + (result.time_s if of_class else 0.0)


def told(result: CollectiveResult, took: float) -> dict[str, Any]:
    """Return a result and its machine as a dict."""
    machine = result.machine
    chip = machine.ultraserver.chip
    rates = {} if chip is None else dict(chip.peak_flops)
    about: dict[str, Any] = {
        "definition": repr(machine),
        "name": machine.name,
        "chips": machine.num_chips,
        "ultraservers": machine.num_ultraservers,
        "sites": {site.name: site.num_chips for site in machine.sites},
        "links": machine.num_links,
        "hbm_bytes": None if chip is None else machine.hbm_bytes,
        "peak_flops": {dtype: machine.peak_flops(dtype) for dtype in rates},
    }
    return result.to_dict() | {"machine": about, "calculated_in_s": took}
