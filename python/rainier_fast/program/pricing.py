"""What the collectives of a program take on a machine, alike ones priced once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rainier_fast.ask.sizes import make_any_request
from rainier_fast.errors import RainierError
from rainier_fast.program.asked import Asked, asked
from rainier_fast.program.collective import ProgramCollective
from rainier_fast.program.groups import ProgramGroups
from rainier_fast.program.where import Where
from rainier_fast.topology.base import Base


@dataclass(frozen=True, slots=True)
class Price:
    """What one collective takes by one way of running it; the largest of its groups."""

    time_s: float
    algorithm: str
    kind: str
    link_class: str | None
    ranks: int
    groups: int
    size: float
    guesses: tuple[str, ...]


class Pricing:
    """Prices of collectives of one program; asks for each kind of collective once."""

    def __init__(
        self, where: Where, rank: int | None, axes: Mapping[str, str], algorithm: str
    ) -> None:
        self.where, self.rank, self.axes, self.algorithm = where, rank, dict(axes), algorithm
        self._asked: dict[Any, Asked | str] = {}
        self._prices: dict[tuple[Any, str], Price | str] = {}
        self._places: dict[int, int] = {}
        self._known: dict[tuple[Any, ...], int] = {}
        self._kept: list[ProgramGroups] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return Pricing, (self.where, self.rank, self.axes, self.algorithm)

    def keep_of(self, other: Pricing) -> None:
        """Take over what another has priced of the same ranks at the same places."""
        self._asked, self._prices = other._asked, other._prices
        self._known, self._places, self._kept = other._known, other._places, other._kept

    def key(self, one: ProgramCollective) -> tuple[Any, ...]:
        """Return what alike collectives have in common."""
        groups = one.groups
        place = None if groups is None else self._place(groups)
        alike = (one.op, one.bytes_in, one.bytes_out, one.dtype, place, one.root, one.peer)
        named = one.name if groups is None and one.name in self.axes else None
        return (*alike, one.in_splits, named)

    def _place(self, groups: ProgramGroups) -> int:
        """Return a number for groups: that of equal ones before."""
        found = self._places.get(id(groups))
        if found is None:
            written = groups.kind, groups.world, groups.form
            found = self._known.setdefault(written, len(self._known))
            self._places[id(groups)] = found
            self._kept.append(groups)  # an id stays that of this object
        return found

    def asked(self, key: tuple[Any, ...], one: ProgramCollective) -> Asked | str:
        """Return what a collective asks of the machine, or why it cannot be asked."""
        found = self._asked.get(key)
        if found is None:
            try:
                found = asked(one, self.where, self.rank, self.axes)
            except RainierError as error:
                found = str(error)
            self._asked[key] = found
        return found

    def price(
        self, key: tuple[Any, ...], one: ProgramCollective, algorithm: str | None = None
    ) -> Price | str:
        """Return the price of a collective, or why it has none."""
        way = self.algorithm if algorithm is None else algorithm
        found = self._prices.get((key, way))
        if found is None:
            what = self.asked(key, one)
            found = what if isinstance(what, str) else self._priced(what, way)
            self._prices[key, way] = found
        return found

    def _priced(self, what: Asked, way: str) -> Price | str:
        try:
            return priced(self.where.machine, what, way)
        except RainierError as error:
            if way == "auto":
                return str(error)
            why = f"{way} does not run it, links alone are priced: {error}"
        try:
            found = priced(self.where.machine, what, "auto")
        except RainierError as error:
            return str(error)
        return replace(found, guesses=(*found.guesses, why))


def priced(machine: Base, what: Asked, way: str) -> Price:
    """Return what it takes on a machine, run one way."""
    worst: dict[str, Any] | None = None
    guesses: list[str] = list(what.guesses)
    for groups in what.groups:
        options: Any = what.options(groups)
        if isinstance(what.size, float):
            options["algorithm"] = way
        request = make_any_request(machine, what.op, what.size, **options)
        facts = request.outcome(machine).facts()
        facts["kind"] = request.kind
        guesses += [text for text in facts["unmeasured"] if text not in guesses]
        if worst is None or facts["time_s"] > worst["time_s"]:
            worst = facts
    assert worst is not None
    busiest = worst["bottleneck"]
    return Price(
        worst["time_s"],
        worst["algorithm"],
        worst["kind"],
        None if busiest is None else busiest["link_class"],
        worst["ranks"],
        sum(groups.count for groups in what.groups),
        worst["size_bytes"],
        tuple(guesses),
    )
