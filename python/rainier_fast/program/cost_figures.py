"""The figures of what a program costs, which its tables, words and changes are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Self

from rainier_fast.ask.runtime import kind_of
from rainier_fast.program import hidden as hiding
from rainier_fast.program.computing import Computing, Fast, computing, runs_of
from rainier_fast.program.pricing import Price, Pricing
from rainier_fast.program.program import Program
from rainier_fast.program.where import Where
from rainier_fast.topology.base import Base
from rainier_fast.units import format_count, format_time
from rainier_fast.workload.overlap import rules


@dataclass(frozen=True, repr=False)
class CostFigures:
    """What `ProgramCost` is made of, and its single figures."""

    machine: Base
    program: Program
    algorithm: str
    trips: int | None
    _pricing: Pricing = field(repr=False, compare=False)
    _prices: tuple[Price | str, ...] = field(repr=False)
    _computing: Computing = field(repr=False)
    _fast: Fast = field(repr=False)

    @property
    def kind(self) -> str:
        """What kind of number times are: ``"links alone"``, or ``"as neuron runs it"``."""
        found = dict.fromkeys(price.kind for price in self._prices if isinstance(price, Price))
        return " and ".join(found) if found else kind_of(self.algorithm)

    @property
    def communication_s(self) -> float:
        """Seconds of all collectives that could be priced, one after another."""
        return sum(self._times)

    @cached_property
    def _times(self) -> tuple[float, ...]:
        """Seconds of each collective, all runs; 0 of what could not be priced."""
        found = []
        for one, price in zip(self.program.collectives, self._prices, strict=True):
            runs = runs_of(one, self.trips)
            known = isinstance(price, Price) and runs is not None
            found.append(runs * price.time_s if known else 0.0)  # type: ignore[operator, union-attr]
        return tuple(found)

    @cached_property
    def _hidden(self) -> tuple[float, ...] | None:
        before = self._computing.before_s
        if before is None:
            return None
        known = rules(self.machine.runtime)
        return tuple(hiding.hidden(self.program.collectives, self._times, before, known))

    @property
    def _missed(self) -> list[str]:
        """Why collectives could not be priced, one each."""
        return [price for price in self._prices if isinstance(price, str)]

    @classmethod
    def _of(
        cls, machine: Base, program: Program, pricing: Pricing, fast: Fast, trips: int | None
    ) -> Self:
        keys = map(pricing.key, program.collectives)
        prices = tuple(map(pricing.price, keys, program.collectives))
        computed = computing(machine, program.collectives, fast, trips)
        return cls(machine, program, pricing.algorithm, trips, pricing, prices, computed, fast)

    def _other(self, program: Program, place: Where, algorithm: str) -> Self:
        """Return what another program, or the same elsewhere, takes, asked for as this was."""
        pricing = Pricing(place, self._pricing.rank, self._pricing.axes, algorithm)
        if place is self._pricing.where:
            pricing.keep_of(self._pricing)
        return self._of(self.machine, program, pricing, self._fast, self.trips)

    @property
    def exposed_s(self) -> float | None:
        """Seconds of communication that nothing hides; None where computation is not known."""
        return None if self._hidden is None else self.communication_s - sum(self._hidden)

    @property
    def hidden_s(self) -> float | None:
        """Seconds of communication behind computation; None where computation is not known."""
        return None if self._hidden is None else sum(self._hidden)

    @property
    def computation_s(self) -> float | None:
        """Seconds of computation; None where the program does not say what it computes."""
        before = self._computing.before_s
        return None if before is None else sum(before)

    @property
    def time_s(self) -> float | None:
        """Seconds of the program: computation and what is not hidden; None if some is missing."""
        if self.missing or self.exposed_s is None or self.computation_s is None:
            return None
        return self.exposed_s + self.computation_s

    @property
    def parts(self) -> Mapping[str, float | None]:
        """Seconds by part: ``exposed`` and ``hidden`` communication, and ``computation``.

        None where the program does not say; `time_s` is ``exposed`` and ``computation``.
        """
        named = {
            "exposed": self.exposed_s,
            "hidden": self.hidden_s,
            "computation": self.computation_s,
        }
        return MappingProxyType(named)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not known and not in any time, a line each, with what would tell."""
        counts: dict[str, int] = {}
        for one, price in zip(self.program.collectives, self._prices, strict=True):
            if not isinstance(price, Price):
                counts[price] = counts.get(price, 0) + 1
            elif runs_of(one, self.trips) is None:
                why = "runs of a loop without a trip count: pass trips="
                counts[why] = counts.get(why, 0) + 1
        found = [f"{format_count(count)} collectives: {why}" for why, count in counts.items()]
        if self._computing.missing:
            found.append(self._computing.missing)
        return tuple(found)

    @property
    def guesses(self) -> tuple[str, ...]:
        """What of the answer rests on no measurement and no published rule, a line each."""
        found: dict[str, None] = {}
        launch = self.machine.ultraserver.launch_s
        if launch > 0 and len(self.program):
            found[
                f"each collective is priced as a call of its own, of {format_time(launch)} at "
                "least: inside a compiled program that may be counted too often"
            ] = None
        for price in dict.fromkeys(self._prices):
            if isinstance(price, Price):
                found |= dict.fromkeys(price.guesses)
        if self._computing.before_s is not None:
            runtime = self.machine.runtime
            found |= dict.fromkeys(hiding.guessed(self.program.collectives, runtime))
        return tuple(found)
