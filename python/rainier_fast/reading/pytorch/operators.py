"""Operators of `c10d::` and of those that call it: tensors, types, roots, splits by place."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.program.numbers import dtype_named, width_of
from rainier_fast.reading.pytorch.draft import Draft
from rainier_fast.reading.pytorch.operations import is_functional, operation_of, places_of
from rainier_fast.reading.pytorch.process_groups import ProcessGroups, as_count, as_rank

_LISTED: Final = re.compile(r"Tensor\(([^()]*(?:\([^()]*\))?[^()]*)\)")
_MOST_DIMS: Final = 64


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is recorded of the arguments of an operator, each by its place."""

    dims: Sequence[Any]
    types: Sequence[Any]
    values: Sequence[Any]
    """Numbers and lists, as they are or as text."""


def draft_of(name: str, inputs: Inputs, groups: ProcessGroups) -> Draft | None:
    """Return the collective of an operator; None where it is none."""
    op = operation_of(name)
    if op is None:
        return None
    draft = Draft(op, name, name)
    places = places_of(name)
    if places is None:
        draft.notes.append(f"{name}: the order of its arguments is not known here")
        return draft
    into = _numbers(inputs.dims, places.into)
    out = _numbers(inputs.dims, places.out) if places.out is not None else None
    typed = places.into if places.into is not None else places.out
    draft.dtype = _dtype(inputs.types, typed)
    draft.width = width_of(draft.dtype)
    draft.numbers_in, draft.numbers_out = into, out
    if places.out is None and op in ("all_reduce", "broadcast", "reduce"):
        draft.numbers_out = into
    draft.root = as_rank(_integer(_at(inputs.values, places.root)))
    draft.peer = as_rank(_integer(_at(inputs.values, places.peer)))
    if op == "all_to_all":
        draft.in_splits = _splits(inputs.values, places.in_splits)
        draft.out_splits = _splits(inputs.values, places.out_splits)
    if is_functional(name):
        draft.group_size = as_count(_integer(_at(inputs.values, places.size)))
        _name_group(draft, inputs.values, groups)
    return draft


def numbers_of(dims: object) -> list[int]:
    """Return the elements of each tensor of dims, which may be nested; empty for none."""
    if not isinstance(dims, list) or not dims:
        return []
    if all(type(one) is int for one in dims):
        return [math.prod(dims)] if len(dims) <= _MOST_DIMS and min(dims) >= 0 else []
    found = [numbers_of(one) for one in dims]
    return [number for one in found for number in one]


def typed(types: Sequence[Any]) -> tuple[str | None, int | None]:
    """Return type and width of the first inputs that have a type."""
    for place in range(len(types)):
        if (dtype := _dtype(types, place)) is not None and width_of(dtype) is not None:
            return dtype, width_of(dtype)
    return None, None


def _numbers(dims: Sequence[Any], place: int | None) -> int | None:
    found = numbers_of(_at(dims, place))
    return sum(found) if found else None


def _dtype(types: Sequence[Any], place: int | None) -> str | None:
    """Return the type of the tensors at a place; None where it is not told, or several."""
    text = _at(types, place)
    if not isinstance(text, str) or text in ("", "TensorList", "ScalarList", "Scalar", "None"):
        return None
    inner = _LISTED.findall(text)
    names = {dtype_named(one) for one in (inner or [text])}
    if len(names) != 1 or (not inner and text.startswith(("Generic", "Tuple"))):
        return None
    return names.pop()


def _name_group(draft: Draft, values: Sequence[Any], groups: ProcessGroups) -> None:
    name = values[-1] if values else None
    if isinstance(name, str) and name and not name.startswith("<"):
        draft.group = groups.named(name)
        if draft.group is None:
            draft.notes.append(f"group {name!r}: its members are in no list of groups")


def _splits(values: Sequence[Any], place: int | None) -> str | list[int] | None:
    found = _at(values, place)
    return found if isinstance(found, list) or (isinstance(found, str) and found) else None


def _at(items: Sequence[Any], place: int | None) -> Any:  # noqa: ANN401 - of JSON
    return items[place] if place is not None and place < len(items) else None


def _integer(value: object) -> int | None:
    if type(value) is int:
        return value
    if isinstance(value, str) and len(value) < 20 and value.lstrip("-").isdecimal():
        return int(value)
    return None
