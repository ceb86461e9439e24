"""A journal made into a finished file; and a finished file into a journal, to go on with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from rainier_fast.errors import shown
from rainier_fast.sweeps import kept
from rainier_fast.sweeps.cells import Cell
from rainier_fast.sweeps.journal import Journal
from rainier_fast.sweeps.rows import Record, kind_of
from rainier_fast.sweeps.space import OURS

OTHER: Final = "OtherColumns"
"""Type of the error of a point whose columns are not those of the first that has an answer."""
_LETTERS: Final = 500


def finish(journal: Journal, path: Path) -> None:
    """Write all points in order; memory follows a block of them."""
    axes: list[str] = journal.header["axes"]
    names = () if journal.columns is None else journal.columns[1]
    columns = [(name, kind_of(journal.kinds.get(name, set()))) for name in (*axes, *names)]
    columns += [(name, "str") for name in OURS]
    header = journal.header | {"columns": [list(pair) for pair in columns]}
    kept.write(path, header, (_block(one, dict(columns), names) for one in journal.records()))


def _block(record: Record, columns: dict[str, str], names: tuple[str, ...]) -> kept.Columns:
    """Return a record as columns of the file."""
    n = record["n"]
    errors: list[tuple[Cell, Cell]] = [(None, None)] * n
    answers: dict[str, list[Cell]] = record.get("columns", {})
    if "errors" in record:
        errors = [(kind, text) for kind, text in record["errors"]]
    elif tuple(answers) != names and set(answers) != set(names):
        errors = [(OTHER, _other(answers, names, at)) for at in range(n)]
    given = record["points"] | {name: answers[name] for name in names if name in answers}
    block: kept.Columns = {
        name: _as(kind, given[name]) if name in given else [None] * n
        for name, kind in columns.items()
    }
    return block | {name: [one[at] for one in errors] for at, name in enumerate(OURS)}


def _as(kind: str, values: list[Cell]) -> list[Cell]:
    if kind == "float":
        return [one if one is None else float(one) for one in values]
    if kind == "str":
        return [one if one is None or isinstance(one, str) else json.dumps(one) for one in values]
    return values


def _other(answers: dict[str, list[Cell]], names: tuple[str, ...], at: int) -> str:
    lacks = [name for name in names if name not in answers]
    more = {name: values[at] for name, values in answers.items() if name not in names}
    parts = [f"lacks {', '.join(lacks)}"] * bool(lacks)
    parts += [
        f"has {', '.join(f'{name} = {shown(value)}' for name, value in more.items())}"
    ] * bool(more)
    said = f"fn returned other columns than before: it {' and '.join(parts)}"
    return said if len(said) <= _LETTERS else f"{said[: _LETTERS - 3]}..."


def records_of(
    path: Path, number: Callable[[int], int], axes: tuple[str, ...], *, errors: bool
) -> Iterator[Record]:
    """Yield the rows of a finished file as records, each at its number in another space."""
    found = kept.read(path, str(path))
    was = found.header["axes"]
    names = [one for one, _ in found.header["columns"] if one not in was and one not in OURS]
    kinds, texts = (found.columns[name] for name in OURS)
    held: Record | None = None
    for at in range(found.header["space"]["points"]):
        failed, place = kinds[at] is not None, number(at)
        if failed and not errors:
            continue
        if held is None or place != held["first"] + held["n"] or failed != ("errors" in held):
            if held is not None:
                yield held
            held = _empty(place, axes, [] if failed else names)
            if failed:
                held["errors"] = []
                del held["columns"]
        held["n"] += 1
        for name in axes:
            held["points"][name].append(found.columns[name][at] if name in was else None)
        if failed:
            held["errors"].append([kinds[at], texts[at]])
        else:
            for name in names:
                held["columns"][name].append(found.columns[name][at])
    if held is not None:
        yield held


def _empty(first: int, axes: tuple[str, ...], names: list[str]) -> dict[str, Any]:
    points: dict[str, list[Cell]] = {name: [] for name in axes}
    columns: dict[str, list[Cell]] = {name: [] for name in names}
    return {"first": first, "n": 0, "points": points, "columns": columns}


def moved_records(
    journal: Journal, number: Callable[[int], int], axes: tuple[str, ...], *, errors: bool
) -> Iterator[Record]:
    """Yield the records of a journal, each point at its number in another space."""
    for record in journal.records():
        if "errors" in record and not errors:
            continue
        for at in range(record["n"]):
            one: Record = {"first": number(record["first"] + at), "n": 1}
            points = record["points"]
            one["points"] = {name: [points[name][at]] if name in points else [None]
                             for name in axes}  # fmt: skip
            if "errors" in record:
                one["errors"] = [record["errors"][at]]
            else:
                one["columns"] = {name: [v[at]] for name, v in record["columns"].items()}
            yield one
