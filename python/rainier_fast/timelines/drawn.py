"""A timeline: spans by rank and track, what a rank's time is made of, and files of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.files.kept import as_path, write
from rainier_fast.formats.trace_events import SCALES, Counter, Span, kineto, perfetto
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.table import Table
from rainier_fast.units import format_time

_EVENT_BYTES: Final = 2500
"""What an event takes as JSON and the objects that it is made of."""
_FORMATS: Final = ("perfetto", "kineto")


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class Timeline:
    """What happens when. Immutable; `rainier_fast.timeline` makes one.

    Attributes
    ----------
    kind
        What kind of number its times are, such as ``"links alone"``.
    source
        What it is of, in one line.
    ranks
        How many ranks it has spans of, or of how many they are.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> ring = rf.schedule("all_gather", rf.torus((4,), "1 GB/s"), "4 MB", algorithm="ring_one_way")
    >>> print(rf.timeline(ring, rf.torus((4,), "1 GB/s")))
    links alone: all_gather by ring_one_way over 4 ranks, fluid: 12 spans in 3.00 ms
    """

    _spans: tuple[Span, ...]
    _counters: tuple[Counter, ...]
    kind: str
    source: str
    ranks: int

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.kind}: {self.source}: {len(self)} spans in {format_time(self.time_s)}"

    def __repr__(self) -> str:
        return f"<Timeline of {self}>"

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def time_s(self) -> float:
        """When the last span ends, in seconds."""
        return max((one.end_s for one in self._spans), default=0.0)

    @property
    def spans(self) -> Table:
        """Columns ``rank``, ``track``, ``name``, ``kind``, ``start_s``, ``end_s``."""
        names = ("rank", "track", "name", "kind", "start_s", "end_s")
        columns = {name: [getattr(one, name) for one in self._spans] for name in names}
        return Table(columns)._of_kind(self.kind)

    @property
    def counters(self) -> Table:
        """Columns ``counter``, ``time_s``, ``value``: values from a time on."""
        rows = [
            (one.name, time, value)
            for one in self._counters
            for time, value in zip(one.times_s, one.values, strict=True)
        ]
        names, times, values = zip(*rows, strict=True) if rows else ((), (), ())
        columns = {"counter": names, "time_s": times, "value": values}
        return Table(columns)._of_kind(self.kind)

    def breakdown(self) -> Table:
        """Return what the time of each rank is made of, as HolisticTraceAnalysis divides it.

        Returns
        -------
        Table
            A row for each rank: ``time_s`` from its first span to its last, ``idle_s`` without any,
            ``compute_s`` with computation, and ``non_compute_s`` with communication or copies
            alone.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> line = rf.torus((2,), "1 GB/s", wrap=False)
        >>> made = rf.schedule("broadcast", line, "1 MB", algorithm="chain")
        >>> found = rf.timeline(made, line).breakdown()
        >>> found.kind, found["non_compute_s"].tolist()
        ('links alone', [0.001])
        """
        rows: dict[str, list[Any]] = {"rank": []}
        rows |= {name: [] for name in ("time_s", "idle_s", "compute_s", "non_compute_s")}
        by_rank: dict[int, list[Span]] = {}
        for span in self._spans:
            by_rank.setdefault(span.rank, []).append(span)
        for rank, own in sorted(by_rank.items()):
            whole = max(one.end_s for one in own) - min(one.start_s for one in own)
            busy, compute = _covered(own), _covered([one for one in own if one.kind == "compute"])
            row = (rank, whole, whole - busy, compute, busy - compute)
            for values, value in zip(rows.values(), row, strict=True):
                values.append(value)
        return Table(rows)._of_kind(self.kind)

    def save(
        self,
        path: str | os.PathLike[str],
        format: str = "perfetto",
        rank: int = 0,
        scale: str = "us",
    ) -> None:
        """Write it for a viewer of traces, or for tools that read those of PyTorch's profiler.

        Parameters
        ----------
        path
            The file; one that is there is replaced.
        format
            ``"perfetto"``: Chrome's JSON with all ranks, tracks and counters, to the nanosecond;
            ui.perfetto.dev opens it. ``"kineto"``: one rank, as PyTorch's profiler writes kernels;
            HolisticTraceAnalysis reads it.
        rank
            The rank, for ``"kineto"``; a file for each.
        scale
            ``"us"``: starts and ends are rounded to whole microseconds, since
            HolisticTraceAnalysis rounds parts of them inward, seven tenths to -1. ``"ns"``: a
            microsecond of the file is a nanosecond, so that nothing is lost. For ``"kineto"``.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If there is no such format, scale or rank.
        Unsupported
            If it has more spans than memory may be taken for.
        OSError
            If it cannot be written.

        Examples
        --------
        >>> import json, pathlib, tempfile
        >>> import rainier_fast as rf
        >>> line = rf.torus((2,), "1 GB/s", wrap=False)
        >>> made = rf.schedule("broadcast", line, "1 MB", algorithm="chain")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "trace.json"
        ...     rf.timeline(made, line).save(file, format="kineto", scale="ns")
        ...     json.loads(file.read_text())["traceEvents"][0]["dur"]
        1000000
        """
        target = as_path(path)
        format, scale = as_one_of("format", format, _FORMATS), as_one_of("scale", scale, SCALES)
        what = f"a trace of {len(self):,} spans"
        reckon(_EVENT_BYTES * (len(self) + len(self.counters)), what, "export a smaller one")
        if format == "perfetto":
            text = perfetto(self._spans, self._counters, self.source)
        else:
            rank = as_integer("rank", rank, 0, max(self.ranks - 1, 0))
            if not any(one.rank == rank for one in self._spans):
                raise invalid("rank", rank, "has no spans in this timeline")
            text = kineto(self._spans, rank, self.ranks, scale)
        write(target, text)


def _covered(spans: Sequence[Span]) -> float:
    """Return how long at least one of some spans lasts."""
    if not spans:
        return 0.0
    starts, ends = (np.array([getattr(one, end) for one in spans]) for end in ("start_s", "end_s"))
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    before = np.concatenate([[starts[0]], ends[:-1]])
    return float((ends - np.minimum(np.maximum(starts, before), ends)).sum())
