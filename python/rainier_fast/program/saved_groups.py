"""Groups as dicts that JSON takes, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rainier_fast.errors import invalid, invalid_type, unknown
from rainier_fast.program.groups import ProgramGroups

_Makers = dict[frozenset[str], Callable[..., ProgramGroups]]

_MAKERS: Final[dict[str, _Makers]] = {
    "everyone": {frozenset({"world"}): ProgramGroups.everyone},
    "pairs": {frozenset({"pairs"}): ProgramGroups.pairs},
    "own group": {
        frozenset({"members"}): ProgramGroups.own,
        frozenset({"start", "stride", "size"}): ProgramGroups.own,
    },
    "all groups": {
        frozenset({"lists"}): ProgramGroups.of_lists,
        frozenset({"count", "size", "dims", "perm"}): ProgramGroups.of_iota,
    },
}
"""What makes each kind, by the keys that it takes; all take the ranks of the program."""


def told_groups(groups: ProgramGroups) -> dict[str, Any]:
    """Return groups as a dict."""
    told: dict[str, Any] = {"kind": groups.kind}
    if groups.world is not None:
        told["world"] = groups.world
    if groups.kind == "everyone":
        return told
    if (line := groups.line()) is not None:
        return told | dict(zip(("start", "stride", "size"), line, strict=True))
    if groups.form[0] == "iota":
        count, size, dims, perm = groups.form[1:]
        return told | {"count": count, "size": size, "dims": list(dims), "perm": list(perm)}
    if groups.kind == "own group":
        return told | {"members": groups.to_array().tolist()}
    if groups.kind == "pairs":
        return told | {"pairs": [list(pair) for pair in groups.to_pairs()]}
    return told | {"lists": groups.to_lists()}


def groups_told(told: object) -> ProgramGroups:
    """Return the groups of a dict."""
    if not isinstance(told, dict):
        raise invalid_type("groups", told, "must be an object")
    kind = told.get("kind")
    if type(kind) is not str or kind not in _MAKERS:
        raise unknown("kind", kind, _MAKERS)
    rest = {key: value for key, value in told.items() if key != "kind"}
    makers = _MAKERS[kind]
    make = makers.get(frozenset(rest)) or makers.get(frozenset(rest) - {"world"})
    if make is None:
        allowed = " or ".join(", ".join(sorted(keys)) for keys in makers)
        raise invalid("keys", sorted(map(str, rest)), f"must be {allowed}, beside world")
    if kind == "pairs":
        return make(rest.pop("pairs"), **rest)
    return make(**rest)
