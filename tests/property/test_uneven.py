"""Groups unlike in their UltraServers, and rings on which shares go by their shorter way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from property.owner_search import best, cases

OPERATIONS = (
    "all_reduce",
    "reduce_scatter",
    "all_gather",
    "broadcast",
    "reduce",
    "scatter",
    "gather",
)
ROOTED = OPERATIONS[3:]
NODES = rf.preset("h100", chips=32)
TORI = rf.Cluster(
    [
        rf.Site(
            "one",
            4,
            rf.UltraServer(
                "small",
                None,
                (
                    rf.Axis("x", 4, "ring", "50 GB/s", "1 us"),
                    rf.Axis("y", 2, "line", "20 GB/s", "1 us"),
                ),
                rf.Nic("25 GB/s", "5 us", "1 us"),
            ),
            rf.Fabric((rf.Tier(2, 3.0, "1 us"),)),
        )
    ]
)


def again(made: rf.Schedule) -> rf.Schedule:
    """Return the same messages as a schedule of one's own: priced by what it says alone."""
    return rf.Schedule(
        made.operation, made.size_bytes, made.chips, made.sends, made.blocks, made._core.root
    )


@pytest.mark.parametrize("machine", [NODES, TORI], ids=["nodes", "tori"])
@given(
    group=st.sets(st.integers(0, 31), min_size=3, max_size=16),
    operation=st.sampled_from(OPERATIONS),
    size=st.sampled_from([1 << 10, 1 << 20, 1 << 28]),
    root=st.integers(0, 15),
)
def test_hierarchical_over_any_chips_is_proven_and_costs_what_it_writes(
    machine: rf.Machine, group: set[int], operation: str, size: int, root: int
) -> None:
    chips = sorted(group)
    at = {"root": root % len(chips)} if operation in ROOTED else {}
    try:
        found = getattr(machine, operation)(
            size, group=chips, algorithm="hierarchical", chunks=1, **at
        )
    except rf.Unsupported:
        # All in one UltraServer, or one chip in each.
        domains = [chip // 8 for chip in chips]
        assert len(set(domains)) in (1, len(domains))
        return
    made = found.schedule()
    made.verify()
    assert found.time_s >= found.lower_bound_s * (1 - 1e-9)
    # Steps of unlike UltraServers wait for each other there, and pieces do not overlap; pipelined
    # trees count pieces that a schedule of whole blocks does not start.
    if "tree" not in found.algorithm:
        assert machine.run(again(made)).time_s >= found.time_s * (1 - 1e-9)


@given(
    members=st.lists(st.integers(0, 8), min_size=2, max_size=4),
    size=st.sampled_from([1 << 12, 1 << 26]),
)
def test_mirror_images_cost_the_same(members: list[int], size: int) -> None:
    if sum(members) < 2:
        return
    one, other = (
        [8 * node + chip for node, count in enumerate(counts) for chip in range(count)]
        for counts in (members, members[::-1])
    )
    times = [NODES.all_reduce(size, group=group).time_s for group in (one, other)]
    assert times[0] == pytest.approx(times[1], rel=1e-9)


def test_a_missing_chip_costs_little() -> None:
    pair = rf.preset("h100", chips=16)
    whole = pair.all_reduce("1 GiB").time_s
    for chips in (list(range(15)), [*range(7), *range(8, 16)]):
        assert pair.all_reduce("1 GiB", group=chips).time_s < 1.01 * whole
    many = rf.preset("rainier")
    whole = many.all_reduce("1 GiB", group=range(1024)).time_s
    assert many.all_reduce("1 GiB", group=range(992)).time_s < 1.3 * whole


def test_no_search_finds_much_better() -> None:
    for number, (group, size) in enumerate(cases(8, 1)):
        found = best(NODES, group, size, 60, number)
        assert NODES.all_reduce(size, group=group).time_s <= 1.05 * found


def test_as_many_speak_as_the_smallest_node_has() -> None:
    group = [0, 1, *range(8, 14), *range(16, 20)]
    found = NODES.all_reduce("16 KiB", group=group)
    made = found.schedule()
    made.verify()
    # Two of each node send each half of the data to one in either other node; the rest are silent.
    nodes = [(group[send.src] // 8, group[send.dst] // 8) for send in made.sends]
    assert sum(src != dst for src, dst in nodes) == 2 * 3 * 2
    nic, axis = NODES.ultraserver.nic, NODES.ultraserver.axes[0]
    assert nic is not None
    # In the node of six five others send half to each of the two, and take half from each.
    inside = 2 * 5 * 8192 / axis.bandwidth
    assert found.serialisation_s == pytest.approx(inside + 16384 / nic.bandwidth)


def test_simulated_message_by_message() -> None:
    chips = [*range(7), *range(8, 16), 17]
    found = NODES.all_reduce(
        "1 MiB", group=chips, algorithm="hierarchical", chunks=1, model="fluid"
    )
    one_by_one = NODES.run(again(found.schedule()), model="fluid")
    # Waves are cut into pieces, which a schedule of whole messages does not say.
    assert found.lower_bound_s <= found.time_s <= one_by_one.time_s * (1 + 1e-9)


@pytest.mark.parametrize("ranks", range(3, 14))
@pytest.mark.parametrize("operation", ["all_gather", "reduce_scatter", "all_reduce"])
def test_half_rings_take_half_the_steps(ranks: int, operation: str) -> None:
    ring = rf.torus((ranks,), bandwidth="1 GB/s", latency="1 us")
    found = getattr(ring, operation)(1e6, algorithm="half_ring")
    found.schedule().verify()
    passes = 1 + (operation == "all_reduce")
    assert found.steps == passes * (ranks // 2)
    # Both links of a chip carry (p - 1) / 2 shares, as with halves of shares all the way round.
    wire = (ranks - 1) / 2 / ranks * 1e6 / 1e9
    assert found.time_s == pytest.approx(passes * (ranks // 2 * 1e-6 + wire))
    rounds = getattr(ring, operation)(1e6, algorithm="ring")
    assert rounds.time_s - found.time_s == pytest.approx(passes * (ranks - 1 - ranks // 2) * 1e-6)
    assert ring.run(again(found.schedule())).time_s == pytest.approx(found.time_s)
