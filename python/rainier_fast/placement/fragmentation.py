"""What rules of allotting leave usable, after jobs that come and go at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_count, as_integer, as_items, as_number
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.memory import reckon
from rainier_fast.placement.packing import pack
from rainier_fast.placement.torus import Region, Shape, Torus, Triple, as_triple
from rainier_fast.table import Table

RULES: Final = ("torus3d", "first", "random", "ours")
"""``torus3d``: Slurm's choice among anchors at multiples of the shape; ``first`` and ``random``
anchors of the same; ``ours``: the packing of `Machine.place`, z of the torus as planes."""

_MOST_NODES: Final = 2**14
Pick: TypeAlias = Callable[[Shape, NDArray[np.bool_]], "list[int] | None"]


@dataclass(frozen=True, slots=True)
class _Field:
    """A full torus, nodes by number, x fastest, and its anchors."""

    torus: Torus
    blocks: dict[Triple, NDArray[np.int64]]


def fragmentation(
    dims: Sequence[int],
    shapes: Sequence[Sequence[int]],
    *,
    load: float = 0.6,
    steps: int = 2000,
    rules: Sequence[str] = RULES,
    seed: int = 0,
) -> Table:
    """Return how much of what is idle rules leave usable, after jobs that come and go at random.

    Jobs of the shapes, each as likely, come while fewer than `load` of the nodes are busy; else a
    job, each as likely, ends. All rules are told the same shapes and the same chances. One that
    cannot be placed counts as refused, and another one comes.

    Parameters
    ----------
    dims
        Nodes along x, y and z.
    shapes
        Shapes of jobs, each of x, y and z.
    load
        The share of nodes that jobs keep busy.
    steps
        Arrivals and ends; the second half is counted.
    rules
        Of `RULES`.
    seed
        Seed of the chances.

    Returns
    -------
    Table
        A row for each rule and shape: ``rule``, ``shape``, ``idle`` share of nodes, ``usable``: of
        the idle nodes, those of idle anchors of the shape (means over steps), and ``refused``: the
        share of arrivals of that shape.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If an argument is not usable.

    Examples
    --------
    >>> table = fragmentation((1, 1, 4), [(1, 1, 1), (1, 1, 2)], steps=200)
    >>> table["rule"][::2].tolist()
    ['torus3d', 'first', 'random', 'ours']
    """
    size = as_triple("dims", dims, 1)
    if prod(size) > _MOST_NODES:
        raise invalid("dims", size, f"must have at most {_MOST_NODES:,} nodes")
    forms = [
        as_triple(f"shapes[{at}]", one, 1)
        for at, one in enumerate(as_items("shapes", shapes, "must be shapes"))
    ]
    if not forms or len(set(forms)) < len(forms):
        raise invalid("shapes", forms, "must be at least one, each another")
    share = as_number("load", load, 0.0, 1.0, "must be 0 to 1")
    count = as_count("steps", steps, 10**6)
    number = as_integer("seed", seed, 0, 2**63 - 1)
    names = [as_one_of("rules", rule, RULES) for rule in as_items("rules", rules, "must be names")]
    field = _field(size, forms)
    rows = [row for rule in names for row in _run(field, rule, share, count, number)]
    columns = ("rule", "shape", "idle", "usable", "refused")
    return Table({name: [row[at] for row in rows] for at, name in enumerate(columns)})


def _field(size: Triple, forms: Sequence[Triple]) -> _Field:
    nodes = tuple(f"n{at}" for at in range(prod(size)))
    reckon(8 * len(nodes) * len(forms), "anchors of shapes", "use a smaller torus")
    torus = Torus("torus", size, (Region((0, 0, 0), size, nodes),), tuple(map(Shape, forms)))
    blocks = {
        form: np.array([[int(node[1:]) for node in block] for block in torus.blocks(form)])
        for form in forms
    }
    return _Field(torus, blocks)


def _run(
    field: _Field, rule: str, load: float, steps: int, seed: int
) -> list[tuple[str, str, float, float, float]]:
    """Return the rows of a rule."""
    chances = np.random.default_rng(seed)
    own = np.random.default_rng(seed + 1)
    pick = _picker(field, rule, own)
    idle = np.ones(len(field.torus.nodes), np.bool_)
    jobs: list[list[int]] = []
    forms = list(field.blocks)
    shares: list[float] = []
    usable: dict[Triple, list[float]] = {form: [] for form in forms}
    asked = dict.fromkeys(forms, 0)
    refused = dict.fromkeys(forms, 0)
    for step in range(steps):
        which, ending = int(chances.integers(len(forms))), chances.random()
        counted = step >= steps // 2
        if idle.mean() > 1 - load or not jobs:
            form = forms[which]
            got = pick(Shape(form), idle)
            if counted:
                asked[form] += 1
                refused[form] += got is None
            if got is not None:
                idle[got] = False
                jobs.append(got)
        else:
            ended = jobs.pop(int(ending * len(jobs)))
            idle[ended] = True
        if counted:
            left = int(idle.sum())
            shares.append(left / idle.size)
            for form in forms:
                whole = idle[field.blocks[form]].all(axis=1).sum() * prod(form)
                usable[form].append(float(whole / left) if left else 1.0)
    return [
        (
            rule,
            "x".join(map(str, form)),
            float(np.mean(shares)),
            float(np.mean(usable[form])),
            refused[form] / max(asked[form], 1),
        )
        for form in forms
    ]


def _picker(field: _Field, rule: str, chances: np.random.Generator) -> Pick:
    torus = field.torus
    if rule == "torus3d":
        return lambda shape, idle: _by_slurm(torus, shape, idle)
    if rule == "ours":
        return lambda shape, idle: _by_packing(torus.dims, shape, idle)

    def anchor(shape: Shape, idle: NDArray[np.bool_]) -> list[int] | None:
        blocks = field.blocks[shape.dims]
        fits = np.flatnonzero(idle[blocks].all(axis=1))
        if not fits.size:
            return None
        at = fits[0] if rule == "first" else fits[chances.integers(fits.size)]
        return [int(node) for node in blocks[at]]

    return anchor


def _by_slurm(torus: Torus, shape: Shape, idle: NDArray[np.bool_]) -> list[int] | None:
    bits = int.from_bytes(np.packbits(idle, bitorder="little").tobytes(), "little")
    best = torus._best(shape.size, bits)
    return None if best is None else [at for at in range(idle.size) if best >> at & 1]


def _by_packing(dims: Triple, shape: Shape, idle: NDArray[np.bool_]) -> list[int] | None:
    """Return nodes by `pack`: columns along z are UltraServers, z their planes."""
    x, y, z = dims
    columns = idle.reshape(z, x * y).T
    if int(idle.sum()) < shape.size:
        return None
    try:
        picked = pack(columns, shape.size, [np.zeros(x * y, np.int64)], min(shape.size, z))
    except ValueError:
        return None
    return [plane * x * y + column for column, plane in picked]
