"""A program: its collectives in order, and what is known of where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainier_fast.definitions.check import as_integer, as_tuple_of
from rainier_fast.errors import invalid_type
from rainier_fast.program import saved
from rainier_fast.program.collective import ProgramCollective
from rainier_fast.program.ranks import MOST_MEMBERS
from rainier_fast.program.words import of_groups
from rainier_fast.screen import Report, one_screen
from rainier_fast.table import Table
from rainier_fast.units import format_bytes, format_count


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class Program(Report):
    """The collectives of a program, in the order in which it has them. Pickles.

    Attributes
    ----------
    collectives
        One for each place in the program; what runs several times has a `count`.
    world
        Ranks of the program, where known.
    rank
        The rank that was recorded, where it is of one.
    source
        What it was read from, in one line.
    notes
        What is not known, and what was passed over.

    Raises
    ------
    InvalidArgument, InvalidType
        If a part is of another type, or the rank is not below `world`.

    Examples
    --------
    >>> from rainier_fast import Program, ProgramCollective, ProgramGroups
    >>> everyone = ProgramGroups.everyone(64)
    >>> step = Program((ProgramCollective("ar", "all_reduce", 2**20, 2**20, "bf16", everyone),))
    >>> print(step.by_op())
    op          collectives  runs   bytes_in  bytes_out
    all_reduce            1     1  1,048,576  1,048,576
    """

    collectives: tuple[ProgramCollective, ...]
    world: int | None = None
    rank: int | None = None
    source: str = "a program"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        items = as_tuple_of("collectives", self.collectives, ProgramCollective)
        object.__setattr__(self, "collectives", items)
        world, rank = self.world, self.rank
        if world is not None:
            world = as_integer("world", world, 1, MOST_MEMBERS)
        if rank is not None:
            rank = as_integer("rank", rank, 0, (world or MOST_MEMBERS) - 1)
        object.__setattr__(self, "world", world)
        object.__setattr__(self, "rank", rank)
        if type(self.source) is not str:
            raise invalid_type("source", self.source, "must be text")
        object.__setattr__(self, "notes", as_tuple_of("notes", self.notes, str))

    def __len__(self) -> int:
        return len(self.collectives)

    def __iter__(self) -> Iterator[ProgramCollective]:
        return iter(self.collectives)

    def __getitem__(self, place: int) -> ProgramCollective:
        count = len(self.collectives)
        return self.collectives[as_integer("place", place, -count, count - 1)]

    def table(self) -> Table:
        """Return a row for each collective: operation, bytes, type, groups, how often, times.

        Returns
        -------
        Table
            Bytes are of one rank; None where the source does not say.

        Examples
        --------
        >>> from rainier_fast import Program, ProgramCollective
        >>> step = Program((ProgramCollective("ar", "all_reduce", 8, 8, "fp32"),))
        >>> step.table()["groups"].tolist()
        ['over unknown ranks']
        """
        names = ("name", "op", "bytes_in", "bytes_out", "dtype", "count", "start_s", "duration_s")
        columns: dict[str, list[Any]] = {
            name: [getattr(one, name) for one in self.collectives] for name in names
        }
        columns["groups"] = [of_groups(one.groups) for one in self.collectives]
        columns["phase"] = [one.phase for one in self.collectives]
        return Table({name: values for name, values in columns.items() if _says(name, values)})

    def by_op(self) -> Table:
        """Return collectives, runs and bytes of one rank by operation.

        Returns
        -------
        Table
            Columns ``op``, ``collectives``, ``runs``, ``bytes_in``, ``bytes_out``: bytes and runs
            of all of them, or None where one of them is not known.

        Examples
        --------
        >>> from rainier_fast import Program, ProgramCollective
        >>> step = Program((ProgramCollective("ar", "all_reduce", 8, 8, "fp32", count=3),))
        >>> next(iter(step.by_op()))["bytes_in"]
        24
        """
        return self._totals("op", [one.op for one in self.collectives])

    def by_groups(self) -> Table:
        """Return collectives, runs and bytes of one rank by the groups that take part.

        Returns
        -------
        Table
            Columns ``groups``, ``collectives``, ``runs``, ``bytes_in``, ``bytes_out``, as `by_op`.

        Examples
        --------
        >>> from rainier_fast import Program, ProgramCollective, ProgramGroups
        >>> groups = ProgramGroups.own(start=0, stride=8, size=4)
        >>> step = Program((ProgramCollective("ar", "all_reduce", 8, 8, "fp32", groups),))
        >>> step.by_groups()["groups"].tolist()
        ['4 ranks (0, 8, 16, 24)']
        """
        words = [of_groups(one.groups).removeprefix("over ") for one in self.collectives]
        return self._totals("groups", words)

    def _totals(self, name: str, keys: list[str]) -> Table:
        alike: dict[str, list[ProgramCollective]] = {}
        for key, one in zip(keys, self.collectives, strict=True):
            alike.setdefault(key, []).append(one)
        rows = list(alike.values())
        return Table(
            {
                name: list(alike),
                "collectives": [len(row) for row in rows],
                "runs": [_sum([one.count for one in row]) for row in rows],
                "bytes_in": [
                    _sum([_times(one.bytes_in, one.count) for one in row]) for row in rows
                ],
                "bytes_out": [
                    _sum([_times(one.bytes_out, one.count) for one in row]) for row in rows
                ],
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dict that JSON takes, from which `from_dict` makes it again.

        Returns
        -------
        dict
            Fields by name; groups are listed once, and collectives name their places.

        Examples
        --------
        >>> from rainier_fast import Program, ProgramCollective
        >>> step = Program((ProgramCollective("ar", "all_reduce", 8, 8, "fp32"),))
        >>> Program.from_dict(step.to_dict()) == step
        True
        """
        rest = {"source": self.source, "world": self.world, "rank": self.rank}
        return saved.told(self.collectives, **rest, notes=list(self.notes))

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Program:
        """Make a program of what `to_dict` returned.

        Parameters
        ----------
        told
            A dict of `to_dict`, or the same from JSON.

        Returns
        -------
        Program
            Equal to the one that was told.

        Raises
        ------
        InvalidArgument, InvalidType
            If a key is missing, unknown or has another value than a program has; it names the key.

        Examples
        --------
        >>> from rainier_fast import Program
        >>> len(Program.from_dict(Program(()).to_dict()))
        0
        """
        collectives, rest = saved.parts_of(told)
        return cls(collectives, **rest)

    def save(self, path: str | Path) -> None:
        """Write it as JSON, which `rainier_fast.read` reads; a file of that name is replaced.

        Parameters
        ----------
        path
            Where to.

        Raises
        ------
        InvalidArgument, InvalidType
            If the path is none, or the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import rainier_fast as rf
        >>> step = rf.Program((rf.ProgramCollective("ar", "all_reduce", 8, 8, "fp32"),))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     step.save(Path(folder) / "step.json")
        ...     rf.read(Path(folder) / "step.json").collectives == step.collectives
        True
        """
        saved.write(path, self.to_dict())

    def _page(self) -> list[Any]:
        facts = [("source", self.source)]
        if self.world is not None:
            facts.append(("ranks", format_count(self.world)))
        if self.rank is not None:
            facts.append(("recorded rank", str(self.rank)))
        unknown = [
            f"{count} without {what}"
            for what, count in (
                ("bytes", sum(one.bytes_in is None for one in self.collectives)),
                ("a type", sum(one.dtype is None and one.op != "barrier" for one in self)),
                ("groups", sum(one.groups is None for one in self.collectives)),
                ("a trip count", sum(one.count is None for one in self.collectives)),
            )
            if count
        ]
        if unknown:
            facts.append(("not known", ", ".join(unknown)))
        facts += [("note", note) for note in self.notes[:_MOST_NOTES]]
        if len(self.notes) > _MOST_NOTES:
            facts.append(("notes", f"{len(self.notes) - _MOST_NOTES} more in .notes"))
        words = f"{format_count(len(self))} collectives"
        return [
            words,
            facts,
            self.by_op() if len(self) else "",
            self.by_groups() if len(self) else "",
        ]

    def __str__(self) -> str:
        return Report.__str__(self).rstrip()

    def __repr__(self) -> str:
        known = sum(one.bytes_in or 0 for one in self.collectives)
        return f"<Program of {len(self):,} collectives, {format_bytes(known)}: {self.source}>"


_MOST_NOTES = 6


def _says(name: str, values: list[Any]) -> bool:
    """Tell whether a column has anything in it."""
    return name in ("name", "op", "groups") or any(value is not None for value in values)


def _times(size: int | None, count: int | None) -> int | None:
    return None if size is None or count is None else size * count


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
