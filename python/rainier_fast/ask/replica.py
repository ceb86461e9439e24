"""Replica groups as compilers write them: lists of ids, or one sequence of ids cut up."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import invalid, out_of_range
from rainier_fast.memory import reckon

_MOST_LETTERS: Final = 2**24
_IDS: Final = r"\d{1,18}(?:,\d{1,18})*"
_LISTS: Final = re.compile(rf"\{{(?:\{{{_IDS}\}}(?:,\{{{_IDS}\}})*)?\}}")
_IOTA: Final = re.compile(rf"\[({_IDS})\]<=\[({_IDS})\](?:T\(({_IDS})\))?")
_AXIS: Final = r"'\w{1,64}'=\d{1,18}"
_NAME: Final = r"'\w{1,64}'"
_MESH: Final = re.compile(
    rf"mesh\[({_AXIS}(?:,{_AXIS})*)\](?:,device_ids=\(\[({_IDS})\](?:T\(({_IDS})\))?\))?"
    rf"\{{({_NAME}(?:,{_NAME})*)\}}"
)
_ALLOWED: Final = (
    "must be replica groups as HLO writes them: lists as in '{{0,4},{1,5}}', '{}' for one of all, "
    "an iota as in '[4,2]<=[8]' or '[4,2]<=[2,4]T(1,0)', or whole axes of a mesh as in "
    "\"mesh['a'=4,'b'=2] {'b'}\""
)


def replica_groups(name: str, text: str, chips: int) -> NDArray[np.int64] | list[list[int]] | None:
    """Return the groups that text says, a row each; None for one of all chips.

    An iota ``[G,N]<=[dims]T(axes)`` counts 0, 1, ... through an array of ``dims``, transposes it,
    and cuts it into G groups of N (OpenXLA, ``hlo/ir/replica_group.h`` and ``tile_assignment.h``).
    A mesh lays such a sequence, 0, 1, ... without ``device_ids``, out along its axes; each group is
    those ids that differ in the named axes only (seen in texts of jaxlib 0.10.2).
    """
    if len(text) > _MOST_LETTERS:
        raise invalid(name, f"text of {len(text):,} letters", "pass an array of chip numbers")
    words = re.sub(r"\s+", "", text).removeprefix("replica_groups=")
    if _LISTS.fullmatch(words):
        reckon(16 * len(words), f"{name}: a list of groups", "name fewer groups")
        rows = [part.split(",") for part in words[2:-2].split("},{")]
        return [[int(one) for one in row] for row in rows] if words != "{}" else None
    mesh = _MESH.fullmatch(words)
    if mesh is not None:
        return _mesh(name, text, mesh.groups(), chips)
    found = _IOTA.fullmatch(words)
    if found is None:
        raise invalid(name, text, _ALLOWED)
    tile, dims, axes = (
        [int(one) for one in part.split(",")] if part else None for part in found.groups()
    )
    return _iota(name, text, tile or [], dims or [], axes, chips)


def _mesh(name: str, text: str, parts: tuple[str, ...], chips: int) -> NDArray[np.int64]:
    axes, ids, turned, of = parts
    pairs = [part.split("=") for part in axes.split(",")]
    dims, group = {axis: int(size) for axis, size in pairs}, of.split(",")
    if len(dims) < len(pairs) or len(set(group)) < len(group) or not set(group) <= set(dims):
        raise invalid(
            name, text, "must name each axis of the mesh once, and for the group of those"
        )
    rest = [axis for axis in dims if axis not in group]
    sizes = [int(one) for one in ids.split(",")] if ids else list(dims.values())
    order = [int(one) for one in turned.split(",")] if turned else None
    total = math.prod(dims.values())
    flat = _iota(name, text, [1, total], sizes, order, chips).ravel()
    tile = [math.prod(dims[axis] for axis in part) for part in (rest, group)]
    places = {axis: at for at, axis in enumerate(dims)}
    cut = [places[axis] for axis in (*rest, *group)]
    return np.take(flat, _iota(name, text, tile, list(dims.values()), cut, chips))


def _iota(
    name: str, text: str, tile: list[int], dims: list[int], axes: list[int] | None, chips: int
) -> NDArray[np.int64]:
    total = math.prod(dims)
    if len(tile) != 2:
        raise invalid(name, text, "an iota has two numbers on the left: groups, ranks of each")
    if total == 0 or math.prod(tile) != total:
        raise invalid(name, text, "both sides of an iota must have the same product, not 0")
    turned = list(range(len(dims))) if axes is None else axes
    if sorted(turned) != list(range(len(dims))):
        raise invalid(name, text, f"T(...) must name each of the axes 0 to {len(dims) - 1} once")
    if total > chips:
        raise out_of_range(name, total - 1, 0, chips - 1)  # the last id
    reckon(24 * total, f"{name}: groups of {total:,} chips in all", "name fewer groups")
    kept = [size for size in dims if size > 1]  # numpy has no arrays of very many axes
    places = [axis for axis in turned if dims[axis] > 1]
    rank = {axis: at for at, axis in enumerate(sorted(places))}
    order = [rank[axis] for axis in places]
    return np.arange(total).reshape(kept).transpose(order).reshape(tile)
