"""How the result of a collective reads, as text and in a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rainier_fast.ask.cores import CoreGroups
from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.errors import RainierError
from rainier_fast.measured.nearest import nearest_in_words
from rainier_fast.results.answer import Answer
from rainier_fast.results.as_run import run_by_runtime
from rainier_fast.screen import Facts
from rainier_fast.units import format_bandwidth, format_bytes, format_count, format_time


def headline(result: Answer) -> str:
    """Return the result in one line."""
    size = "" if result.operation == "barrier" else f" of {format_bytes(result.size_bytes)}"
    cores = isinstance(result.request.groups, CoreGroups)
    who = f"{format_count(result.ranks)} {'ranks' if cores else 'chips'}"
    if result.groups > 1:
        who = f"{format_count(result.groups)} groups of {who}"
    said = result.request._said()
    time = f"{format_time(result.time_s)}, {result.kind}"
    return f"{result.operation}{size}{said} over {who}: {time}"


def why(result: Answer) -> str:
    """Return one sentence on why this algorithm was taken."""
    considered = result._considered()
    if not len(considered):
        return "nothing moves, so no algorithm was needed"
    if result.request.schedule_of_own is not None:
        own = result.request.schedule_of_own._name
        if own != "schedule":
            return f"{own} is the fastest that takes a size for each rank; verify() proves it"
        return "it is the schedule that was given; verify() proves what it computes"
    if result.model != result.request.model:
        own = f"the tuning model of {result.model.upper()}"
        rests = f"; {result.note}" if result.note else ""
        return f"{result.algorithm} is what {own} picks; it was asked for by name{rests}"
    if result.request.algorithm != "auto":
        named = f"{result.algorithm} was asked for by name"
        rules = result.note if result.note and not result.machine.is_damaged else ""
        return f"{named}; {rules}" if rules else named
    times = considered["time_s"]
    ready = int((times == times).sum())
    refused = len(times) - ready
    rest = f"; {refused} more do not apply here" if refused else ""
    if ready == 1:
        return f"it is the only algorithm that applies{rest}"
    slower = f"{considered['algorithm'][1]}, takes {format_time(float(times[1]))}"
    if times[0] > 0:
        slower += f", {times[1] / times[0]:.3g} times as long"
    return f"it is the fastest of {ready}; the next, {slower}{rest}"


def facts(result: Answer) -> Facts:
    """Return what is worth knowing of a result, as pairs of a name and a line."""
    chunks = f", {result.chunks} chunks" if result.chunks > 1 else ""
    parts = (
        f"latency {format_time(result.latency_s)}, overhead {format_time(result.overhead_s)}, "
        f"serialisation {format_time(result.serialisation_s)}"
    )
    rates = format_bandwidth(result.algbw_Bps), format_bandwidth(result.busbw_Bps)
    kind = f" by {result.bounds['bound'][0]}" if len(result.bounds) else ""
    alone = "" if result.kind == LINKS_ALONE else f" on the {LINKS_ALONE}"
    bound = f"{format_time(result.lower_bound_s)}{kind}{alone}, {result.efficiency:.1%} of the time"
    measured = nearest_in_words(result.machine, result.request, result.ranks)
    return [
        ("algorithm", f"{result.algorithm}{chunks}; model {result.model}"),
        *_as_run(result),
        ("bandwidth", "algbw {}, busbw {}".format(*rates)),
        ("parts", parts),
        ("bounded by", _bounded(result)),
        ("busiest link", str(result.bottleneck or no_bottleneck(result))),
        ("lower bound", bound),
        ("why", why(result)),
        ("assumes", _assumed(result) or "nothing of the catalogue"),
        *([("damage", result.note)] if result.machine.is_damaged and result.note else []),
        *([("measured", measured)] if measured else []),
        *_unmeasured(result.unmeasured),
    ]


def page(result: Answer) -> list[Any]:
    """Return a headline, a line for each fact, and the stages or, of a single one, its phases."""
    parts: list[Any] = [headline(result), facts(result)]
    stages = result._tables["stages"]
    if len(result._tables["phases"]):
        parts += ["", stages if len(stages) > 1 else result._tables["phases"]]
    if len(stages) > 1:
        parts.append("rows take all of the data at once; chunks overlap them in the total")
    return parts


def _as_run(result: Answer) -> Facts:
    """Return the time of the machine's own software beside the links, or why it has none."""
    found = run_by_runtime(result)
    if found is None:
        return []
    if isinstance(found, RainierError):
        return [("as it runs", f"{result.machine.runtime} has no figure: {found}")]
    request, outcome = found
    line = f"{format_time(outcome.time)} {request.kind}, by {outcome.algorithm}"
    if result.time_s > 0:
        line += f": {outcome.time / result.time_s:.3g} times as long as on the links alone"
    return [("as it runs", line), *_unmeasured(outcome.facts()["unmeasured"])]


def _unmeasured(parts: Iterable[str]) -> Facts:
    """Return the parts that no measurement stands behind, a line each."""
    return [("unmeasured" if at == 0 else "", part) for at, part in enumerate(parts)]


def _bounded(result: Answer) -> str:
    if result.time_s == 0:
        return "nothing"
    parts = {
        "latency": result.latency_s,
        "overhead": result.overhead_s,
        "bytes on the links": result.serialisation_s,
    }
    worst = max(parts, key=lambda name: parts[name])
    launch = result.machine.ultraserver.launch_s
    if launch > 0 and result.time_s == launch:
        return f"the launch of a call, which takes {format_time(launch)} and overlaps the rest"
    words = f"{worst}, {parts[worst] / result.time_s:.1%} of the time"
    by_stage = list(result.stages)
    if not by_stage:
        return words
    slowest = max(by_stage, key=lambda row: float(row["time_s"]))
    where = (
        f"{slowest['tier']} ({slowest['bottleneck']})" if slowest["bottleneck"] else slowest["tier"]
    )
    return f"{words}; slowest stage {slowest['stage']} on tier {where}"


def no_bottleneck(result: Answer) -> str:
    """Return why there is no busiest link."""
    if result.model == "alpha_beta":
        return "none: this model gives each message its route to itself"
    if result.model != result.request.model:
        return f"none: the tuning model of {result.model.upper()} prices bytes and hops, not links"
    return "none: no bytes move"


def _assumed(result: Answer) -> str:
    named = list(result.assumptions.items())
    first = ", ".join(f"{name} {figure.text}" for name, figure in named[:3])
    return first + (f" and {len(named) - 3} more in .assumptions" if len(named) > 3 else "")
