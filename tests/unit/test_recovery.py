"""Ways to go on with a damaged machine: modes, policies, impact."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

SITE = rf.Cluster(sites=[rf.Site("one", 4, rf.TRN2_ULTRASERVER)])
ONE = rf.Cluster(sites=[rf.Site("one", 1, rf.TRN2_ULTRASERVER)])
Z_CABLE = {"links": rf.LinkAt("z", x=1)}
FAULTS = [Z_CABLE, {"chips": [21]}, {"nics": [21]}]
NAMES = ["z cable", "chip", "nic"]


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_what_each_policy_costs_stands_side_by_side_and_is_proven(fault: dict[str, object]) -> None:
    found = SITE.impact(fault, "all_reduce", "64 MiB")
    assert set(found.policies) == set(rf.policies())
    applies = {"detour", "drop_ultraserver", "pairs", "instances"}
    applies |= {"drop_rank"} if "chips" in fault else set()
    answers = dict(zip(found.policies, found.results, strict=True))
    assert {name for name, result in answers.items() if result is not None} == applies
    for name in applies:
        result = found.of(name)
        result.schedule().verify()
        assert result.lower_bound_s <= result.time_s * (1 + 1e-9)
        loads = result.link_loads().bytes
        dead = [link for link in result.machine.faults.links.tolist() if loads[link] > 0]
        assert dead == []
    assert found.of("detour").time_s >= found.whole.time_s
    assert found.of("drop_ultraserver").ranks == 192
    assert found.of("pairs").machine.num_ultraservers == 8
    assert found.best is found.results[0]
    costs = found["cost_s"][: len(applies)]
    assert (np.diff(costs) >= 0).all()
    reasons = dict(zip(found.policies, found.reasons, strict=True))
    assert "nothing whole" in reasons["spare"] or "no whole UltraServer" in reasons["spare"]


@pytest.mark.parametrize("fault", FAULTS[:2], ids=NAMES[:2])
def test_a_schedule_made_for_the_damage_beats_going_round_it(fault: dict[str, object]) -> None:
    found = ONE.impact(fault, "all_reduce", "1 GiB", policies=["detour", "synthesized"])
    made, detour = found.of("synthesized"), found.of("detour")
    assert made.lower_bound_s <= made.time_s < 1.15 * made.lower_bound_s
    assert made.time_s < detour.time_s
    made.schedule().verify()
    detour.schedule().verify()


def test_a_spare_takes_the_place_of_a_damaged_ultraserver() -> None:
    hurt = SITE.with_faults(chips=[70])
    found = hurt.recoveries("all_reduce", "64 MiB", group=range(128), policies=["spare"])
    chips = found.best.request.groups.members(0)
    assert chips.tolist() == [*range(64), *range(128, 192)]
    assert found.best.time_s == found.whole.time_s
    used_up = SITE.with_faults(chips=[70, 130, 200])
    found = used_up.recoveries("all_reduce", "64 MiB", group=range(128), policies=["spare"])
    assert "no whole UltraServer" in found.reasons[0]


def test_a_pair_of_instances_costs_what_a_machine_of_pairs_costs() -> None:
    pairs = SITE.with_faults(**Z_CABLE).in_mode(2)
    axes = (*rf.TRN2_ULTRASERVER.axes[:2], rf.Axis("z", 2, "line", "64 GB/s", "1 us"))
    assert pairs.ultraserver.axes[2].bandwidth_Bps == axes[2].bandwidth_Bps
    assert not pairs.is_damaged
    assert pairs == SITE.in_mode(2)
    assert pairs.sites[0].tiers[0].group == 2 * SITE.sites[0].tiers[0].group
    assert pairs.num_chips == SITE.num_chips
    assert SITE.in_mode(4) is SITE
    assert SITE.in_mode(1).ultraserver.shape == (4, 4)


def test_faults_come_along_into_a_mode() -> None:
    hurt = SITE.with_faults(chips=[5, 100], nics=[9], ultraservers=[3], degrade={0: 0.5})
    mode = hurt.in_mode(2)
    assert mode.faults.chips.tolist() == [5, 100]
    assert mode.faults.nics.tolist() == [9]
    assert mode.faults.ultraservers.tolist() == [6, 7]
    (link,) = mode.faults.degraded
    before, after = hurt.link(0), mode.link(link)
    words = [one.to_dict() | {"id": None} for one in (before, after)]
    assert words[0] == words[1]
    # Cables 0 to 1 are dead: pairs are (1, 2) and (3, 0), numbered from plane 1.
    turned = SITE.with_faults(links=rf.LinkAt("z", x=1), chips=[16, 0]).in_mode(2)
    assert turned.faults.chips.tolist() == [0, 48]


def test_live_chips_are_those_of_live_ultraservers_too() -> None:
    hurt = SITE.with_faults(chips=[3], ultraservers=[1, 2])
    assert hurt.live_chips().tolist() == [c for c in [*range(64), *range(192, 256)] if c != 3]
    assert hurt.live_chips([3, 70, 200]).tolist() == [200]


def test_impact_counts_from_the_machine_as_it_is() -> None:
    hurt = SITE.with_faults(chips=[3])
    again = hurt.impact({"chips": [4]}, "all_reduce", "64 MiB", policies=["detour"])
    assert again.whole.time_s == hurt.all_reduce("64 MiB").time_s
    assert again.best.machine.faults.chips.tolist() == [3, 4]
    faults = SITE.with_faults(**Z_CABLE).faults
    by_faults = SITE.impact(faults, "all_reduce", "64 MiB", policies=["detour"])
    by_machine = SITE.impact(
        SITE.with_faults(**Z_CABLE), "all_reduce", "64 MiB", policies=["detour"]
    )
    assert by_faults.best.time_s == by_machine.best.time_s


def test_recoveries_print_and_pickle() -> None:
    found = SITE.impact(Z_CABLE, "all_reduce", "64 MiB", policies=["detour", "spare"])
    text = str(found)
    for part in ("detour", "spare: ", "before the damage"):
        assert part in text
    assert "<table" in found._repr_html_()
    back = pickle.loads(pickle.dumps(found))
    assert back["policy"].tolist() == found["policy"].tolist()
    assert back.best.time_s == found.best.time_s


@pytest.mark.parametrize(
    ("call", "kind", "argument"),
    [
        (lambda: SITE.in_mode(3), ValueError, "instances"),
        (lambda: SITE.in_mode(0), ValueError, "instances"),
        (lambda: rf.preset("trn2-ultraserver").in_mode(2), rf.Unsupported, None),
        (lambda: rf.torus(8, bandwidth=1e9).in_mode(4), rf.Unsupported, None),
        (lambda: SITE.recoveries("all_reduce", 1, policies=["x"]), KeyError, "policies"),
        (lambda: SITE.recoveries("all_reduce", 1, policies="detour"), TypeError, "policies"),
        (lambda: SITE.impact(3, "all_reduce", 1), TypeError, "fault"),
        (lambda: SITE.impact(ONE, "all_reduce", 1), ValueError, "fault"),
        (lambda: SITE.impact({"chips": [999]}, "all_reduce", 1), IndexError, "chips[0]"),
        (
            lambda: SITE.recoveries("all_reduce", 1, policies=["spare"]).best,
            rf.Unsupported,
            None,
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(call: object, kind: type, argument: str | None) -> None:
    with raises(kind, argument) as caught:
        call()  # type: ignore[operator]
    assert isinstance(caught.value, rf.RainierError)


def test_collectives_that_touch_dead_ultraservers_say_so() -> None:
    hurt = SITE.with_faults(ultraservers=[1])
    assert hurt.all_reduce("1 MiB").ranks == 192
    with raises(rf.InvalidArgument, "group"):
        hurt.all_reduce("1 MiB", group=range(128))
    with raises(rf.Unsupported, None, "neuron", "damaged"):
        SITE.with_faults(chips=[1]).all_reduce("1 MiB", algorithm="neuron")


def test_fluid_on_damage_is_link_loads_where_both_are_exact() -> None:
    quiet = ONE.without_latency().with_faults(**Z_CABLE)
    loads = quiet.all_gather("256 MiB", algorithm="direct")
    fluid = quiet.all_gather("256 MiB", algorithm="direct", model="fluid")
    assert fluid.time_s == pytest.approx(loads.time_s, rel=1e-9)
    assert fluid.time_s > ONE.without_latency().all_gather("256 MiB", algorithm="direct").time_s


def test_a_dead_wan_link_is_gone_round_and_a_cut_site_named() -> None:
    sites = [rf.Site(name, 2, rf.TRN2_ULTRASERVER) for name in "abc"]
    cluster = rf.Cluster(sites=sites, wan=rf.Wan("1 TB/s", "5 ms"))
    first = cluster.num_links - 6
    names = {str(cluster.link(first + at)): first + at for at in range(6)}
    assert len(names) == 6
    hurt = cluster.with_faults(links=[first])
    assert hurt.link(first).dead
    before = cluster.all_reduce("1 GiB", algorithm="hierarchical")
    after = hurt.all_reduce("1 GiB", algorithm="hierarchical")
    assert after.time_s > before.time_s
    loads = after.link_loads().bytes
    assert loads[first] == 0
    # By way of the third site: both links of the way carry what the dead one did besides their own.
    assert sorted(loads[first : first + 6])[-1] > before.link_loads().bytes[first] * 1.5
    cut = cluster.with_faults(links=[first, first + 1])
    with raises(rf.Unreachable, None, "wan link"):
        cut.all_reduce("1 GiB")
    # Without the site that cannot send, the others go on.
    assert cut.with_faults(sites=["a"]).all_reduce("1 GiB").ranks == 256


def test_a_spare_is_of_the_same_site_if_there_is_one() -> None:
    sites = [rf.Site(name, 3, rf.TRN2_ULTRASERVER) for name in ("one", "two")]
    cluster = rf.Cluster(sites, rf.Wan("100 GB/s", "1 ms"))
    group = [chip for server in (1, 3, 4) for chip in range(64 * server, 64 * server + 64)]
    # Of 0, 2 and 5, number 5 is in the site of 3 and 4; the second of those gets the lowest.
    hurt = cluster.with_faults(ultraservers=[3], nics=[64 * 4])
    found = hurt.recoveries("all_reduce", 8, group=group, policies=["spare"])
    chips = found.best.request.groups.members(0)
    assert np.unique(chips // 64).tolist() == [0, 1, 5]
    # A damaged one stands in for nobody.
    used_up = hurt.with_faults(chips=[64 * 5], links=[0])
    found = used_up.recoveries("all_reduce", 8, group=group, policies=["spare"])
    assert "outside the group to replace 4" in found.reasons[0]


def test_the_root_stays_the_chip_that_it_was() -> None:
    hurt = SITE.with_faults(chips=[70])
    found = hurt.recoveries("broadcast", "1 MiB", root=130, policies=["drop_rank"])
    assert found.best.request.groups.members(0)[found.best.request.root] == 130
    found = hurt.recoveries("broadcast", "1 MiB", root=255, policies=["drop_ultraserver"])
    assert found.best.request.groups.members(0)[found.best.request.root] == 255
    gone = hurt.recoveries("gather", "1 MiB", root=71, policies=["drop_ultraserver"])
    assert "the root, chip 71, is among what is left out" in gone.reasons[0]
    group = [*range(128, 192), *range(64, 128)]
    found = hurt.recoveries("scatter", "1 MiB", group=group, root=127, policies=["spare"])
    assert found.best.request.groups.members(0)[found.best.request.root] == 63


def test_links_of_the_fabric_that_die_say_so_in_every_model() -> None:
    whole = rf.Cluster([rf.Site("one", 4, rf.TRN2_ULTRASERVER, rf.Fabric((rf.Tier(2),)))])
    first = next(at for at in range(whole.num_links) if "fabric" in whole.link(at).link_class)
    hurt = whole.with_faults(links=[first])
    for model in ("alpha_beta", "link_load"):
        for ask in (lambda: hurt.barrier(model=model), lambda: hurt.all_reduce(1e6, model=model)):  # noqa: B023 - called at once
            with raises(rf.Unreachable, None, "chip 0"):
                ask()
    with raises(rf.Unreachable, None, "fabric bundle"):
        hurt.all_reduce(1e6, group=range(0, 256, 32), model="fluid")


def test_what_a_send_costs_is_what_the_method_says() -> None:
    found = ONE.impact({"links": 5}, "send_recv", "1 GiB", policies=["detour"])
    assert found.whole.time_s == ONE.send_recv("1 GiB").time_s > 0
    drawn = ONE.monte_carlo("send_recv", "1 MiB", draws=3, hours=1.0)
    assert drawn.healthy_s == ONE.send_recv("1 MiB").time_s


@pytest.mark.parametrize("operation", ["broadcast", "reduce", "gather", "scatter"])
def test_bounds_of_rooted_operations_know_dead_chips(operation: str) -> None:
    hurt = ONE.with_faults(chips=[21])
    for root in (0, 21, 63):
        result = getattr(hurt, operation)("1 GiB", root=root)
        whole = getattr(ONE, operation)("1 GiB", root=root)
        assert 0.5 * whole.lower_bound_s < result.lower_bound_s <= result.time_s * (1 + 1e-9)


def test_the_bound_of_the_live_chips_does_not_depend_on_the_algorithm() -> None:
    hurt = ONE.with_faults(chips=[21])
    live = hurt.live_chips()
    ring, made = (
        hurt.all_reduce("1 GiB", group=live, algorithm=name) for name in ("ring", "synthesized")
    )
    assert ring.lower_bound_s == pytest.approx(made.lower_bound_s, rel=1e-3)


def test_fluid_on_damage_goes_in_the_chunks_that_it_says() -> None:
    hurt = SITE.with_faults(**Z_CABLE)
    free = hurt.all_reduce("1 GiB", algorithm=("bucket", "mesh"), model="fluid")
    assert free.chunks == 16
    named = hurt.all_reduce("1 GiB", algorithm=("bucket", "mesh"), model="fluid", chunks=16)
    assert free.time_s == named.time_s
    loads = hurt.all_reduce("1 GiB", algorithm=("bucket", "mesh"))
    assert loads.time_s < free.time_s < 1.1 * loads.time_s


def test_what_is_too_large_to_simulate_is_refused_and_not_replaced() -> None:
    hurt = rf.preset("rainier").with_faults(links=rf.LinkAt("z", x=1))
    with raises(rf.Unsupported, None, "524288 ranks", '"link_load"'):
        hurt.all_reduce("1 GiB", model="fluid")


def test_a_result_says_how_damage_is_dealt_with() -> None:
    text = str(SITE.with_faults(chips=[21]).all_reduce("64 MiB"))
    assert "1 damaged UltraServers; ranks of 1 dead chips on chips next to them" in text
    listed = str(SITE.with_faults(chips=[21]).all_reduce("64 MiB", group=[20, 21, 100]))
    assert "ranks of 1 dead chips on chips next to them" in listed
