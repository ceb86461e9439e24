"""A page of a serving plan."""

from __future__ import annotations

from typing import Any

from rainier_fast.report import content, markup, timeline
from rainier_fast.report.content import Content
from rainier_fast.report.markup import Html, joined, tag
from rainier_fast.serving.result import ServingResult
from rainier_fast.table import Table
from rainier_fast.units import format_bandwidth, format_time
from rainier_fast.workload.peaks import chip_of


def of(result: ServingResult) -> Content:
    """Return what a page says of a service."""
    machine: Any = result.machine
    parts = result._page()
    where = machine.name or machine.ultraserver.name
    notes = (
        "link loads: a service is priced by passes, whose collectives are too many kinds to add "
        "up on links; ask for one of them alone: machine.all_reduce(size, group=...)",
    )
    return Content(
        title=f"serving {result.service.transformer.name} on {where}",
        lede=str(parts[0]),
        kind=result.kind,
        prediction=joined([_numbers(result), content.page_parts(parts[1:], ""), _tables(result)]),
        machine=content.machine(machine),
        bounds=_bounds(result),
        assumptions=joined(
            [
                content.assumptions(machine.assumptions, result.guesses),
                tag("p", f"Pace of the stack: {result.pace.kind}, {result.pace.source}"),
            ]
        ),
        measured=content.measured(
            lambda: result.nearest_measurements,
            "measured services that are nearest in size, and our error on them",
        ),
        views=(timeline.of_serving(result),),
        notes=notes,
        stills=(),
        result=result,
        told=result.to_dict(),
    )


def _numbers(result: ServingResult) -> Html:
    rows = [
        ("time to the first token", result.ttft_s, f"{format_time(result.ttft_s)}, {result.kind}"),
        ("time between tokens", result.tpot_s, f"{format_time(result.tpot_s)}, {result.kind}"),
        ("tokens a second", result.tokens_per_s, f"{result.tokens_per_s:,.1f}"),
        ("requests a second", result.requests_per_s, f"{result.requests_per_s:,.4g}"),
    ]
    return content.key_numbers(rows)


def _tables(result: ServingResult) -> Html:
    memory = dict(result.memory)
    requests = memory.pop("requests")
    held = Table({"what": list(memory), "bytes": list(memory.values())})
    passes = {"decoding": result.parts, "prefill": result.prefill_parts}
    rows = [
        (name, part, seconds) for name, parts in passes.items() for part, seconds in parts.items()
    ]
    names = ("pass", "part", "time_s")
    spent = Table(
        {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    )
    return joined(
        [
            markup.table(result.quantiles, "times over requests"),
            markup.table(spent._of_kind(result.kind), "what a pass is spent on"),
            markup.table(held, f"bytes of a rank; {requests:,.0f} requests fit a replica"),
        ]
    )


def _bounds(result: ServingResult) -> Html:
    """Return what a step of a dense model takes at least, by reading its weights."""
    if result.service.transformer.experts is not None:
        words = "No bound is computed: which experts a step reads depends on its tokens."
        return tag("p", words)
    rate = float(chip_of(result.machine).hbm_bandwidth_Bps) / result.layout.ranks_per_chip
    least = result.memory["weights_bytes"] / rate
    rows = Table(
        {
            "bound": [f"weights of a rank at the HBM's {format_bandwidth(rate)}"],
            "time_s": [least],
            "times_above": [result.step_s / least],
        }
    )
    words = "A step of decoding reads all weights of a dense model once: its bytes over the "
    words += "bandwidth of the data sheet. times_above is the step of decoding over that."
    return joined([tag("p", words), markup.table(rows, "bounds")])
