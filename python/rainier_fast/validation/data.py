"""Reads the reference rows beside it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

__all__ = ["read"]


def read(name: str) -> dict[str, Any]:
    """Return the reference data of one source.

    Parameters
    ----------
    name
        Name of a file in ``validation/data``, without its ending.

    Returns
    -------
    dict
        ``source``, ``unit``, inputs and rows; their shape is the source's own.

    Examples
    --------
    >>> read("h100_nccl")["rows"]["all_to_all"][0]
    7.4
    """
    text = files("rainier_fast.validation").joinpath("data", f"{name}.json").read_text("utf-8")
    return dict(json.loads(text))
