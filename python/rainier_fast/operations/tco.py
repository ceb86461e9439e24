"""What a chip costs its owner an hour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from rainier_fast.catalog import catalog
from rainier_fast.definitions.check import as_number
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.screen import Told, one_screen

_HOURS: Final = 8760.0


_MOST: Final = {
    "power_kw": (100.0, "must be kilowatts of one chip, 0 to 100: 880 W are 0.88"),
    "price_per_kwh": (5.0, "must be dollars of a kWh, 0 to 5: 8 cents are 0.08"),
}
"""What is more is of another unit."""


@one_screen
@dataclass(frozen=True, slots=True, kw_only=True)
class Tco(Told):
    """What a chip costs its owner: capital, operations, energy. Immutable.

    An hour costs (capex x crf + opex) / (8760 x utilisation) + power_kw x pue x price_per_kwh; crf,
    the capital recovery factor, is rate / (1 - (1 + rate) ** -life_years).

    Attributes
    ----------
    capex
        Dollars of a chip with its share of host, network and building. No figure is published for
        Trainium.
    life_years
        Years until it is written off.
    power_kw
        kW of a chip with its share of host and network, without cooling.
    price_per_kwh
        Dollars, or a state of ``rf.catalog()["electricity"]``.
    pue
        Power of the building over that of its computers; None for ``rf.catalog()["practice"]``.
    rate
        Interest a year, 0.08 for 8 %.
    opex
        Dollars of a chip and year: staff, space, maintenance.
    utilisation
        Share of the hours that are sold or used.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> own = Tco(capex=20_000, life_years=5, power_kw=0.88, price_per_kwh="indiana", rate=0.08)
    >>> round(own.usd_per_chip_hour, 3)
    0.662
    """

    capex: float
    life_years: float
    power_kw: float
    price_per_kwh: float | str
    pue: float | None = None
    rate: float = 0.0
    opex: float = 0.0
    utilisation: float = 1.0

    def __post_init__(self) -> None:
        def put(name: str, value: float) -> None:
            object.__setattr__(self, name, value)

        least = "must be a finite number >= 0"
        if isinstance(self.price_per_kwh, str):
            known = catalog()["electricity"].figures
            state = as_one_of("price_per_kwh", self.price_per_kwh, known)
            put("price_per_kwh", known[state].number)
        if self.pue is None:
            put("pue", catalog()["practice"]["pue"].number)
        for name in ("capex", "opex"):
            put(name, as_number(name, getattr(self, name), 0.0, 1e15, least))
        for name, (most, allowed) in _MOST.items():
            put(name, as_number(name, getattr(self, name), 0.0, most, allowed))
        put("rate", as_number("rate", self.rate, 0.0, 1.0, "must be a share a year, 0 to 1"))
        put("pue", as_number("pue", self.pue, 1.0, 5.0, "must be a number from 1 to 5"))
        years = as_number("life_years", self.life_years, 0.01, 1e3, "must be 0.01 to 1000 years")
        put("life_years", years)
        share = as_number("utilisation", self.utilisation, 0.0, 1.0, "must be above 0, at most 1")
        if share == 0:
            raise invalid("utilisation", share, "must be above 0, at most 1")
        put("utilisation", share)

    @property
    def capital_recovery(self) -> float:
        """Share of the capital that is paid back each year, interest included."""
        if self.rate == 0:
            return 1 / self.life_years
        return self.rate / -math.expm1(-self.life_years * math.log1p(self.rate))

    @property
    def parts(self) -> Mapping[str, float]:
        """Dollars of a chip and hour: ``capital``, ``operations``, ``energy``."""
        told: dict[str, Any] = {
            "capital": self.capex * self.capital_recovery / _HOURS / self.utilisation,
            "operations": self.opex / _HOURS / self.utilisation,
            "energy": self.power_kw * float(self.pue or 1) * float(self.price_per_kwh),
        }
        return MappingProxyType(told)

    @property
    def usd_per_chip_hour(self) -> float:
        """Dollars of a chip and hour: the sum of `parts`."""
        return sum(self.parts.values())

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {usd:.3g}" for name, usd in self.parts.items())
        return f"{self.usd_per_chip_hour:.3g} USD/h of a chip: {parts}"
