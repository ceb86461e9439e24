"""Finish times of unit flows against SimGrid 3.32 (model CM02 without latency or cross-traffic).

SimGrid's figures were measured with TCP-gamma 0 and its own tie rule on even rings; each flow
carries one unit over unit links, dimension order, and rates are fair anew whenever a flow ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rainier_fast as rf


def step_by_step(machine: Any, src: Any, dst: Any, routing: Any) -> Any:
    """Run flows of one byte over links of one byte/s to the end, all rates found anew each time."""
    left = np.ones(len(src))
    done = np.zeros(len(src))
    now = 0.0
    running = np.arange(len(src))
    while running.size:
        rates = machine.max_min_rates(src[running], dst[running], routing)
        step = (left[running] / rates).min()
        now += step
        left[running] -= step * rates
        ended = left[running] <= 1e-9
        done[running[ended]] = now
        running = running[~ended]
    return done


def permutation(chips: int) -> tuple[Any, Any]:
    dst = np.random.default_rng(1).permutation(chips)
    src = np.arange(chips)
    return src[src != dst], dst[src != dst]


def all_pairs(chips: int) -> tuple[Any, Any]:
    src, dst = np.divmod(np.arange(chips * chips), chips)
    return src[src != dst], dst[src != dst]


@pytest.mark.parametrize(
    ("side", "flows", "makespan", "mean", "mean_positive"),
    [
        (4, permutation, 3, 1.73015873, 1.80952381),
        (4, all_pairs, 48, 38.8577829, 43.2592593),
        (8, permutation, 5, 2.51528553, 2.53894624),
    ],
)
def test_finish_times(
    side: int, flows: Any, makespan: int, mean: float, mean_positive: float
) -> None:
    torus = rf.torus((side,) * 3, bandwidth=1)
    src, dst = flows(side**3)
    for tie, expected in (("simgrid", mean), ("positive", mean_positive)):
        routing = rf.DimensionOrder(tie=tie)
        done = torus.finish_times(src, dst, 1, routing=routing)
        assert done.max() == pytest.approx(makespan, rel=1e-8)
        assert done.mean() == pytest.approx(expected, rel=1e-8)
        slow = step_by_step(torus, src, dst, routing)
        np.testing.assert_allclose(done, slow, rtol=1e-8)
