"""One line of the gate's report, and how a ratio becomes one."""

from collections.abc import Callable
from dataclasses import dataclass

from measure import interleaved


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

    def __str__(self) -> str:
        """One aligned line."""
        verdict = "ok  " if self.passed else "MISS"
        return f"{verdict} {self.name:58} {self.seen:12.4g}  {self.wanted:24} {self.note}"


def at_least(
    name: str, factor: float, ours: Callable[[], object], theirs: Callable[[], object]
) -> Gate:
    """Gate on a ratio of CPU times, measured again before it counts as missed."""
    ratio = interleaved(ours, theirs)
    if ratio.times_faster < factor:
        ratio = interleaved(ours, theirs, rounds=6)
    note = f"a variant against itself: {ratio.self_ratio:.2f}"
    passed = ratio.times_faster >= factor
    wanted = f">= {factor:g} times"
    return Gate(name, ratio.times_faster, wanted, passed, note, ratio.seconds)
