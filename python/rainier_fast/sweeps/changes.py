"""What is other in a space than in the one of a file, and where its points are in a larger one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rainier_fast.errors import shown
from rainier_fast.sweeps.space import Listed, Product, Space

_MOST: Final = 3


def changes(old: dict[str, Any], new: Space) -> list[str]:
    """Return what is other, in words; nothing where the spaces are the same."""
    now = new.described()
    if old == now:
        return []
    if old.get("kind") != now["kind"]:
        return [f"it was a {_said(old)} and is a {_said(now)}"]
    if isinstance(new, Listed):
        return _listed(old, new)
    assert isinstance(new, Product)
    was = {axis["name"]: axis for axis in old["axes"]}
    told = [f"axis {shown(name)} is new" for name in new.names if name not in was]
    told += [f"axis {shown(name)} is gone" for name in was if name not in new.names]
    for at, name in enumerate(new.names):
        if name in was and (line := _axis(was[name], new, at)):
            told.append(f"axis {shown(name)}: {line}")
    return told or ["the order of the axes"]


def _said(space: dict[str, Any]) -> str:
    return "product of axes" if space.get("kind") == "product" else "list of points"


def _listed(old: dict[str, Any], new: Listed) -> list[str]:
    if old["points"] != new.size:
        return [f"it had {old['points']:,} points and has {new.size:,}"]
    if old["names"] != list(new.names):
        return [f"its points had {', '.join(old['names'])} and have {', '.join(new.names)}"]
    return ["values of its points, or their order"]


def _axis(old: dict[str, Any], new: Product, at: int) -> str:
    length = len(new.values[at])
    if old["hash"] == new.prefix(at, length) and old["length"] == length:
        return ""
    if "digests" not in old:
        if old["length"] != length:
            return f"it had {old['length']:,} values and has {length:,}"
        return "some of its values, or their order"
    here, there = set(new.digests(at)), set(old["digests"])
    gone = [v for v, one in zip(old["values"], old["digests"], strict=True) if one not in here]
    come = [v for v, one in zip(new.labels[at], new.digests(at), strict=True) if one not in there]
    parts = [f"{_some(gone)} gone"] * bool(gone) + [f"{_some(come)} new"] * bool(come)
    return ", ".join(parts) or "the order of its values"


def _some(values: list[Any]) -> str:
    first = ", ".join(map(shown, values[:_MOST]))
    more = len(values) - _MOST
    return f"{first} and {more:,} more" if more > 0 else first


def moved(old: dict[str, Any], new: Space) -> Callable[[int], int] | None:
    """Return which number a point of the old space has in the new; None where it lacks some."""
    if isinstance(new, Listed):
        if old.get("kind") != "list" or old["points"] > new.size:
            return None
        return _same if new.prefix(old["points"]) == old["hash"] else None
    assert isinstance(new, Product)
    if old.get("kind") != "product":
        return None
    was = {axis["name"]: axis for axis in old["axes"]}
    if set(was) != set(new.names):
        return None
    places = [_places(was[name], new, at) for at, name in enumerate(new.names)]
    if any(one is None for one in places):
        return None
    return _mapping(old["axes"], new, [one or [] for one in places])


def _same(number: int) -> int:
    return number


def _places(old: dict[str, Any], new: Product, at: int) -> list[int] | None:
    """Return where each value of an old axis is in the new one."""
    if "digests" in old:
        here = {digest: place for place, digest in enumerate(new.digests(at))}
        found = [here.get(digest, -1) for digest in old["digests"]]
        return None if -1 in found else found
    length = int(old["length"])
    if length > len(new.values[at]) or new.prefix(at, length) != old["hash"]:
        return None
    return list(range(length))


def _mapping(
    axes: list[dict[str, Any]], new: Product, places: list[list[int]]
) -> Callable[[int], int]:
    order = [new.names.index(axis["name"]) for axis in axes]
    lengths = [int(axis["length"]) for axis in axes]
    sizes = [len(values) for values in new.values]

    def number(old: int) -> int:
        digits = [0] * len(sizes)
        for axis, length in zip(reversed(order), reversed(lengths), strict=True):
            old, digit = divmod(old, length)
            digits[axis] = places[axis][digit]
        found = 0
        for digit, size in zip(digits, sizes, strict=True):
            found = found * size + digit
        return found

    return number
