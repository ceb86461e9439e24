"""Points through this process or an executor, few batches at a time, each kept as it comes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Final

from rainier_fast.errors import SweepStopped
from rainier_fast.sweeps.asking import Asking, Done, run
from rainier_fast.sweeps.executors import Source
from rainier_fast.sweeps.pace import Pace
from rainier_fast.sweeps.rows import Record, Rows
from rainier_fast.sweeps.space import Space

DIED: Final = "ProcessDied"
"""Type of the error of a point whose process ended, twice."""

_WAIT_S: Final = 0.05
_TRIES: Final = 3
_MOST_STARTS: Final = 3
"""How often a pool may break that never answered."""
_MOST_BREAKS: Final = 10
"""How often it may break without an answer between."""

Keep = Callable[[Record], None]
Stretch = tuple[int, int]


def serial(
    ask: Asking, space: Space, missing: Iterator[Stretch], keep: Keep, batch: int | None
) -> None:
    """Run all points that are missing here; what is done when Ctrl-C comes is kept."""
    pace = Pace(batch, 1)
    for begin, end in list(missing):
        first = begin
        while first < end:
            stop = first + pace.next(end - first)
            points, rows = space.points(first, stop), Rows(first, space.names)
            started = perf_counter()
            try:
                for point, answer in zip(points, ask.each(points), strict=True):
                    rows.add(answer, point)
            finally:
                for record in rows.whole():
                    keep(record)
            pace.note(stop - first, perf_counter() - started)
            first = stop


class Spread:
    """Points over an executor."""

    def __init__(
        self, source: Source, shipped: bytes, space: Space, keep: Keep, batch: int | None
    ) -> None:
        self._source, self._shipped, self._space, self._keep = source, shipped, space, keep
        self._pace = Pace(batch, source.width)
        self._flying: dict[Future[Done], tuple[int, int, int]] = {}
        """First point, end, and how often it failed."""
        self._back: SimpleQueue[Future[Done]] = SimpleQueue()
        self._left: deque[Stretch] = deque()
        self._count = 0
        self._suspects: deque[Stretch] = deque()
        """What was on its way when a pool broke: point by point, and nothing beside it."""
        self._alone: Stretch | None = None
        self._breaks = 0
        self._answered = False

    def run(self, missing: Iterator[Stretch]) -> None:
        """Run all points that are missing."""
        self._left.extend(missing)
        self._count = sum(end - first for first, end in self._left)
        try:
            while self._left or self._flying or self._suspects:
                self._send()
                try:
                    future = self._back.get(timeout=_WAIT_S)
                except Empty:
                    continue
                if future in self._flying:
                    self._take(future)
        finally:
            self._keep_done()
            for future in self._flying:
                future.cancel()

    def _send(self) -> None:
        """Send batches out until enough are on their way."""
        while len(self._flying) < 2 * self._source.width:
            if self._suspects:
                if self._flying:
                    return
                first, end = self._suspects.popleft()
                if first + 1 < end:
                    self._suspects.appendleft((first + 1, end))
                self._alone = first, first + 1
                self._submit(first, first + 1, 0)
                return
            if not self._left or self._alone is not None:
                return
            first, end = self._left.popleft()
            stop = min(first + self._pace.next(self._count), end)
            if stop < end:
                self._left.appendleft((stop, end))
            self._count -= stop - first
            self._submit(first, stop, 0)

    def _submit(self, first: int, end: int, tries: int) -> None:
        words = self._shipped, self._space.names, first, self._space.points(first, end)
        try:
            future = self._source.executor.submit(run, *words)
        except BrokenExecutor as error:
            self._broken(error, [(first, end)])
            return
        except RuntimeError as error:
            raise self._stopped(f"takes no more batches ({error})") from error
        self._flying[future] = first, end, tries
        future.add_done_callback(self._back.put)

    def _take(self, future: Future[Done]) -> None:
        first, end, tries = self._flying[future]
        try:
            done = future.result()
        except BrokenExecutor as error:
            self._broken(error, [])
            return
        except (Exception, CancelledError) as error:
            # What points raise is caught beside them: this is the executor's own.
            del self._flying[future]
            if tries + 1 == _TRIES:
                raise self._stopped(f"failed {_TRIES} times at a batch ({error!r})") from error
            self._submit(first, end, tries + 1)
            return
        for record in done.records:
            self._keep(record)
        del self._flying[future]
        self._answered, self._breaks, self._alone = True, 0, None
        self._pace.note(end - first, done.seconds)

    def _broken(self, error: BaseException, unsent: list[Stretch]) -> None:
        """Go on with a new pool, if it is ours; a point that ends its process alone is a row."""
        self._keep_done()
        lost = sorted([*((first, end) for first, end, _ in self._flying.values()), *unsent])
        self._flying.clear()
        self._breaks += 1
        most = _MOST_BREAKS if self._answered else _MOST_STARTS
        if not self._source.restarts or self._breaks >= most:
            told = ", ".join(f"{first}-{end - 1}" for first, end in lost[:3]) or "none"
            raise self._stopped(f"broke ({error}) with these points on their way: {told}")
        if self._alone is not None and lost == [self._alone] and self._answered:
            rows = Rows(lost[0][0], self._space.names)
            rows.add_error(DIED, "the process that ran it ended: killed, or out of memory")
            self._keep(rows.records[0])
        elif self._alone is not None:
            self._suspects.extend(lost)  # others first: perhaps they answer
        else:
            self._suspects.extendleft(reversed(lost))
        self._alone = None
        self._source.restart()

    def _keep_done(self) -> None:
        """Keep what came back and was not looked at."""
        for future in list(self._flying):
            if future.done() and not future.cancelled() and future.exception() is None:
                for record in future.result().records:
                    self._keep(record)
                del self._flying[future]

    def _stopped(self, why: str) -> SweepStopped:
        mend = "" if self._answered else f"; {self._source.mend}" if self._source.mend else ""
        return SweepStopped(f"executor: got {self._source.name}, which {why}{mend}")
