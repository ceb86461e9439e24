"""What a machine and a step on it cost."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.catalog.prices import CONTRACTS, Price, as_month, prices
from rainier_fast.definitions.check import as_number
from rainier_fast.errors import Unsupported, as_one_of, invalid
from rainier_fast.operations.goodput import Goodput
from rainier_fast.operations.tco import Tco
from rainier_fast.operations.work import Work, as_work
from rainier_fast.screen import Facts, Report, Told, one_screen
from rainier_fast.topology.base import Base
from rainier_fast.units import format_count

_DAY: Final = 24.0
_MOST_INSTANCES: Final = 256
_MOST_NAMED: Final = 4
_FAR: Final = 4.0


@one_screen
@dataclass(frozen=True, repr=False)
class Cost(Report, Told):
    """The answer to `Machine.cost`. Immutable; all in US dollars.

    Attributes
    ----------
    machine
        What is paid for.
    price
        A published `Price`, or the owner's `Tco`; None where dollars of a chip and hour were given.
    usd_per_chip_hour
        Dollars of a chip that is used and hour: chips of a whole instance that are not are in it.
    low, high
        The same with the cheapest and the dearest price of that month.
    chips
        Chips that are used, spares counted.
    goodput
        Share of the work that counts.
    hours, billed_hours
        What was asked for, and what is paid: whole days of a Capacity Block. None where not asked.
    notes
        What else the contract says.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> paid = rf.preset("trn2").cost(prices="capacity-block", date="2026-07", hours=30)
    >>> paid.usd_per_hour, paid.billed_hours, round(paid.usd_total, 2)
    (35.7608, 48.0, 1716.52)
    """

    machine: Base
    price: Price | Tco | None
    usd_per_chip_hour: float
    low: float
    high: float
    chips: int
    goodput: float
    hours: float | None
    billed_hours: float | None
    notes: tuple[str, ...]
    _work: Work | None

    _also = (
        "usd_per_hour",
        "usd_per_step",
        "usd_per_million_tokens",
        "usd_total",
    )

    @property
    def usd_per_hour(self) -> float:
        """Dollars an hour, of all chips."""
        return self.usd_per_chip_hour * self.chips

    @property
    def usd_per_step(self) -> float | None:
        """Dollars of a step that counts; None without a step."""
        return self._usd if self._work is not None and self._work.is_step else None

    @property
    def _usd(self) -> float | None:
        """Dollars of a step, or of a second of a service."""
        if self._work is None:
            return None
        return self.usd_per_hour / 3600 * self._work.seconds / self.goodput

    @property
    def usd_per_million_tokens(self) -> float | None:
        """Dollars of a million tokens that count; None where the step has none."""
        step = self._usd
        tokens = None if self._work is None else self._work.tokens
        return None if step is None or not tokens else step / tokens * 1e6

    @property
    def usd_total(self) -> float | None:
        """Dollars of the billed hours; None where no hours were asked for."""
        return None if self.billed_hours is None else self.usd_per_hour * self.billed_hours

    def __repr__(self) -> str:
        return f"<Cost {self._head()}>"

    def _head(self) -> str:
        tokens = self.usd_per_million_tokens
        return (
            f"{self.usd_per_hour:,.2f} USD an hour for {format_count(self.chips)} chips, "
            f"{self.usd_per_chip_hour:.4g} each"
            + (f"; {tokens:,.4g} USD per million tokens" if tokens is not None else "")
        )

    def _page(self) -> list[Any]:
        by = "as it was given" if self.price is None else str(self.price)
        facts: Facts = [("price", by)]
        if isinstance(self.price, Price):
            facts.append(("source", self.price.source))
        if self.low < self.high:
            facts.append(("that month", f"{self.low:.4g} to {self.high:.4g} USD a chip and hour"))
        if self.usd_per_step is not None:
            step = f"{self.usd_per_step:,.4g} USD at a goodput of {self.goodput:.1%}"
            facts.append(("a step", step))
        if self.usd_total is not None:
            total = f"{self.usd_total:,.2f} USD for {self.billed_hours:,.6g} h"
            facts.append(("in all", total))
        return [self._head(), [*facts, *(("note", note) for note in self.notes)]]


def cost(machine: Base, step: object, options: dict[str, Any]) -> Cost:
    """Check the arguments of `Machine.cost`, and answer."""
    work = None if step is None else as_work(step, machine, services=True)
    share, spares = _goodput(options["goodput"])
    chips = (machine.num_chips if work is None else work.chips) + spares
    hours = options["hours"]
    if hours is not None:
        hours = as_number("hours", hours, 1e-9, 1e9, "must be above 0 and at most 1e9, or None")
    given, unused = options["prices"], tuple(_unused(work))
    if isinstance(given, Tco):
        one = given.usd_per_chip_hour
        return Cost(machine, given, one, one, one, chips, share, hours, hours, unused, work)
    if not isinstance(given, str):
        one = as_number("prices", given, 0.0, 1e9, _PRICES)
        notes = (*unused, *_far_off(machine, one))
        return Cost(machine, None, one, one, one, chips, share, hours, hours, notes, work)
    if given[:1].isdigit() or given[:1] in ("$", "."):
        raise invalid("prices", given, f"{_PRICES}; text names a contract, so give a plain number")
    known = _known(machine, given, options["instance"])
    month = as_month("date", options["date"])
    found = _of_month(known, month, options["region"])
    price = found[0]
    count = -(-chips // price.chips)
    scale = count * price.chips / chips
    each = [one.usd_per_chip_hour * scale for one in found if one.instance == price.instance]
    billed = hours
    if hours is not None and price.contract == "capacity-block":
        billed = math.ceil(hours / _DAY) * _DAY
    notes = (*unused, *_notes(machine, price, count))
    return Cost(
        machine, price, each[0], min(each), max(each), chips, share, hours, billed, notes, work
    )


_PRICES: Final = (
    "must be the name of a contract, a Tco, or dollars of a chip and hour (a finite number >= 0)"
)


def _goodput(given: object) -> tuple[float, int]:
    """Return the share that counts, and chips that stand by."""
    if isinstance(given, Goodput):
        share, spares = given.goodput, given.spare_chips
    else:
        allowed = "must be a Goodput, or a share above 0 and at most 1"
        share, spares = as_number("goodput", given, 0.0, 1.0, allowed), 0
    if share == 0:
        raise invalid("goodput", share, "must be above 0: nothing counts, whatever it costs")
    return share, spares


def _known(machine: Base, contract: str, instance: object) -> list[Price]:
    """Return the prices of a contract for the chips of a machine."""
    name = as_one_of("prices", contract, CONTRACTS)
    chip = machine.ultraserver.chip
    if chip is None:
        raise Unsupported(
            "the machine does not say what its chips are, so no published price is theirs; "
            "give prices=rf.Tco(...), or dollars of a chip and hour"
        )
    ours = [price for price in prices() if price.chip == chip.name]
    if not ours:
        raise Unsupported(
            f"no price of {chip.name} is published; give prices=rf.Tco(...), or dollars of a chip "
            f"and hour (there are prices of {', '.join(sorted({one.chip for one in prices()}))})"
        )
    of_kind = [price for price in ours if price.contract == name]
    if not of_kind:
        there = ", ".join(dict.fromkeys(price.contract for price in ours))
        raise Unsupported(f"no price of {chip.name} by {name!r} is known; there are {there}")
    sold = list(dict.fromkeys(price.instance for price in of_kind))
    if instance is not None:
        wanted = as_one_of("instance", instance, sold)
        return [price for price in of_kind if price.instance == wanted]
    # Whole instances where the machine has that many chips; of several kinds the first.
    fits = [one for one in of_kind if one.chips <= machine.num_chips] or of_kind
    large = max(price.chips for price in fits)
    return [price for price in fits if price.chips == large]


def _of_month(known: Iterable[Price], month: str, region: object) -> list[Price]:
    """Return the prices of a month and region; of one instance the usual region first."""
    known = list(known)
    if region is not None:
        where = list(dict.fromkeys(price.region for price in known))
        wanted = as_one_of("region", region, where)
        known = [price for price in known if price.region == wanted]
    found = [price for price in known if price.first <= month <= price.last]
    if found:
        return found
    nearest = sorted(known, key=lambda one: min(_apart(month, one.first), _apart(month, one.last)))
    listed = "; ".join(map(str, nearest[:_MOST_NAMED]))
    raise invalid("date", month, f"no price of that month is known; the nearest are {listed}")


def _far_off(machine: Base, given: float) -> Iterable[str]:
    """Say where a price is far from all that are published of such a chip: of another unit."""
    chip = machine.ultraserver.chip
    known = [] if chip is None else [one for one in prices() if one.chip == chip.name]
    if not known or given == 0:
        return
    low, high = (end(one.usd_per_chip_hour for one in known) for end in (min, max))
    if not low / _FAR <= given <= high * _FAR:
        yield (
            f"far from the {low:.4g} to {high:.4g} USD an hour that are published of such a chip: "
            "prices= is dollars of one chip and hour, not of an instance, and not cents"
        )


def _unused(work: Work | None) -> Iterable[str]:
    idle = 0 if work is None else getattr(work.step, "idle_chips", 0)
    if idle:
        yield (
            f"{idle:,} chips of the machine are no worker's, and not paid here: the machine alone "
            "costs what machine.cost() says"
        )


def _apart(month: str, other: str) -> int:
    first, last = (int(text[:4]) * 12 + int(text[5:]) for text in (month, other))
    return abs(first - last)


def _notes(machine: Base, price: Price, count: int) -> Iterable[str]:
    if price.note:
        yield price.note
    if price.contract == "capacity-block":
        yield "whole days of at least one, to 11:30 UTC, ended from 11:00; paid in advance"
        if count > _MOST_INSTANCES:
            yield (
                f"{count:,} instances: one customer's blocks have at most {_MOST_INSTANCES}, so "
                "nobody buys this many at the price"
            )
    if price.instance.startswith("trn2.48") and machine.ultraserver.num_chips > price.chips:
        yield "of trn2.48xlarge: no price of trn2u.48xlarge in UltraServers is published"
