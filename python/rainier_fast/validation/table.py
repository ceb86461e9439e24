"""References that are tables: each row says a machine, a call on it, and what is read off it.

A row has the fields of its source, its part of it and its group, with its own over them:
``machine`` is one of `MACHINES`, ``call`` one of `CALLS` or a collective, ``take`` one of `TAKES`;
they say which fields else they need. ``case`` and ``note`` may quote fields, and `WORDS`. Groups
without rows have those of their part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rainier_fast.machine.machine import Machine
from rainier_fast.validation.calls import CALLS, MACHINES, TAKES, WORDS, collective
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

_Case = Mapping[str, Any]


def rows(name: str) -> list[Row]:
    """Return the rows of a source that is a table."""
    found: list[Row] = []
    for part in _parts(name):
        for group in part["groups"]:
            given = {**part, **group}
            found += [_row({**given, **line}) for line in given["rows"]]
    return found


def _parts(name: str) -> list[dict[str, Any]]:
    data = read(name)
    return [{**data, **part} for part in data.pop("parts", [{}])]


def _row(case: _Case) -> Row:
    machine = MACHINES[case["machine"]](case)
    result = CALLS.get(case.get("call", ""), collective)(machine, case)
    words = _Words(case, machine, result)
    return Row(
        case["group"],
        case["case"].format_map(words),
        case["quantity"],
        case["unit"],
        case["published"],
        TAKES[case["take"]](result, case),
        case.get("kind") or result.kind,
        case.get("model") or result.model,
        case["source"],
        case.get("note", "").format_map(words),
    )


class _Words(dict[str, Any]):
    """What texts of a row may quote: `WORDS`, made when asked for, and its fields."""

    def __init__(self, case: _Case, machine: Machine, result: object) -> None:
        super().__init__({name: value for name, value in case.items() if name not in WORDS})
        self._asked = machine, result, case

    def __missing__(self, name: str) -> str:
        return WORDS[name](*self._asked)
