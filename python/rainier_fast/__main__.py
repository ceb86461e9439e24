"""``python -m rainier_fast``: one machine, one collective, on one screen."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from rainier_fast.ask.options import OPERATIONS
from rainier_fast.collectives.run import run
from rainier_fast.errors import RainierError, as_one_of, invalid
from rainier_fast.machine.presets import preset, presets
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.table import Table
from rainier_fast.units import format_time

_MOST_CANDIDATES = 4
_MOST_ASSUMPTIONS = 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    try:
        started = time.perf_counter()
        result = _result(options)
        took = time.perf_counter() - started
        print(_as_json(result, took) if options.json else _as_text(result, took))
    except RainierError as error:
        print(f"rainier_fast: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rainier_fast",
        description="Model a collective on a machine, and say what bounds it.",
    )
    known = ", ".join(presets())
    parser.add_argument("--preset", default="rainier", metavar="NAME", help=f"machine: {known}")
    parser.add_argument("--chips", metavar="N", help="chips of rainier or of a preset of nodes")
    parser.add_argument("--shape", metavar="AxBxC", help="shape of a TPU slice, such as 4x4x8")
    parser.add_argument("--size", default="1 GiB", help="bytes, such as '1 GiB' (the default)")
    parser.add_argument(
        "--collective", default="all_reduce", metavar="NAME", help=", ".join(OPERATIONS)
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    return parser


def _result(options: argparse.Namespace) -> CollectiveResult:
    as_one_of("collective", options.collective, OPERATIONS)
    machine = preset(options.preset, _chips(options.chips), _shape(options.shape))
    size = 0 if options.collective == "barrier" else options.size
    return run(machine, options.collective, size)


def _chips(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise invalid("chips", text, "must be a whole number above 0")
    return int(digits)


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    sides = text.lower().split("x")
    if not all(side.isascii() and side.isdigit() and len(side) < 10 for side in sides):
        raise invalid("shape", text, "must be whole numbers joined by x, such as 4x4x8")
    return tuple(map(int, sides))


def _as_text(result: CollectiveResult, took: float) -> str:
    parts = [str(result.machine), "", str(result)]
    considered = list(result.candidates)
    if len(considered) > 1:
        rows = [row for row in considered if row["time_s"] == row["time_s"]][:_MOST_CANDIDATES]
        top = {name: [row[name] for row in rows] for name in ("algorithm", "time_s")}
        parts += ["", f"fastest of {len(considered)} algorithms", str(Table(top))]
    named = list(result.assumptions.items())
    if named:
        parts += ["", "assumptions that matter most (machine.assumptions has all)"]
        by_weight = sorted(named, key=lambda item: -_weight(item[0], result))
        parts += [
            f"  {name} {figure.text}" + (f" ({figure.range_text})" if figure.range_text else "")
            for name, figure in by_weight[:_MOST_ASSUMPTIONS]
        ]
    return "\n".join([*parts, "", f"calculated in {format_time(took)}"])


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


def _as_json(result: CollectiveResult, took: float) -> str:
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
    answer = result.to_dict() | {"machine": about, "calculated_in_s": took}
    return json.dumps(answer, indent=2, allow_nan=False)


if __name__ == "__main__":
    sys.exit(main())
