"""From algorithms to schedules, and from schedules to results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from rainier_fast.ask.groups import as_groups
from rainier_fast.ask.options import MODELS, Call, refuse_unknown
from rainier_fast.ask.request import Request
from rainier_fast.ask.sizes import Sizes, make_any_request
from rainier_fast.collectives.run import answer
from rainier_fast.definitions.routing import Routing, as_routing
from rainier_fast.errors import as_one_of, invalid_type
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

if TYPE_CHECKING:
    from rainier_fast.ask.schedule import Schedule
    from rainier_fast.results.collective import CollectiveResult


def schedule(
    operation: str, machine: Base, size: Quantity | Sizes, **options: Unpack[Call]
) -> Schedule:
    """Return the schedule that an algorithm makes for a group, message by message.

    Parameters
    ----------
    operation
        What is done, such as ``"all_reduce"``.
    machine
        The machine.
    size
        Bytes, as a number or text, as nccl-tests defines them for the operation; or those of each
        rank, as `Machine.all_gather` and its kin take them.
    **options
        Those of the collective, such as ``algorithm``, ``group``, ``root`` or ``shift``, but for
        ``model``: every model runs what is made. Of several groups, it is that of the first.

    Returns
    -------
    Schedule
        What every model runs.

    Raises
    ------
    RainierError
        If an argument is not usable, the group has more than 4,096 ranks, or there are more than
        4,194,304 messages to write out.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> ring = schedule("all_gather", torus((4,), bandwidth=1e9), 4000, algorithm="ring_one_way")
    >>> len(ring), ring.sends[0].blocks
    (12, (0,))
    """
    from rainier_fast.ask.schedule import Schedule, made_by

    if not isinstance(machine, Base):
        raise invalid_type("machine", machine, "must be a machine, such as preset('trn2')")
    refuse_unknown(options, [name for name in Call.__annotations__ if name != "model"])
    request = make_any_request(machine, operation, size, **options)
    own = request.schedule_of_own
    return own if isinstance(own, Schedule) else made_by(machine, request)


def run_schedule(
    machine: Base, schedule: Schedule, model: str, routing: Routing | None
) -> CollectiveResult:
    """Run a schedule on a machine: the work of `Machine.run`."""
    from rainier_fast.ask.schedule import Schedule

    if not isinstance(schedule, Schedule):
        raise invalid_type("schedule", schedule, "must be a Schedule")
    model = as_one_of("model", model, MODELS)
    made = schedule._request
    if made is not None and schedule._machine == machine:
        request = replace(made, model=model, algorithm=_named(machine, made, schedule))
        if routing is not None:
            request = replace(request, routing=as_routing(routing))
        return answer(machine, request)
    request = Request(
        operation=schedule.operation,
        size=schedule.size_bytes,
        groups=as_groups(schedule.chips, machine.num_chips, "chips"),
        root=schedule._core.root,
        shift=schedule._core.shift,
        model=model,
        routing=as_routing("dor" if routing is None else routing),
        schedule_of_own=schedule,
    )
    return answer(machine, request)


def _named(machine: Base, made: Request, schedule: Schedule) -> str | tuple[str, ...]:
    """Return the names that ask for a schedule's algorithms again, whatever the model."""
    from rainier_fast.results.answer import choice_of

    if made.algorithm not in ("auto", "hierarchical") or not len(schedule):
        return made.algorithm
    return choice_of(made.outcome(machine))
