"""vTrain's measured points, read from their file: VIA-Research/vTrain, ``data/ground_truth_*.csv``.

Two points are in ``measured/data/training``; the file is not part of this package. Its multi-node
points are of 64 nodes of 8 A100 with 800 Gb/s of InfiniBand each (its ``config/validation``), and
those of one node of the same part. ``python -m rainier_fast.validation.vtrain FILE`` prints errors.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rainier_fast.errors import invalid
from rainier_fast.measured.training import read
from rainier_fast.validation.row import Row, mean_error, worst_error
from rainier_fast.validation.training import compare
from rainier_fast.validation.training_cases import Case, case

_COLUMNS: Final = {
    "# GPUs": "chips",
    "global batch": "batch",
    "micro batch": "microbatch",
    "hidden size": "hidden",
    "attention heads": "heads",
    "# layers": "layers",
    "sequence length": "sequence",
    "tensor parallelism": "tp",
    "data parallelism": "dp",
    "pipeline parallelism": "pp",
}
_TIME: Final = "iteration time (ms)"
_SHAPE: Final = ("hidden", "heads", "layers")
_NODE: Final = 8
FITTED_EVERY: Final = 3
"""Of points in the order of the file, from 0 on, one of so many may be fitted."""


def read_points(path: str | Path) -> list[Case]:
    """Read the points of a file, in its order; of one node, those on all of its 8 GPUs."""
    runs = read("vtrain")
    known = {name: value for name, value in runs.rows[0].items() if name != "columns"}
    other = runs.shapes["vtrain-3.6b"]
    found = []
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        for index, line in enumerate(csv.DictReader(file)):
            row = _numbers(line, index)
            if row["chips"] < _NODE:
                continue
            sizes = {name: int(row.pop(name)) for name in _SHAPE}
            chips, replicas = int(row["chips"]), int(row.pop("dp"))
            shape = {**other, **sizes, "ffn": 4 * sizes["hidden"], "positions": row["sequence"]}
            group = "vTrain, A100" if chips > _NODE else "vTrain, one node of A100"
            fields = {
                **known,
                **row,
                "group": group,
                "family": group,
                "model": "GPT",
                "fit": not index % FITTED_EVERY,
            }
            made = case(fields, {"GPT": shape})
            if made.dp != replicas:
                raise invalid(
                    f"row {index}", replicas, f"must be {made.dp} replicas, by its other axes"
                )
            found.append(made)
    return found


def _numbers(line: dict[str, str | Any], index: int) -> dict[str, Any]:
    try:
        row: dict[str, Any] = {ours: int(line[theirs]) for theirs, ours in _COLUMNS.items()}
        row["step_s"] = float(line[_TIME]) / 1e3
    except (KeyError, TypeError, ValueError) as error:
        allowed = f"must be numbers under {', '.join([*_COLUMNS, _TIME])}: {error}"
        raise invalid(f"row {index}", line, allowed) from None
    return row


def summary(path: str | Path) -> str:
    """Return mean and worst errors on the points of a file, those that fits may see apart."""
    groups: dict[str, list[Row]] = {}
    for one in read_points(path):
        row = compare(one)
        groups.setdefault(row.group, []).append(row)
    return "\n".join(
        f"{group}: {len(rows)} points, mean error {mean_error(rows):.1%}, "
        f"worst {worst_error(rows):.1%}, mean of signed errors "
        f"{sum(row.error for row in rows) / len(rows):+.1%}"
        for group, rows in groups.items()
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line: files of points."""
    for path in sys.argv[1:] if arguments is None else arguments:
        print(summary(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
