"""A window over the WAN: no message between sites has more on the way than its bytes."""

from __future__ import annotations

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

ONE_WAY = 0.25e-3


def _pair(window: object, nodes: int = 1) -> rf.Cluster:
    sites = [rf.Site(name, nodes, rf.H100_NODE) for name in ("a", "b")]
    return rf.Cluster(sites=sites, wan=rf.Wan("400 GB/s", ONE_WAY, window=window))


@pytest.mark.parametrize("model", ["link_load", "alpha_beta"])
@pytest.mark.parametrize("window", [1 << 20, "8 MiB", 16 << 20])
def test_one_message_goes_at_the_window_a_round_trip(model: str, window: object) -> None:
    machine, size = _pair(window), 256 << 20
    route = machine.route(0, 8)
    held = rf.Wan("1 GB/s", 0, window=window).window / (2 * route.latency_s)
    assert route.bandwidth_Bps == pytest.approx(min(50e9, held), rel=1e-12)
    result = machine.send_recv(size, group=[0, 8], model=model)
    alone = route.latency_s + route.overhead_s + size / route.bandwidth_Bps
    assert result.time_s == pytest.approx(alone, rel=1e-9)
    assert result.time_s > 256 / 16 * ONE_WAY


def test_a_window_that_is_never_full_changes_nothing() -> None:
    wide, free = _pair("1 TB", 2), _pair(None, 2)
    for operation in ("all_reduce", "all_gather", "all_to_all", "broadcast", "send_recv"):
        for size in (1, 1 << 20, 1 << 30):
            got, want = (getattr(machine, operation)(size) for machine in (wide, free))
            assert (got.time_s, got.algorithm) == (want.time_s, want.algorithm)


@pytest.mark.parametrize("algorithm", ["auto", "ring", ("direct", "direct", "mesh")])
def test_times_rise_as_windows_shrink(algorithm: object) -> None:
    size = 256 << 20
    windows = [None, *(2.0**exponent for exponent in range(30, 10, -2))]
    times = []
    for window in windows:
        machine = _pair(window, 2)
        result = machine.all_reduce(size, algorithm=algorithm)  # type: ignore[arg-type]
        times.append(result.time_s)
        # 16 chips of a site share what must leave it, message after message, at the window's pace.
        assert result.time_s >= size / (16 * machine.route(0, 16).bandwidth_Bps) * (1 - 1e-9)
    assert np.all(np.diff(times) >= 0)


def test_a_flat_ring_waits_for_the_window_at_each_step() -> None:
    machine, size = _pair(1 << 20), 64 << 20
    result = machine.all_reduce(size, group=[0, 8], algorithm="ring")
    # Two ranks: each half crosses twice, one message after the other.
    step = (size / 2) / machine.route(0, 8).bandwidth_Bps
    assert result.time_s >= 2 * step * (1 - 1e-9) / 2
    assert result.time_s > 3 * _pair(None).all_reduce(size, group=[0, 8], algorithm="ring").time_s


def test_models_that_share_links_in_time_refuse_it() -> None:
    machine = _pair("8 MiB")
    for model in ("fluid", "fifo"):
        with raises(rf.Unsupported, None, "window"):
            machine.all_reduce("1 MiB", model=model)
    with raises(rf.Unsupported, None, "window"):
        machine.max_min_rates([0], [8])
    with raises(rf.Unsupported, None, "window"):
        machine.finish_times([0], [8], 1e6)


@pytest.mark.parametrize("window", [0, -1, "fast", float("nan"), [1]])
def test_windows_that_are_none_are_refused(window: object) -> None:
    with raises(rf.RainierError, "window"):
        rf.Wan("1 GB/s", "1 ms", window=window)


def test_machines_say_their_window() -> None:
    machine = _pair("8 MiB")
    assert "8.00 MiB" in str(machine)
    assert machine.without_latency().wan.window == 8 << 20  # type: ignore[union-attr]
