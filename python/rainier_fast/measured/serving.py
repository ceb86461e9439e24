"""Measured services: a row of ``data/serving`` each, as fields by name.

A row has the fields of its file and of its group, with its own over them; ``columns`` names those
of a row. `docs/serving.md` says what the fields are.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

SOURCES: Final = ("neuron_inf2", "neuron_others", "rates", "gpus")
"""Files of ``data/serving``."""

APART: Final = "apart"
"""The file of services whose prefill and decoding have workers of their own."""

_ROOM: Final = "rainier_fast.measured"


class Services(NamedTuple):
    """The services of one source."""

    rows: tuple[dict[str, Any], ...]
    shapes: dict[str, Any]
    """Models that are no others' than this source's, as fields."""


@cache
def read(source: str) -> Services:
    """Return the services of a source."""
    file = resources.files(_ROOM).joinpath("data", "serving", f"{source}.json")
    data = dict(json.loads(file.read_text("utf-8")))
    shapes = data.pop("models", {})
    rows = tuple(
        {**data, **group, **dict(zip(group.get("columns") or data["columns"], row, strict=True))}
        for group in data.pop("groups")
        for row in group.pop("rows")
    )
    return Services(rows, shapes)
