"""Assumptions are told by where a number is from, not by what it equals."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.provenance import AssumedFloat, AssumedInt, keep, names_in

TRN2 = rf.preset("trn2")


def with_axes(latency: object) -> rf.Machine:
    server = TRN2.ultraserver
    axes = tuple(dataclasses.replace(axis, latency=latency) for axis in server.axes)
    return rf.domain(dataclasses.replace(server, axes=axes))


def test_a_number_that_a_user_measured_is_not_assumed() -> None:
    assert list(TRN2.assumptions) == ["neuronlink_hop_latency"]
    hop = rf.assumptions()["neuronlink_hop_latency"].number
    for measured in (hop, f"{hop * 1e6} us", np.float64(hop)):
        mine = with_axes(measured)
        assert mine.sites[0].ultraserver == TRN2.ultraserver
        assert list(mine.assumptions) == []
    # Taken over from a definition, it is still what it was.
    assert list(with_axes(TRN2.ultraserver.axes[0].latency).assumptions) == list(TRN2.assumptions)


def test_a_change_elsewhere_keeps_where_a_number_is_from() -> None:
    server = TRN2.ultraserver
    smaller = dataclasses.replace(server.axes[0], size=2, bandwidth="1 GB/s")
    machine = rf.domain(dataclasses.replace(server, axes=(smaller,), name="mine"))
    assert list(machine.assumptions) == ["neuronlink_hop_latency"]
    assert list(machine.without_latency().assumptions) == []


def test_one_of_several_values_may_be_measured() -> None:
    figures = rf.assumptions()
    sites = [rf.Site(name, 16, rf.TRN2_ULTRASERVER) for name in ("indiana", "mississippi")]
    by_hand = rf.Cluster(sites, wan=rf.Wan(figures["wan_bandwidth"].number, "1 ms"))
    named = set(by_hand.assumptions)
    assert "fabric_tier_latency" in named
    assert not {name for name in named if name.startswith(("wan_", "site_share_"))}
    tier = rf.Tier(
        int(figures["fabric_tier1_ultraservers"].number),
        figures["fabric_oversubscription"].number,
        figures["fabric_tier_latency"].number,
    )
    site = rf.Site("mine", 16, rf.TRN2_ULTRASERVER, rf.Fabric((tier,)))
    assert not {name for name in rf.Cluster([site]).assumptions if name.startswith("fabric")}
    nic = dataclasses.replace(rf.TRN2_ULTRASERVER.nic, overhead="1 us")  # type: ignore[type-var]
    server = dataclasses.replace(rf.TRN2_ULTRASERVER, nic=nic)
    names = set(rf.Cluster([rf.Site("mine", 16, server)]).assumptions)
    assert "efa_nic_latency" in names
    assert "efa_message_overhead" not in names


@pytest.mark.parametrize("number", [AssumedFloat(1.5e-6, "a", "b"), AssumedInt(16, "c")])
def test_they_are_numbers_in_all_else(number: float) -> None:
    plain = type(number).__mro__[-2](number)
    assert (number, repr(number), str(number), hash(number)) == (
        plain,
        repr(plain),
        str(plain),
        hash(plain),
    )
    assert json.dumps([number]) == json.dumps([plain])
    assert type(number + 0) is type(plain)
    assert type(number * 2) is type(plain)
    names = list(names_in(number))
    assert names
    copies = [pickle.loads(pickle.dumps(number, at)) for at in range(pickle.HIGHEST_PROTOCOL + 1)]
    for same in (*copies, copy.copy(number), copy.deepcopy(number)):
        assert (same, type(same)) == (number, type(number))
        assert list(names_in(same)) == names
    assert keep(number, plain) is number
    assert type(keep(number, plain + 1)) is type(plain)
    assert keep(plain, plain) is plain


def test_definitions_compare_print_and_pickle_as_before() -> None:
    for machine in (rf.preset("rainier"), rf.preset("h100", chips=64), rf.preset("tpu-v5p")):
        again = pickle.loads(pickle.dumps(machine))
        assert again == machine
        assert hash(again) == hash(machine)
        assert list(again.assumptions) == list(machine.assumptions)
        assert "Assumed" not in repr(machine.sites) + repr(machine.wan)


ROOMY = ("efa_end_to_end_latency", "efa_nic_latency", "efa_message_overhead")
FABRIC = (
    "fabric_tier1_ultraservers",
    "fabric_tier2_ultraservers",
    "fabric_tier_latency",
    "fabric_oversubscription",
)


def test_presets_list_what_they_stand_on() -> None:
    names = set(rf.preset("rainier").assumptions)
    assert names >= {"neuronlink_hop_latency", *ROOMY, *FABRIC, "wan_bandwidth"}
    for site in ("indiana", "mississippi"):
        assert f"site_share_{site}" in names
    for name in ("trn1", "trn2", "trn2-ultraserver", "trn3-gen1-ultraserver"):
        if name in rf.presets():
            assert list(rf.preset(name).assumptions) == ["neuronlink_hop_latency"]
