"""Spans of time as JSON of trace viewers: Chrome's format, and that of PyTorch's profiler."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

SCALES: Final = {"us": 1e6, "ns": 1e9}
"""How many of a second one unit of a Kineto file stands for."""

COMMUNICATION: Final = "communication"
_KERNEL: Final = "ncclKernel"
_PLACES: Final = 3
"""Digits after the point of microseconds: nanoseconds."""


class Span(NamedTuple):
    """Something that lasts."""

    rank: int
    track: str
    name: str
    kind: str
    """``"compute"``, ``"communication"`` or ``"memory"``."""
    start_s: float
    end_s: float
    told: dict[str, Any]


class Counter(NamedTuple):
    """A number that changes: values from times on."""

    name: str
    times_s: Sequence[float]
    values: Sequence[float]


def rows_of(spans: Iterable[Span]) -> list[tuple[Span, int]]:
    """Return spans with the row of their track, in which they follow or hold each other."""
    # By rank and track: of each row, the ends of what is still open.
    rows: dict[tuple[int, str], list[list[float]]] = {}
    found = []
    for span in sorted(spans, key=lambda one: (one.start_s, -one.end_s)):
        own = rows.setdefault((span.rank, span.track), [])
        for at, open_ in enumerate(own):
            while open_ and open_[-1] <= span.start_s:
                open_.pop()
            if not open_ or span.end_s <= open_[-1]:
                open_.append(span.end_s)
                found.append((span, at))
                break
        else:
            own.append([span.end_s])
            found.append((span, len(own) - 1))
    return found


def perfetto(spans: Sequence[Span], counters: Sequence[Counter], source: str) -> str:
    """Return Chrome's JSON, which Perfetto shows: microseconds to the nanosecond."""
    events: list[dict[str, Any]] = []
    threads: dict[tuple[int, str, int], int] = {}
    for span, row in rows_of(spans):
        key = span.rank, span.track, row
        thread = threads.setdefault(key, len(threads) + 1)
        start, end = (round(value * 1e9) for value in (span.start_s, span.end_s))
        events.append(
            {
                "ph": "X",
                "name": span.name,
                "cat": span.kind,
                "pid": span.rank,
                "tid": thread,
                "ts": _microseconds(start),
                "dur": _microseconds(end - start),
                "args": span.told,
            }
        )
    for counter in counters:
        events += [
            {
                "ph": "C",
                "name": counter.name,
                "pid": 0,
                "tid": 0,
                "ts": _microseconds(round(time * 1e9)),
                "args": {"value": value},
            }
            for time, value in zip(counter.times_s, counter.values, strict=True)
        ]
    whole = {
        "displayTimeUnit": "ns",
        "otherData": {"source": source},
        "traceEvents": [*_names(threads), *events],
    }
    return json.dumps(whole, separators=(",", ":"))


def _microseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1000, _PLACES)


def _names(threads: dict[tuple[int, str, int], int]) -> list[dict[str, Any]]:
    """Return what names processes and threads."""
    made: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": rank, "args": {"name": f"rank {rank}"}}
        for rank in dict.fromkeys(rank for rank, _, _ in threads)
    ]
    for (rank, track, row), thread in threads.items():
        name = track if row == 0 else f"{track} ({row + 1})"
        made += [
            {"ph": "M", "name": "thread_name", "pid": rank, "tid": thread, "args": {"name": name}},
            {"ph": "M", "name": "thread_sort_index", "pid": rank, "tid": thread,
             "args": {"sort_index": thread}},
        ]  # fmt: skip
    return made


def kineto(spans: Sequence[Span], rank: int, ranks: int, scale: str) -> str:
    """Return one rank's spans as PyTorch's profiler writes kernels, in whole units.

    HolisticTraceAnalysis takes an object with the rank in ``distributedInfo``, before any other
    key of that name, numbers in ``args.stream`` and ``ts``, and calls communication what is named
    ``nccl...Kernel``.
    """
    by = SCALES[scale]
    own = [one for one in spans if one.rank == rank]
    streams: dict[tuple[str, int], int] = {}
    events = []
    for number, (span, row) in enumerate(rows_of(own)):
        stream = streams.setdefault((span.track, row), len(streams) + 7)
        start, end = round(span.start_s * by), round(span.end_s * by)
        events.append(
            {
                "ph": "X",
                "cat": "kernel",
                "name": name_of(span),
                "pid": rank,
                "tid": stream,
                "ts": start,
                "dur": end - start,
                "args": {"stream": stream, "device": rank, "correlation": number + 1} | span.told,
            }
        )
    whole = {
        "schemaVersion": 1,
        "distributedInfo": {"backend": "nccl", "rank": rank, "world_size": ranks},
        "timeUnit": f"1 unit of ts and dur is 1 {scale}",
        "traceEvents": events,
    }
    # Its rank is found by a pattern that wants a space after the colon: compact, every file is 0.
    return json.dumps(whole)


def name_of(span: Span) -> str:
    """Return the name of a span in a Kineto file."""
    if span.kind == COMMUNICATION:
        return f"{_KERNEL}_{span.name}"
    # A name that begins as those of copies and communication do would be counted as such.
    return f"Memcpy {span.name}" if span.kind == "memory" else f"compute: {span.name}"
