"""A small sweep in one process, for tests of sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rainier_fast as rf

SPACE = {"a": [1, 2, 3], "b": ["x", "y"]}


def answer(a: int, b: str) -> dict[str, Any]:
    return {"twice": 2 * a, "half": a / 2, "text": f"{a}{b}", "odd": a % 2 == 1, "none": None}


def swept(path: Path, space: Any = None, fn: Callable[..., Any] = answer, **words: Any) -> Any:
    return rf.sweep(SPACE if space is None else space, fn, "serial", path, **words)
