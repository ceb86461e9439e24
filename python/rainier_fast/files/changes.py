"""Changes laid over plain rows: tables by key, lists of named tables by name, the rest anew."""

from __future__ import annotations

from typing import Any, Final

from rainier_fast.files.fields import MARK, Plain
from rainier_fast.files.place import Misplaced

_ENDS: Final = ("_Bps", "_bytes", "_s", MARK)


def changed(base: Plain, changes: Plain, keys: tuple[str | int, ...] = ()) -> Plain:
    """Return a dict with changes; what a change says anew goes, in whatever unit it was said."""
    made = dict(base)
    for key, value in changes.items():
        old = made.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            made[key] = changed(old, value, (*keys, key))
        elif _named(old) and _named(value) and old is not None:
            made[key] = _by_name(old, value, (*keys, key))
        else:
            stem = _stem(key)
            for other in (stem, *(stem + end for end in _ENDS)):
                if other != key:
                    made.pop(other, None)
            made[key] = value
    return made


def _by_name(old: list[Plain], new: list[Plain], keys: tuple[str | int, ...]) -> list[Plain]:
    """Change the tables of a list that are named; all names must be there, or none."""
    known = {row["name"]: row for row in old}
    names = [row["name"] for row in new]
    if not any(name in known for name in names):
        return new
    for at, name in enumerate(names):
        if name not in known:
            said = f"{name!r} is none of {', '.join(known)}, of which others are changed"
            raise Misplaced((*keys, at, "name"), said)
    by_name = {row["name"]: row for row in new}
    return [
        changed(row, by_name[name], (*keys, name)) if name in by_name else row
        for name, row in known.items()
    ]


def _named(rows: Any) -> bool:  # noqa: ANN401 - whatever is there
    if not isinstance(rows, list) or not rows:
        return False
    return all(isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows)


def _stem(key: str) -> str:
    return next((key.removesuffix(end) for end in _ENDS if key.endswith(end)), key)
