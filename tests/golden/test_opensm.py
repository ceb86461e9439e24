"""Our routes beside those of OpenSM's engines, and their channels proven free of circles.

OpenSM's figures are `opensm.json` of the validation. Loads, lengths and channels of ours are found
again here, from single routes: who waits for whom is written from the rules, not taken from the
report.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.validation.calls import MACHINES
from rainier_fast.validation.data import read
from raising import raises
from slow_channels import Routes, channels, has_circle

DATA = read("opensm")
BUSIEST = {
    group["engine"]: group["rows"] for group in DATA["groups"] if group["take"] == "busiest channel"
}
LANES = next(group for group in DATA["groups"] if group["take"] == "virtual channels")["rows"]
CUBES = [row for row in BUSIEST["updn"] if row["shape"] == [4, 4, 4]]


def named(row: dict[str, Any]) -> str:
    return f"{row['shape']} {row['damage']}"


def machine_of(row: dict[str, Any]) -> rf.Machine:
    return MACHINES["damaged torus"]({**DATA, **row})


@cache
def report(number: int, policy: rf.DimensionOrder | str) -> rf.RoutingReport:
    (found,) = machine_of(CUBES[number]).routing_report(policy)
    return found


@pytest.mark.parametrize("number", range(len(CUBES)), ids=lambda number: named(CUBES[number]))
def test_reports_are_what_single_routes_say(number: int) -> None:
    machine = machine_of(CUBES[number])
    for policy in ("up_down", "balanced", "dor", rf.DimensionOrder("parity")):
        routes, found = Routes(machine, policy), report(number, policy)
        assert found.cut == 0
        assert found.deadlock_free
        assert found.highest_load == max(routes.load.values())
        assert found.mean_hops == pytest.approx(sum(routes.hops) / len(routes.hops), rel=1e-12)
        assert found.longest_hops == max(routes.hops)
        if policy == "up_down":
            assert not has_circle(routes.together(routes.paths, dateline=False))
            assert found.virtual_channels == 1
        else:
            assert found.virtual_channels == channels(routes, ordered=policy != "balanced")


@pytest.mark.parametrize("engine", ["updn", "dfsssp"])
def test_the_busiest_channel_has_at_most_what_real_engines_give_it(engine: str) -> None:
    policy = {"updn": "up_down", "dfsssp": "balanced"}[engine]
    for row in BUSIEST[engine]:
        (found,) = machine_of(row).routing_report(policy)
        assert found.highest_load <= 1.05 * row["published"], named(row)
        assert found.deadlock_free
        assert found.promised


def test_what_is_more_than_real_engines_do() -> None:
    busiest = {
        policy: [report(number, policy).highest_load for number in range(len(CUBES))]
        for policy in ("up_down", "balanced")
    }
    assert max(busiest["balanced"]) <= 38
    assert max(busiest["up_down"]) <= 135
    lanes = [report(number, "balanced").virtual_channels for number in range(len(CUBES))]
    # DFSSSP takes 7 or 8 for routes that load the busiest channel with 52 to 60.
    assert max(lanes) <= 3


def test_dimension_order_round_dead_chips_needs_no_more_channels_than_torus_2qos() -> None:
    for row in LANES:
        machine = machine_of(row)
        for policy, most in (("dor", row["published"]), (rf.DimensionOrder("parity"), 1)):
            (found,) = machine.routing_report(policy)
            assert found.deadlock_free
            assert found.virtual_channels <= most, named(row)


def test_tables_of_all_pairs_have_a_limit() -> None:
    large = rf.torus((32, 16, 16), 1e9)
    for policy in ("up_down", "balanced"):
        with raises(rf.Unsupported, None, "8192 chips", "4096"):
            large.route(0, 1, policy)
    assert large.route(0, 1, "shortest").hops == 1
