"""What machines cost to rent: prices by instance, contract, region and month."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, RainierError, invalid, invalid_type
from rainier_fast.screen import Told, one_screen

CONTRACTS: Final = {
    "capacity-block": "EC2 Capacity Blocks: whole days, at least one, paid in advance",
    "on-demand": "by the second, where there is capacity",
    "reserved": "a reservation of years, as a rate",
    "spot": "what nobody else pays more for; may end at any moment",
    "owner-hyperscaler": "what it costs its owner, a large cloud, by SemiAnalysis",
    "owner-neocloud": "what it costs its owner, a small cloud, by SemiAnalysis",
    "rental-3-years": "a contract of three years, by SemiAnalysis",
}
"""Kinds of price, and one line each."""

_FIELDS: Final = ("instance", "contract", "region", "first", "last", "usd_per_hour", "source")


@one_screen
@dataclass(frozen=True, slots=True)
class Price(Told):
    """A published price. Immutable.

    Attributes
    ----------
    instance
        What is sold.
    chip, chips
        The chips of one, by the catalogue's name.
    contract
        How it is sold.
    region
        Where; ``"most"`` and ``"some"`` where the source does not name regions.
    first, last
        Months in which it was read, or said to hold, as ``"2026-07"``.
    usd_per_hour
        Dollars an hour of one instance.
    source, note
        Who says so, and what else.

    Examples
    --------
    >>> price = prices()[0]
    >>> price.instance, price.contract, round(price.usd_per_chip_hour, 3)
    ('trn2.48xlarge', 'capacity-block', 2.235)
    """

    instance: str
    chip: str
    chips: int
    contract: str
    region: str
    first: str
    last: str
    usd_per_hour: float
    source: str
    note: str = ""

    @property
    def usd_per_chip_hour(self) -> float:
        """Dollars an hour of one chip."""
        return self.usd_per_hour / self.chips

    def __str__(self) -> str:
        when = self.first if self.first == self.last else f"{self.first} to {self.last}"
        where = "" if self.region in ("most", "some") else f", {self.region}"
        return f"{self.instance}, {self.contract}{where}, {when}: {self.usd_per_hour:g} USD/h"


@cache
def prices() -> tuple[Price, ...]:
    """Return every published price that is known here.

    Returns
    -------
    tuple of Price
        In the order of the file; of one instance and month the usual region first.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> {price.contract for price in rf.prices() if price.chip == "trainium1"} >= {"spot"}
    True
    """
    import json  # needed only once a reader asks
    from importlib import resources

    text = resources.files(__package__).joinpath("data", "prices.json").read_text("utf-8")
    return read_prices(json.loads(text), "prices.json")


def read_prices(document: Mapping[str, Any], file: str) -> tuple[Price, ...]:
    """Read the rows of a file of prices, and refuse one that is not as it should be."""
    made = []
    for at, row in enumerate(document["prices"]):
        where = f"{file}, prices[{at}]"
        try:
            made.append(_price(document, row))
        except (RainierError, KeyError, TypeError) as error:
            raise InvalidArgument(f"{where}: got {row!r}: {error}") from error
    return tuple(made)


def _price(document: Mapping[str, Any], row: Mapping[str, Any]) -> Price:
    if surplus := row.keys() - {*_FIELDS, "note"}:
        raise InvalidArgument(f"unknown fields {', '.join(sorted(surplus))}")
    instance, contract, region, first, last, usd, source = (row[name] for name in _FIELDS)
    sold = document["instances"][instance]
    if contract not in CONTRACTS:
        raise invalid("contract", contract, f"must be one of {', '.join(CONTRACTS)}")
    if not 0 < usd < math.inf:
        raise invalid("usd_per_hour", usd, "must be a finite number > 0")
    if as_month("first", first) > as_month("last", last):
        raise invalid("last", last, f"must not be before {first}")
    said = document["sources"][source]
    return Price(
        instance,
        sold["chip"],
        sold["chips"],
        contract,
        region,
        first,
        last,
        float(usd),
        said,
        row.get("note", ""),
    )


def as_month(argument: str, value: object) -> str:
    """Return a month such as ``"2026-07"`` of text or of a date; a day is left out."""
    allowed = "must be a month such as '2026-07', or a day such as '2026-07-22'"
    try:
        given = value if isinstance(value, str) else getattr(value, "isoformat", None)
        text = given() if callable(given) else given
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type(argument, value, allowed) from error
    if not isinstance(text, str):
        raise invalid_type(argument, value, allowed)
    return _month(argument, str.__str__(text)[:40], allowed)


def _month(argument: str, text: str, allowed: str) -> str:
    import datetime  # a bare import does not need it

    for form in ("%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"):
        try:
            moment = datetime.datetime.strptime(text, form)
        except ValueError:
            continue
        return f"{moment.year:04}-{moment.month:02}"
    raise invalid(argument, text, allowed)
