"""What is known of a machine beside what collectives cost: rates, memory, price and power."""

from __future__ import annotations

import math
from typing import Any, Final

from rainier_fast.catalog import Entry, catalog
from rainier_fast.definitions.chip import Chip
from rainier_fast.machine.machine import Machine

BLANK: Final = {
    "peak_bf16_flops": math.nan,
    "hbm_bytes": math.nan,
    "price_usd_per_chip_hour": math.nan,
    "price_contract": "",
    "price_region": "",
    "price_date": "",
    "power_w_per_chip": math.nan,
}
"""The columns, and what stands where nothing is known."""

_TERMS: Final = ("price_contract", "price_region", "price_date")

_POWER: Final = ("tdp", "power_max")


def about(machine: Machine) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what is known of a machine by column, and why the other columns are blank."""
    chip = machine.ultraserver.chip
    if chip is None:
        return dict(BLANK), dict.fromkeys(BLANK, "it has no chip= that says it")
    known: dict[str, Any] = {"hbm_bytes": float(machine.hbm_bytes)}
    reasons: dict[str, str] = {}
    if "bf16" in dict(chip.peak_flops):
        known["peak_bf16_flops"] = machine.peak_flops("bf16")
    else:
        reasons["peak_bf16_flops"] = "its chip says no rate of bf16"
    entry = _entry(chip)
    if entry is None:
        own = "its chip is none that the catalogue has"
        reasons |= {name: own for name in BLANK if name.startswith(("price", "power"))}
        return {**BLANK, **known}, reasons
    power = next((entry[name].number for name in _POWER if name in entry), None)
    if power is None:
        reasons["power_w_per_chip"] = "the catalogue has no power of its chip"
    else:
        known["power_w_per_chip"] = power
    price, terms = _price(entry)
    known |= terms
    if price is None:
        none = "the catalogue has no price of its chip"
        reasons |= {name: none for name in BLANK if name.startswith("price")}
    else:
        known["price_usd_per_chip_hour"] = price
        unsaid = "the source of the price does not say it"
        reasons |= {name: unsaid for name in _TERMS if name not in terms}
    return {**BLANK, **known}, reasons


def _entry(chip: Chip) -> Entry | None:
    """Return the catalogue's entry of a chip, if the chip is as the catalogue has it."""
    entry = catalog().get(chip.name)
    if entry is None or entry.kind != "chip" or Chip.from_catalog(chip.name) != chip:
        return None
    return entry


def _price(entry: Entry) -> tuple[float | None, dict[str, str]]:
    """Return USD per chip-hour and its terms: of the chip, or of an instance by its chips."""
    if "price_per_chip_hour" in entry:
        return entry["price_per_chip_hour"].number, _terms(entry)
    for other in catalog().values():
        if "price_per_hour" in other and "chip" in other and other["chip"].value == entry.name:
            return other["price_per_hour"].number / other["chips"].number, _terms(other)
    return None, {}


def _terms(entry: Entry) -> dict[str, str]:
    return {name: str(entry[name].value) for name in _TERMS if name in entry}
