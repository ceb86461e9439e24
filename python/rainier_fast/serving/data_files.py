"""Reads the tables beside it."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def read_data(file: str) -> dict[str, Any]:
    """Return the object that a file of ``data/`` holds."""
    import json  # needed only once a reader asks
    from importlib import resources  # a tenth of numpy's import time

    text = resources.files(__package__).joinpath("data", file).read_text(encoding="utf-8")
    return dict(json.loads(text))
