"""Files of placements: what `Placement.save` writes, checked as it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import InvalidArgument
from rainier_fast.files.place import Misplaced
from rainier_fast.placement.placement import Placement
from rainier_fast.placement.text import Node, Source

_KEYS: Final = (
    "what",
    "machine",
    "num_chips",
    "ranks_per_chip",
    "hosts",
    "chips",
    "host",
    "device",
    "axes",
    "assumed",
)
_MOST_CHIPS: Final = 2**32 - 1
_MOST_RANKS: Final = 2**24


def describe(placed: Placement) -> dict[str, Any]:
    """Return a placement as rows that files take."""
    return {
        "what": placed.what,
        "machine": placed.machine,
        "num_chips": placed.num_chips,
        "ranks_per_chip": placed.ranks_per_chip,
        "hosts": list(placed.hosts),
        "chips": placed.chips.tolist(),
        "host": placed.host.tolist(),
        "device": placed.device.tolist(),
        "axes": [list(axis) for axis in placed.axes],
        "assumed": list(placed.assumed),
    }


def made(content: dict[str, Any]) -> Placement:
    """Return the placement that rows of a file say."""
    try:
        return Placement._made(**_fields(Node(Source("", ""), content)))
    except InvalidArgument as error:
        where, got, rest = str(error).partition(": got ")
        words = re.findall(r"[^.\[\]]+", where)
        keys = [int(word) if word.isdigit() else word for word in words]
        raise Misplaced(keys, f"got {rest}" if got else where) from None


def _fields(top: Node) -> dict[str, Any]:
    """Return the fields of a placement, each checked, and that each rank has its own place."""
    top.only(*_KEYS)
    num_chips = top.at("num_chips").integer(1, _MOST_CHIPS)
    per_chip = top.at("ranks_per_chip").integer(1, 64)
    hosts = tuple(one.text() for one in top.at("hosts").list())
    if len(set(hosts)) < len(hosts):
        raise top.at("hosts").fault("must name each host once")
    chips = _column(top.at("chips"), num_chips - 1)
    host = _column(top.at("host"), len(hosts) - 1, chips.size)
    device = _column(top.at("device"), _MOST_CHIPS, chips.size)
    _check(top, chips, host, device, per_chip, len(hosts))
    return {
        "what": top.at("what").text(),
        "machine": top.at("machine").text(),
        "num_chips": num_chips,
        "chips": chips,
        "ranks_per_chip": per_chip,
        "hosts": hosts,
        "host": host,
        "device": device,
        "axes": tuple(_axis(one, chips.size) for one in top.at("axes").list()),
        "assumed": tuple(one.text() for one in top.at("assumed").list()),
    }


def _column(node: Node, most: int, length: int | None = None) -> NDArray[np.int64]:
    items: Sequence[Any] = node.value if isinstance(node.value, list) else []
    if not items or not all(type(item) is int for item in items):
        raise node.fault("must be a list of integers, one for each rank")
    if len(items) > _MOST_RANKS or (length is not None and len(items) != length):
        wanted = f"at most {_MOST_RANKS:,}" if length is None else f"{length:,}"
        raise node.source.fault(node.where, f"{len(items):,} numbers", f"must have {wanted}")
    bad = next((at for at, item in enumerate(items) if not 0 <= item <= most), None)
    if bad is not None:
        raise Node(node.source, items[bad], f"{node.where}[{bad}]").fault(f"must be 0 to {most:,}")
    return np.array(items, np.int64)


def _check(
    top: Node,
    chips: NDArray[np.int64],
    host: NDArray[np.int64],
    device: NDArray[np.int64],
    per_chip: int,
    hosts: int,
) -> None:
    """Refuse a device that two ranks have, a chip of two hosts or too many ranks, an idle host."""
    pairs = np.stack([host, device], axis=1)
    found, first = np.unique(pairs, axis=0, return_index=True)
    if len(found) < len(pairs):
        rank = int(np.setdiff1d(np.arange(len(pairs)), first)[0])
        got = f"rank {rank} on host {host[rank]} device {device[rank]}"
        raise top.source.fault("device", got, "must have a device of its own")
    numbers, counts = np.unique(chips, return_counts=True)
    if counts.max() > per_chip:
        got = f"{counts.max()} ranks of chip {numbers[counts.argmax()]}"
        raise top.source.fault("chips", got, f"must be at most {per_chip} a chip")
    owners = np.unique(np.stack([chips, host], axis=1), axis=0)
    if len(owners) > len(numbers):
        twice = owners[:-1, 0][owners[:-1, 0] == owners[1:, 0]][0]
        raise top.source.fault("host", f"chip {twice} on two hosts", "must be on one")
    if np.unique(host).size < hosts:
        raise top.source.fault("hosts", "a host without ranks", "must each have ranks")


def _axis(node: Node, ranks: int) -> tuple[str, int, int]:
    items = node.list()
    if len(items) != 3:
        raise node.fault("must be a name, the ranks in a group and the step between them")
    size, step = (one.integer(1, ranks) for one in items[1:])
    if ranks % (size * step):
        raise node.fault(f"must divide {ranks:,} ranks")
    return items[0].text(), size, step
