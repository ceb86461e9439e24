"""Link loads against the textbook (Dally and Towles), published counts and a walk hop by hop.

Channel load gamma is bytes on the busiest link for one byte sent by each chip.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rainier_fast as rf
from rainier_fast.definitions.routing import Routing
from raising import raises

POSITIVE = rf.DimensionOrder("positive")


def cube(side: int, axes: int, *, wrap: bool = True) -> rf.Machine:
    return rf.torus((side,) * axes, 1e9, wrap=wrap)


def walked(
    side: int, axes: int, src: NDArray[Any], dst: NDArray[Any], *, split: bool = True
) -> NDArray[np.float64]:
    """Loads by (axis, direction, chip that the link leaves), hop by hop, first axis first."""
    loads = np.zeros((axes, 2, side**axes))
    place = [src // side**at % side for at in range(axes)]
    for at in range(axes):
        ahead = (dst // side**at - place[at]) % side
        back = (side - ahead) % side
        tie = ahead == back
        for way, hops in enumerate((ahead, back)):
            longer = hops > (back, ahead)[way]
            weight = np.where(longer, 0.0, np.where(tie, (0.5 if split else 1.0 - way), 1.0))
            here = place[at].copy()
            for hop in range(side // 2):
                moving = hop < hops
                rest = (place[one] * side**one for one in range(axes) if one != at)
                chip = here * side**at + sum(rest, np.zeros_like(here))
                np.add.at(loads[at, way], chip[moving], weight[moving])
                here = (here + (1, -1)[way]) % side
        place[at] = dst // side**at % side
    return loads


def as_walked(machine: rf.Machine, loads: rf.LinkLoads) -> NDArray[np.float64]:
    axes = machine.ultraserver.axes
    found = np.zeros((len(axes), 2, machine.num_chips))
    for number in range(machine.num_links):
        link = machine.link(number)
        at = [axis.name for axis in axes].index(link.link_class)
        found[at, "+-".index(link.direction), link.source_chip] = loads.bytes[number]
    return found


def bits_of(chips: int) -> int:
    return chips.bit_length() - 1


def reverse(side: int, axes: int, chip: int) -> int:
    bits = bits_of(side**axes)
    return int(f"{chip:0{bits}b}"[::-1], 2)


def coordinates(side: int, axes: int, chip: int) -> list[int]:
    return [chip // side**at % side for at in range(axes)]


def number(side: int, place: list[int]) -> int:
    return sum(at * side**power for power, at in enumerate(place))


def shift(by: int) -> Callable[[int, int, int], int]:
    return lambda side, axes, chip: number(
        side, [(at + by) % side for at in coordinates(side, axes, chip)]
    )


def turn(side: int, axes: int, chip: int) -> int:
    bits = bits_of(side**axes)
    return (chip << 1 | chip >> (bits - 1)) & (side**axes - 1)


def exchange(side: int, axes: int, chip: int) -> int:
    half = bits_of(side**axes) // 2
    return (chip >> half) | (chip & ((1 << half) - 1)) << half


# Each pattern once more, spelled out: (side, axes, chip) -> chip.
PATTERNS: dict[str, Callable[[int, int, int], int]] = {
    "tornado": lambda side, axes, chip: shift(math.ceil(side / 2) - 1)(side, axes, chip),
    "bit_complement": lambda side, axes, chip: side**axes - 1 - chip,
    "transpose": lambda side, axes, chip: number(side, coordinates(side, axes, chip)[::-1]),
    "neighbor": shift(1),
    "shuffle": turn,
    "bit_reversal": reverse,
    "bit_transpose": exchange,
}


@pytest.mark.parametrize("pattern", ["uniform", *PATTERNS])
def test_8x8x8_link_by_link(pattern: str) -> None:
    machine = cube(8, 3)
    if pattern == "bit_transpose":  # 9 bits have no halves
        with raises(rf.Unsupported, None, "bit_transpose"):
            machine.traffic(pattern, 1)
        return
    chips = np.arange(512)
    if pattern == "uniform":
        src, dst = (column.ravel() for column in np.meshgrid(chips, chips))
        loads = machine.traffic("uniform", 512)
    else:
        src, dst = chips, np.array([PATTERNS[pattern](8, 3, chip) for chip in range(512)])
        loads = machine.traffic(pattern, 1)
    expected = walked(8, 3, src, dst)
    assert np.array_equal(as_walked(machine, loads), expected)
    assert np.array_equal(machine.link_loads(src, dst, 1).bytes, loads.bytes)
    assert loads.total_hop_bytes == expected.sum()


@pytest.mark.parametrize(
    ("pattern", "gamma"),
    # k/8; ceil(k/2) - 1; k/4; 1; coordinates reversed: half a ring meets at one chip, (k - 1) / 2
    [("uniform", 1), ("tornado", 3), ("bit_complement", 2), ("neighbor", 1), ("transpose", 3.5)],
)
def test_8x8x8_closed_forms(pattern: str, gamma: float) -> None:
    loads = cube(8, 3).traffic(pattern, 1)
    assert loads.bytes.max() == gamma
    assert loads.time_s == gamma / 1e9
    if pattern in ("tornado", "neighbor"):  # all one way
        assert sorted(set(loads.bytes.tolist())) == [0, gamma]
        assert np.count_nonzero(loads.bytes) == 3 * 512
    if pattern == "uniform":
        assert set(loads.bytes.tolist()) == {gamma}


@pytest.mark.parametrize(
    ("side", "axes", "pattern", "gamma"),
    [
        (side, axes, pattern, gamma)
        for side, axes, row in [
            (8, 2, (1, 3, 2, 3.5, 3.5, 3.5, 1)),
            (4, 3, (0.5, 1, 1, 3, 1.5, 4, 1)),
            (8, 3, (1, 3, 2, None, 3.5, 16, 1)),
            (16, 3, (2, 7, 4, 30, 7.5, 48, 1)),
        ]
        for pattern, gamma in zip(
            [
                *("uniform", "tornado", "bit_complement", "bit_transpose"),
                *("shuffle", "bit_reversal", "neighbor"),
            ],
            row,
            strict=True,
        )
        if gamma is not None
    ],
)
def test_table_of_channel_loads(side: int, axes: int, pattern: str, gamma: float) -> None:
    assert cube(side, axes).traffic(pattern, 1).bytes.max() == gamma


def test_transpose_of_a_square_needs_more_without_splitting_ties() -> None:
    assert cube(8, 2).traffic("transpose", 1).bytes.max() == 3.5
    assert cube(8, 2).traffic("transpose", 1, POSITIVE).bytes.max() == 4


@pytest.mark.parametrize(("side", "axes"), [(3, 1), (5, 2), (5, 3), (7, 2), (9, 2), (7, 3)])
def test_uniform_on_odd_rings(side: int, axes: int) -> None:
    chips = side**axes
    loads = cube(side, axes).traffic("uniform", chips)  # one byte for each pair
    assert set(loads.bytes.tolist()) == {chips * (side * side - 1) / (8 * side)}  # k/8 - 1/(8k)
    if (side, axes) == (5, 3):
        assert loads.bytes[0] == 75
    mean_hops = loads.total_hop_bytes / chips**2
    assert mean_hops == pytest.approx(axes * (side / 4 - 1 / (4 * side)), rel=1e-12)


@pytest.mark.parametrize(
    ("side", "axes"), [(2, 3), (4, 1), (4, 3), (6, 2), (8, 2), (8, 3), (16, 3)]
)
def test_uniform_on_even_rings(side: int, axes: int) -> None:
    chips = side**axes
    loads = cube(side, axes).traffic("uniform", chips)
    assert set(loads.bytes.tolist()) == {side * chips / 8}
    assert loads.total_hop_bytes == chips**2 * axes * side / 4


@pytest.mark.parametrize(("side", "axes"), [(2, 2), (4, 2), (8, 2), (8, 3), (3, 2), (5, 3), (7, 2)])
def test_uniform_on_meshes(side: int, axes: int) -> None:
    chips = side**axes
    loads = cube(side, axes, wrap=False).traffic("uniform", chips)
    middle = (side // 2) * ((side + 1) // 2) / side  # k/4 for even k
    assert loads.bytes.max() == pytest.approx(middle * chips, rel=1e-15)
    mean_hops = loads.total_hop_bytes / chips**2
    # Textbook's k/3 counts k/3 - 1/(3k) of all pairs, a chip and itself included, as k/3.
    assert mean_hops == pytest.approx(axes * (side / 3 - 1 / (3 * side)), rel=1e-12)


@pytest.mark.parametrize(("side", "axes"), [(8, 2), (8, 3), (4, 3), (6, 2), (5, 2), (7, 2)])
@pytest.mark.parametrize("pattern", ["tornado", "neighbor", "bit_complement"])
def test_valiant_loads_every_link_alike(side: int, axes: int, pattern: str) -> None:
    loads = cube(side, axes).traffic(pattern, 1, "valiant")
    fixed = pattern == "bit_complement" and side % 2  # the middle chip sends to itself
    gamma = side / 4 if side % 2 == 0 else side / 4 - 1 / (4 * side)
    if fixed:
        assert loads.bytes.max() <= gamma * (1 + 1e-12)
    else:
        np.testing.assert_allclose(loads.bytes, gamma, rtol=1e-12)


def test_valiant_loads_links_alike_for_any_permutation_without_fixed_points() -> None:
    machine, rng = cube(8, 2), np.random.default_rng(3)
    while True:
        to = rng.permutation(64)
        if (to != np.arange(64)).all():
            break
    loads = machine.link_loads(np.arange(64), to, 1, "valiant")
    np.testing.assert_allclose(loads.bytes, 2, rtol=1e-12)


@pytest.mark.parametrize(("side", "most"), [(4, 48), (6, 216), (8, 640), (16, 9216)])
def test_all_to_all_with_ties_one_way(side: int, most: int) -> None:
    chips = side**3
    machine = cube(side, 3)
    assert most == chips // side * sum(range(1, side // 2 + 1))
    for tie in ("positive", "negative"):
        loads = machine.traffic("uniform", chips, rf.DimensionOrder(tie))
        assert loads.bytes.max() == most
    split = machine.traffic("uniform", chips)
    assert set(split.bytes.tolist()) == {side * chips / 8}
    assert split.total_hop_bytes == loads.total_hop_bytes  # whatever the tie rule
    if side == 8:
        assert split.total_hop_bytes == 1_572_864
        src, dst = np.divmod(np.arange(512 * 512), 512)
        assert machine.link_loads(src, dst, 1, POSITIVE).bytes.max() == 640


@pytest.mark.parametrize("routing", ["adaptive", "dor"])
def test_all_shortest_paths_share_uniform_traffic_alike(routing: Routing) -> None:
    # Edge betweenness of igraph, rustworkx and networkx: 512 on 8x8x8.
    assert set(cube(8, 3).traffic("uniform", 512, routing).bytes.round(6).tolist()) == {512}


@pytest.mark.parametrize(("side", "flows", "most"), [(4, 63, 3), (8, 512, 5)])
def test_simgrids_permutations(side: int, flows: int, most: int) -> None:
    chips = side**3
    to = np.random.default_rng(1).permutation(chips)
    assert np.count_nonzero(to != np.arange(chips)) == flows
    loads = cube(side, 3).link_loads(np.arange(chips), to, 1, rf.DimensionOrder("simgrid"))
    assert loads.bytes.max() == most


def test_a_million_random_pairs() -> None:
    machine = cube(32, 3)
    rng = np.random.default_rng(1)
    src = rng.integers(0, 32768, 1_000_000)
    dst = rng.integers(0, 32768, 1_000_000)
    loads = machine.link_loads(src, dst, 1, rf.DimensionOrder("positive", ("z", "y", "x")))
    assert loads.total_hop_bytes == 23_996_119
    assert loads.bytes.max() == 177
    assert loads.bytes.sum() == 23_996_119
    assert machine.link_loads(src, dst, 1).total_hop_bytes == 23_996_119


def test_uniform_traffic_of_all_of_rainier_is_arithmetic() -> None:
    machine = rf.preset("rainier")
    chips = machine.num_chips
    assert chips == 524_288
    each = 2.0**20  # to every chip, the sender too: so many bytes a pair
    pair = each / chips
    loads = machine.traffic("uniform", each)
    found = {}
    for row in loads.by_class():
        found[row["class"]] = (row["mean_bytes"], row["most_bytes"], row["total_bytes"])
    for axis in "xyz":
        assert found[axis][:2] == (32 * pair, 32 * pair)  # k N / 8 of a 4 x 4 x 4
    away = (chips - 64) * pair
    for name in ("nic egress", "nic ingress"):
        assert found[name] == (away, away, away * chips)
    for tier in (1, 2):
        total = most = 0.0
        for site in machine.sites:
            group = site.tiers[tier - 1].group
            for first in range(0, site.ultraservers, group):
                inside = 64 * min(group, site.ultraservers - first)
                carried = inside * (chips - inside) * pair
                total, most = total + carried, max(most, carried)
        for way in ("up", "down"):
            assert found[f"fabric tier {tier} {way}"][1:] == (most, total)
    sizes = [site.num_chips for site in machine.sites]
    assert machine.wan is not None
    if machine.wan.shape == "hub":
        wan = [2 * [size * (chips - size)] for size in sizes]
    else:
        wan = [[one * two] for one in sizes for two in sizes]
        wan = [row for at, row in enumerate(wan) if at % (len(sizes) + 1)]
    flat = [size * pair for row in wan for size in row]
    assert found["wan"][1:] == (max(flat), sum(flat))
    assert len(found) == 10
