"""Numbers of the catalogue that keep the names of the assumptions they are."""

from __future__ import annotations

from rainier_fast.catalog import Figure, assumptions
from rainier_fast.provenance import AssumedFloat


def assumed(name: str, *beside: str) -> AssumedFloat:
    """Return an assumption as a number; others may stand beside it, which it was made of."""
    return AssumedFloat(assumptions()[name].number, name, *beside)


def number_of(figure: Figure, *beside: str) -> float:
    """Return the number of a figure of an entry, with its name where it is an assumption."""
    names = [name for name, known in assumptions().items() if known is figure]
    return AssumedFloat(figure.number, *names, *beside) if names else figure.number
