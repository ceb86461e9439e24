"""Slurm's ``topology.yaml``: several networks by name, torus3d among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from rainier_fast.placement.hostlist import expanded, fold_hosts
from rainier_fast.placement.networks import Blocks, Rings, Switch, Tree
from rainier_fast.placement.text import Node, Source, yaml_of
from rainier_fast.placement.torus import MOST_SIDE, Region, Shape, Torus, Triple, check_apart

Network: TypeAlias = Tree | Blocks | Rings | tuple[Torus, ...] | None
"""What a topology is; None for one that is flat."""

KINDS: Final = ("tree", "block", "ring", "torus3d", "flat")
_MOST_SIZE: Final = 2**16
_TOP: Final = re.compile(r"^\s*-\s+[\"']?topology[\"']?\s*:", re.MULTILINE)


def looks_like_yaml(head: str) -> bool:
    """Tell whether text has the first line of a topology."""
    return _TOP.search(head) is not None


def read_yaml(source: Source) -> tuple[list[tuple[str, str, bool, Network]], list[str]]:
    """Return name, plug-in, whether it is the default and network of each; and what is left out."""
    notes: list[str] = []
    found: list[tuple[str, str, bool, Network]] = []
    names: set[str] = set()
    for one in Node(source, yaml_of(source)).list():
        name = one.at("topology").text()
        if name in names:
            raise one.at("topology").fault("must be another name than those before")
        names.add(name)
        kinds = [kind for kind in KINDS if one.get(kind) is not None]
        if len(kinds) != 1:
            raise source.fault(one.where, kinds, f"must have exactly one of {', '.join(KINDS)}")
        default = one.get("cluster_default")
        kind = kinds[0]
        _note(one, ("topology", "cluster_default", kind), notes)
        flag = default is not None and default.flag()
        found.append((name, kind, flag, _network(one.at(kind), kind, notes)))
    if not found:
        raise source.fault("", "no topology", "must be a list of topologies")
    return found, notes


def _network(node: Node, kind: str, notes: list[str]) -> Network:
    if kind == "flat":
        if not node.flag():
            raise node.fault("must be true")
        return None
    if kind == "torus3d":
        _note(node, ("toruses",), notes)
        toruses = tuple(_torus(one, notes) for one in node.at("toruses").list())
        if not toruses:
            raise node.at("toruses").fault("must list at least one torus")
        error = check_apart(toruses)
        with node.source.saying(node.where):
            if error is not None:
                raise error
        return toruses
    if kind == "tree":
        _note(node, ("switches",), notes)
        switches = tuple(_switch(one, notes) for one in node.at("switches").list())
        with node.source.saying(node.where):
            return Tree(switches)
    if kind == "block":
        _note(node, ("block_sizes", "blocks"), notes)
        given = node.get("block_sizes")
        sizes = () if given is None else tuple(one.integer(1, _MOST_SIZE) for one in given.list())
        blocks = tuple(_part(one, "block", notes) for one in node.at("blocks").list())
        with node.source.saying(node.where):
            return Blocks(blocks, sizes)
    _note(node, ("rings",), notes)
    rings = tuple(_part(one, "ring", notes) for one in node.at("rings").list())
    with node.source.saying(node.where):
        return Rings(rings)


def _switch(node: Node, notes: list[str]) -> Switch:
    _note(node, ("switch", "nodes", "children", "link_speed"), notes)
    speed = node.get("link_speed")
    return Switch(
        node.at("switch").text(),
        _hosts(node.get("nodes")),
        _hosts(node.get("children")),
        None if speed is None else speed.integer(0, 2**32 - 1),
    )


def _part(node: Node, name: str, notes: list[str]) -> tuple[str, tuple[str, ...]]:
    _note(node, (name, "nodes"), notes)
    return node.at(name).text(), _hosts(node.at("nodes"))


def _torus(node: Node, notes: list[str]) -> Torus:
    _note(node, ("name", "dims", "nodes", "regions", "placements"), notes)
    dims = _triple(node.at("dims"), 1)
    nodes, listed = node.get("nodes"), node.get("regions")
    if (nodes is None) == (listed is None):
        raise node.source.fault(node.where, "nodes and regions", "must have one of the two")
    regions = [] if listed is None else [_region(one, notes) for one in listed.list()]
    if nodes is not None:
        regions = [Region((0, 0, 0), dims, _hosts(nodes))]
    placements = node.get("placements")
    shapes = [] if placements is None else [_shape(one, notes) for one in placements.list()]
    name = node.at("name").text()
    with node.source.saying(node.where):
        return Torus(name, dims, tuple(regions), tuple(shapes), nodes is not None)


def _region(node: Node, notes: list[str]) -> Region:
    _note(node, ("anchor", "dims", "nodes"), notes)
    anchor = node.get("anchor")
    start = (0, 0, 0) if anchor is None else _triple(anchor, 0)
    return Region(start, _triple(node.at("dims"), 1), _hosts(node.at("nodes")))


def _shape(node: Node, notes: list[str]) -> Shape:
    _note(node, ("dims", "anchor_spacing"), notes)
    spacing = node.get("anchor_spacing")
    apart = None if spacing is None else _triple(spacing, 0)
    dims = _triple(node.at("dims"), 1)
    if apart is not None and 0 in apart:
        if any(apart) and spacing is not None:
            raise spacing.fault("must be above 0 along x, y and z")
        apart = None  # nothing but zeros stands for the shape itself
    return Shape(dims, apart)


def _triple(node: Node, low: int) -> Triple:
    x, y, z = (node.at(axis).integer(low, MOST_SIDE) for axis in "xyz")
    return x, y, z


def _hosts(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    text = node.text()
    with node.source.saying(node.where):
        return tuple(expanded(text, "hosts"))


def _note(node: Node, known: Sequence[str], notes: list[str]) -> None:
    """Say which keys are not known and so left out."""
    left = [str(key) for key in node.dict() if key not in known]
    if left:
        notes.append(f"{node.where}: {', '.join(left)} is not known here and was left out")


def write_yaml(topologies: Sequence[tuple[str, str, bool, Network]]) -> str:
    """Return networks as such a file."""
    lines = ["---"]
    for name, kind, default, network in topologies:
        lines += [f"- topology: {_word(name)}", f"  cluster_default: {str(default).lower()}"]
        lines += [f"  {line}" for line in _written(kind, network)]
    return "\n".join(lines) + "\n"


def _written(kind: str, network: Network) -> Iterator[str]:
    if network is None:
        yield "flat: true"
        return
    yield f"{kind}:"
    if isinstance(network, tuple):
        yield "  toruses:"
        for torus in network:
            yield from (f"    {line}" for line in _torus_lines(torus))
    elif isinstance(network, Tree):
        yield "  switches:"
        for switch in network.switches:
            yield f"    - switch: {_word(switch.name)}"
            if switch.link_speed is not None:
                yield f"      link_speed: {switch.link_speed}"
            key, below = ("nodes", switch.nodes) if switch.nodes else ("children", switch.switches)
            yield f"      {key}: {_word(fold_hosts(below))}"
    elif isinstance(network, Blocks):
        if network.sizes:
            yield f"  block_sizes: [{', '.join(map(str, network.sizes))}]"
        yield "  blocks:"
        yield from _part_lines("block", network.blocks)
    else:
        yield "  rings:"
        yield from _part_lines("ring", network.rings)


def _part_lines(key: str, parts: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[str]:
    for name, nodes in parts:
        yield f"    - {key}: {_word(name)}"
        yield f"      nodes: {_word(fold_hosts(nodes))}"


def _torus_lines(torus: Torus) -> Iterator[str]:
    yield f"- name: {_word(torus.name)}"
    yield f"  dims: {_xyz(torus.dims)}"
    if torus.whole:
        yield f"  nodes: {_word(fold_hosts(torus.regions[0].nodes))}"
    else:
        yield "  regions:"
        for region in torus.regions:
            yield f"    - anchor: {_xyz(region.anchor)}"
            yield f"      dims: {_xyz(region.dims)}"
            yield f"      nodes: {_word(fold_hosts(region.nodes))}"
    if torus.shapes:
        yield "  placements:"
        for shape in torus.shapes:
            yield f"    - dims: {_xyz(shape.dims)}"
            if shape.spacing is not None:
                yield f"      anchor_spacing: {_xyz(shape.spacing)}"


def _xyz(triple: Triple) -> str:
    x, y, z = triple
    return f"{{x: {x}, y: {y}, z: {z}}}"


def _word(text: str) -> str:
    """Return text as YAML takes it: in quotes, which JSON's are."""
    return json.dumps(text)
