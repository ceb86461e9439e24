"""Reads the reference rows beside it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def read(name: str) -> dict[str, Any]:
    """Return the reference data of one source."""
    text = files("rainier_fast.validation").joinpath("data", f"{name}.json").read_text("utf-8")
    return dict(json.loads(text))
