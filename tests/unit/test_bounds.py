"""Lower bounds of damaged switch domains, of meshes and of send_recv, counted by hand."""

from __future__ import annotations

import itertools
import random

import pytest

import rainier_fast as rf


@pytest.mark.parametrize("nodes", [2, 3])
@pytest.mark.parametrize("factor", [0.5, 0.25, 0.1])
def test_slow_nics_of_a_node_bound_what_leaves_it(nodes: int, factor: float) -> None:
    machine, size = rf.preset("h100", chips=8 * nodes), 2**30
    slow = {
        rf.LinkAt("nic", way, ultraserver=1, x=x): factor
        for x in range(8)
        for way in ("egress", "ingress")
    }
    result = machine.with_faults(degrade=slow).all_reduce(size)
    must = size / (8 * 50e9 * factor)  # all of it leaves by 8 NICs of 50 GB/s
    assert must * (1 - 1e-12) <= result.lower_bound_s <= result.time_s


def test_dead_nics_of_a_node_bound_what_leaves_it() -> None:
    machine, size = rf.preset("h100", chips=16), 2**28
    for dead in range(1, 8):
        result = machine.with_faults(nics=list(range(8, 8 + dead))).all_reduce(size)
        assert size / ((8 - dead) * 50e9) * (1 - 1e-12) <= result.lower_bound_s <= result.time_s


@pytest.mark.parametrize(("dp", "tp"), [(4, 6), (8, 3), (2, 12)])
def test_a_mesh_is_bounded_by_each_of_its_groups(dp: int, tp: int) -> None:
    machine = rf.preset("h100", chips=24)
    for operation in ("all_reduce", "all_gather", "all_to_all"):
        mesh = machine.mesh(dp=dp, tp=tp)
        together = getattr(mesh, operation)("64 MiB", axis="tp")
        for group in range(dp):
            chips = list(range(tp * group, tp * group + tp))
            alone = getattr(machine, operation)("64 MiB", group=chips)
            assert together.lower_bound_s >= alone.lower_bound_s * (1 - 1e-12)
        assert together.lower_bound_s <= together.time_s


def _site(machine: rf.Machine, chip: int) -> int:
    ends = itertools.accumulate(site.ultraservers * 8 for site in machine.sites)
    return next(at for at, end in enumerate(ends) if chip < end)


def test_send_recv_is_bounded_by_the_messages_that_leave_a_site() -> None:
    chance = random.Random(5)
    for _ in range(40):
        sites = [
            rf.Site(name, chance.randint(1, 4), rf.H100_NODE)
            for name in "abc"[: chance.randint(2, 3)]
        ]
        rate, size = chance.choice([1e9, 5e10, 1e12]), 2.0**20
        machine = rf.Cluster(sites=sites, wan=rf.Wan(bandwidth=rate, latency="1 ms"))
        n, shift = machine.num_chips, chance.randint(-50, 50)
        leaving = [0] * len(sites)
        for chip in range(n):
            home = _site(machine, chip)
            leaving[home] += _site(machine, (chip + shift) % n) != home
        result = machine.send_recv(size, shift=shift)
        bounds = {row["bound"]: row["time_s"] for row in result.bounds}
        links = len(sites) - 1  # to each other site, one way
        for home, messages in enumerate(leaving):
            got = bounds.get(f"WAN of {sites[home].name}", 0.0)
            assert got == pytest.approx(messages * size / (links * rate), rel=1e-12)
        assert result.lower_bound_s <= result.time_s * (1 + 1e-12)


def test_send_recv_of_listed_chips_is_bounded_by_their_nics() -> None:
    machine, size = rf.preset("h100", chips=32), 2.0**24
    chance = random.Random(6)
    for _ in range(40):
        group = chance.sample(range(32), chance.randint(2, 20))
        shift = chance.randint(1, len(group) - 1)
        out = [0] * 4
        for at, chip in enumerate(group):
            out[chip // 8] += group[(at + shift) % len(group)] // 8 != chip // 8
        must = max(
            messages * size / (sum(chip // 8 == node for chip in group) * 50e9)
            for node, messages in enumerate(out)
            if messages or not any(out)
        )
        result = machine.send_recv(size, group=group, shift=shift)
        assert must * (1 - 1e-12) <= result.lower_bound_s <= result.time_s * (1 + 1e-12)
