"""What a training step says of itself: tables, lines and its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.screen import Facts
from rainier_fast.table import Table
from rainier_fast.units import format_bytes, format_count, format_time
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.overlap import overlap_columns, overlap_guesses
from rainier_fast.workload.peaks import banks, chip_of, hbm_bytes, peak_flops, peak_type
from rainier_fast.workload.ran import AXES_OF_PARTS, KEPT, Priced
from rainier_fast.workload.stacked import scattered
from rainier_fast.workload.step_figures import StepFigures

_MOST_GUESSES: Final = 2


def mfus(step: StepFigures) -> Table:
    """Return MFU by convention and peak: `TrainingStep.mfus`."""
    training = step.training
    own = {
        "convention": "this job",
        "mask": training.mask,
        "mtp": training.transformer.mtp > 0,
        "recompute": "none",
        "flops_per_token": training.flops / training.tokens,
    }
    known = training.transformer.conventions(training.sequence)
    peaks = {"headline": peak_flops(step.machine, step.training)}
    if chip_of(step.machine).tensor_flops:
        peaks["tensor engines"] = peak_flops(step.machine, step.training, tensor_only=True)
    rows = []
    for row in (own, *known):
        done = row["flops_per_token"] * training.tokens
        first = [row[column] for column in ("convention", "mask", "mtp", "recompute")]
        for name, flops in peaks.items():
            rows.append((*first, name, flops / step.chips, done / flops / step.time_s))
    names = ("convention", "mask", "mtp", "recompute", "peak", "peak_flops", "mfu")
    return Table(
        {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    )


def held(layout: Layout, stage: int) -> list[int]:
    """Return the chunks of layers that a stage holds, by the schedule."""
    stages, chunks = layout.pp, layout.pp * layout.chunks
    if layout.runs == "dualpipe":
        return [stage, stages - 1 - stage]
    if layout.runs == "zb-v":
        return [stage, 2 * stages - 1 - stage]
    return list(range(stage, chunks, stages))


def memory(step: StepFigures) -> Table:
    """Return bytes by stage: `TrainingStep.memory`."""
    ran, most, stacks = step._ran, hbm_bytes(step.machine, step.layout), banks(step.machine)
    totals = [sum(row) for row in ran.memory]
    stages = range(len(totals))
    layers = [sum(ran.layers[chunk] for chunk in held(step.layout, stage)) for stage in stages]
    columns: dict[str, list[Any]] = {"stage": list(stages), "layers": layers}
    for at, name in enumerate(KEPT):
        columns[f"{name}_bytes"] = [float(row[at]) for row in ran.memory]
    columns["total_bytes"] = totals
    columns["hbm_bytes"] = [most] * len(totals)
    ranks = step.layout.ranks_per_chip
    banked = [None if stacks is None else total * ranks / stacks for total in totals]
    columns["bank_bytes"] = banked
    columns["fits"] = [total <= most for total in totals]
    return Table(columns)


def collectives(step: StepFigures) -> Table:
    """Return the collectives of a step: `TrainingStep.collectives`."""
    rows = step._ran.collectives
    return Table(
        {
            "operation": [row.operation for row in rows],
            "axes": [row.axes for row in rows],
            "ranks": [row.ranks for row in rows],
            "bytes": [row.size for row in rows],
            "time_s": [row.seconds for row in rows],
            "algorithm": [row.algorithm for row in rows],
            "bottleneck": [row.bottleneck for row in rows],
            "kind": [LINKS_ALONE if row.is_by_links(step.algorithm) else step.kind for row in rows],
        }
    )


def bottleneck(step: StepFigures) -> str:
    """Return what takes most in words: `TrainingStep.bottleneck`."""
    name, seconds = max(step.parts.items(), key=lambda part: part[1])
    words = f"{name}, {seconds / step.time_s:.1%} of the step"
    slowest = _slowest(step, name)
    if slowest is None:
        return words
    words += f"; its longest is {slowest.operation} of {format_bytes(slowest.size)} over "
    words += f"{format_count(slowest.ranks)} chips by {slowest.algorithm}"
    return words + (f", bounded by {slowest.bottleneck}" if slowest.bottleneck else "")


def _slowest(step: StepFigures, part: str) -> Priced | None:
    """Return the longest collective that a part waits for."""
    axes = set(AXES_OF_PARTS.get(part, ()))
    own = [one for one in step._ran.collectives if axes & set(one.axes.split(", "))]
    return max(own, key=lambda one: one.seconds, default=None)


def overlaps(step: StepFigures) -> Table:
    """Return what hides behind what: `TrainingStep.overlaps`."""
    return Table(overlap_columns(step.machine.runtime, step.layout))


def guesses(step: StepFigures) -> tuple[str, ...]:
    """Return what rests on no measurement: `TrainingStep.guesses`."""
    return tuple(_guesses(step))


def _guesses(step: StepFigures) -> Iterator[str]:
    training, layout = step.training, step.layout
    yield from _rates_guessed(step)
    yield from overlap_guesses(step.machine.runtime, layout)
    alone = (one for one in step._ran.collectives if one.is_by_links(step.algorithm))
    by_links = {one.operation: None for one in alone}
    if by_links and step.algorithm != "auto":
        names = ", ".join(by_links)
        words = f"{names}: {step.algorithm} has no model of them here, so by {LINKS_ALONE}"
        if step.machine.is_damaged:
            words += (
                ", times what it takes over links on the whole machine where it has one of that"
            )
        yield words
    in_chips = {one.operation: None for one in step._ran.collectives if one.is_inside_chips}
    in_chips.pop("all_reduce", None)
    if in_chips:
        names = ", ".join(in_chips)
        yield f"{names}: among the cores of a chip, half of an all-reduce that was measured there"
    if training.optimizer == "muon":
        yield "optimizer: the orthogonalisation of muon takes no time"
    if training.transformer.experts is not None and training.imbalance == 1:
        yield "ep: all experts get as many tokens (imbalance=1)"
    if training.host == 0:
        yield "host: it never holds the chips up (host=0)"
    axes = scattered(layout, step.replicas)
    if axes:
        rule = f"{layout.order} joins ranks by a rule of its own, which are counted up here"
        yield f"order: of {', '.join(axes)}, {rule}"


def _rates_guessed(step: StepFigures) -> Iterator[str]:
    """Yield which rates of operators are carried over or guessed."""
    efficiency, precision = step.efficiency, peak_type(step.training)
    products, attention, memory = (
        efficiency.rate(precision),
        efficiency.attention,
        efficiency.memory,
    )
    told = {
        f"{precision} products": (products.kind, products.source),
        "attention": (attention.kind, attention.source),
        "attention backward": (attention.backward_kind, attention.backward_source),
        "memory-bound operators": (memory.kind, memory.source),
    }
    for name, (kind, source) in told.items():
        if kind == "guess":
            yield f"{name}: {source}"


def headline(step: StepFigures) -> str:
    """Return the step in one line."""
    label = step.machine.name or step.machine.ultraserver.name
    where = f"{format_count(step.chips)} chips of {label}"
    model = step.training.transformer.name
    return f"a step of {model} on {where}: {format_time(step.time_s)}, {step.kind}"


def _parts(step: StepFigures) -> str:
    ranked = sorted(step.parts.items(), key=lambda part: -part[1])
    shares = [(name, seconds / step.time_s) for name, seconds in ranked if seconds]
    shown = [f"{name} {share:.1%}" if share >= 0.001 else f"{name} <0.1%" for name, share in shares]
    return ", ".join(shown)


def _memory(step: StepFigures) -> str:
    totals = [sum(row) for row in step._ran.memory]
    worst = max(range(len(totals)), key=lambda stage: totals[stage])
    most, total = hbm_bytes(step.machine, step.layout), totals[worst]
    kept = zip(KEPT, step._ran.memory[worst], strict=True)
    shown = ", ".join(f"{name} {format_bytes(size)}" for name, size in kept if size)
    where = f"stage {worst}: " if len(totals) > 1 else ""
    words = f"{where}{format_bytes(total)} of {format_bytes(most)} ({shown})"
    if total <= most:
        return words
    return f"does not fit by {format_bytes(total - most)}: {words}"


def page(step: StepFigures) -> list[Any]:
    """Return a headline and a line for each fact."""
    microbatches = format_count(step.microbatches)
    rate = f"{step.tokens_per_s:,.0f} a second, {step.tokens_per_s_per_chip:,.1f} a chip"
    used = f"MFU {step.mfu:.1%}, HFU {step.hfu:.1%} of the {step.training.precision} peak, "
    facts: Facts = [
        ("job", str(step.training)),
        (
            "layout",
            f"{step.layout.with_(dp=step.replicas)}; {microbatches} microbatches a replica",
        ),
        ("tokens", rate),
        ("use", f"{used}{step.training.mask} FLOPs"),
        ("parts", _parts(step)),
        ("memory", _memory(step)),
        ("bottleneck", bottleneck(step)),
    ]
    rest = guesses(step)
    shown = list(rest[:_MOST_GUESSES])
    if len(rest) > _MOST_GUESSES:
        shown.append(f"{len(rest) - _MOST_GUESSES} more in .guesses")
    facts += [("guesses" if at == 0 else "", line) for at, line in enumerate(shown)]
    return [headline(step), facts]
