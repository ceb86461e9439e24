"""Where jobs of tenants are placed, and who slows whom."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

SERVER = rf.preset("trn2-ultraserver")
RAINIER = rf.preset("rainier", chips=64 * 64, sites=3)


def job(name: str, **given: object) -> rf.Tenant:
    return rf.Tenant(name, "all_reduce", "64 MiB", **given)  # type: ignore[arg-type]


def test_jobs_get_planes_side_by_side_or_whole_ultraservers() -> None:
    jobs = [
        job("a", instances=1),
        job("b", instances=2),
        job("c", instances=8),
        job("d", ultraservers=1),
    ]
    result = RAINIER.tenants(jobs)
    where = {name: result.chips(name) for name in "abcd"}
    # Whole ones first; then parts fill what is left, two planes at an even place.
    assert where["c"].tolist() == list(range(128))
    assert where["d"].tolist() == list(range(128, 192))
    assert where["a"].tolist() == list(range(192, 208))
    assert where["b"].tolist() == list(range(224, 256))
    assert result.chips(0).tolist() == where["a"].tolist()


@pytest.mark.parametrize("placement", ["packed", "spread", "random"])
@pytest.mark.parametrize("unit", ["instance", "ultraserver"])
def test_no_chip_has_two_tenants(placement: str, unit: str) -> None:
    rng = np.random.default_rng(7)
    for seed in range(20):
        jobs = []
        for number in range(12):
            size = [{"instances": 1}, {"instances": 2}, {"instances": 4}, {"ultraservers": 3}]
            jobs.append(job(f"job {number}", **size[rng.integers(4)]))
        result = RAINIER.tenants(jobs, placement, unit, seed)
        taken = np.concatenate([result.chips(at) for at in range(len(jobs))])
        assert len(np.unique(taken)) == len(taken)
        for at, tenant in enumerate(jobs):
            chips = result.chips(at)
            assert len(chips) == 16 * (tenant.instances or 4 * (tenant.ultraservers or 0))
            assert (np.diff(chips) > 0).all()
            if tenant.instances in (1, 2):
                assert np.array_equal(chips, chips[0] + np.arange(len(chips)))
                assert chips[0] % len(chips) == 0
        if unit == "ultraserver":
            servers = [set((result.chips(at) // 64).tolist()) for at in range(len(jobs))]
            assert sum(map(len, servers)) == len(set.union(*servers))


def test_placements_are_what_they_say() -> None:
    jobs = [job("a", ultraservers=16), job("b", ultraservers=16)]
    packed = RAINIER.tenants(jobs, "packed")
    spread = RAINIER.tenants(jobs, "spread")
    assert np.array_equal(packed.chips("a"), np.arange(1024))
    # Every fourth UltraServer.
    assert np.array_equal(np.unique(spread.chips("a") // 64), np.arange(0, 64, 4))
    seeds = [RAINIER.tenants(jobs, "random", seed=seed).chips("a").tolist() for seed in (1, 1, 2)]
    assert seeds[0] == seeds[1] != seeds[2]


def test_tenants_that_share_no_link_do_not_slow_each_other_at_all() -> None:
    for model in ("link_load", "fluid"):
        jobs = [job("a", instances=2), job("b", instances=1), job("c", instances=1)]
        result = SERVER.tenants(jobs, model=model)
        assert [plan.slowdown for plan in result] == [1.0, 1.0, 1.0]
        assert np.array_equal(result.matrix(), np.ones((3, 3)))
        for plan, tenant in zip(result, jobs, strict=True):
            alone = SERVER.tenants([tenant], model=model)
            assert plan.time_s == alone[0].time_s
        assert all(plan.slowed_by is None for plan in result)


def shared_uplink() -> rf.Machine:
    """Four UltraServers of two chips in two fabric groups; an uplink holds a third of its NICs."""
    server = rf.UltraServer(
        "pair", None, [rf.Axis("x", 2, "line", "8 GB/s", 0)], rf.Nic("3 GB/s", latency=0)
    )
    fabric = rf.Fabric((rf.Tier(2, oversubscription=3, latency=0),))
    return rf.Cluster([rf.Site("here", ultraservers=4, ultraserver=server, fabric=fabric)])


def test_tenants_that_share_an_uplink_slow_each_other_as_the_arithmetic_says() -> None:
    machine = shared_uplink()
    jobs = [
        rf.Tenant(name, "send_recv", "12 MB", ultraservers=2, algorithm="direct") for name in "ab"
    ]
    packed = machine.tenants(jobs, "packed")
    assert [plan.slowdown for plan in packed] == [1.0, 1.0]
    for model in ("link_load", "fluid"):
        # Servers 0 and 2 against 1 and 3: of each, one chip sends across to the other group. The
        # uplink of a group holds 2 x 2 x 3 / 3 GB/s: 3 GB/s for one, 2 GB/s each for two.
        spread = machine.tenants(jobs, "spread", model=model)
        assert np.unique(spread.chips("a") // 2).tolist() == [0, 2]
        assert [plan.alone_s for plan in spread] == pytest.approx([4e-3, 4e-3], rel=1e-12)
        assert [plan.time_s for plan in spread] == pytest.approx([6e-3, 6e-3], rel=1e-12)
        assert spread["a"].link_class.startswith("fabric tier 1")
        assert spread["a"].slowed_by is not None
        assert spread["a"].slowed_by.plans == ("a", "b")
        assert spread.matrix() == pytest.approx(np.array([[1, 1.5], [1.5, 1]]), rel=1e-12)
        assert spread.makespan_s == pytest.approx(6e-3, rel=1e-12)


def test_a_result_reads_and_converts() -> None:
    result = shared_uplink().tenants([job(name, ultraservers=2) for name in "ab"], "random", seed=3)
    assert "2 tenants, placed random by instance, seed 3" in str(result)
    assert "<table>" in result._repr_html_()
    assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
    again = pickle.loads(pickle.dumps(result))
    assert again == result
    assert len(result.table) == len(result) == 2
    assert "slowdown at most" in repr(result)
    with pytest.raises(rf.UnknownName):
        result.chips("z")


def test_bad_jobs_are_named() -> None:
    with raises(rf.InvalidArgument, "tenant a"):
        job("a")
    with raises(rf.InvalidArgument, "tenant a"):
        job("a", instances=1, ultraservers=1)
    with raises(rf.UnknownName, "collective"):
        rf.Tenant("a", "all_redcue", 1, instances=1)
    with raises(rf.InvalidArgument, "instances"):
        job("a", instances=0)
    with raises(rf.InvalidArgument, "instances of a"):
        RAINIER.tenants([job("a", instances=3)])
    with raises(rf.InvalidArgument, "instances of a"):
        RAINIER.tenants([job("a", instances=6)])
    last = dataclasses.replace(rf.TRN2_ULTRASERVER.axes[2], size=3)
    odd = dataclasses.replace(rf.TRN2_ULTRASERVER, axes=(*rf.TRN2_ULTRASERVER.axes[:2], last))
    with raises(rf.InvalidArgument, "instances of a"):
        rf.Cluster([rf.Site("s", 1, odd)]).tenants([job("a", instances=2)])
    with raises(rf.InvalidArgument, "tenants", "c"):
        SERVER.tenants([job(name, instances=2) for name in "abc"])
    with raises(rf.InvalidArgument, "tenants", "b"):
        SERVER.tenants([job(name, instances=2) for name in "ab"], unit="ultraserver")
    with raises(rf.Unsupported, None, "ultraservers="):
        shared_uplink().tenants([job("a", instances=1)])
    with raises(rf.InvalidArgument, "name of tenants[1]"):
        SERVER.tenants([job("a", instances=1), job("a", instances=1)])
    with raises(rf.InvalidArgument, "tenants"):
        SERVER.tenants([])
    with raises(rf.InvalidType, "tenants[0]"):
        SERVER.tenants(["a"])  # type: ignore[list-item]
    with raises(rf.UnknownName, "placement"):
        SERVER.tenants([job("a", instances=1)], "tight")
    with raises(rf.UnknownName, "unit"):
        SERVER.tenants([job("a", instances=1)], unit="rack")
    with raises(rf.InvalidArgument, "seed"):
        SERVER.tenants([job("a", instances=1)], seed=-1)
    with raises(rf.UnknownName, "model"):
        SERVER.tenants([job("a", instances=1)], model="fifo")


def test_instances_of_a_machine_of_instances() -> None:
    trn2 = rf.preset("trn2")
    assert np.array_equal(trn2.tenants([job("a", instances=1)]).chips("a"), np.arange(16))


def test_nobody_gets_dead_chips() -> None:
    cluster = rf.preset("rainier", chips=64 * 8, sites=3)
    sites = [site.ultraservers for site in cluster.sites]
    hurt = cluster.with_faults(chips=[17], ultraservers=[1], sites=[len(sites) - 1])
    jobs = [job("a", ultraservers=1), job("b", instances=1), job("c", instances=2)]
    result = hurt.tenants(jobs)
    assert result.chips("a").tolist() == list(range(128, 192))
    assert result.chips("b").tolist() == list(range(16))
    assert result.chips("c").tolist() == list(range(32, 64))
    # Whole ones that are left: all but the first two and the last site.
    left = 8 - 2 - sites[-1]
    assert hurt.tenants([job("a", ultraservers=left)], "random").chips("a").min() == 128
    with raises(rf.InvalidArgument, "tenants", "a"):
        hurt.tenants([job("a", ultraservers=left + 1)])


def test_places_are_counted_before_they_are_taken() -> None:
    jobs = [job("a", ultraservers=64)]
    before = rf.memory_limit()
    try:
        # A number for each chip, and what finds it.
        rf.memory_limit(RAINIER.num_chips * 8)
        with raises(rf.Unsupported, None, "bytes"):
            RAINIER.tenants(jobs)
        rf.memory_limit(64 * 8 - 1)
        with raises(rf.Unsupported, None, "a random choice"):
            RAINIER.tenants(jobs, "random")
    finally:
        rf.memory_limit(before)
