"""What a user reads: routes, link loads, results of collectives, tables."""

from __future__ import annotations

from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.comparison import Comparison
from rainier_fast.results.link import Bottleneck, Link
from rainier_fast.results.link_loads import LinkLoads
from rainier_fast.results.monte_carlo import MonteCarlo
from rainier_fast.results.recovery import Recoveries
from rainier_fast.results.route import Route
from rainier_fast.results.routing import RoutingReport
from rainier_fast.results.together import Meeting, PlanResult, TogetherResult
from rainier_fast.table import Table

__all__ = [
    "Bottleneck",
    "CollectiveResult",
    "Comparison",
    "Link",
    "LinkLoads",
    "Meeting",
    "MonteCarlo",
    "PlanResult",
    "Recoveries",
    "Route",
    "RoutingReport",
    "Table",
    "TogetherResult",
]
