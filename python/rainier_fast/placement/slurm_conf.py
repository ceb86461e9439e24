"""Slurm's ``topology.conf``: lines of switches, blocks or rings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rainier_fast.errors import Unsupported, invalid, shown
from rainier_fast.placement.hostlist import expanded, fold_hosts
from rainier_fast.placement.networks import Blocks, Rings, Switch, Tree
from rainier_fast.placement.text import Source

_PAIR: Final = re.compile(r'\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(?:"([^"]*)"|([^\s"]*))(?=\s|$)')
_KEYS: Final = {
    "switchname": {"switchname", "switches", "nodes", "linkspeed"},
    "blockname": {"blockname", "nodes"},
    "blocksizes": {"blocksizes"},
    "ringname": {"ringname", "nodes"},
}
_MOST_SPEED: Final = 2**32 - 1
_MOST_SIZE: Final = 2**16
Line = tuple[int, Mapping[str, str]]


def looks_like_conf(head: str) -> bool:
    """Tell whether text begins with a line of such a file."""
    for line in head.splitlines():
        words = line.split("#")[0].strip()
        if words:
            key = words.partition("=")[0].strip().casefold()
            return "=" in words and key in _KEYS
    return False


def read_conf(source: Source) -> list[tuple[str, Tree | Blocks | Rings]]:
    """Return each kind of network that the file has, by the name of its plug-in."""
    lines: dict[str, list[Line]] = {kind: [] for kind in _KEYS}
    for number, text in _lines(source):
        pairs = _pairs(source, number, text)
        kind = next(iter(pairs), "")
        if kind not in _KEYS:
            known = "SwitchName, BlockName, BlockSizes and RingName"
            raise source.fault(f"line {number}", text, f"must begin with one of {known}")
        for key in pairs:
            if key not in _KEYS[kind]:
                allowed = f"must have no key but {', '.join(sorted(_KEYS[kind]))}"
                raise source.fault(f"line {number}", key, allowed)
        lines[kind].append((number, pairs))
    found: list[tuple[str, Tree | Blocks | Rings]] = []
    if lines["switchname"]:
        switches = tuple(_switches(source, lines["switchname"]))
        with source.saying(""):
            found.append(("tree", Tree(switches)))
    if lines["blockname"] or lines["blocksizes"]:
        blocks = _parts(source, lines["blockname"], "blockname")
        sizes = _sizes(source, lines["blocksizes"])
        if not blocks:
            number = lines["blocksizes"][0][0]
            raise source.fault(f"line {number}", "BlockSizes", "must come with lines of BlockName")
        with source.saying(""):
            found.append(("block", Blocks(tuple(blocks), sizes)))
    if lines["ringname"]:
        rings = tuple(_parts(source, lines["ringname"], "ringname"))
        with source.saying(""):
            found.append(("ring", Rings(rings)))
    if not found:
        raise source.fault(
            "", "no line of a network", "must have SwitchName, BlockName or RingName"
        )
    return found


def write_conf(networks: Iterable[object]) -> str:
    """Return networks as such a file."""
    lines: list[str] = []
    for network in networks:
        if isinstance(network, Tree):
            lines += map(_switch_line, network.switches)
        elif isinstance(network, Blocks):
            lines += [
                f"BlockName={name} Nodes={fold_hosts(nodes)}" for name, nodes in network.blocks
            ]
            lines += ["BlockSizes=" + ",".join(map(str, network.sizes))] if network.sizes else []
        elif isinstance(network, Rings):
            lines += [f"RingName={name} Nodes={fold_hosts(nodes)}" for name, nodes in network.rings]
        else:
            raise Unsupported(
                "topology.conf has no torus3d and no flat network: only topology.yaml does; call "
                "to_yaml()"
            )
    return "\n".join(lines) + "\n"


def _switch_line(switch: Switch) -> str:
    below = f"Nodes={fold_hosts(switch.nodes)}" if switch.nodes else ""
    below = below or f"Switches={fold_hosts(switch.switches)}"
    speed = "" if switch.link_speed is None else f" LinkSpeed={switch.link_speed}"
    return f"SwitchName={switch.name} {below}{speed}"


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    """Yield lines that say something, without remarks; what a backslash breaks is one."""
    kept, first = "", 0
    for number, raw in enumerate(source.text.splitlines(), 1):
        line = raw.split("#")[0].rstrip()
        first = first if kept else number
        if line.endswith("\\"):
            kept += line[:-1] + " "
            continue
        if (kept + line).strip():
            yield first, kept + line
        kept = ""
    if kept.strip():
        yield first, kept


def _pairs(source: Source, number: int, text: str) -> Mapping[str, str]:
    """Return keys, without case, and values of a line."""
    if text.strip().casefold().startswith("include "):
        raise Unsupported(
            f"{source.name} line {number}: Include names another file, which is not opened; put "
            "its lines here"
        )
    found: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        match = _PAIR.match(text, at)
        if match is None:
            allowed = "must be pairs of Key=Value with blanks between them"
            raise source.fault(f"line {number}", text[at : at + 60].strip(), allowed)
        key, value = match[1].casefold(), match[2] if match[2] is not None else match[3]
        if key in found:
            raise source.fault(f"line {number}", match[1], "must be there once in a line")
        if not value:
            raise source.fault(f"line {number}", match[0].strip(), "must have a value")
        found[key] = value
        at = match.end()
    return found


def _named(source: Source, line: Line, key: str) -> str:
    """Return the name that a line gives: a list of one host is a name as well."""
    number, pairs = line
    with source.saying(f"line {number}"):
        names = expanded(pairs[key], key)
        if len(names) != 1:
            raise invalid(key, pairs[key], "must be one name")
    return names[0]


def _hosts(source: Source, line: Line, key: str) -> tuple[str, ...]:
    number, pairs = line
    if key not in pairs:
        return ()
    with source.saying(f"line {number}"):
        return tuple(expanded(pairs[key], key))


def _switches(source: Source, lines: Sequence[Line]) -> Iterator[Switch]:
    for line in lines:
        speed = line[1].get("linkspeed")
        if speed is not None and not (
            speed.isascii() and speed.isdigit() and len(speed) < 11 and int(speed) <= _MOST_SPEED
        ):
            raise source.fault(f"line {line[0]} linkspeed", speed, "must be a whole number")
        yield Switch(
            _named(source, line, "switchname"),
            _hosts(source, line, "nodes"),
            _hosts(source, line, "switches"),
            None if speed is None else int(speed),
        )


def _parts(source: Source, lines: Sequence[Line], key: str) -> list[tuple[str, tuple[str, ...]]]:
    parts = []
    for line in lines:
        nodes = _hosts(source, line, "nodes")
        if not nodes:
            raise source.fault(f"line {line[0]}", shown(line[1][key]), "must have Nodes")
        parts.append((_named(source, line, key), nodes))
    return parts


def _sizes(source: Source, lines: Sequence[Line]) -> tuple[int, ...]:
    if len(lines) > 1:
        raise source.fault(f"line {lines[1][0]}", "BlockSizes", "must be there once")
    sizes: list[int] = []
    for number, pairs in lines:
        for word in pairs["blocksizes"].split(","):
            size = int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0
            if not 1 <= size <= _MOST_SIZE:
                allowed = f"must be numbers of nodes, 1 to {_MOST_SIZE:,}, with commas between them"
                raise source.fault(f"line {number} blocksizes", word, allowed)
            sizes.append(size)
    return tuple(sizes)
