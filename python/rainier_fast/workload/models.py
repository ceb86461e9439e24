"""Models whose configurations are published, by name."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from rainier_fast.errors import as_one_of
from rainier_fast.workload.data import read_data
from rainier_fast.workload.parts import Experts, Mla, Window
from rainier_fast.workload.transformer import Transformer

_PARTS: Final = {"mla": Mla, "experts": Experts, "window": Window}


def models() -> dict[str, str]:
    """Return the models that are known by name.

    Returns
    -------
    dict of str to str
        Names, and one line each: what it is, its size, and where its configuration is from.

    Examples
    --------
    >>> print(models()["llama-3.1-405b"])
    Llama 3.1 405B, 405.9 billion parameters; config.json of meta-llama/Llama-3.1-405B
    """
    lines = {}
    for name, entry in _entries().items():
        shape = model(name)
        size = f"{shape.parameters / 1e9:.1f} billion parameters"
        if shape.experts is not None:
            size += f", {shape.active_parameters / 1e9:.1f} a token"
        lines[name] = f"{entry['title']}, {size}; {entry['source']}"
    return lines


def model(name: str) -> Transformer:
    """Return a model by its name.

    Parameters
    ----------
    name
        One of `models`.

    Returns
    -------
    Transformer
        Its shape; ``dataclasses.replace`` makes another of it.

    Raises
    ------
    UnknownName
        If there is no such model.
    InvalidType
        If it is not text.

    Examples
    --------
    >>> shape = model("deepseek-v3")
    >>> f"{shape.parameters:,} and {shape.active_parameters:,} a token"
    '671,026,419,200 and 37,552,297,472 a token'
    """
    return named("name", name)


def named(argument: str, name: object) -> Transformer:
    """Return a model by its name, which an argument gave."""
    return _made(as_one_of(argument, name, _entries()))


def longest_context(shape: Transformer) -> int | None:
    """Return the most tokens that a known model takes, by its configuration; None of others."""
    if shape.positions:
        return shape.positions
    entry = _entries().get(shape.name)
    if entry is None or _made(shape.name) != shape:
        return None
    known: int | None = entry.get("context")
    return known


@cache
def _made(name: str) -> Transformer:
    fields = dict(_entries()[name]["shape"])
    for part, kind in _PARTS.items():
        if part in fields:
            fields[part] = kind(**fields[part])
    return Transformer(name=name, **fields)


@cache
def _entries() -> dict[str, Any]:
    entries: dict[str, Any] = read_data("models.json")["models"]
    return entries
