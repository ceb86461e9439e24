"""Groups of a trace: by start and stride, by their members, by their name in a list of groups."""

from __future__ import annotations

from typing import Any

from rainier_fast.errors import RainierError
from rainier_fast.program import ProgramGroups
from rainier_fast.reading.pytorch.exchanges import splits_of

_MOST_RANKS = 2**31


class ProcessGroups:
    """The groups that a trace lists, and those made of events, each once."""

    def __init__(self, world: int | None = None) -> None:
        self.world = world
        self.listed: dict[str, tuple[str, int | None, ProgramGroups | None]] = {}
        self._texts: dict[str, ProgramGroups | None] = {}
        self._lines: dict[tuple[int, int, int], ProgramGroups | None] = {}

    def take(self, entries: object) -> None:
        """Take the entries of `pg_config`, or of the init node of an execution trace."""
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        name = entry.get("pg_name", entry.get("name"))
        desc = str(entry.get("pg_desc", entry.get("desc", "")))
        size = as_count(entry.get("pg_size", entry.get("group_size")))
        ranks = splits_of(entry.get("ranks"))
        if name is None or str(name) == "":
            return
        group = None
        if ranks is not None and not ranks[1]:
            if ranks[0]:
                group = self.members(ranks[0])
            elif size and (desc == "default_pg" or str(name) == "0"):
                # An empty list of the default group means all ranks.
                group = self.line(0, 1, size)
        self.listed[str(name)] = (desc, size, group)

    def line(self, start: int, stride: int, size: int) -> ProgramGroups | None:
        """Return an evenly spaced group; None where the numbers make none."""
        key = (start, stride, size)
        if key not in self._lines:
            try:
                made = ProgramGroups.own(start=start, stride=stride, size=size, world=self._of(key))
            except RainierError:
                made = None
            self._lines[key] = made
        return self._lines[key]

    def members(self, ranks: list[int]) -> ProgramGroups | None:
        """Return a group by its ranks; None where they make none."""
        try:
            world = self.world if self.world and max(ranks) < self.world else None
            return ProgramGroups.own(ranks, world=world)
        except (RainierError, ValueError):
            return None

    def whole(self, ranks: object) -> ProgramGroups | None:
        """Return the group of a list of ranks, in text or not; None of one that is empty or cut."""
        if isinstance(ranks, str) and ranks in self._texts:
            return self._texts[ranks]
        found = splits_of(ranks)
        made = self.members(found[0]) if found is not None and found[0] and not found[1] else None
        if isinstance(ranks, str):
            self._texts[ranks] = made
        return made

    def named(self, name: str | None) -> ProgramGroups | None:
        """Return a group that is listed; None where it is not, or without its members."""
        return None if name is None else self.listed.get(name, ("", None, None))[2]

    def words(self) -> str:
        """Return the groups that are listed, in words."""
        shown = [
            f"{name!r} ({desc + ', ' if desc else ''}{size or 'unknown'} ranks)"
            for name, (desc, size, _) in list(self.listed.items())[:6]
        ]
        return ", ".join(shown) + (", ..." if len(self.listed) > len(shown) else "")

    def only(self) -> ProgramGroups | None:
        """Return the one group that there is, if it is but one with all ranks."""
        if len(self.listed) != 1 or self.world is None:
            return None
        group = next(iter(self.listed.values()))[2]
        return group if group is not None and group.size == self.world else None

    def _of(self, line: tuple[int, int, int]) -> int | None:
        start, stride, size = line
        last = start + stride * (size - 1)
        return self.world if self.world is not None and last < self.world else None


def as_count(value: object) -> int | None:
    """Return a number of ranks, or None."""
    if type(value) is int and 0 < value <= _MOST_RANKS:
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 10 else None


def as_rank(value: object) -> int | None:
    """Return a rank, or None."""
    return value if type(value) is int and 0 <= value < _MOST_RANKS else None
