"""`algorithm="synthesized"`: schedules made for the links that are there."""

from __future__ import annotations

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

OPERATIONS = ("all_gather", "reduce_scatter", "all_reduce")
MIB = 2**20


@pytest.fixture(scope="module")
def ultraserver() -> rf.Machine:
    return rf.preset("trn2-ultraserver")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_comes_close_to_the_bound(ultraserver: rf.Machine, operation: str) -> None:
    result = getattr(ultraserver, operation)("1 GiB", algorithm="synthesized")
    assert result.algorithm == "synthesized"
    assert 0.98 < result.efficiency <= 1
    assert result.bottleneck is not None
    played = getattr(ultraserver, operation)("1 GiB", algorithm="synthesized", model="fluid")
    assert played.time_s == pytest.approx(result.time_s, rel=1e-3)
    assert played.time_s <= result.time_s * (1 + 1e-9)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_latency_hides_behind_the_next_chunk(ultraserver: rf.Machine, operation: str) -> None:
    made = getattr(ultraserver, operation)("16 MiB", algorithm="synthesized", model="fluid")
    best = getattr(ultraserver, operation)("16 MiB", model="fluid")
    assert made.time_s < 0.8 * best.time_s
    assert made.lower_bound_s <= made.time_s


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", [(2,), (5,), (2, 2), (4, 3), (3, 2, 2)])
def test_schedules_are_proven_and_run_as_they_are_priced(
    operation: str, shape: tuple[int, ...]
) -> None:
    machine = rf.torus(shape, bandwidth="50 GB/s", latency="1 us")
    schedule = rf.schedule(operation, machine, MIB, algorithm="synthesized", chunks=2)
    schedule.verify()
    priced = getattr(machine, operation)(MIB, algorithm="synthesized", chunks=2)
    assert machine.run(schedule).time_s == priced.time_s
    assert machine.run(schedule, model="fluid").time_s <= priced.time_s * (1 + 1e-9)
    assert priced.chunks == 2
    assert priced.lower_bound_s <= priced.time_s * (1 + 1e-9)


def test_two_cables_between_two_chips_both_carry() -> None:
    pair = rf.torus((2,), bandwidth="50 GB/s")
    result = pair.all_gather(MIB, algorithm="synthesized", chunks=4)
    assert result.time_s == pytest.approx(MIB / 2 / 100e9)
    assert np.count_nonzero(result.link_loads().bytes) == 4


def test_bytes_on_links_are_those_that_must_arrive() -> None:
    torus = rf.torus((4, 4), bandwidth="50 GB/s", latency="1 us")
    for operation, times in (("all_gather", 1), ("reduce_scatter", 1), ("all_reduce", 2)):
        loads = getattr(torus, operation)(MIB, algorithm="synthesized").link_loads()
        assert loads.bytes.sum() == pytest.approx(times * 15 * MIB)


def test_a_plane_of_an_ultraserver_is_a_group(ultraserver: rf.Machine) -> None:
    plane = ultraserver.all_reduce("64 MiB", group=range(16, 32), algorithm="synthesized")
    alone = rf.preset("trn2").all_reduce("64 MiB", algorithm="synthesized")
    assert plane.time_s == alone.time_s
    moved = ultraserver.all_reduce(
        "64 MiB", group=list(reversed(range(16, 32))), algorithm="synthesized"
    )
    assert moved.time_s == plane.time_s


def test_a_full_mesh_and_a_line_have_links_too() -> None:
    mesh = rf.full_mesh(5, bandwidth="10 GB/s")
    result = mesh.all_gather(5 * MIB, algorithm="synthesized")
    assert result.time_s == pytest.approx(MIB / 10e9)
    line = rf.torus((4,), bandwidth="10 GB/s", wrap=False)
    ends = line.all_gather(4 * MIB, algorithm="synthesized")
    assert ends.time_s == pytest.approx(3 * MIB / 10e9)


def test_it_says_how_far_it_is_from_the_bound() -> None:
    why = rf.torus((3, 3, 3), bandwidth="50 GB/s").all_gather(27 * MIB, algorithm="synthesized").why
    assert "% above what the links" in why


def test_it_is_listed_and_not_part_of_auto(ultraserver: rf.Machine) -> None:
    assert "synthesized" in rf.algorithms("all_gather")
    assert "synthesized" not in rf.algorithms("broadcast")
    assert "synthesized" in rf.algorithms("barrier")
    ring = rf.torus(8, "50 GB/s", "1 us")
    assert ring.barrier(algorithm="synthesized").time_s == pytest.approx(8e-6)
    names = [row["algorithm"] for row in ultraserver.all_gather("1 MiB").candidates]
    assert "synthesized" not in names


def test_what_it_cannot_do_says_what_to_do(ultraserver: rf.Machine) -> None:
    def refused(call: str, size: str, machine: rf.Machine = ultraserver, **more: object) -> str:
        with pytest.raises(rf.Unsupported) as caught:
            getattr(machine, call)(size, algorithm="synthesized", **more)
        return str(caught.value)

    assert "all_gather" in refused("all_to_all", "1 MiB")
    assert "link_load" in refused("all_gather", "1 MiB", model="alpha_beta")
    assert "dor" in refused("all_gather", "1 MiB", routing="valiant")
    assert "all live chips" in refused("all_gather", "1 MiB", group=[0, 21])
    assert "ring" in refused("all_gather", "1 MiB", rf.preset("h100", chips=8))
    rainier = rf.preset("rainier")
    assert "one UltraServer" in refused("all_gather", "1 MiB", rainier, group=[0, 64])
    mesh = rainier.mesh(dp=-1, tp=64)
    with raises(rf.Unsupported, None, "synthesized", "8192 groups"):
        mesh.all_gather("1 MiB", axis="tp", algorithm="synthesized")
    with pytest.raises(rf.Unsupported):
        ultraserver.all_gather("1 MiB", algorithm="ring", chunks=2)


def test_the_same_call_gives_the_same_bits(ultraserver: rf.Machine) -> None:
    first, second = (ultraserver.all_reduce("3 MiB", algorithm="synthesized") for _ in range(2))
    assert first.time_s == second.time_s
    assert np.array_equal(first.link_loads().bytes, second.link_loads().bytes)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_dead_z_link_costs_what_the_links_left_allow(
    ultraserver: rf.Machine, operation: str
) -> None:
    z = next(number for number in range(384) if "(z +): chip 5 " in str(ultraserver.link(number)))
    back = next(n for n in range(384) if "(z -): chip 21 -> chip 5" in str(ultraserver.link(n)))
    for dead in ([z], [z, back]):
        hurt = ultraserver.with_faults(links=dead)
        made = getattr(hurt, operation)("1 GiB", algorithm="synthesized")
        assert 1 <= made.time_s / made.lower_bound_s < 1.02
        assert made.time_s < getattr(hurt, operation)("1 GiB").time_s
        assert not made.link_loads().bytes[dead].any()
        schedule = rf.schedule(operation, hurt, "1 GiB", algorithm="synthesized", chunks=4)
        schedule.verify()
        bound = made.lower_bound_s
        assert 1 <= hurt.run(schedule, model="fluid").time_s / bound < 1.15
        assert 1 <= hurt.run(schedule, model="link_load").time_s / bound < 1.15


def test_slow_links_and_dead_chips(ultraserver: rf.Machine) -> None:
    slow = ultraserver.with_faults(degrade={0: 0.3, 300: 0.7})
    made = slow.all_gather("1 GiB", algorithm="synthesized")
    assert 1 <= made.time_s / made.lower_bound_s < 1.02
    hurt = ultraserver.with_faults(chips=[9])
    with raises(rf.Unsupported, None, "synthesized", "chip 9"):
        hurt.all_gather("1 GiB", algorithm="synthesized")
    left = [chip for chip in range(64) if chip != 9]
    made = hurt.all_reduce("1 GiB", group=left, algorithm="synthesized")
    assert 1 <= made.time_s / made.lower_bound_s < 1.05
    rf.schedule("all_reduce", hurt, "1 GiB", algorithm="synthesized", group=left, chunks=2).verify()


def test_what_is_cut_off_is_named() -> None:
    ring = rf.torus((4,), bandwidth="50 GB/s")
    into = [
        number for number in range(8) if str(ring.link(number)).split(",")[0].endswith("chip 2")
    ]
    assert len(into) == 2
    with raises(rf.Unreachable, None, "chip 0", "chip 2"):
        ring.with_faults(links=into).all_gather(1, algorithm="synthesized")
