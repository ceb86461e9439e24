"""The tables of a result: kept small by the core, made when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rainier_fast import _core
from rainier_fast.table import Table


class Tables:
    """Tables by name. Immutable; equal where all of them are."""

    __slots__ = ("_made",)

    _made: _core.Tables | Mapping[str, Table]

    def __init__(self, made: _core.Tables | Mapping[str, Table]) -> None:
        self._made = made

    def __getitem__(self, name: str) -> Table:
        if isinstance(self._made, _core.Tables):
            return Table(self._made.columns(name))
        return self._made[name]

    def _all(self) -> Mapping[str, Table]:
        """Make all of them."""
        if isinstance(self._made, _core.Tables):
            return {name: self[name] for name in self._made.names()}
        return self._made

    def __eq__(self, other: object) -> bool:
        return self._all() == other._all() if isinstance(other, Tables) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Tables, (dict(self._all()),)
