"""Numbers of the catalogue that keep the names of the assumptions they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rainier_fast.provenance import AssumedFloat

if TYPE_CHECKING:
    from rainier_fast.catalog import Figure

__all__ = ["assumed", "number_of"]


def assumed(name: str, *beside: str) -> AssumedFloat:
    """Return an assumption as a number; others may stand beside it, which it was made of."""
    from rainier_fast.catalog import assumptions  # read only when asked for

    return AssumedFloat(assumptions()[name].number, name, *beside)


def number_of(figure: Figure, *beside: str) -> float:
    """Return the number of a figure of an entry, with its name where it is an assumption."""
    from rainier_fast.catalog import assumptions  # read only when asked for

    names = [name for name, known in assumptions().items() if known is figure]
    return AssumedFloat(figure.number, *names, *beside) if names else figure.number
