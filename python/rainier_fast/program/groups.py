"""Who takes part in a collective of a program, as far as its source says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from rainier_fast.definitions.check import as_integer, as_items
from rainier_fast.errors import InvalidType, Unsupported, invalid
from rainier_fast.frozen import frozen, put
from rainier_fast.memory import reckon
from rainier_fast.program.ranks import (
    MOST_MEMBERS,
    MOST_RANKS,
    Ranks,
    as_ranks,
    as_world,
    refuse_repeats,
)
from rainier_fast.program.words import of_ranks

_LIST_BYTES: Final = 40
"""Of one rank in Python's lists: its number and the place that points to it."""


@frozen("groups do not change")
class ProgramGroups:
    """Groups of ranks, kept small: as a rule where there is one, else as 8 bytes a rank.

    Made by `of_lists`, `of_iota`, `own`, `pairs` or `everyone`; equal where kind, world and ranks
    are.

    Examples
    --------
    >>> from rainier_fast import ProgramGroups
    >>> ProgramGroups.of_lists([[0, 1], [2, 3]]).to_lists()
    [[0, 1], [2, 3]]
    >>> print(ProgramGroups.own(start=0, stride=8, size=8192))
    8,192 ranks (0, 8, ... 65528)
    >>> ProgramGroups.of_iota(2, 4, (4, 2), (1, 0)).to_lists()
    [[0, 2, 4, 6], [1, 3, 5, 7]]
    """

    __slots__ = ("_form", "_kind", "_world")

    _kind: str
    _world: int | None
    _form: tuple[Any, ...]
    """("line", start, stride, size), ("iota", count, size, dims, perm) or ("ranks", bytes,
    sizes): sizes are one number where all are equal."""

    def __init__(self) -> None:
        raise InvalidType("ProgramGroups: got a call, use of_lists, of_iota, own, pairs, everyone")

    @classmethod
    def _made(cls, kind: str, world: int | None, form: tuple[Any, ...]) -> ProgramGroups:
        self = object.__new__(cls)
        put(self, _kind=kind, _world=world, _form=form)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._kind, self._world, self._form)

    @classmethod
    def of_lists(
        cls, lists: Sequence[Sequence[int]] | Ranks, world: int | None = None
    ) -> ProgramGroups:
        """Return all groups of a collective, each as its ranks in order; sizes may differ.

        Parameters
        ----------
        lists
            The groups, or an array of groups by ranks. No rank is in two of them.
        world
            Ranks of the program, where known.

        Examples
        --------
        >>> ProgramGroups.of_lists([[0, 2], [1, 3], [4]]).size is None
        True
        """
        world = as_world(world)
        if not isinstance(lists, np.ndarray) or lists.ndim != 2:
            lists = as_items("lists", lists, "must be groups of ranks")
        rows = [as_ranks(f"lists[{at}]", row, world) for at, row in enumerate(lists)]
        if not rows or any(len(row) == 0 for row in rows):
            raise invalid("lists", lists, "must be groups of at least one rank each")
        flat = np.concatenate(rows)
        refuse_repeats("lists", flat)
        sizes = tuple(map(len, rows))
        form = ("ranks", flat.tobytes(), sizes[0] if len(set(sizes)) == 1 else sizes)
        return cls._made("all groups", world, form)

    @classmethod
    def of_iota(
        cls,
        count: int,
        size: int,
        dims: Sequence[int] | None = None,
        perm: Sequence[int] | None = None,
        world: int | None = None,
    ) -> ProgramGroups:
        """Return `count` groups of `size`: the numbers from 0, as `dims`, transposed, cut in order.

        Parameters
        ----------
        count, size
            Groups, and ranks of each.
        dims
            Lengths of the axes that the numbers are laid out on; None for one axis.
        perm
            Order in which the axes are then read; None for the order that they have.
        world
            Ranks of the program, where known.

        Examples
        --------
        >>> ProgramGroups.of_iota(2, 2).to_lists()
        [[0, 1], [2, 3]]
        """
        count = as_integer("count", count, 1, MOST_MEMBERS)
        size = as_integer("size", size, 1, MOST_MEMBERS)
        kept = (count * size,) if dims is None else as_items("dims", dims, "must be lengths")
        axes = tuple(as_integer("dims", one, 1, MOST_MEMBERS) for one in kept)
        order = tuple(range(len(axes)))
        if perm is not None:
            order = tuple(as_items("perm", perm, "must be an order of the axes"))
        if len(axes) > _MOST_AXES or math.prod(axes) != count * size:
            raise invalid(
                "dims", axes, f"must be at most {_MOST_AXES} axes of {count * size} in all"
            )
        order = tuple(as_integer("perm", one, 0, len(axes) - 1) for one in order)
        if sorted(order) != list(range(len(axes))):
            raise invalid("perm", order, f"must have each of the {len(axes)} axes once")
        world = as_world(world)
        most = MOST_RANKS if world is None else world
        if count * size > most:
            raise invalid("count", count, f"must be groups of {size} of at most {most} ranks")
        return cls._made("all groups", world, ("iota", count, size, axes, order))

    @classmethod
    def own(
        cls,
        members: Iterable[int] | None = None,
        *,
        start: int | None = None,
        stride: int | None = None,
        size: int | None = None,
        world: int | None = None,
    ) -> ProgramGroups:
        """Return the group of the recorded rank alone: its members, or start, stride and size.

        Parameters
        ----------
        members
            Its ranks in order.
        start, stride, size
            In their place: first rank, step from each to the next, and number of ranks.
        world
            Ranks of the program, where known.

        Examples
        --------
        >>> ProgramGroups.own([0, 8, 16, 24]).line()
        (0, 8, 4)
        """
        world = as_world(world)
        most = (MOST_RANKS if world is None else world) - 1
        if members is None:
            if start is None or size is None or (stride is None and size != 1):
                got = (start, stride, size)
                raise invalid("start, stride, size", got, "must be three numbers, or give members")
            size = as_integer("size", size, 1, MOST_MEMBERS)
            start = as_integer("start", start, 0, most)
            stride = 1 if size == 1 else as_integer("stride", stride, 1, most)
            if start + stride * (size - 1) > most:
                last = start + stride * (size - 1)
                raise invalid("size", size, f"must leave the last rank, {last}, at most {most}")
            return cls._made("own group", world, ("line", start, stride, size))
        if (start, stride, size) != (None, None, None):
            raise invalid("start, stride, size", (start, stride, size), "must be None with members")
        ranks = as_ranks("members", members, world)
        if not len(ranks):
            raise invalid("members", members, "must have at least one rank")
        refuse_repeats("members", ranks)
        steps = np.diff(ranks)
        if len(ranks) == 1 or (steps[0] > 0 and bool((steps == steps[0]).all())):
            step = 1 if len(ranks) == 1 else int(steps[0])
            return cls._made("own group", world, ("line", int(ranks[0]), step, len(ranks)))
        return cls._made("own group", world, ("ranks", ranks.tobytes(), len(ranks)))

    @classmethod
    def pairs(
        cls, pairs: Iterable[Sequence[int]] | Ranks, world: int | None = None
    ) -> ProgramGroups:
        """Return the pairs of a permute: from which rank to which.

        Examples
        --------
        >>> ProgramGroups.pairs([(0, 1), (1, 2)]).to_pairs()
        [(0, 1), (1, 2)]
        """
        world = as_world(world)
        allowed = "must be pairs of a source and a target"
        if not isinstance(pairs, np.ndarray) or pairs.ndim != 2:
            pairs = as_items("pairs", pairs, allowed)
        rows = [as_ranks(f"pairs[{at}]", row, world) for at, row in enumerate(pairs)]
        if any(len(row) != 2 for row in rows):
            raise invalid("pairs", pairs, allowed)
        flat = np.concatenate([np.empty(0, np.int64), *rows])
        for at, side in enumerate(("sources", "targets")):
            refuse_repeats(f"pairs ({side})", flat[at::2])
        return cls._made("pairs", world, ("ranks", flat.tobytes(), 2))

    @classmethod
    def everyone(cls, world: int) -> ProgramGroups:
        """Return the one group of all ranks of the program.

        Examples
        --------
        >>> ProgramGroups.everyone(65536).size
        65536
        """
        size = as_integer("world", world, 1, MOST_MEMBERS)
        return cls._made("everyone", size, ("line", 0, 1, size))

    @property
    def kind(self) -> str:
        """``"all groups"``, ``"own group"``, ``"pairs"`` or ``"everyone"``."""
        return self._kind

    @property
    def world(self) -> int | None:
        """Ranks of the program, where known."""
        return self._world

    @property
    def size(self) -> int | None:
        """Ranks of a group; None of pairs, and where groups differ in size."""
        if self._kind == "pairs":
            return None
        what = self._form[0]
        if what == "line":
            return int(self._form[3])
        sizes = self._form[2]
        return None if isinstance(sizes, tuple) else int(sizes)

    @property
    def count(self) -> int:
        """How many groups, or pairs, are known."""
        what = self._form[0]
        if what == "line":
            return 1
        if what == "iota":
            return int(self._form[1])
        sizes = self._form[2]
        return len(sizes) if isinstance(sizes, tuple) else len(self._form[1]) // 8 // int(sizes)

    @property
    def members(self) -> int:
        """How many ranks all groups that are known have."""
        what = self._form[0]
        if what == "line":
            return int(self._form[3])
        return int(self._form[1] * self._form[2]) if what == "iota" else len(self._form[1]) // 8

    @property
    def form(self) -> tuple[Any, ...]:
        """How they are kept: for files."""
        return self._form

    def line(self) -> tuple[int, int, int] | None:
        """Return start, stride and size where one group alone is known and is evenly spaced.

        Examples
        --------
        >>> ProgramGroups.own([3, 1]).line() is None
        True
        """
        return self._form[1:] if self._form[0] == "line" else None

    def to_array(self) -> Ranks:
        """Return all ranks, group after group, or of pairs source and target in turn.

        Examples
        --------
        >>> ProgramGroups.pairs([(0, 1), (1, 2)]).to_array().tolist()
        [0, 1, 1, 2]
        """
        reckon(8 * self.members, "the ranks of all groups", "ask for size and count")
        what = self._form[0]
        if what == "line":
            start, stride, size = self._form[1:]
            return np.arange(start, start + stride * size, stride, dtype=np.int64)
        if what == "iota":
            count, size, dims, perm = self._form[1:]
            numbers = np.arange(count * size, dtype=np.int64)
            return numbers.reshape(dims).transpose(perm).ravel()
        return np.frombuffer(self._form[1], dtype=np.int64)

    def to_lists(self) -> list[list[int]]:
        """Return the groups that are known, each as its ranks; of a permute source and target.

        Raises
        ------
        Unsupported
            If the lists take more than a call may.

        Examples
        --------
        >>> ProgramGroups.everyone(3).to_lists()
        [[0, 1, 2]]
        """
        if self._kind == "pairs":
            return [[source, target] for source, target in self.to_pairs()]
        needed = _LIST_BYTES * self.members + 64 * self.count
        reckon(needed, f"lists of {self.members:,} ranks", "use to_array, or size and count")
        ranks = self.to_array().tolist()
        size = self.size
        if size is not None:
            return [ranks[at : at + size] for at in range(0, len(ranks), size)]
        ends = np.cumsum(self._form[2]).tolist()
        return [ranks[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def to_pairs(self) -> list[tuple[int, int]]:
        """Return the pairs of a permute, each from which rank to which.

        Raises
        ------
        Unsupported
            If it has groups in place of pairs.

        Examples
        --------
        >>> ProgramGroups.pairs([(1, 0)]).to_pairs()
        [(1, 0)]
        """
        if self._kind != "pairs":
            raise Unsupported("groups: got groups, which have no pairs; use to_lists")
        needed = 2 * _LIST_BYTES * self.members
        reckon(needed, f"{self.count:,} pairs", "use to_array")
        ranks = self.to_array().tolist()
        return list(zip(ranks[::2], ranks[1::2], strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProgramGroups):
            return NotImplemented
        if self._face() != other._face():
            return False
        if self._form == other._form:
            return True
        if self._form[0] == other._form[0] == "ranks":
            return False
        return bool(np.array_equal(self.to_array(), other.to_array()))

    def __hash__(self) -> int:
        return hash(self._face())

    def _face(self) -> tuple[Any, ...]:
        sizes = self._form[2] if self.size is None else self.size
        return self._kind, self._world, self.count, sizes

    def __str__(self) -> str:
        if self._kind == "everyone":
            return f"all {self._world:,} ranks"
        if self._kind == "pairs":
            first = ", ".join(f"{a} to {b}" for a, b in self._first_pairs())
            return f"{self.count:,} pairs ({first}{', ...' if self.count > _SHOWN else ''})"
        if self._kind == "own group":
            plural = "rank" if self.size == 1 else "ranks"
            return f"{self.size:,} {plural} ({of_ranks(self._own_ranks())})"
        size = "several sizes" if self.size is None else f"{self.size:,} ranks"
        return f"{self.count:,} groups of {size}"

    def __repr__(self) -> str:
        return f"<ProgramGroups, {self._kind}: {self}>"

    def _first_pairs(self) -> list[tuple[int, int]]:
        flat = np.frombuffer(self._form[1], dtype=np.int64, count=min(2 * _SHOWN, self.members))
        ranks = flat.tolist()
        return list(zip(ranks[::2], ranks[1::2], strict=True))

    def _own_ranks(self) -> Sequence[int]:
        if (line := self.line()) is not None:
            start, stride, size = line
            return range(start, start + stride * size, stride)
        ranks: list[int] = self.to_array().tolist()
        return ranks


_SHOWN: Final = 3
_MOST_AXES: Final = 32


def _restored(kind: str, world: int | None, form: tuple[Any, ...]) -> ProgramGroups:
    return ProgramGroups._made(kind, world, form)
