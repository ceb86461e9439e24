"""What products reach on TPUs, fitted to open rows of measured training steps.

No table of products of these parts is public. What XLA reaches of a peak is the one figure that is
fitted, a part at a time, to the rows that fits may see; area and depth are Ironwood's.

    python -m rainier_fast.validation.steps_fit
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.errors import RainierError
from rainier_fast.validation.training import job, layout
from rainier_fast.validation.training_cases import Case, cases

PARTS: Final = ("tpu-v5e", "tpu-v5p", "tpu-v6e")
"""Presets whose products are fitted."""
_SOURCE: Final = "maxtext"
_SHARES: Final = np.arange(0.5, 1.0, 0.005)


class StepsFit(NamedTuple):
    """The share of the peak, and mean errors as fractions."""

    ceiling: float
    rows: int
    fitted: float
    held_out: float | None


def fit(part: str) -> StepsFit:
    """Return the share of which the mean error of open rows is least, and errors of both halves."""
    runs = [one for one in cases(_SOURCE) if one["machine"] == part and "not_run" not in one.fields]
    seen = [one for one in runs if one["fit"]]
    kept = [one for one in runs if not one["fit"]]
    errors = [float(np.mean(_errors(seen, float(share)))) for share in _SHARES]
    best = int(np.argmin(errors))
    ceiling = round(float(_SHARES[best]), 3)
    others = _errors(kept, ceiling)
    held_out = round(float(np.mean(others)), 4) if others else None
    return StepsFit(ceiling, len(_errors(seen, ceiling)), round(errors[best], 4), held_out)


def _errors(runs: list[Case], ceiling: float) -> list[float]:
    """Return the errors of steps where products reach this share of the peak."""
    errors = []
    for one in runs:
        machine = one.machine
        known = machine.efficiency
        products = {"bf16": replace(known.rate("bf16"), ceiling=ceiling)}
        rates: Efficiency = replace(known, matmul=products)
        try:
            step = machine.training_step(job(one), layout(one), efficiency=rates)
        except RainierError:
            continue  # a row that is not run: validation says which, and why
        errors.append(abs(step.time_s / one.step_s - 1))
    return errors


if __name__ == "__main__":
    for name in PARTS:
        print(name, fit(name))
