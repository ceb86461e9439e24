"""Values as cells of a table, and digests by which a value is known again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import numpy as np

from rainier_fast.errors import RainierError, invalid_type, shown

Cell: TypeAlias = bool | int | float | str | None

_LETTERS: Final = 200
_DIGEST: Final = 6
_SHORT: Final = 24
_MOST: Final = 2**63
_LONGEST: Final = 2**1023
_ALLOWED: Final = (
    "must be numbers, text, None, tuples and dicts of them, or objects with to_dict, so that a "
    "resumed sweep knows them again"
)


def cell_of(value: object) -> Cell:
    """Return a value as a cell; a TypeError says that it is none."""
    kind = type(value)
    if value is None or kind is float or kind is str or kind is bool:
        return value  # type: ignore[return-value]
    if kind is int:
        if not -_LONGEST < value < _LONGEST:  # type: ignore[operator]
            raise TypeError("an integer above 2**1023 is too long")
        return value  # type: ignore[return-value]
    if isinstance(value, np.generic):
        return cell_of(value.item())
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return cell_of(value.item())
    if isinstance(value, bool | int | float | str):  # subclasses
        plain = next(one for one in (bool, int, float, str) if isinstance(value, one))
        return cell_of(plain.__call__(value) if plain is not str else str.__str__(value))
    raise TypeError(f"a {kind.__name__} is no number, text, bool or None")


def label_of(value: object) -> Cell:
    """Return the cell that stands for a value of a point: itself, its name, or its text."""
    try:
        return cell_of(value)
    except TypeError:
        pass
    try:
        name = getattr(value, "name", None)
        text = name if isinstance(name, str) and name else function_name(value) or str(value)
    except Exception:  # whatever a value's own methods raise
        text = shown(value)
    line = " ".join(text.split())
    return line if len(line) <= _LETTERS else f"{line[: _LETTERS - 3]}..."


def digest_of(value: object, where: str) -> str:
    """Return a short text by which a value is known again, in any process."""
    if type(value) in (float, bool) or (type(value) is int and abs(value) < _MOST):
        return json.dumps(value)
    try:
        text = json.dumps(_canonical(value, where), sort_keys=True)
    except RainierError:
        raise
    except (Exception, RecursionError) as error:  # whatever a value's own methods raise
        raise invalid_type(where, value, _ALLOWED) from error
    return text if len(text) <= _SHORT else hashed(text.encode())


def hashed(data: bytes, size: int = _DIGEST) -> str:
    """Return the digest of bytes."""
    return blake2b(data, digest_size=size).hexdigest()


def function_name(function: object) -> str:
    """Return the name of a function as it is known in any process; empty for what has none."""
    name = getattr(function, "__qualname__", None)
    module = getattr(function, "__module__", None)
    if not isinstance(name, str) or not isinstance(module, str):
        return ""
    return f"{module}.{name}"


def _canonical(value: Any, where: str) -> Any:  # noqa: ANN401 - whatever points hold
    """Return what JSON takes, the same for equal values."""
    try:
        return cell_of(value)
    except TypeError:
        pass
    if isinstance(value, list | tuple):
        return [_canonical(one, where) for one in value]
    if isinstance(value, Mapping):
        pairs = [[_canonical(name, where), _canonical(one, where)] for name, one in value.items()]
        return {"map": sorted(pairs, key=json.dumps)}
    if isinstance(value, np.ndarray):
        return {"array": str(value.dtype), "values": _canonical(value.tolist(), where)}
    kind = type(value).__qualname__
    tell: Callable[[], object] | None = getattr(value, "to_dict", None)
    if callable(tell):
        return {kind: _canonical(tell(), where)}
    if is_dataclass(value) and not isinstance(value, type):
        return {kind: {one.name: _canonical(getattr(value, one.name), where) for one in
                       fields(value)}}  # fmt: skip
    if name := function_name(value):
        return {"function": name}
    said = repr(value)
    if " at 0x" in said:
        raise invalid_type(where, value, _ALLOWED)
    return {kind: said}
