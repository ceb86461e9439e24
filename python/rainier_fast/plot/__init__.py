"""Pictures of results: each takes and returns a matplotlib axis (extra ``plot``).

Colours are those of Okabe and Ito, with a marker or hatch beside each; axes have units and the kind
of number. ``result.plot()`` draws the telling one.
"""

from rainier_fast.plot.collective import roofline, times
from rainier_fast.plot.damage import faults, footprint, monte_carlo
from rainier_fast.plot.loads import planes, torus, utilisation
from rainier_fast.plot.machines import chips, comparison
from rainier_fast.plot.money import day, goodput, price_performance
from rainier_fast.plot.step import layouts, memory, parts, timeline
from rainier_fast.plot.telling import draw, pictures

__all__ = [
    "chips",
    "comparison",
    "day",
    "draw",
    "faults",
    "footprint",
    "goodput",
    "layouts",
    "memory",
    "monte_carlo",
    "parts",
    "pictures",
    "planes",
    "price_performance",
    "roofline",
    "timeline",
    "times",
    "torus",
    "utilisation",
]
