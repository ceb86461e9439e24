"""Measured training runs: a row of ``data/training`` each, as fields by name.

A row has the fields of its file and of its group, with its own over them; ``columns`` names those
of a row.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

_ROOM = "rainier_fast.measured"


class Runs(NamedTuple):
    """The runs of one source."""

    rows: tuple[dict[str, Any], ...]
    shapes: dict[str, Any]
    """Models that are no others' than this source's, as fields."""


def read(source: str) -> Runs:
    """Return the runs of a source."""
    file = resources.files(_ROOM).joinpath("data", "training", f"{source}.json")
    data = dict(json.loads(file.read_text("utf-8")))
    shapes = data.pop("models", {})
    rows = tuple(
        {**data, **group, **dict(zip(group.get("columns") or data["columns"], row, strict=True))}
        for group in data.pop("groups")
        for row in group.pop("rows")
    )
    return Runs(rows, shapes)


@cache
def runs_on(machine: str) -> tuple[tuple[dict[str, Any], dict[str, Any]], ...]:
    """Return the rows with a throughput on the preset of this name, with their source's shapes."""
    folder = resources.files(_ROOM).joinpath("data", "training")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".json"))
    every = (read(name.removesuffix(".json")) for name in names)
    return tuple(
        (row, runs.shapes)
        for runs in every
        for row in runs.rows
        if row["machine"] == machine and ("step_s" in row or "tokens_per_s" in row)
    )
