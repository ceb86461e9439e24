"""Faults drawn at random, against a slow draw part by part, and Monte Carlo, against its draws."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.definitions.rates import RATE_SOURCES
from raising import raises

ULTRA = rf.preset("trn2-ultraserver")
RAINIER = rf.preset("rainier")
TWO = rf.Cluster(
    [rf.Site("a", 3, rf.TRN2_ULTRASERVER), rf.Site("b", 2, rf.TRN2_ULTRASERVER)],
    wan=rf.Wan("10 Tbps", "6 ms"),
)
MANY = rf.FailureRates(
    chip_per_hour=1e-3, cable_per_hour=1e-3, nic_per_hour=2e-3, host_per_hour=1e-3
)


def splitmix(state: int) -> tuple[int, int]:
    """The next state and the next 64 bits (Steele, Lea and Flood, 2014)."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    bits = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
    return state, bits ^ (bits >> 31)


def drawn(parts: int, exposure: float, seed: int, draw: int, kind: int) -> list[int]:
    """Parts that have failed, by the distances between them, written out again."""
    state = splitmix(seed)[1] ^ draw
    state = splitmix(state)[1] ^ kind
    state = splitmix(state)[1]
    out: list[int] = []
    at = 0
    while exposure > 0:
        state, bits = splitmix(state)
        at += math.floor(-math.log(((bits >> 11) + 0.5) / 2**53) / exposure)
        if at >= parts:
            break
        out.append(at)
        at += 1
    return out


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
@pytest.mark.parametrize("draw", [0, 12])
def test_draws_are_those_of_the_slow_way(seed: int, draw: int) -> None:
    faults = TWO.sample_faults(MANY, 30.0, seed, draw=draw).faults
    chips = set(drawn(320, 0.03, seed, draw, 0))
    for host in drawn(20, 0.03, seed, draw, 3):
        chips |= set(range(16 * host, 16 * host + 16))
    assert faults.chips.tolist() == sorted(chips)
    assert faults.nics.tolist() == drawn(320, 0.06, seed, draw, 2)
    links = set()
    for cable in drawn(5 * 192, 0.03, seed, draw, 1):
        unit, axis, inside = cable // 192, cable % 192 // 64, cable % 64
        forward = unit * 384 + axis * 128 + inside
        links |= {forward, forward + 64}
    assert faults.links.tolist() == sorted(links)


def test_every_kind_is_drawn_and_counts_are_right() -> None:
    rates = rf.FailureRates(
        chip_per_hour=1e-4,
        cable_per_hour=1e-5,
        nic_per_hour=2e-4,
        host_per_hour=1e-3,
        ultraserver_per_hour=1e-2,
    )
    found = RAINIER.sample_faults(rates, 5.0, 3).faults
    expected = {
        "links": 2 * 8192 * 192 * -math.expm1(-5e-5),
        "nics": 524288 * -math.expm1(-1e-3),
        "ultraservers": 8192 * -math.expm1(-5e-2),
    }
    for name, mean in expected.items():
        assert abs(found.counts[name] - mean) < 6 * math.sqrt(2 * mean), name
    hosts = 16 * 32768 * -math.expm1(-5e-3)
    alone = 524288 * -math.expm1(-5e-4)
    assert abs(found.counts["chips"] - hosts - alone) < 6 * 16 * math.sqrt(hosts / 16)


def test_a_cable_is_lost_both_ways() -> None:
    hurt = TWO.sample_faults(rf.FailureRates(cable_per_hour=0.01), 5.0, 1)
    ends = [
        frozenset((hurt.link(int(link)).source, hurt.link(int(link)).target))
        for link in hurt.faults.links
    ]
    assert len(ends) > 10
    assert len(ends) % 2 == 0
    # Rings of four have one cable between each pair of neighbours.
    assert len(set(ends)) == len(ends) // 2


def test_repair_and_hours() -> None:
    rates = rf.FailureRates(chip_per_hour=1e-3, repair_hours=6.0)
    assert TWO.sample_faults(rates, 100.0, 1) == TWO.sample_faults(rates, 6.0, 1)
    assert TWO.sample_faults(rates, 3.0, 1) != TWO.sample_faults(rates, 6.0, 1)
    assert TWO.sample_faults(rates, 0.0, 1) == TWO
    assert TWO.sample_faults(rf.FailureRates(), 1e6, 1) == TWO


def test_more_hours_add_up_in_the_mean() -> None:
    counts = [
        [len(TWO.sample_faults("rsc-1", hours, 5, draw=draw).faults) for draw in range(200)]
        for hours in (10.0, 20.0, 40.0)
    ]
    one, two, four = (np.mean(row) for row in counts)
    assert one < two < four


def test_draws_are_beside_the_faults_that_are() -> None:
    hurt = TWO.with_faults(chips=[3], degrade={9: 0.5})
    more = hurt.sample_faults(MANY, 10.0, 2)
    assert 3 in more.faults.chips
    assert more.faults == hurt.faults | TWO.sample_faults(MANY, 10.0, 2).faults


def test_published_rates() -> None:
    catalog = rf.catalog()
    for name, entry in RATE_SOURCES.items():
        rates = rf.FailureRates.published(name)
        for part in ("chip", "cable", "nic", "host"):
            field = f"{part}_per_hour"
            kept = catalog[entry].figures
            assert getattr(rates, field) == (kept[field].number if field in kept else 0.0)
    figures = catalog["llama3-fleet"].figures
    hours = figures["gpu_hours"].number
    assert hours == figures["gpus"].number * 54 * 24
    names = ["gpu", "hbm", "gpu_sram", "gpu_system_processor", "silent_corruption", "gpu_thermal"]
    counted = sum(figures[name].number for name in names)
    assert figures["chip_per_hour"].number == pytest.approx(counted / hours, rel=1e-6)
    for name, kind in (("cable_per_hour", "switch_or_cable"), ("nic_per_hour", "nic")):
        assert figures[name].number == pytest.approx(figures[kind].number / hours, rel=1e-6)
    hosts = figures["host_maintenance"].number + figures["host_parts"].number
    assert figures["host_per_hour"].number == pytest.approx(hosts / (hours / 8), rel=1e-6)
    tpu = catalog["tpu-v4-fleet"].figures
    assert tpu["host_per_hour"].number == pytest.approx(0.0008 / 24, rel=1e-6)
    assert tpu["cable_per_hour"].number == pytest.approx(0.00005 / 24, rel=1e-6)
    assert catalog["rsc-1-fleet"]["host_per_hour"].number == pytest.approx(6.5e-3 / 24, rel=1e-6)
    assert catalog["rsc-2-fleet"]["host_per_hour"].number == pytest.approx(2.34e-3 / 24, rel=1e-6)


@pytest.mark.parametrize(
    "machine",
    [
        TWO,
        ULTRA,
        rf.torus((2, 1, 3), "1 GB/s", wrap=(True, True, False)),
        rf.switch(8, "1 GB/s"),
        rf.full_mesh(5, "1 GB/s"),
        rf.preset("h100"),
    ],
)
def test_failures_per_hour_count_what_is_drawn(machine: rf.Machine) -> None:
    rates = rf.FailureRates(
        chip_per_hour=0.003,
        cable_per_hour=0.005,
        nic_per_hour=0.002,
        chips_per_host=machine.num_chips,
    )
    # So few that hardly any draw has two of a kind: the mean is the rate.
    draws, hours = 4000, 0.01
    total = 0
    for draw in range(draws):
        counts = machine.sample_faults(rates, hours, 9, draw=draw).faults.counts
        total += counts.get("links", 0) / 2 + counts.get("chips", 0) + counts.get("nics", 0)
    mean = rates.failures_per_hour(machine) * hours * draws
    assert abs(total - mean) < 5 * math.sqrt(mean)


def test_names_and_types_of_rates_are_checked() -> None:
    for words in (
        {"chip_per_hour": -1},
        {"chip_per_hour": math.nan},
        {"cable_per_hour": math.inf},
        {"nic_per_hour": "x"},
        {"host_per_hour": True},
        {"ultraserver_per_hour": None},
        {"chips_per_host": 0},
        {"repair_hours": -1},
    ):
        with raises(rf.RainierError, next(iter(words))):
            rf.FailureRates(**words)
    with raises(rf.UnknownName, "rates"):
        TWO.sample_faults("llama4")
    with raises(rf.InvalidType, "rates"):
        TWO.sample_faults(0.5)  # type: ignore[arg-type]
    for hours in (-1, math.nan, math.inf, "24", None):
        with raises(rf.RainierError, "hours"):
            TWO.sample_faults("llama3", hours)  # type: ignore[arg-type]
    for seed in (-1, 2**64, 0.5):
        with raises(rf.RainierError, "seed"):
            TWO.sample_faults("llama3", 1.0, seed)  # type: ignore[arg-type]
    with raises(rf.InvalidArgument, "chips_per_host"):
        TWO.sample_faults(rf.FailureRates(host_per_hour=1e-3, chips_per_host=7))
    with raises(rf.InvalidArgument, "faults"):
        TWO.sample_faults(rf.FailureRates(chip_per_hour=1e9))


def test_monte_carlo_is_the_collective_on_each_draw() -> None:
    words: dict[str, Any] = {"rates": MANY, "hours": 3.0, "draws": 12, "seed": 4}
    found = TWO.monte_carlo("all_reduce", "64 MiB", algorithm="hierarchical", **words)
    assert found.algorithm == "hierarchical"
    for draw in range(12):
        hurt = TWO.sample_faults(MANY, 3.0, 4, draw=draw)
        result = hurt.all_reduce("64 MiB", algorithm=found.algorithm)
        assert found.times_s[draw] == result.time_s
        row = hurt.faults.counts
        assert found.faults[draw] == len(hurt.faults)
        assert found.table()["chips"][draw] == row.get("chips", 0)
        assert found.live_chips[draw] == hurt.num_live_chips
    assert found.healthy_s == TWO.all_reduce("64 MiB").time_s
    assert found.answered == 12


def test_auto_is_found_once_and_again_where_it_does_not_fit() -> None:
    rates = rf.FailureRates(chip_per_hour=1e-6, ultraserver_per_hour=1e-4)
    machine = RAINIER
    found = machine.monte_carlo("all_reduce", "64 MiB", rates=rates, hours=1.0, draws=12, seed=4)
    whole = machine.all_reduce("64 MiB")
    assert found.healthy_s == whole.time_s
    tiers = found.algorithm.removeprefix("hierarchical(").rstrip(")").split(", ")
    assert len(tiers) == 3
    table = found.table()
    assert found.chosen_anew
    assert len(found.chosen_anew) < 12
    for draw in range(12):
        hurt = machine.sample_faults(rates, 1.0, 4, draw=draw)
        anew = draw in found.chosen_anew
        result = hurt.all_reduce("64 MiB", algorithm="auto" if anew else tiers)
        assert found.times_s[draw] == result.time_s
        assert not anew or table["ultraservers"][draw] > 0
    assert f"chosen anew in {len(found.chosen_anew)} draws" in str(found)


@pytest.mark.parametrize("operation", ["reduce_scatter", "all_gather", "all_to_all", "broadcast"])
def test_auto_is_the_same_without_faults(operation: str) -> None:
    machine = rf.preset("rainier", chips=4096, sites=3)
    found = machine.monte_carlo(operation, "64 MiB", rates=rf.FailureRates(), draws=2)
    assert found.times_s.tolist() == [getattr(machine, operation)("64 MiB").time_s] * 2


def test_damaged_ultraservers_may_be_left_out() -> None:
    rates = rf.FailureRates(chip_per_hour=1e-3, cable_per_hour=1e-4, nic_per_hour=1e-4)
    words: dict[str, Any] = {"rates": rates, "hours": 2.0, "draws": 25, "seed": 6}
    found = TWO.monte_carlo(
        "all_reduce", "64 MiB", policy="drop_ultraserver", algorithm="hierarchical", **words
    )
    seen = set()
    for draw in range(25):
        hurt = TWO.sample_faults(rates, 2.0, 6, draw=draw)
        broken = {int(chip) // 64 for chip in [*hurt.faults.chips, *hurt.faults.nics]}
        broken |= {int(link) // 384 for link in hurt.faults.links}
        seen.add(len(broken))
        if len(broken) == 5:
            assert found.no_answer[draw] == "nothing is left alive"
            continue
        left = TWO.with_faults(ultraservers=sorted(broken))
        assert found.live_chips[draw] == left.num_chips - 64 * len(broken)
        if len(broken) < 4:
            result = left.all_reduce("64 MiB", algorithm="hierarchical")
            assert found.times_s[draw] == result.time_s
    assert {0, 1, 2} <= seen
    assert "drop_ultraserver" in str(found)
    with raises(rf.Unsupported, None, "'drop_ultraserver'", "group"):
        TWO.monte_carlo("all_reduce", 8, policy="drop_ultraserver", group=[0, 1], **words)
    with raises(rf.UnknownName, "policy"):
        TWO.monte_carlo("all_reduce", 8, policy="spare", **words)


def test_ultraservers_without_a_live_chip_take_no_part() -> None:
    one_by_one = TWO.with_faults(chips=range(64, 128))
    dead = TWO.with_faults(ultraservers=[1])
    assert one_by_one.all_reduce("1 GiB").ranks == 256
    assert one_by_one.all_reduce("1 GiB").time_s == dead.all_reduce("1 GiB").time_s


def test_quantiles_and_the_like() -> None:
    found = ULTRA.monte_carlo("all_gather", "1 GiB", rates="rsc-1", hours=200.0, draws=100, seed=1)
    ordered = sorted(found.times_s.tolist())
    assert (found.p50_s, found.p90_s, found.p99_s, found.max_s) == (
        ordered[49],
        ordered[89],
        ordered[98],
        ordered[99],
    )
    assert found.quantile_s(0.001) == ordered[0]
    assert found.slowdown.min() >= 1.0
    finite = [time for time in ordered if math.isfinite(time)]
    assert found.mean_s == pytest.approx(sum(finite) / len(finite))
    for share in (0, -1, 1.5, math.nan):
        with raises(rf.InvalidArgument, "share"):
            found.quantile_s(share)
    with raises(rf.InvalidType, "share"):
        found.quantile_s("x")  # type: ignore[arg-type]


def test_draws_without_an_answer_are_counted_and_named() -> None:
    line = rf.torus((4,), "1 GB/s", wrap=False)
    rates = rf.FailureRates(cable_per_hour=0.1, chips_per_host=4)
    found = line.monte_carlo("all_reduce", 1e6, rates=rates, hours=1.0, draws=200, seed=2)
    cut = [draw for draw in range(200) if line.sample_faults(rates, 1.0, 2, draw=draw).is_damaged]
    assert cut
    assert sorted(found.no_answer) == cut
    assert all("cannot be reached" in why for why in found.no_answer.values())
    assert np.isinf(found.times_s[cut]).all()
    assert found.answered == 200 - len(cut)
    assert found.mean_s == pytest.approx(found.healthy_s)
    assert found.to_dict()["max_s"] is None
    text = str(found)
    assert f"{len(cut)} draws; the first, draw {cut[0]}" in text
    dead = line.monte_carlo(
        "all_reduce", 8, rates=rf.FailureRates(chip_per_hour=1e9), hours=1.0, draws=3
    )
    assert dead.no_answer == dict.fromkeys(range(3), "nothing is left alive")
    assert math.isnan(dead.mean_s)
    assert "no answer" in str(dead)
    group = TWO.monte_carlo(
        "all_reduce",
        8e6,
        group=list(range(128)),
        rates=rf.FailureRates(ultraserver_per_hour=0.2),
        hours=1.0,
        draws=20,
    )
    assert group.no_answer
    assert all("of the group is dead" in why for why in group.no_answer.values())


def test_an_algorithm_that_does_not_run_on_a_draw_says_so() -> None:
    words: dict[str, Any] = {"rates": MANY, "hours": 20.0, "draws": 5, "algorithm": "neuron"}
    with raises(rf.Unsupported, None, "draw ", "neuron"):
        ULTRA.monte_carlo("all_reduce", "1 GiB", **words)


def test_the_result_reads_and_keeps() -> None:
    found = ULTRA.monte_carlo("all_reduce", "1 GiB", rates=MANY, hours=1.0, draws=10, seed=3)
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert again.times_s.flags.writeable is False
    json.dumps(found.to_dict())
    assert "p99" in str(found)
    assert "p50" in repr(found)
    assert "<table>" in found._repr_html_()
    assert "the same in all draws" in str(found)
    frame = found.to_pandas()
    assert frame.shape == (10, 9)
    with pytest.raises(AttributeError):
        found.seed = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        rf.MonteCarlo()
    assert found != ULTRA.monte_carlo("all_reduce", "1 GiB", rates=MANY, hours=1.0, draws=10)
    assert (found == 3) is False


def test_arguments_are_checked() -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"draws": 0}, "draws"),
        ({"draws": 1.5}, "draws"),
        ({"hours": -1}, "hours"),
        ({"rates": "x"}, "rates"),
        ({"seed": -1}, "seed"),
        ({"executor": 3}, "executor"),
        ({"n_threads": 0}, "n_threads"),
        ({"progress": 3}, "progress"),
        ({"algorithm": "x"}, "algorithm"),
        ({"model": "x"}, "model"),
        ({"group": [999]}, "group"),
    ]
    for words, name in bad:
        with raises(rf.RainierError, name):
            ULTRA.monte_carlo("all_reduce", 8, **{"draws": 2, **words})
    with raises(rf.InvalidType, "option"):
        ULTRA.monte_carlo("all_reduce", 8, sise=3)
    with raises(rf.UnknownName, "operation"):
        ULTRA.monte_carlo("all_reduction", 8)


def test_every_operation_and_model_runs() -> None:
    rates = rf.FailureRates(cable_per_hour=1e-3)
    for operation in ("all_to_all", "broadcast", "reduce_scatter", "send_recv"):
        words = {"shift": 1} if operation == "send_recv" else {}
        found = ULTRA.monte_carlo(operation, "1 MiB", rates=rates, hours=2.0, draws=3, **words)
        assert found.answered == 3
    healthy = rf.FailureRates()
    for model in ("link_load", "alpha_beta", "fluid", "fifo"):
        found = ULTRA.monte_carlo(
            "all_reduce", "1 MiB", rates=healthy, hours=2.0, draws=2, model=model
        )
        assert found.times_s.tolist() == [found.healthy_s] * 2
