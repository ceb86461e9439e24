"""Timelines of steps, schedules and measured programs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rainier_fast.ask.messages import Send
from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.ask.schedule import Schedule
from rainier_fast.definitions.routing import Routing
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.formats.trace_events import COMMUNICATION, Counter, Span
from rainier_fast.memory import reckon
from rainier_fast.program.cost import ProgramCost
from rainier_fast.program.program import Program
from rainier_fast.timelines.drawn import Timeline
from rainier_fast.topology.base import Base
from rainier_fast.workload.step import TrainingStep

_MODELS: Final = ("fluid", "fifo")
_ONCE: Final = {"dp": COMMUNICATION, "optimizer": "compute", "outer": COMMUNICATION, "host": "host"}
"""What a step does once, after its pipeline, and what kind of time it is."""
_SPAN_BYTES: Final = 1500


def timeline(
    what: TrainingStep | Schedule | ProgramCost | Program,
    machine: Base | None = None,
    model: str = "fluid",
    routing: Routing = "dor",
    by: str = "rank",
) -> Timeline:
    """Return what happens when: of a training step, a schedule on a machine, or a measured program.

    Parameters
    ----------
    what
        A `TrainingStep`: a rank for each stage of the pipeline, whose pieces of work hold their own
        collectives, then what a step does once. A `Schedule`: each message from when it may start
        to when it has arrived. A `ProgramCost`: computation and collectives in order, as one rank
        has them; what hides behind computation is drawn over what is just before it, since its
        rule says how much, not when. A `Program` whose trace has times, such as Kineto's.
    machine
        The machine, for a schedule alone.
    model
        ``"fluid"`` or ``"fifo"``, for a schedule alone.
    routing
        A policy or its name, for a schedule alone.
    by
        ``"rank"``: a message is on the track of the rank that sends it. ``"link"``: on those of all
        links of its route, while it is being sent. For a schedule alone.

    Returns
    -------
    Timeline
        Spans, counters of messages on their way, and files of both.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If something is given that does not go with `what`, or has no times.
    Unsupported
        If it has more spans than memory may be taken for.
    RainierError
        If the schedule does not run on the machine.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> line = rf.torus((3,), "1 GB/s", wrap=False)
    >>> made = rf.schedule("broadcast", line, "1 MB", algorithm="chain")
    >>> found = rf.timeline(made, line)
    >>> found.kind, found.spans["end_s"].tolist()
    ('links alone', [0.001, 0.002])
    """
    given: object = what
    if isinstance(what, Schedule):
        if not isinstance(machine, Base):
            raise invalid_type("machine", machine, "must be a machine, on which a schedule runs")
        model, by = as_one_of("model", model, _MODELS), as_one_of("by", by, ("rank", "link"))
        return _of_schedule(what, machine, model, routing, by)
    if machine is not None:
        raise invalid("machine", machine, "goes with a schedule alone: leave it out")
    if isinstance(what, TrainingStep):
        return _of_step(what)
    if isinstance(what, ProgramCost):
        return _of_cost(what)
    if isinstance(given, Program):
        return _of_program(given)
    allowed = "must be a TrainingStep, a Schedule, a ProgramCost or a Program"
    raise invalid_type("what", given, allowed)


def _of_schedule(
    schedule: Schedule, machine: Base, model: str, routing: Routing, by: str
) -> Timeline:
    count = len(schedule)
    reckon(_SPAN_BYTES * count, f"a timeline of {count:,} messages", "take a smaller schedule")
    row = machine._routing(routing)
    sent, arrived = schedule._core.message_times(machine._core, row, model)
    sends = schedule.sends
    starts = _starts(sends, sent, arrived)
    spans = []
    for at, send in enumerate(sends):
        told = {"bytes": send.nbytes, "to": send.dst, "step": send.step, "message": at}
        name = f"{schedule.operation} {send.src} to {send.dst}"
        if by == "rank":
            track, end = f"lane {send.lane}", float(arrived[at])
            spans.append(Span(send.src, track, name, COMMUNICATION, starts[at], end, told))
            continue
        chips = schedule.chips
        for link in machine.route(chips[send.src], chips[send.dst], routing).links:  # type: ignore[attr-defined]
            words = (f"link {int(link)}", name, COMMUNICATION, starts[at], float(sent[at]), told)
            spans.append(Span(0, *words))
    source = f"{schedule.operation} by {schedule.algorithm} over {schedule.ranks} ranks, {model}"
    counters = (_on_the_way(starts, arrived),) if count else ()
    ranks = schedule.ranks if by == "rank" else 1
    return Timeline(tuple(spans), counters, LINKS_ALONE, source, ranks)


def _starts(sends: list[Send], sent: Any, arrived: Any) -> list[float]:  # noqa: ANN401 - arrays
    """Return when each message may start, by when those that it waits for are over.

    As the core has it: a turn of a rank opens when, in the turns before, what it sends has left and
    what comes to it has arrived.
    """
    turns: dict[tuple[int, int, int, int], float] = {}
    stages: dict[int, float] = {}
    for at, send in enumerate(sends):
        for rank, end in ((send.src, sent[at]), (send.dst, arrived[at])):
            key = send.stage, send.lane, rank, send.step
            turns[key] = max(turns.get(key, 0.0), float(end))
        stages[send.stage] = max(stages.get(send.stage, 0.0), float(arrived[at]))
    opens: dict[tuple[int, int, int, int], float] = {}
    before: tuple[int, int, int, int] | None = None
    ended = 0.0
    stage_opens: dict[int, float] = {}
    for stage in sorted(stages):
        stage_opens[stage] = ended
        ended = max(ended, stages[stage])
    for key in sorted(turns):
        start = stage_opens[key[0]]
        if before is not None and before[:3] == key[:3]:
            start = max(opens[before], turns[before])
        opens[key], before = start, key
    return [
        max(
            opens[send.stage, send.lane, send.src, send.step],
            *(float(arrived[other]) for other in send.after),
            0.0,
        )
        for send in sends
    ]


def _on_the_way(starts: list[float], ends: Any) -> Counter:  # noqa: ANN401 - an array
    """Return how many messages are on their way, from each time on that this changes."""
    times = np.concatenate([np.array(starts), np.asarray(ends)])
    steps = np.concatenate([np.ones(len(starts)), -np.ones(len(starts))])
    known, inverse = np.unique(times, return_inverse=True)
    values = np.cumsum(np.bincount(inverse, weights=steps, minlength=len(known)))
    return Counter("messages on the way", known.tolist(), values.tolist())


def _of_step(step: TrainingStep) -> Timeline:
    events = step.timeline()
    spans = []
    for row in events:
        told = {"chunk": row["chunk"], "microbatch": row["microbatch"]}
        name = f"{row['work']} of microbatch {row['microbatch']}"
        words = ("pipeline", name, "compute", row["start_s"], row["end_s"], told)
        spans.append(Span(row["stage"], *words))
    ended = float(events["end_s"].max()) if len(events) else 0.0
    parts = step.parts
    for name, kind in _ONCE.items():
        start, ended = ended, ended + parts[name]
        if parts[name] <= 0 or kind == "host":
            continue
        track = "replicas" if kind == COMMUNICATION else "pipeline"
        spans += [
            Span(stage, track, name, kind, start, ended, {}) for stage in range(step.layout.pp)
        ]
    source = f"a step of {step.layout.pp} stages"
    return Timeline(tuple(spans), (), step.kind, source, step.layout.pp)


def _of_cost(cost: ProgramCost) -> Timeline:
    count = 3 * len(cost.program)
    reckon(_SPAN_BYTES * count, f"a timeline of {count:,} spans", "cost a smaller program")
    rank = cost.program.rank or 0
    before = cost._computing.before_s or (0.0,) * len(cost.program)
    hidden = cost._hidden or (0.0,) * len(cost.program)
    spans = []
    now = 0.0
    rows = zip(cost.program, cost._times, before, hidden, strict=True)
    for at, (one, time, computed, behind) in enumerate(rows):
        told = {"name": one.name, "bytes_in": one.bytes_in, "runs": one.count, "collective": at}
        if computed > 0:
            words = ("program", "computation", "compute", now, now + computed)
            spans.append(Span(rank, *words, {"before": at}))
            now += computed
        if behind > 0:
            words = ("behind computation", one.op, COMMUNICATION, max(now - behind, 0.0), now)
            spans.append(Span(rank, *words, told))
        if time > behind:
            words = ("program", one.op, COMMUNICATION, now, now + time - behind)
            spans.append(Span(rank, *words, told))
            now += time - behind
    ranks = max(cost.program.world or 0, rank + 1)
    return Timeline(tuple(spans), (), cost.kind, cost.program.source, ranks)


def _of_program(program: Program) -> Timeline:
    spans = []
    rank = program.rank or 0
    for at, one in enumerate(program):
        if one.start_s is None or one.duration_s is None:
            continue
        told = {"bytes_in": one.bytes_in, "dtype": one.dtype, "collective": at}
        end = one.start_s + one.duration_s
        spans.append(Span(rank, "collectives", one.op, COMMUNICATION, one.start_s, end, told))
    if not spans:
        raise invalid("what", program.source, "must be a program whose trace has times")
    ranks = max(program.world or 0, rank + 1)
    return Timeline(tuple(spans), (), "as measured", program.source, ranks)
