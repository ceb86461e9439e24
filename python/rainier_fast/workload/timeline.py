"""The events of one column of a pipeline."""

from __future__ import annotations

from typing import Final

import numpy as np

from rainier_fast import _core
from rainier_fast.memory import reckon
from rainier_fast.table import Table
from rainier_fast.workload.step_figures import StepFigures

_WORK: Final = np.array(["forward", "backward", "weights"])
_EVENT_BYTES: Final = 160
"""What an event takes in the core and in the table."""


def timeline(step: StepFigures) -> Table:
    """Return what each stage does when: `TrainingStep.timeline`."""
    ran, layout = step._ran, step.layout
    # Each direction of DualPipe, whose chunks are on two stages, takes half of the microbatches.
    events = 3 * len(ran.chunks) * ran.microbatches
    ways = np.full(len(ran.chunks) - 1, ran.transfer)
    if layout.runs == "zb-v":
        ways[layout.pp - 1] = 0.0  # at the bottom of the V rows stay where they are
    reckon(_EVENT_BYTES * events, f"a timeline of {events:,} events", "use a smaller batch")
    stage, work, chunk, microbatch, start, end = _core.pipeline_events(
        layout.runs,
        layout.pp,
        layout.chunks,
        ran.microbatches,
        np.array(ran.chunks, np.float64),
        ways,
    )
    columns = {
        "stage": stage,
        "work": _WORK[work],
        "chunk": chunk,
        "microbatch": microbatch,
        "start_s": start,
        "end_s": end,
    }
    return Table(columns)._of_kind(step.kind)
