"""How many bytes jobs keep of each number, by precision and optimizer."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from rainier_fast.errors import as_one_of, invalid
from rainier_fast.workload.data import read_data


class Stored(NamedTuple):
    """Bytes of one number."""

    weight: float
    gradient: float
    optimizer: float
    """Of all that the optimizer keeps of one weight."""
    activation: float
    dispatch: float
    """Of a number of a token on its way to an expert; on its way back it is an activation."""


@cache
def table(kind: str) -> dict[str, Any]:
    """Return what is known of ``"precisions"``, of ``"optimizers"`` or of ``"dispatch"``."""
    rows: dict[str, Any] = read_data("stored.json")[kind]
    return rows


def stored(precision: str, optimizer: str, dispatch: str | None) -> Stored:
    """Return the bytes that follow from these names."""
    numbers, keeps = table("precisions")[precision], table("optimizers")[optimizer]
    activation = float(numbers["activation"])
    sent = activation if dispatch is None else float(table("dispatch")[dispatch]["bytes"])
    return Stored(
        weight=float(numbers["weight"]),
        gradient=float(keeps.get("gradient", numbers["gradient"])),
        optimizer=float(keeps["states"] + (numbers["master"] if keeps["master"] else 0)),
        activation=activation,
        dispatch=sent,
    )


def as_optimizer(value: object, precision: str) -> str:
    """Return the name of an optimizer that runs with a precision."""
    name = as_one_of("optimizer", value, table("optimizers"))
    only = table("optimizers")[name].get("precisions", [precision])
    if precision not in only:
        raise invalid("optimizer", name, f"runs with precision {' or '.join(map(repr, only))}")
    return name
