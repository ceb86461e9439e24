"""One line of the gate's report, how a ratio becomes one, and what a miss of it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from measure import Ratio, interleaved

Work = Callable[[], object]
Measure = Callable[[Work, Work, int], Ratio]

# How many times its target a ratio of CPU times may be before the quick gate fails. The same code
# has stood so far apart on machines that differ in caches and neighbours: minimal-adaptive loads
# took 1.1 sorts on one and 1.92 on another, a doubling of messages 2.0 and 2.85 times as much. What
# gates are there to find is further from their targets than this: it is written beside those.
SLACK = 1.75
# Rounds of a measurement, and of those that follow where it misses its target.
ROUNDS = (2, 4, 8)


@dataclass(frozen=True)
class Gate:
    """One line of the report."""

    name: str
    seen: float
    wanted: str
    passed: bool
    note: str = ""
    seconds: float = 0.0
    """CPU seconds of our best run, of a ratio."""
    miss: float | None = None
    """Of a ratio of CPU times: how many times its target it is, below 1 where it holds. None of
    instructions and memory, which are the same on every machine."""

    def verdict(self, slack: float) -> str:
        """`ok`, `NEAR` where a ratio misses its target by no more than the slack, or `MISS`."""
        if self.passed:
            return "ok"
        return "NEAR" if self.miss is not None and self.miss <= slack else "MISS"

    def line(self, slack: float) -> str:
        """One aligned line."""
        verdict = self.verdict(slack)
        return f"{verdict:4} {self.name:58} {self.seen:12.4g}  {self.wanted:24} {self.note}"


def at_least(
    name: str, factor: float, ours: Work, theirs: Work, measure: Measure = interleaved
) -> Gate:
    """Gate on how many times faster ours is by CPU time, measured again before it misses."""
    ratio = _best(ours, theirs, factor, measure)
    miss = factor / ratio.times_faster
    note = f"a variant against itself: {ratio.self_ratio:.2f}"
    wanted = f">= {factor:g} times"
    return Gate(name, ratio.times_faster, wanted, miss <= 1, note, ratio.seconds, miss)


def at_most(
    name: str, factor: float, ours: Work, theirs: Work, measure: Measure = interleaved
) -> Gate:
    """Gate on how many times as much CPU time ours takes; both sides are printed."""
    ratio = _best(ours, theirs, 1 / factor, measure)
    seen = 1 / ratio.times_faster
    note = (
        f"{1e3 * ratio.seconds:.3g} ms against {1e3 * ratio.their_seconds:.3g} ms; "
        f"a variant against itself: {ratio.self_ratio:.2f}"
    )
    miss = seen / factor
    return Gate(name, seen, f"<= {factor:g} times", miss <= 1, note, ratio.seconds, miss)


def _best(ours: Work, theirs: Work, wanted: float, measure: Measure) -> Ratio:
    """The best of three measurements at most, each of more rounds; the first that holds ends it."""
    seen: list[Ratio] = []
    for rounds in ROUNDS:
        seen.append(measure(ours, theirs, rounds))
        if seen[-1].times_faster >= wanted:
            break
    return max(seen, key=lambda ratio: ratio.times_faster)
