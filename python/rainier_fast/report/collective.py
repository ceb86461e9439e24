"""A page of a collective."""

from __future__ import annotations

from typing import Any

from rainier_fast.errors import RainierError
from rainier_fast.report import content, markup, timeline, torus
from rainier_fast.report.content import Content
from rainier_fast.report.markup import Html, joined, tag
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.results.link_loads import LinkLoads
from rainier_fast.table import Table
from rainier_fast.units import format_bandwidth, format_bytes, format_time


def of(result: CollectiveResult) -> Content:
    """Return what a page says of a collective."""
    loads = result.link_loads()
    notes: list[str] = []
    what = title(result)
    made = content.tried(lambda: torus.view(result, loads, what), notes, "the torus")
    views = [one for one in (made, timeline.of_collective(result)) if one is not None]
    stills = ["roofline"] if result.size_bytes > 0 else []
    stills += ["utilisation"]
    machine: Any = result.machine
    parts = result._page()
    return Content(
        title=what,
        lede=str(parts[0]),
        kind=result.kind,
        prediction=joined([_numbers(result), content.page_parts(parts[1:], "stages")]),
        machine=joined([content.machine(machine), _classes(loads)]),
        bounds=bounds(result),
        assumptions=content.assumptions(result.assumptions, result.unmeasured),
        measured=_measured(result),
        views=tuple(views),
        notes=tuple(notes),
        stills=tuple(stills),
        result=result,
        told=result.to_dict(),
    )


def title(result: CollectiveResult) -> str:
    """Return what was asked in a few words."""
    size = "" if result.operation == "barrier" else f" of {format_bytes(result.size_bytes)}"
    machine: Any = result.machine
    return f"{result.operation}{size} on {machine.name or machine.ultraserver.name}"


def _numbers(result: CollectiveResult) -> Html:
    rows = [("time", result.time_s, f"{format_time(result.time_s)}, {result.kind}")]
    runs = result.as_run
    if runs is not None:
        rows.append(("as it runs", runs.time_s, f"{format_time(runs.time_s)}, {runs.kind}"))
    if result.size_bytes > 0 and result.time_s > 0:
        rows.append(("algbw", result.algbw_Bps, format_bandwidth(result.algbw_Bps)))
        rows.append(("busbw", result.busbw_Bps, format_bandwidth(result.busbw_Bps)))
    bound = f"{format_time(result.lower_bound_s)}, {result.efficiency:.1%} of the time"
    rows.append(("lower bound", result.lower_bound_s, bound))
    return content.key_numbers(rows)


def bounds(result: CollectiveResult) -> Html:
    """Return all bounds and how far the time is from each."""
    rows = result.bounds
    times = rows["time_s"]
    far = [result.time_s / float(one) if one > 0 else float("nan") for one in times]
    told = Table({"bound": rows["bound"], "time_s": times, "times_above": far})
    words = "No schedule takes less than the highest of these on the links of this machine; "
    words += "times_above is the predicted time over the bound."
    parts = [tag("p", words), markup.table(told._of_kind("links alone"), "bounds")]
    if len(result.candidates) > 1:
        parts.append(markup.table(result.candidates, "algorithms that were considered", 20))
    return joined(parts)


def _classes(loads: LinkLoads) -> Html:
    return markup.table(loads.by_class(), "what each class of links carries")


def _measured(result: CollectiveResult) -> Html:
    """Return the nearest rows of the answer, or else of the same as the machine's software runs."""
    caption = "measured rows that are nearest in size, and our error on them"
    try:
        rows = result.nearest_measurements
    except RainierError as error:
        runs = result.as_run
        if runs is None:
            return tag("p", f"None: {error}.")
        words = f"Links alone are not what is measured. Of the same {runs.kind}:"
        made = content.measured(lambda: runs.nearest_measurements, caption)
        return joined([tag("p", words), made])
    return content.measured(lambda: rows, caption)
