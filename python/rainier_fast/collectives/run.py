"""A collective, checked and run."""

from __future__ import annotations

from rainier_fast.ask.request import Algorithm, Request, make_request
from rainier_fast.definitions.routing import Routing
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

__all__ = ["answer", "run"]


def answer(machine: Base, request: Request) -> CollectiveResult:
    """Run a request, and return what a user reads."""
    return CollectiveResult._of(machine, request, request.outcome(machine))


def run(
    machine: Base,
    operation: str,
    size: Quantity,
    group: object = None,
    algorithm: Algorithm = "auto",
    model: str = "link_load",
    routing: Routing = "dor",
    chunks: int | None = None,
    *,
    root: int = 0,
    shift: int = 0,
) -> CollectiveResult:
    """Check the arguments of a collective, run it, and return what a user reads.

    Raises
    ------
    RainierError
        If an argument is not usable (the message names it) or a combination has no model.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> run(torus((4,), bandwidth="50 GB/s"), "all_reduce", 1000).ranks
    4
    """
    request = make_request(
        machine, operation, size, group, algorithm, model, routing, chunks, root, shift
    )
    return answer(machine, request)
