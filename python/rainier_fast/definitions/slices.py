"""Which slices of a TPU pod there are, and which of their axes wrap.

Parts with a 3-D torus are built of cubes of 4x4x4 chips whose faces meet in optical switches, which
join any cubes: a slice of whole cubes wraps on every axis, a smaller one on none. Parts with a 2-D
torus are wired once, so only an axis that spans the pod wraps. (Google Cloud TPU docs; How To Scale
Your Model, tpus.md; Jouppi et al., TPU v4, ISCA 2023.)
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from rainier_fast.catalog import Entry
from rainier_fast.catalog.load import number_of
from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.check import as_count
from rainier_fast.errors import invalid, invalid_type

_LETTERS: Final = "xyz"
_RULES: Final = "Google Cloud TPU docs"

# Slices below one cube, in the order of their sizes; a host has 2x2x1 chips.
_BELOW_A_CUBE: Final = ((1, 2, 2), (2, 2, 2), (2, 2, 4), (2, 4, 4))

# All slices of the 2-D parts (Google Cloud TPU docs, v5e and v6e).
_FLAT: Final = ((1, 1), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8), (8, 16), (16, 16))


def as_shape(shape: object) -> tuple[int, ...]:
    """Return ``shape=`` as a tuple of counts."""
    many = isinstance(shape, Sequence) or getattr(shape, "ndim", 0) == 1
    if isinstance(shape, str | bytes) or not many:
        raise invalid_type("shape", shape, "must be chips along each axis, such as (4, 4, 8)")
    sizes = list(shape)  # type: ignore[call-overload]
    return tuple(as_count(f"shape[{at}]", size) for at, size in enumerate(sizes))


def slice_axes(entry: Entry, shape: tuple[int, ...] | None = None) -> tuple[Axis, ...]:
    """Return the axes of a slice, rings where it wraps and lines where it does not."""
    whole = _extents(entry)
    sizes = whole if shape is None else shape
    if len(sizes) != len(whole):
        raise invalid("shape", sizes, f"must have {len(whole)} axes, as {entry.name} has")
    wraps = _cubic(entry, sizes, whole) if "cube_side" in entry else _flat(entry, sizes)
    return tuple(
        Axis(
            letter,
            size,
            "ring" if wrap else "line",
            entry["link_bandwidth"].number,
            number_of(entry["link_latency"]),
        )
        for letter, size, wrap in zip(_LETTERS, sizes, wraps, strict=False)
    )


def shape_of(entry: Entry, chips: int) -> tuple[int, ...] | None:
    """Return the shape of the slice of so many chips, of several the least long; None without."""
    return min(_shapes(entry, chips), key=lambda shape: sorted(shape, reverse=True), default=None)


def rule_of(entry: Entry, chips: int) -> str:
    """Return which slices can be bought, and the counts nearest to one that cannot."""
    counts = _counts(entry)
    at = bisect_left(counts, chips)
    # A count that there is, in a shape that there is not, is its own neighbour.
    around = [chips] if chips in counts else counts[max(at - 1, 0) : at + 1]
    nearest = " and ".join(f"{count:,}" for count in around)
    if "cube_side" in entry:
        side = int(entry["cube_side"].number)
        below = ", ".join(str(math.prod(small)) for small in _BELOW_A_CUBE)
        sold = f"whole cubes of {side**3} chips, or {below} chips of one cube"
    else:
        sold = f"{', '.join(map(str, counts))} chips"
    return f"slices of {entry.name} are {sold} ({_RULES}); the nearest count: {nearest}"


def _shapes(entry: Entry, chips: int) -> list[tuple[int, ...]]:
    """Return all shapes of so many chips."""
    if "cube_side" not in entry:
        return [shape for shape in _FLAT if math.prod(shape) == chips]
    side, most = int(entry["cube_side"].number), math.prod(_extents(entry))
    cubes, rest = divmod(chips, side**3)
    if rest:
        return [tuple(sorted(small)) for small in _BELOW_A_CUBE if math.prod(small) == chips]
    if not 0 < chips <= most:
        return []
    return [
        (side * one, side * other, side * (cubes // (one * other)))
        for one in range(1, math.isqrt(cubes) + 1)
        for other in range(one, math.isqrt(cubes // one) + 1)
        if cubes % (one * other) == 0
    ]


def _counts(entry: Entry) -> list[int]:
    """Return how many chips slices have, ascending."""
    if "cube_side" not in entry:
        return [math.prod(shape) for shape in _FLAT]
    cube, most = int(entry["cube_side"].number) ** 3, math.prod(_extents(entry))
    below = [math.prod(small) for small in _BELOW_A_CUBE]
    return [*below, *range(cube, most + 1, cube)]


def check_twistable(entry: Entry, sizes: tuple[int, ...]) -> None:
    """Refuse a shape that cannot be twisted."""
    if "cube_side" not in entry:
        allowed = f"must be False: {entry.name} is wired as a plain 2-D torus"
        raise invalid("twisted", value=True, allowed=allowed)
    side = int(entry["cube_side"].number)
    least, middle, most = sorted(sizes)
    if least % side or most != 2 * least or middle not in (least, most):
        allowed = (
            f"cannot be twisted: only k x k x 2k and k x 2k x 2k can, with k a multiple of {side}, "
            "such as (4, 4, 8) or (4, 8, 8)"
        )
        raise invalid("shape", sizes, allowed)


def _cubic(entry: Entry, sizes: tuple[int, ...], whole: tuple[int, ...]) -> tuple[bool, ...]:
    side = int(entry["cube_side"].number)
    if not any(size % side for size in sizes):
        if math.prod(sizes) > math.prod(whole):
            pod = "x".join(map(str, whole))
            allowed = f"must have at most the {math.prod(whole):,} chips of the pod, {pod}"
            raise invalid("shape", sizes, allowed)
        return (True,) * len(sizes)
    if tuple(sorted(sizes)) not in _BELOW_A_CUBE:
        below = ", ".join("x".join(map(str, reversed(small))) for small in _BELOW_A_CUBE)
        allowed = (
            f"must be whole cubes (each side a multiple of {side}) or a part of one cube "
            f"({below}, in any order); {rule_of(entry, math.prod(sizes))}"
        )
        raise invalid("shape", sizes, allowed)
    return (False,) * len(sizes)


def _flat(entry: Entry, sizes: tuple[int, ...]) -> tuple[bool, ...]:
    span = int(entry["wrap_extent"].number)
    if tuple(sorted(sizes)) not in _FLAT:
        known = ", ".join("x".join(map(str, one)) for one in _FLAT)
        rule = rule_of(entry, math.prod(sizes))
        raise invalid("shape", sizes, f"must be one of {known}, in either order; {rule}")
    return tuple(size == span for size in sizes)


def _extents(entry: Entry) -> tuple[int, ...]:
    return tuple(
        int(entry[f"extent_{letter}"].number) for letter in _LETTERS if f"extent_{letter}" in entry
    )
