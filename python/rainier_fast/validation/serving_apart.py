"""Measured services whose prefill and decoding have workers of their own, beside ours.

None of them is fitted: paces are those of engines whose workers do both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from rainier_fast.errors import RainierError, Unsupported
from rainier_fast.machine.presets import preset
from rainier_fast.measured.serving import APART, read
from rainier_fast.serving.disaggregated import run_disaggregated
from rainier_fast.serving.disaggregated_result import DisaggregatedResult
from rainier_fast.serving.ready import Asked
from rainier_fast.serving.serving import Serving
from rainier_fast.validation.row import Row
from rainier_fast.workload.layout import Layout

SOURCE: Final = "serving_apart"
"""The name of the reference."""

_NODE: Final = 8


class Ran(NamedTuple):
    """A measured service, and ours or why there is none."""

    case: Mapping[str, Any]
    ours: DisaggregatedResult | None
    why: str = ""


@cache
def ran() -> tuple[Ran, ...]:
    """Return all measured services beside ours."""
    return tuple(_ran(case) for case in read(APART).rows)


def _ran(case: Mapping[str, Any]) -> Ran:
    try:
        return Ran(case, run(case))
    except RainierError as error:
        return Ran(case, None, str(error))


def run(case: Mapping[str, Any]) -> DisaggregatedResult:
    """Return ours of a measured service, on whole nodes that hold its workers."""
    given = {name: case[name] for name in ("precision", "kv", "engine", "memory_share")}
    service = Serving(case["model"], input=case["input"], output=case["output"], **given)
    if service.transformer.experts is not None and not case["ep"]:
        raise Unsupported("experts: the row does not say how they are cut")
    workers = case["workers"], case["decode_workers"]
    ranks = case["tp"] * case["dp"], case["decode_tp"] * case["decode_dp"]
    chips = sum(count * each for count, each in zip(workers, ranks, strict=True))
    machine = preset(case["machine"], chips=-(-chips // _NODE) * _NODE)
    layouts = _layout(case, "", service), _layout(case, "decode_", service)
    demand = case["concurrency"], None
    return run_disaggregated(machine, service, layouts, workers, demand, "read", Asked())


def _layout(case: Mapping[str, Any], which: str, service: Serving) -> Layout:
    if service.transformer.experts is None:
        return Layout(tp=case[f"{which}tp"])
    return Layout(**{name: case[f"{which}{name}"] for name in ("tp", "ep", "etp")})


def rows() -> list[Row]:
    """Return each measured figure beside ours."""
    return [row for one in ran() for row in rows_of(one)]


def rows_of(one: Ran) -> list[Row]:
    """Return requests/s, a token and the first token of one of them; nothing without an answer."""
    if one.ours is None:
        return []
    case, ours = one.case, one.ours
    first, between = case["ttft_ms"], case["tpot_ms"]
    rate = 1e3 * case["concurrency"] / (first + (case["output"] - 1) * between)
    figures = (
        ("requests/s", "1/s", rate, ours.requests_per_s),
        ("a token", "ms", between, 1e3 * ours.tpot_s),
        ("first token", "ms", first, 1e3 * ours.ttft_s),
    )
    return [
        Row(
            group=f"{case['machine'].upper()}, prefill and decoding apart, {quantity}, not fitted",
            case=_title(case),
            quantity=quantity,
            unit=unit,
            published=measured,
            ours=own,
            kind=ours.kind,
            model="serve_disaggregated",
            source=case["source"],
            note=_note(case, ours, quantity),
        )
        for quantity, unit, measured, own in figures
    ]


def _title(case: Mapping[str, Any]) -> str:
    each = [f"{case[which + 'workers']} x {_cut(case, which)}" for which in ("", "decode_")]
    words = f"{case['model']} {case['precision']}, {case['input']}/{case['output']}, "
    return f"{words}{case['concurrency']:,} at once, {each[0]} to {each[1]}"


def _cut(case: Mapping[str, Any], which: str) -> str:
    axes = ("tp", "dp", "ep")
    found = [f"{name.upper()} {case[which + name]}" for name in axes if case[which + name] > 1]
    return ", ".join(found) or "TP 1"


def _note(case: Mapping[str, Any], ours: DisaggregatedResult, quantity: str) -> str:
    words = [str(case["software"])]
    if quantity == "requests/s":
        words.append("measured: by Little's law of both times")
        words.append(f"bottleneck {ours.bottleneck}")
    if not case["said"]:
        words.append("requests at once: decode workers times their batch")
    return "; ".join(words)


def left() -> list[tuple[str, str]]:
    """Return the measured services that are not answered, by reason: how many, and why."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in ran():
        if one.ours is None:
            what = f"{one.case['model']} on {one.case['machine']}, {one.case['engine']}, apart"
            counts[what, one.why.partition(";")[0]] += 1
    unsaid = int(ran()[0].case["unsaid"])
    counted = [(f"{count:,} of {what}", why) for (what, why), count in sorted(counts.items())]
    why = "the source says neither their batches nor how many workers there were"
    return [*counted, (f"{unsaid:,} of h100 and b200, apart", why)]
