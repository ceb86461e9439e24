"""Published figures of the machines, each with its unit, its source and how far to trust it.

The figures live in ``data/*.json``, one file per family, in SI units. What nobody publishes and the
models need all the same is in ``data/assumptions.json``, with a reason and a sensible range.
"""

from rainier_fast.catalog.entry import Assumptions, Catalog, Entry, Figures
from rainier_fast.catalog.figure import Alternative, Figure
from rainier_fast.catalog.load import assumptions, catalog

__all__ = [
    "Alternative",
    "Assumptions",
    "Catalog",
    "Entry",
    "Figure",
    "Figures",
    "assumptions",
    "catalog",
]
