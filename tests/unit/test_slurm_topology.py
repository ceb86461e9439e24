"""Slurm's networks: read, written, and what Slurm refuses."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.errors import InvalidArgument, RainierError, Unsupported
from rainier_fast.placement import simple_yaml
from rainier_fast.placement.fragmentation import fragmentation
from rainier_fast.placement.torus import Region, Shape, Torus, positions

DATA = Path(__file__).parents[1] / "data" / "placement"
TREE = """SwitchName=leaf[0] Nodes=trn[01-04]
switchname=leaf1 nodes="trn[05-08]" \\
  LinkSpeed=7
SwitchName=leaf2 Nodes=trn[09-099]   # the width of the first number
SwitchName=spine Switches=leaf[0-2] LinkSpeed=100
"""
BLOCK = """# one block for each UltraServer
BlockName=us0 Nodes=trn[01-04]
blockname=us3 nodes=trn[13-15],spare1
BlockSizes=4,8
"""


def load(name: str) -> rf.SlurmTopology:
    return rf.read(DATA / name)


def test_reads_trees_and_blocks() -> None:
    tree = rf.SlurmTopology.parse(TREE).tree
    leaf = tree.leaves["leaf2"]
    assert (leaf[0], leaf[-1], len(leaf)) == ("trn09", "trn99", 91)
    assert tree.roots == ("spine",)
    assert [tree.distance("trn01", other) for other in ("trn01", "trn02", "trn08")] == [0, 1, 2]
    block = rf.SlurmTopology.parse(BLOCK).block
    assert block.nodes["us3"] == ("trn13", "trn14", "trn15", "spare1")
    assert block.sizes == (4, 8)


def test_reads_toruses_x_fastest() -> None:
    slurm = load("topology.yaml")
    assert [one.kind for one in slurm] == ["torus3d", "block", "tree", "ring", "flat"]
    assert slurm.default.name == "torus"
    torus = slurm.toruses[0]
    places = {"n01": (0, 0, 0), "n02": (1, 0, 0), "n05": (0, 1, 0), "n17": (0, 0, 1)}
    assert {node: torus.coordinate(node) for node in places} == places
    first = [("n01", "n02", "n05", "n06"), ("n03", "n04", "n07", "n08")]
    assert torus.blocks((2, 2, 1))[:2] == first
    assert torus.node(0, 0, 0) == "n01"


@pytest.mark.parametrize("text", [TREE, BLOCK, "RingName=r Nodes=n[3-1,9]".replace("3-1", "1-3")])
def test_conf_comes_back(text: str) -> None:
    slurm = rf.SlurmTopology.parse(text)
    assert rf.SlurmTopology.parse(slurm.to_conf()).topologies == slurm.topologies
    assert rf.SlurmTopology.parse(slurm.to_yaml()).topologies == slurm.topologies


def test_yaml_comes_back() -> None:
    slurm = load("topology.yaml")
    assert rf.read(slurm.to_yaml().encode()).topologies == slurm.topologies
    with pytest.raises(Unsupported):
        slurm.to_conf()


@pytest.mark.parametrize(
    "text",
    [
        "SwitchName=a Switches=b\nSwitchName=b Switches=a",
        "SwitchName=a Switches=a",
        "SwitchName=a Switches=b\nSwitchName=b Switches=c\nSwitchName=c Switches=b",
        "SwitchName=a Switches=b",
        "SwitchName=a Nodes=n1\nSwitchName=b Nodes=n1",
        "SwitchName=a Nodes=n1 Switches=b\nSwitchName=b Nodes=n2",
        "SwitchName=a",
        "SwitchName=a Nodes=n1\nSwitchName=a Nodes=n2",
        "BlockName=a Nodes=n[1-4]\nBlockName=b Nodes=n[4-7]",
        "BlockName=a Nodes=n1\nBlockName=a Nodes=n2",
        "BlockName=a Nodes=n[1-4]\nBlockSizes=4,12",
        "BlockName=a Nodes=n[1-4]\nBlockSizes=0",
        "BlockName=a",
        "BlockSizes=4",
        "BlockName=a Nodes=n[1-4/2]",
        "BlockName=a Nodes=n[0-999999999]",
        "BlockName=a Nodes=n1 Nodes=n2",
        "BlockName=a Colour=red Nodes=n1",
        "SwitchName=a Nodes=n1 LinkSpeed=fast",
        "SwitchName=a[0-1] Nodes=n1",
        "SwitchName = = =",
        "RingName=r Nodes=n1,n1",
    ],
)
def test_refuses_broken_networks(text: str) -> None:
    with pytest.raises(RainierError) as caught:
        rf.SlurmTopology.parse(text, "topology.conf")
    assert "topology.conf" in str(caught.value)


def changed(**values: Any) -> str:
    torus = {"name": "t", "dims": "{x: 2, y: 1, z: 1}", "nodes": "n[1-2]"} | values
    body = "\n".join(f"        {key}: {value}" for key, value in torus.items() if value)
    return f"- topology: a\n  torus3d:\n    toruses:\n      -\n{body}\n"


@pytest.mark.parametrize(
    "text",
    [
        changed(dims="{x: 2, y: 1}"),
        changed(dims="{x: 0, y: 1, z: 1}"),
        changed(dims="{x: 70000, y: 1, z: 1}"),
        changed(dims="{x: two, y: 1, z: 1}"),
        changed(nodes="n[1-3]"),
        changed(nodes="n1,n1"),
        changed(nodes=""),
        changed(regions="[]"),
        changed(placements="[{dims: {x: 4, y: 1, z: 1}}]"),
        changed(name=""),
        "- topology: a\n",
        "- topology: a\n  flat: true\n  tree: {switches: []}\n",
        "- topology: a\n  flat: true\n- topology: a\n  flat: true\n",
        "- topology: &x a\n  flat: true\n",
        "- topology: !!python/name a\n  flat: true\n",
        "- topology: a\n  flat: " + "[" * 3000,
        "- topology: a\n  block:\n    blocks: text\n",
    ],
)
def test_refuses_broken_yaml(text: str) -> None:
    with pytest.raises(RainierError) as caught:
        rf.SlurmTopology.parse(text, "topology.yaml")
    assert "topology.yaml" in str(caught.value)


def full(dims: tuple[int, int, int], *shapes: tuple[int, int, int]) -> Torus:
    count = dims[0] * dims[1] * dims[2]
    nodes = tuple(f"n{at}" for at in range(count))
    return Torus("t", dims, (Region((0, 0, 0), dims, nodes),), tuple(map(Shape, shapes)))


def test_anchors_go_round_until_they_come_back() -> None:
    assert [positions(*pair) for pair in ((8, 4), (6, 4), (5, 5), (4, 1))] == [
        [0, 4],
        [0, 4, 2],
        [0],
        [0, 1, 2, 3],
    ]


def test_blocks_are_those_of_a_plain_count() -> None:
    torus = full((4, 2, 4))
    found = {frozenset(block) for block in torus.blocks((2, 1, 2))}
    plain = {
        frozenset(
            f"n{(x + dx) + 4 * y + 8 * (z + dz)}"
            for dx, dz in itertools.product(range(2), repeat=2)
        )
        for x, y, z in itertools.product((0, 2), (0, 1), (0, 2))
    }
    assert found == plain


def test_huge_toruses_are_reckoned_before_anchors_are_made() -> None:
    torus = Torus("t", (65535,) * 3, (Region((0, 0, 0), (1, 1, 1), ("n",)),), (Shape((1, 1, 1)),))
    for ask in (lambda: torus.choose(1), lambda: torus.blocks((1, 1, 1))):
        with pytest.raises(Unsupported):
            ask()


def test_a_job_spoils_as_few_larger_anchors_as_may_be() -> None:
    torus = full((8, 1, 1), (1, 1, 1), (2, 1, 1), (4, 1, 1))
    idle = [f"n{at}" for at in (1, 4, 5, 6, 7)]
    assert torus.choose(1, idle) == ("n1",)
    assert torus.choose(2, idle) == ("n4", "n5")
    assert torus.choose(4, ["n0", "n1", "n2"]) is None
    assert torus.choose(4, [f"n{at}" for at in (0, 1, 6, 7)], segment=2) == ("n0", "n1", "n6", "n7")
    for count, segment in ((3, None), (4, 3)):
        with pytest.raises(InvalidArgument):
            torus.choose(count, segment=segment)


def test_ours_keeps_as_much_usable_as_torus3d_inside_ultraservers() -> None:
    table = fragmentation((4, 4, 4), [(1, 1, 1), (1, 1, 2), (1, 1, 4)], load=0.8, steps=600)
    usable = {(row["rule"], row["shape"]): row["usable"] for row in table}
    for shape in ("1x1x2", "1x1x4"):
        assert usable["ours", shape] > 0.9 * usable["torus3d", shape]
        assert usable["ours", shape] > 1.2 * usable["random", shape]


def test_plain_yaml_is_read_as_a_whole_reader_does() -> None:
    from ruamel.yaml import YAML

    text = (DATA / "topology.yaml").read_text()
    assert simple_yaml.read(text) == YAML(typ="safe", pure=True).load(text)
    chance, same = random.Random(2), 0
    for _ in range(60):
        at = chance.randrange(len(text))
        odd = text[:at] + chance.choice("[]{}:,'\"-# \n1a") + text[at + chance.randrange(3) :]
        try:
            found = simple_yaml.read(odd)
        except simple_yaml.Unsure:
            continue
        same += 1
        assert found == YAML(typ="safe", pure=True).load(odd)
    assert same
