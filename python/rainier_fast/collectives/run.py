"""A collective, checked and run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Unpack

from rainier_fast.ask.options import Call
from rainier_fast.ask.request import Request
from rainier_fast.ask.sizes import Sizes, make_any_request
from rainier_fast.collectives.methods import Members
from rainier_fast.collectives.prepared import Timing
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult

RESULT: Final = """\
CollectiveResult
    Time (s), bandwidths (bytes/s), bottleneck, lower bound, phases."""
"""What collectives return, in their words."""


def answer(machine: Base, request: Request) -> CollectiveResult:
    """Run a request, and return what a user reads."""
    from rainier_fast.results.collective import CollectiveResult

    return CollectiveResult._of(machine, request, request.outcome(machine))


def run(
    machine: Base, operation: str, size: Quantity | Sizes, **options: Unpack[Call]
) -> CollectiveResult:
    """Check the arguments of a collective, run it, and return what a user reads."""
    return answer(machine, make_any_request(machine, operation, size, **options))


class Running(Base, Timing["CollectiveResult"]):
    """The collectives of a machine, which run when they are asked for."""

    def _members(self, where: object) -> Members:
        return Members(self, where)

    def _answer(self, members: Members, request: Request) -> CollectiveResult:
        return answer(members.machine, request)
