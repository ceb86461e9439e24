"""Laws of the overlay on random machines with random damage, against definitions written out."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import rainier_fast as rf
from property.strategies import grids
from rainier_fast.testing.strategies import machines


@st.composite
def damaged(draw: st.DrawFn) -> tuple[rf.Machine, dict[str, Any]]:
    """A small machine of any kind, and what breaks on it."""
    machine = draw(machines() | grids())
    chips = st.integers(0, machine.num_chips - 1)
    links = st.integers(0, max(machine.num_links - 1, 0))
    units = st.integers(0, machine.num_ultraservers - 1)
    sites = st.integers(0, len(machine.sites) - 1)
    some = {"unique": True, "max_size": 4}
    words: dict[str, Any] = {
        "chips": draw(st.lists(chips, **some)),
        "ultraservers": draw(st.lists(units, **{**some, "max_size": 1})),
        "sites": draw(st.lists(sites, **{**some, "max_size": 1})),
    }
    if machine.num_links:
        words["links"] = draw(st.lists(links, **some))
        factors = st.floats(0, 1, exclude_min=True)
        slow = draw(st.dictionaries(links, factors, max_size=4))
        words["degrade"] = {at: by for at, by in slow.items() if at not in words["links"]}
    if machine.ultraserver.nic is not None:
        words["nics"] = draw(st.lists(chips, **some))
    return machine, words


def everything_is_dead(error: rf.InvalidArgument) -> None:
    assert "everything is dead" in str(error)


def hurt_by(machine: rf.Machine, words: dict[str, Any]) -> rf.Machine:
    try:
        return machine.with_faults(**words)
    except rf.InvalidArgument as error:
        everything_is_dead(error)
        dead = set(words["chips"])
        places = machine.coordinates(range(machine.num_chips))
        alive = [
            chip
            for chip in range(machine.num_chips)
            if chip not in dead
            and chip // machine.ultraserver.num_chips not in words["ultraservers"]
            and places["site"][chip] not in words["sites"]
        ]
        assert not alive
        assume(False)  # noqa: FBT003 - so it is called
        raise


@given(damaged())
def test_a_link_is_dead_if_it_or_an_end_of_it_is(case: tuple[rf.Machine, dict[str, Any]]) -> None:
    machine, words = case
    hurt = hurt_by(machine, words)
    unit = machine.ultraserver.num_chips
    places = machine.coordinates(range(machine.num_chips))

    def dead_chip(chip: int | None) -> bool:
        return chip is not None and (
            chip in words["chips"]
            or chip // unit in words["ultraservers"]
            or int(places["site"][chip]) in words["sites"]
        )

    live = sum(not dead_chip(chip) for chip in range(machine.num_chips))
    assert hurt.num_live_chips == live
    for number in range(machine.num_links):
        before, after = machine.link(number), hurt.link(number)
        factor = words["degrade"].get(number, 1.0)
        assert after.bandwidth_Bps == before.bandwidth_Bps * factor
        assert after.factor == factor
        if before.link_class.startswith(("fabric", "wan")) or "tier" in before.link_class:
            continue
        chips = before.source_chip, before.target_chip
        nic = before.link_class.startswith("nic") and not set(chips).isdisjoint(
            words.get("nics", [])
        )
        expected = number in words["links"] or nic or any(map(dead_chip, chips))
        assert after.dead == expected, before


@given(damaged())
def test_what_is_built_up_comes_apart(case: tuple[rf.Machine, dict[str, Any]]) -> None:
    machine, words = case
    hurt = hurt_by(machine, words)
    assert hurt.healthy() == machine
    assert pickle.loads(pickle.dumps(hurt)) == hurt
    assert machine.with_faults(faults=hurt.faults) == hurt
    assert hurt.with_faults(faults=hurt.faults) == hurt
    one_by_one = machine
    for name, given_ in words.items():
        one_by_one = one_by_one.with_faults(**{name: given_})
    assert one_by_one == hurt
    assert hash(one_by_one) == hash(hurt)
    back = hurt
    for name, given_ in words.items():
        kind = "degraded" if name == "degrade" else name
        back = back.repaired(**{kind: list(given_)})
    assert back == machine
    assert len(hurt.faults) == sum(map(len, words.values()))


@given(damaged(), damaged())
def test_merging_is_a_union(
    case: tuple[rf.Machine, dict[str, Any]], other: tuple[rf.Machine, dict[str, Any]]
) -> None:
    machine, words = case
    one = hurt_by(machine, words).faults
    links = [int(link) for link in other[1].get("links", []) if link < machine.num_links]
    two = rf.Faults(
        links=links, degraded={at: 0.5 for at in words.get("degrade", ()) if at not in links}
    )
    both = one | two
    assert both == two | one
    assert both == both | one == both | both
    assert set(both.links.tolist()) == set(one.links.tolist()) | set(links)
    for link, factor in one.degraded.items():
        assert both.degraded.get(link, 0.0) == (0.0 if link in links else min(factor, 0.5))
    try:
        assert machine.with_faults(faults=one).with_faults(faults=two).faults == both
    except rf.InvalidArgument as error:
        everything_is_dead(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=damaged())
def test_files_keep_everything(case: tuple[rf.Machine, dict[str, Any]], tmp_path: Path) -> None:
    machine, words = case
    faults = hurt_by(machine, words).faults
    path = tmp_path / "faults.json"
    faults.save(path)
    read = rf.Faults.load(path)
    assert read == faults
    assert read.on(machine).table() == faults.table()
    assert str(read.on(machine)) == str(faults)


@given(damaged(), st.integers(0, 2**64 - 1), st.integers(0, 1000))
def test_samples_exist_and_repeat(
    case: tuple[rf.Machine, dict[str, Any]], seed: int, draw: int
) -> None:
    machine, _ = case
    rates = rf.FailureRates(
        chip_per_hour=0.05,
        cable_per_hour=0.05,
        nic_per_hour=0.05,
        host_per_hour=0.05,
        chips_per_host=machine.ultraserver.num_chips,
    )
    try:
        hurt = machine.sample_faults(rates, 1.0, seed, draw=draw)
    except rf.InvalidArgument as error:
        everything_is_dead(error)
        return
    assert hurt == machine.sample_faults(rates, 1.0, seed, draw=draw)
    for name, limit in (("links", machine.num_links), ("chips", machine.num_chips)):
        column = getattr(hurt.faults, name)
        assert np.all(np.diff(column) > 0)
        assert column.size == 0 or (column[0] >= 0 and column[-1] < limit)
    if machine.ultraserver.nic is None:
        assert hurt.faults.nics.size == 0


@given(machines())
def test_nothing_fails_without_a_rate(machine: rf.Machine) -> None:
    assert machine.sample_faults(rf.FailureRates(), 1e9, 1) == machine


def test_a_calibrated_machine_keeps_its_faults() -> None:
    from rainier_fast.measure.machine import CalibratedMachine

    made = CalibratedMachine._of(rf.preset("trn2"), ()).with_faults(chips=[3])
    assert isinstance(made, CalibratedMachine)
    assert made.measurements == ()
    again = pickle.loads(pickle.dumps(made))
    assert again == made
    assert again.faults.chips.tolist() == [3]
    assert CalibratedMachine._of(made, ()).faults == made.faults
    assert made.num_live_chips == pytest.approx(15)
