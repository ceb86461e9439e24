"""First come, first served against the congestion-aware backend of ASTRA-sim.

Simulated times of astra-sim/astra-sim (2026-03) with astra-sim/astra-network-analytical, in ns.
That backend reads "GB/s" as 2^30 bytes/s and cuts each service and each latency + service to whole
ns; here nothing is cut, so its time is less by what it cuts on the path that decides.
"""

from __future__ import annotations

import numpy as np
import pytest

import rainier_fast as rf

BANDWIDTH = 50 * 2**30
LATENCY_S = 500e-9
ENDPOINT_NS = 10


def direct_all_to_all_ns(machine: rf.Machine, nbytes: float) -> float:
    """Each chip sends to the next one, the one after it and so on, all at time 0."""
    chips = machine.num_chips
    src = np.repeat(np.arange(chips), chips - 1)
    dst = (src + np.tile(np.arange(1, chips), chips)) % chips
    routing = rf.DimensionOrder("positive")
    return float(machine.finish_times(src, dst, nbytes, 0, routing, "fifo").max() * 1e9)


def cut_ns(nbytes: float) -> float:
    """What cutting takes off one service."""
    return nbytes / BANDWIDTH * 1e9 % 1


def test_direct_all_to_all_on_a_ring() -> None:
    # Ring of 8, 1 MiB a chip in 4 chunks, one after the other; 28,480 ns.
    nbytes = 2**20 / 4 / 8
    ours = direct_all_to_all_ns(rf.torus((8,), BANDWIDTH, LATENCY_S), nbytes)
    theirs = 28_480 / 4 - 2 * ENDPOINT_NS
    # The busiest links serve 1 + 2 + 3 + 4 messages one after the other, ties clockwise, and the
    # last of them is the last to arrive: 10 services are cut, and latencies are whole ns.
    assert ours - theirs == pytest.approx(10 * cut_ns(nbytes), abs=1e-6)
    assert 0 < ours - theirs < 10
    # With services of 610 s, which is 610.35 without its fraction, the very same number.
    assert direct_all_to_all_ns(rf.torus((8,), 1, 500), 610) == theirs * 1e9


def test_direct_all_to_all_through_a_switch() -> None:
    # Switch of 8, 8 MiB a chip in one chunk; 157,268 ns.
    nbytes = 2**20
    ours = direct_all_to_all_ns(rf.switch(8, BANDWIDTH, LATENCY_S), nbytes)
    theirs = 157_268 - 2 * ENDPOINT_NS
    # Seven services up, an eighth down.
    assert ours - theirs == pytest.approx(8 * cut_ns(nbytes), abs=1e-6)
    assert 0 < ours - theirs < 8
    assert direct_all_to_all_ns(rf.switch(8, 1, 500), 19_531) == theirs * 1e9
