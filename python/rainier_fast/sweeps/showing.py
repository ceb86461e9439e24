"""How far a sweep is, and how long it still takes: told, or shown as text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final

from rainier_fast.errors import invalid_type
from rainier_fast.units import format_time

Progress = Callable[[int, int], object]

_EACH_S: Final = 0.1
_LINE_S: Final = 10.0


def as_shown(progress: object) -> Progress | bool:
    """Return what was given for progress."""
    if progress is None or isinstance(progress, bool):
        return bool(progress)
    if not callable(progress):
        allowed = "must be a function of (done, total), True to show it, or None"
        raise invalid_type("progress", progress, allowed)
    return progress


class Report:
    """Tells a callback at most ten times a second, and when all is done."""

    def __init__(self, tell: Progress | None, total: int) -> None:
        self._tell, self._total, self._at = tell, total, -_EACH_S

    def __call__(self, done: int) -> None:
        """Tell how many points are done."""
        if self._tell is None:
            return
        now = monotonic()
        if done == self._total or now - self._at >= _EACH_S:
            self._at = now
            self._tell(done, self._total)


@contextmanager
def reporting(progress: Progress | bool, done: int, total: int) -> Iterator[Report]:  # noqa: FBT001
    """Yield what is told how many points are done."""
    if callable(progress):
        yield Report(progress, total)
    elif not progress:
        yield Report(None, total)
    elif sys.stderr.isatty():
        with _bar(done, total) as tell:
            yield Report(tell, total)
    else:
        line = _Line(done)
        try:
            yield Report(line, total)
        finally:
            line.end()


@contextmanager
def _bar(done: int, total: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Left

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), "left", Left())
    with Progress("sweep", *columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("sweep", total=total, completed=done)
        yield lambda now, total: bars.update(task, completed=now, total=total)


class _Line:
    """A line of text that is written over in a notebook, and every ten seconds anew in a log."""

    def __init__(self, done: int) -> None:
        self._first, self._began, self._at = done, monotonic(), -_LINE_S
        self._notebook = "ipykernel" in sys.modules
        self._open = False

    def __call__(self, done: int, total: int) -> None:
        now = monotonic()
        wait = 0.5 if self._notebook else _LINE_S
        if done < total and now - self._at < wait:
            return
        self._at = now
        text = f"sweep: {done:,} of {total:,} points, {left(self._first, done, total, self._spent)}"
        if self._notebook:
            self._write(f"\r{text:<79}")
            self._open = True
        else:
            self._write(text + "\n")

    @property
    def _spent(self) -> float:
        return monotonic() - self._began

    def end(self) -> None:
        """End a line that was left open."""
        if self._open:
            self._write("\n")

    @staticmethod
    def _write(text: str) -> None:
        stream: Any = sys.stderr
        stream.write(text)
        stream.flush()


def left(first: int, done: int, total: int, spent: float) -> str:
    """Return how long the rest takes if it goes on as since this call began."""
    if done >= total:
        return f"done in {format_time(spent)}"
    if done <= first:
        return "time left not known yet"
    return f"{format_time(spent / (done - first) * (total - done))} left"
