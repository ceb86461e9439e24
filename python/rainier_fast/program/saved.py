"""Programs as dicts that JSON takes, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

from rainier_fast.errors import InvalidArgument, RainierError, invalid, invalid_type, shown, unknown
from rainier_fast.files import kept
from rainier_fast.files.kept import as_path
from rainier_fast.program.collective import ProgramCollective
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.saved_groups import groups_told, told_groups

FORMAT: Final = "rainier_fast program"
VERSION: Final = 1
_KEYS: Final = ("format", "version", "source", "world", "rank", "notes", "groups", "collectives")
_TUPLES: Final = ("in_splits", "out_splits", "notes")
_Made = TypeVar("_Made")
_FIELDS: Final = {one.name: one.default for one in fields(ProgramCollective)}


def told(collectives: Iterable[ProgramCollective], **rest: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return collectives as a dict, with the rest; fields with their defaults are left out."""
    places: dict[ProgramGroups, int] = {}
    rows = []
    for one in collectives:
        row: dict[str, Any] = {}
        for name, default in _FIELDS.items():
            value = getattr(one, name)
            if value == default:
                continue
            if isinstance(value, ProgramGroups):
                value = places.setdefault(value, len(places))
            row[name] = list(value) if isinstance(value, tuple) else value
        rows.append(row)
    return {
        "format": FORMAT,
        "version": VERSION,
        **rest,
        "groups": [told_groups(groups) for groups in places],
        "collectives": rows,
    }


def parts_of(given: object) -> tuple[tuple[ProgramCollective, ...], dict[str, Any]]:
    """Return the collectives of a dict, and the rest of what makes a program."""
    top = _object("program", given, _KEYS)
    if top.get("format") != FORMAT:
        raise invalid("format", top.get("format"), f"must be {FORMAT!r}")
    if (version := top.get("version")) != VERSION or type(version) is not int:
        raise invalid("version", version, f"must be {VERSION}: it is of another rainier_fast")
    groups = [
        _within(f"groups[{at}]", groups_told, row)
        for at, row in enumerate(_list("groups", top.get("groups", [])))
    ]
    rows = _list("collectives", top.get("collectives"))
    collectives = tuple(
        _collective(f"collectives[{at}]", row, groups) for at, row in enumerate(rows)
    )
    rest = {name: top[name] for name in ("source", "world", "rank") if name in top}
    return collectives, rest | {"notes": tuple(_list("notes", top.get("notes", [])))}


def write(path: str | Path, content: dict[str, Any]) -> None:
    """Write a dict as JSON, in place of what is there once all of it is written."""
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    target = as_path(path)
    try:
        kept.write(target, text)
    except OSError as error:
        raise invalid("path", path, f"cannot be written: {error.strerror or error}") from error


def _collective(where: str, row: object, groups: list[ProgramGroups]) -> ProgramCollective:
    found = dict(_object(where, row, tuple(_FIELDS)))
    for name in _TUPLES:
        if found.get(name) is not None:
            found[name] = tuple(_list(f"{where}.{name}", found[name]))
    if (place := found.get("groups")) is not None:
        if type(place) is not int or not 0 <= place < len(groups):
            raise invalid(
                f"{where}.groups", place, f"must be a place in groups, 0 to {len(groups) - 1}"
            )
        found["groups"] = groups[place]
    for name in ("name", "op"):
        if name not in found:
            raise InvalidArgument(f"{where}.{name}: got nothing, must be text")
    return _within(where, lambda fields: ProgramCollective(**fields), found)


def _within(where: str, make: Callable[[Any], _Made], given: object) -> _Made:
    """Make something; its errors say where."""
    try:
        return make(given)
    except RainierError as error:
        raise type(error)(f"{where}.{error}") from error


def _object(where: str, value: object, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_type(where, value, "must be an object")
    for key in value:
        if key not in keys:
            raise unknown(f"{where}, key", key if isinstance(key, str) else shown(key), keys)
    return value


def _list(where: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise invalid_type(where, value, "must be a list")
    return value
