"""Numbers at the ends of what a float holds: answered, or the argument that is to blame named."""

from __future__ import annotations

import math
from typing import Any

import pytest

import rainier_fast as rf

MODELS = ("link_load", "alpha_beta", "fluid")


def refused(call: Any) -> str:
    """The argument that the refusal names."""
    with pytest.raises(rf.InvalidArgument) as caught:
        call()
    return str(caught.value).split(":")[0]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("operation", ["all_reduce", "all_gather", "broadcast", "reduce_scatter"])
def test_a_link_that_hardly_works_is_gone_round_or_named(operation: str, model: str) -> None:
    torus = rf.torus((4, 4), bandwidth="50 GB/s", latency="1 us")
    for factor in (5e-324, 1e-310, 1e-300):
        result = getattr(torus.with_faults(degrade={0: factor}), operation)("1 MiB", model=model)
        assert math.isfinite(result.time_s)
        assert result.time_s >= result.lower_bound_s
    ring = rf.torus((2,), bandwidth="50 GB/s", latency="1 us", wrap=False)
    hurt = ring.with_faults(degrade={0: 5e-324})
    assert refused(lambda: getattr(hurt, operation)("1 MiB", model=model)) == "degrade"


@pytest.mark.parametrize("model", MODELS)
def test_latencies_that_add_up_to_no_number_are_named(model: str) -> None:
    for latency in (5e307, 1.7e308):
        torus = rf.torus((4, 4), bandwidth="50 GB/s", latency=latency)
        assert "latency" in refused(lambda: torus.all_reduce(100, model=model))  # noqa: B023
        assert "latency" in refused(lambda: torus.barrier(model=model))  # noqa: B023
    torus = rf.torus((4, 4), bandwidth="50 GB/s", latency=1e306)
    assert math.isfinite(torus.all_reduce(100, model=model).time_s)


def test_a_dead_way_is_still_unreachable() -> None:
    line = rf.torus((4,), bandwidth="50 GB/s", latency="1 us", wrap=False)
    cut = line.with_faults(links=[int(line.route(1, 2).links[0])])
    with pytest.raises(rf.Unreachable):
        cut.all_reduce(100)
    axis = rf.Axis("x", 2, "ring", 50e9, 0)
    server = rf.UltraServer("u", None, (axis,), rf.Nic(25e9, 0, 0), 0)
    machine = rf.Cluster([rf.Site("s", 4, server, rf.Fabric((rf.Tier(2, 1.0, "1 s"),)))])
    crossed = machine.route(0, 7).links.tolist()
    uplink = max(link for link in crossed if link not in machine.route(0, 3).links)
    for call in (lambda m: m.all_reduce(1), lambda m: m.barrier()):
        with pytest.raises(rf.Unreachable):
            call(machine.with_faults(links=[uplink]))


def test_parts_are_never_more_than_the_whole() -> None:
    # Trees over unlike steps overlap when simulated: the sum over phases may be 1.5 times as long.
    slow = rf.Axis("x", 2, "line", 50e9, 1.0)
    quick = rf.Axis("y", 4, "line", 50e9, 1e-3)
    domain = rf.domain(rf.UltraServer("u", None, (quick, slow)))
    for model in ("fluid", "fifo"):
        for name in rf.algorithms("barrier"):
            try:
                result = domain.barrier(algorithm=name, model=model)
            except rf.Unsupported:
                continue
            parts = (result.latency_s, result.overhead_s, result.serialisation_s)
            assert min(parts) >= 0
            assert result.latency_s + result.overhead_s <= result.time_s
            assert sum(parts) == pytest.approx(result.time_s, rel=1e-9)
            # No bytes: nothing but latency and overhead takes time.
            assert result.latency_s + result.overhead_s == pytest.approx(result.time_s, rel=1e-9)
