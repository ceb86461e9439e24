"""The overlay of faults: names, merging, undoing, files, text, and what it leaves unchanged."""

from __future__ import annotations

import copy
import json
import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast import _core
from raising import raises

RAINIER = rf.preset("rainier")
NAMES = {name: getattr(rf, name) for name in rf.__all__}
ULTRA = rf.preset("trn2-ultraserver")
TWO = rf.Cluster(
    [rf.Site("a", 3, rf.TRN2_ULTRASERVER), rf.Site("b", 2, rf.TRN2_ULTRASERVER)],
    wan=rf.Wan("10 Tbps", "6 ms"),
)


@pytest.mark.parametrize(
    "chips",
    [
        201,
        np.int64(201),
        [201],
        (201,),
        {201},
        np.array([201], np.uint16),
        rf.ChipAt(site="a", ultraserver=3, x=1, y=2),
        {"site": 0, "ultraserver": 3, "x": 1, "y": 2},
        [(0, 3, 1, 2, 0)],
        "row",
        iter([201]),
    ],
)
def test_a_chip_has_many_names(chips: Any) -> None:
    machine = rf.Cluster([rf.Site("a", 5, rf.TRN2_ULTRASERVER)])
    chips = machine.coordinates([201]) if isinstance(chips, str) else chips
    hurt = machine.with_faults(chips=chips)
    assert hurt.faults.chips.tolist() == [201]
    assert hurt.num_live_chips == 319
    assert machine.with_faults(nics=hurt.faults.chips).faults.nics.tolist() == [201]


def test_a_link_has_many_names() -> None:
    link = ULTRA.route(0, 1).links[0]
    names: list[Any] = [
        int(link),
        np.array([link]),
        [ULTRA.link(int(link))],
        ULTRA.link(int(link)),
        rf.LinkAt("x", "+"),
        {"axis": "x", "direction": "+"},
        [rf.LinkAt("x", "+", site=0, ultraserver=0, x=0)],
    ]
    assert {tuple(ULTRA.with_faults(links=name).faults.links.tolist()) for name in names} == {
        (int(link),)
    }


def test_a_cable_is_both_directions() -> None:
    hurt = ULTRA.with_faults(links=rf.LinkAt("z", x=1, y=2, z=3))
    ends = {
        (hurt.link(int(i)).source_chip, hurt.link(int(i)).target_chip) for i in hurt.faults.links
    }
    up, down = ULTRA.chip(x=1, y=2, z=3), ULTRA.chip(x=1, y=2, z=0)
    assert ends == {(up, down), (down, up)}
    minus = ULTRA.with_faults(links=rf.LinkAt("z", "-", x=1, y=2, z=3)).faults.links
    assert ULTRA.link(int(minus[0])).target_chip == ULTRA.chip(x=1, y=2, z=2)


def test_links_beyond_the_ultraserver_have_names() -> None:
    words = [
        rf.LinkAt("nic", "egress", site="b", ultraserver=1, x=3),
        rf.LinkAt("nic", "ingress", site="b", ultraserver=1, x=3),
        rf.LinkAt("wan", "out", site="a", to="b"),
        {"axis": "wan", "direction": "in", "site": "a", "to": 1},
    ]
    links = [TWO.link(int(link)) for link in TWO.with_faults(links=words).faults.links]
    assert [link.link_class for link in links] == ["nic egress", "nic ingress", "wan", "wan"]
    assert links[0].source_chip == TWO.chip(site="b", ultraserver=1, x=3) == links[1].target_chip
    assert {(link.source, link.target) for link in links[2:]} == {
        ("a core", "b core"),
        ("b core", "a core"),
    }


def test_ultraservers_and_sites() -> None:
    hurt = TWO.with_faults(ultraservers=[1, ("b", 0)])
    assert hurt.faults.ultraservers.tolist() == [1, 3]
    assert hurt.num_live_chips == 3 * 64
    assert TWO.with_faults(sites="b").num_live_chips == 3 * 64
    # A chip of a dead UltraServer of a dead site is dead once.
    all_of_it = hurt.with_faults(sites=["b"], chips=[64, 200], ultraservers=2)
    assert all_of_it.num_live_chips == 64


def test_degraded_links_are_slower_everywhere() -> None:
    hurt = ULTRA.with_faults(degrade={rf.LinkAt("x"): 0.5, 7: 0.25})
    forward = int(ULTRA.route(0, 1).links[0])
    assert hurt.faults.degraded == {forward: 0.5, 7: 0.25, forward + 64: 0.5}
    whole, slow = ULTRA.link(forward), hurt.link(forward)
    assert (slow.bandwidth_Bps, slow.factor, slow.dead) == (whole.bandwidth_Bps / 2, 0.5, False)
    assert "degraded to 0.5" in str(slow)
    pair = ULTRA.with_faults(degrade=([forward, 7, forward + 64], [0.5, 0.25, 0.5]))
    assert pair == hurt
    assert ULTRA.with_faults(degrade=([7, 9], 0.5)).faults.degraded == {7: 0.5, 9: 0.5}
    # Mapping, file and constructor agree.
    assert ULTRA.with_faults(degrade=hurt.faults.degraded) == hurt


def test_link_loads_know_slower_links() -> None:
    hurt = ULTRA.with_faults(degrade={7: 0.25, 3: 0.5})
    rng = np.random.default_rng(1)
    loads = rf.LinkLoads(hurt, rng.random(hurt.num_links))
    bandwidth = np.array([hurt.link(i).bandwidth_Bps for i in range(hurt.num_links)])
    seconds = loads.bytes / bandwidth
    assert loads.time_s == seconds.max()
    np.testing.assert_array_equal(loads.utilisation(1.0), seconds)
    assert loads.top(3)["link"].tolist() == np.argsort(-seconds)[:3].tolist()
    table = loads.by_class()
    assert table["links"].sum() == hurt.num_links
    names = np.array([hurt.link(i).link_class for i in range(hurt.num_links)])
    for row in table:
        assert row["time_s"] == seconds[names == row["class"]].max()
        assert row["total_bytes"] == pytest.approx(loads.bytes[names == row["class"]].sum())


def test_dead_links_say_so() -> None:
    hurt = ULTRA.with_faults(links=[5], chips=[9])
    dead = [i for i in range(hurt.num_links) if hurt.link(i).dead]
    at_nine = [
        i
        for i in range(hurt.num_links)
        if 9 in (ULTRA.link(i).source_chip, ULTRA.link(i).target_chip)
    ]
    assert dead == sorted({5, *at_nine})
    assert str(hurt.link(5)).endswith(", dead")
    assert hurt.link(5).to_dict()["dead"] is True


def test_faults_of_two_calls_are_merged() -> None:
    one = ULTRA.with_faults(links=[3], degrade={8: 0.5, 9: 0.5, 11: 0.25})
    two = one.with_faults(links=[3, 8], chips=[1], degrade={9: 0.25, 11: 0.5})
    assert two.faults.links.tolist() == [3, 8]
    assert two.faults.degraded == {9: 0.25, 11: 0.25}
    assert one.faults.links.tolist() == [3]  # unchanged
    other = ULTRA.with_faults(links=[3, 8], chips=[1], degrade={9: 0.25, 11: 0.5})
    assert two == ULTRA.with_faults(faults=one.faults | other.faults)
    assert two.faults == one.faults.merged(other.faults)


def test_healthy_and_repaired_undo() -> None:
    hurt = TWO.with_faults(
        links=[3, 4], chips=[7], nics=[8], ultraservers=[1], sites="b", degrade={9: 0.5, 10: 0.5}
    )
    assert hurt.is_damaged
    assert hurt.healthy() == TWO
    assert not hurt.healthy().is_damaged
    some = hurt.repaired(links=[4], sites=["b"], degraded=9)
    assert some == TWO.with_faults(
        links=[3], chips=[7], nics=[8], ultraservers=[1], degrade={10: 0.5}
    )
    for name, value in {"links": 5, "chips": 8, "nics": 7, "ultraservers": 0, "sites": 0}.items():
        with raises(rf.InvalidArgument, name):
            hurt.repaired(**{name: value})
    with raises(rf.InvalidArgument, "degraded"):
        hurt.repaired(degraded=[3])


def test_equality_hash_pickle_and_copy() -> None:
    hurt = RAINIER.with_faults(links=[3], chips=[7], degrade={9: 0.5})
    same = RAINIER.with_faults(chips=[7], links=[3]).with_faults(degrade={9: 0.5})
    assert hurt == same
    assert hash(hurt) == hash(same)
    assert hurt != RAINIER
    assert hurt != RAINIER.with_faults(links=[3], chips=[7], degrade={9: 0.25})
    again = pickle.loads(pickle.dumps(hurt))
    assert again == hurt
    assert again.link(9).factor == 0.5
    assert len(pickle.dumps(hurt)) < 20_000
    assert copy.deepcopy(hurt) is hurt
    faults = hurt.faults
    assert pickle.loads(pickle.dumps(faults)) == faults
    assert hash(copy.copy(faults)) == hash(same.faults)
    assert faults != rf.Faults(links=[3])
    assert (faults == 3) is False


def test_machines_made_from_it_keep_the_faults() -> None:
    hurt = RAINIER.with_faults(links=[3], chips=[7], degrade={9: 0.5})
    assert hurt.without_latency().faults == hurt.faults
    assert hurt.without_latency().link(9).factor == 0.5


def test_repr_evaluates_where_it_is_short() -> None:
    hurt = ULTRA.with_faults(links=[3, 70], chips=[9], degrade={11: 0.5})
    assert eval(repr(hurt), NAMES) == hurt
    assert eval(repr(hurt.faults), {"Faults": rf.Faults}) == hurt.faults
    assert repr(ULTRA.with_faults()) == repr(ULTRA)
    long = repr(RAINIER.with_faults(links=range(1000), degrade=(range(1000, 2000), 0.5)))
    assert len(long) < 250
    assert "[0, 1, 2, ..., 999: 1,000 in all]" in long
    assert "1000: 0.5" in long


def test_text_says_where() -> None:
    hurt = RAINIER.with_faults(
        chips=[rf.ChipAt(site="mississippi", ultraserver=2, x=1)],
        nics=[70],
        sites=["pennsylvania"] if "pennsylvania" in {s.name for s in RAINIER.sites} else [],
        ultraservers=[("mississippi", 5)],
    )
    text = str(hurt.faults)
    assert "mississippi, UltraServer 2, x 1" in text
    assert "NIC of chip 70" in text
    assert "mississippi 5" in text
    assert "faults" in str(hurt)
    assert "1 chip, 1 NIC" in str(hurt)
    many = str(RAINIER.with_faults(chips=range(1000)).faults)
    assert many.count("\n") < 30
    assert "and 980 more" in many
    table = RAINIER.with_faults(chips=range(1000), degrade={3: 0.5}).faults.table()
    assert len(table) == 1001
    assert table["factor"].tolist()[-1] == 0.5
    assert str(rf.Faults()) == "no faults"
    assert "links: [3]" in str(rf.Faults(links=[3], degraded={5: 0.5}))
    assert "<pre>" in rf.Faults(links=[3])._repr_html_()
    assert "faults" in hurt._repr_html_()


def test_counts_len_bool() -> None:
    faults = ULTRA.with_faults(links=[1, 2], chips=[3], degrade={9: 0.5}).faults
    assert (len(faults), bool(faults), bool(ULTRA.faults)) == (4, True, False)
    assert faults.counts == {"links": 2, "chips": 1, "degraded": 1}
    assert not faults.links.flags.writeable
    with pytest.raises(AttributeError):
        faults.links = np.zeros(1)  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del faults._columns


def test_peak_and_memory_are_of_the_live() -> None:
    hurt = TWO.with_faults(ultraservers=[0, 1])
    assert hurt.peak_flops("bf16") == pytest.approx(TWO.peak_flops("bf16") * 3 / 5)
    assert hurt.hbm_bytes == TWO.hbm_bytes * 3 // 5
    assert hurt.num_chips == TWO.num_chips


def test_saved_and_loaded(tmp_path: Path) -> None:
    hurt = TWO.with_faults(
        links=[3, 4], chips=[7], nics=[8], ultraservers=[1], sites=["b"], degrade={9: 1 / 3}
    )
    path = tmp_path / "faults.json"
    hurt.faults.save(path)
    read = rf.Faults.load(os.fspath(path))
    assert read == hurt.faults
    assert TWO.with_faults(faults=read) == hurt
    assert read.on(TWO).table() == hurt.faults.table()
    with raises(rf.Unsupported, None, "faults.on(machine)"):
        read.table()
    with raises(rf.InvalidArgument, "faults"):
        ULTRA.with_faults(faults=read)
    with raises(rf.InvalidArgument, "other"):
        read.merged(ULTRA.with_faults(links=[3]).faults)
    rf.Faults().save(path)
    assert rf.Faults.load(path) == rf.Faults()
    assert [file.name for file in tmp_path.iterdir()] == ["faults.json"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "faults.json"
    rf.Faults(links=[3]).save(path)

    full = OSError("disk full")

    def broken(*_: object) -> None:
        raise full

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError) as caught:
        rf.Faults(links=[4]).save(path)
    assert caught.value is full
    assert rf.Faults.load(path) == rf.Faults(links=[3])
    assert [file.name for file in tmp_path.iterdir()] == ["faults.json"]


GOOD = rf.Faults(links=[3], degraded={5: 0.5}).to_dict()


@pytest.mark.parametrize(
    ("change", "thing"),
    [
        ({"format": "other"}, "'format'"),
        ({"version": 2}, "version 2"),
        ({"links": "3"}, "'links'"),
        ({"links": [True]}, "'links'"),
        ({"links": [3.0]}, "'links'"),
        ({"links": [3, 3]}, "links: got 3"),
        ({"links": [-3]}, "links: got -3"),
        ({"links": [2**64]}, "links"),
        ({"degraded": {"5": 0.5}}, "'degraded'"),
        ({"degraded": [[5]]}, "'degraded'"),
        ({"degraded": [[5, 0.5], [5, 0.5]]}, "degraded"),
        ({"degraded": [[5, 1.5]]}, "degraded[5]: got 1.5"),
        ({"degraded": [[5, "x"]]}, "degraded[5]"),
        ({"degraded": [[3, 0.5]]}, "degraded[3]"),
        ({"machine": {"chips": 3}}, "'machine'"),
        ({"more": 1}, "'more'"),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, change: dict[str, Any], thing: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps({**GOOD, **change}))
    with raises(rf.InvalidArgument, "path", thing):
        rf.Faults.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "\x00", "[" * 100_000])
def test_files_that_are_not_json_objects_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(text)
    with raises(rf.InvalidArgument, "path"):
        rf.Faults.load(path)


def test_names_pickle_and_print() -> None:
    chip = rf.ChipAt(site="a", ultraserver=3, x=1)
    link = rf.LinkAt("z", "+", site="a", x=1)
    for name in (chip, link, rf.LinkAt("m", to=3)):
        assert pickle.loads(pickle.dumps(name)) == name
        assert eval(repr(name), NAMES) == name
        assert hash(copy.copy(name)) == hash(name)
    assert rf.LinkAt("z", x=1, y=2) == rf.LinkAt("z", y=2, x=1)
    with pytest.raises(AttributeError):
        chip.site = 3  # type: ignore[misc]
    for bad in ((3, None), ("z", 1)):
        with pytest.raises(rf.InvalidType):
            rf.LinkAt(*bad)  # type: ignore[arg-type]


def test_a_million_chips_with_many_faults_take_little() -> None:
    machine = rf.preset("rainier", chips=1_048_576)
    rng = np.random.default_rng(5)
    links = rng.choice(machine.num_links, 1000, replace=False)
    chips = rng.choice(machine.num_chips, 200, replace=False)
    nics = rng.choice(machine.num_chips, 50, replace=False)
    tracemalloc.start()
    try:
        hurt = machine.with_faults(links=links, chips=chips, nics=nics)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    in_core = _core.overlay_bytes(hurt._core)
    assert len(hurt.faults) == 1250
    assert hurt.faults.nbytes == 8 * 1250
    assert taken + in_core + hurt.faults.nbytes < 1 << 20
    assert in_core < 16 * 1250 + 1000
    assert len(pickle.dumps(hurt)) < 100_000


@pytest.mark.parametrize("dead", [1, 2, 3, 4, 6, 7])
def test_messages_of_dead_nics_spread_over_those_that_are_left(dead: int) -> None:
    machine, size = rf.preset("h100", chips=16), 2**30
    hurt = machine.with_faults(nics=list(range(8, 8 + dead)))
    most = -(-8 // (8 - dead))  # shares of an eighth that one of the NICs that are left carries
    must = most * size / 8 / 50e9
    assert must <= hurt.all_reduce(size).time_s < 1.05 * must
