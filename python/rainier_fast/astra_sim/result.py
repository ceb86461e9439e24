"""What ASTRA-sim would say, and what we say of the same question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rainier_fast.astra_sim.faults import Fault
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.screen import one_screen


@one_screen
@dataclass(frozen=True, repr=False)
class AstraRun:
    """Times of one run of ASTRA-sim's analytical backends, to the nanosecond.

    Attributes
    ----------
    backend
        ``"unaware"`` or ``"aware"`` of congestion.
    time_ns
        By NPU, when it says that it is finished; -1 where it never is.
    computing_ns
        By NPU, nanoseconds of computation that is not on the host.
    faults
        Known faults of the peer that touch this run.
    ours
        The same collectives by our own model, in the order of their nodes; empty where there are
        none, or where the model has no answer (`notes` say why).
    messages
        Messages that were simulated; where all NPUs do the same, those of one.
    notes
        What to know of the answer.
    """

    backend: str
    time_ns: np.ndarray[Any, np.dtype[np.int64]]
    computing_ns: np.ndarray[Any, np.dtype[np.int64]]
    faults: tuple[Fault, ...]
    ours: tuple[CollectiveResult, ...]
    messages: int
    notes: tuple[str, ...]

    @property
    def end_ns(self) -> int | None:
        """When the last NPU is finished; None if one never is."""
        return None if (self.time_ns < 0).any() else int(self.time_ns.max())

    @property
    def ours_ns(self) -> float | None:
        """Nanoseconds of our own model, one collective after the other; None without an answer."""
        return sum(one.time_s for one in self.ours) * 1e9 if self.ours else None

    def __repr__(self) -> str:
        return f"AstraRun({self.backend}, {len(self.time_ns)} NPUs, {self.end_ns} ns)"

    def __str__(self) -> str:
        end = self.end_ns
        first = f"ASTRA-sim, congestion {self.backend}: {len(self.time_ns):,} NPUs"
        when = "never finished" if end is None else f"{end:,} ns"
        lines = [f"{first}, {when}"]
        if self.ours_ns is not None:
            names = ", ".join(dict.fromkeys(one.algorithm for one in self.ours))
            kinds = ", ".join(dict.fromkeys(one.kind for one in self.ours))
            lines.append(f"  our own model: {self.ours_ns:,.0f} ns ({kinds}) by {names}")
        lines += [f"  fault repeated: {one}" for one in self.faults]
        return "\n".join(lines + [f"  note: {one}" for one in self.notes])
