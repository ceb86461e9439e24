"""Presets of other makers against public measurements: links only, so large messages agree.

What a call costs before its bytes move is in the presets of TPU v5p and v5e only, where it is
fitted. Each case holds what we are off by where links decide, so that a change of a figure shows;
small messages are held to be too fast, never too slow.
"""

from __future__ import annotations

import pytest

import rainier_fast as rf

# NCCL tables of ai-dynamo/aiconfigurator (GitHub), 8 GPUs of one node: bytes, microseconds.
H100 = {
    "all_reduce": [(512, 15.6), (2**21, 38.2), (2**25, 199.8), (2**27, 578.7), (2**29, 2111.1)],
    "all_gather": [(512, 10.1), (2**21, 22.2), (2**25, 125.5), (2**27, 392.8), (2**29, 1401.5)],
    "all_to_all": [(512, 7.4), (2**21, 18.6), (2**25, 124.9), (2**27, 402.4), (2**29, 1490.4)],
}


@pytest.mark.parametrize(
    ("operation", "off"),
    [("all_reduce", -0.0105), ("all_gather", -0.2547), ("all_to_all", -0.2992)],
)
def test_a_node_of_h100(operation: str, off: float) -> None:
    machine = rf.preset("h100")
    errors = [
        getattr(machine, operation)(size).time_s / (measured * 1e-6) - 1
        for size, measured in H100[operation]
    ]
    assert errors[-1] == pytest.approx(off, abs=1e-3)
    assert all(error < 0 for error in errors)
    assert errors == sorted(errors)


# How To Scale Your Model, jax-ml/scaling-book, read off its plots, +-3 %: bytes, bytes/s.
@pytest.mark.parametrize(
    ("size", "measured", "off"),
    [(1.34e8, 1.02e11, 0.172), (8.6e9, 1.085e11, 0.106)],
)
def test_all_reduce_along_an_axis_of_a_v5p_cube(size: float, measured: float, off: float) -> None:
    mesh = rf.preset("tpu-v5p", shape=(4, 4, 4)).mesh(z=4, y=4, x=4)
    rate = mesh.all_reduce(size, axis="x").algbw_Bps
    assert rate / measured - 1 == pytest.approx(off, abs=2e-3)
    # Its own theory: 2 x 90 GB/s over 2 x 3/4 of the bytes.
    assert rate < 1.2e11


@pytest.mark.parametrize(
    ("size", "algorithm", "measured", "off"),
    [
        (8e3, "direct", 4e8, 1.394),
        (5.2e5, "swing", 2.72e10, 0.044),
        (1.7e7, "ring", 8.65e10, 0.023),
    ],
)
def test_all_gather_along_the_ring_of_a_v5e_slice(
    size: float, algorithm: str, measured: float, off: float
) -> None:
    mesh = rf.preset("tpu-v5e", shape=(8, 16)).mesh(y=16, x=8)
    # Half-distance rings, which no TPU is known to run, are faster still on the links.
    rate = mesh.all_gather(size, axis="y", algorithm=algorithm).algbw_Bps
    assert rate / measured - 1 == pytest.approx(off, abs=2e-3)
    assert rate < 9.6e10
