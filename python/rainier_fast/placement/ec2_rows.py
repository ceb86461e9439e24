"""What the EC2 interface answers of instances, reservations and capacity blocks, as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from rainier_fast.placement.text import Node

KINDS: Final = ("Instances", "CapacityReservations", "CapacityBlocks", "CapacityBlockStatuses")
"""The lists of DescribeInstanceTopology, DescribeCapacityReservationTopology,
DescribeCapacityBlocks and DescribeCapacityBlockStatus."""

UNKNOWN: Final = "unknown"
_MOST_NODES: Final = 16
_MOST_COUNT: Final = 2**31
_IN_ULTRASERVERS: Final = ("trn2u.", "p6e-")
"""Beginnings of the types whose instances are parts of an UltraServer (EC2 instance types)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of DescribeInstanceTopology.

    `nodes` are its network nodes from the top, the last the closest; None where the answer has no
    such key, because its type has no topology, and empty where it does not run. `block` is the
    capacity block, which alone says in which UltraServer it is.
    """

    id: str
    type: str
    nodes: tuple[str, ...] | None = None
    group: str | None = None
    zone: str | None = None
    zone_id: str | None = None
    block: str | None = None

    @property
    def no_place(self) -> str | None:
        """Why it has no place in the network, None where it has one."""
        if self.nodes is None:
            return "type without topology: no NetworkNodes"
        return None if self.nodes else "not running: empty NetworkNodes"

    @property
    def closest(self) -> str | None:
        """The network node that it is below: the last one."""
        return self.nodes[-1] if self.nodes else None

    @property
    def ultraserver(self) -> str | None:
        """The UltraServer that it is part of: its capacity block.

        ``"unknown"`` where its type has UltraServers and the block is not said (it may be missing
        just after launch), None where its type has none. Equal network nodes do not prove it.
        """
        if self.block is not None:
            return self.block
        return UNKNOWN if self.type.startswith(_IN_ULTRASERVERS) else None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation of DescribeCapacityReservationTopology, with 1 to 3 network nodes."""

    id: str
    type: str
    nodes: tuple[str, ...] | None = None
    state: str | None = None
    group: str | None = None
    zone: str | None = None
    zone_id: str | None = None
    block: str | None = None

    @property
    def depth(self) -> int:
        """How many network nodes are known."""
        return len(self.nodes or ())


@dataclass(frozen=True, slots=True)
class CapacityBlock:
    """A block of DescribeCapacityBlocks."""

    id: str
    ultraserver_type: str | None = None
    reservations: tuple[str, ...] = ()
    state: str | None = None
    start: str | None = None
    end: str | None = None
    zone: str | None = None
    zone_id: str | None = None


@dataclass(frozen=True, slots=True)
class BlockStatus:
    """The health of a block by DescribeCapacityBlockStatus; counts are of instances."""

    id: str
    interconnect: str | None = None
    total: int | None = None
    available: int | None = None
    unavailable: int | None = None

    @property
    def is_impaired(self) -> bool:
        """Whether the links inside its UltraServer are said to be impaired."""
        return self.interconnect == "impaired"

    @property
    def is_healthy(self) -> bool:
        """Whether nothing of it is said to be broken."""
        return not self.is_impaired and not self.unavailable


Row: TypeAlias = Instance | Reservation | CapacityBlock | BlockStatus
"""One row of a list."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its kind, its rows, and the token of the page after it."""

    name: str
    kind: str
    rows: tuple[Row, ...]
    token: str | None
    owners: frozenset[str] = frozenset()


def pages_of(document: Node) -> Iterator[Page]:
    """Yield the answers that a document holds: one, a list of them, or several kinds in one."""
    if isinstance(document.value, list):
        for one in document.list():
            yield from pages_of(one)
        return
    kinds = [kind for kind in KINDS if document.get(kind) is not None]
    if not kinds:
        raise document.source.fault(
            document.where, list(document.dict())[:8], f"must have one of {', '.join(KINDS)}"
        )
    token = document.get("NextToken")
    if token is not None and len(kinds) > 1:
        raise token.fault("must not be beside several lists: whose next page is it?")
    word = token.text() if token is not None and token.value != "" else None
    for kind in kinds:
        rows = document.at(kind).list()
        owners = {owner for row in (document, *rows) for owner in _owners(row)}
        made = tuple(_READERS[kind](row) for row in rows)
        yield Page(document.source.name, kind, made, word, frozenset(owners))


def _owners(node: Node) -> Iterator[str]:
    for key in ("OwnerId", "AccountId"):
        found = node.get(key)
        if found is not None:
            yield found.text()


def _instance(node: Node) -> Instance:
    return Instance(
        node.at("InstanceId").text(),
        node.at("InstanceType").text(),
        _nodes(node),
        _text(node, "GroupName"),
        _text(node, "AvailabilityZone"),
        _text(node, "ZoneId"),
        _text(node, "CapacityBlockId"),
    )


def _reservation(node: Node) -> Reservation:
    return Reservation(
        node.at("CapacityReservationId").text(),
        node.at("InstanceType").text(),
        _nodes(node),
        _text(node, "State"),
        _text(node, "GroupName"),
        _text(node, "AvailabilityZone"),
        _text(node, "AvailabilityZoneId"),
        _text(node, "CapacityBlockId"),
    )


def _block(node: Node) -> CapacityBlock:
    ids = node.get("CapacityReservationIds")
    return CapacityBlock(
        node.at("CapacityBlockId").text(),
        _text(node, "UltraserverType"),
        () if ids is None else tuple(one.text() for one in ids.list()),
        _text(node, "State"),
        _text(node, "StartDate"),
        _text(node, "EndDate"),
        _text(node, "AvailabilityZone"),
        _text(node, "AvailabilityZoneId"),
    )


def _status(node: Node) -> BlockStatus:
    names = ("TotalCapacity", "TotalAvailableCapacity", "TotalUnavailableCapacity")
    total, available, unavailable = (_count(node, name) for name in names)
    for name, count in zip(names[1:], (available, unavailable), strict=True):
        if count is not None and total is not None and count > total:
            raise node.at(name).fault(f"must be at most TotalCapacity, {total:,}")
    status = _text(node, "InterconnectStatus")
    return BlockStatus(node.at("CapacityBlockId").text(), status, total, available, unavailable)


def _text(node: Node, key: str) -> str | None:
    found = node.get(key)
    return None if found is None or found.value == "" else found.text()


def _count(node: Node, key: str) -> int | None:
    found = node.get(key)
    return None if found is None else found.integer(0, _MOST_COUNT)


def _nodes(node: Node) -> tuple[str, ...] | None:
    found = node.get("NetworkNodes")
    if found is None:
        return None
    nodes = tuple(one.text() for one in found.list())
    if len(nodes) > _MOST_NODES:
        raise found.fault(f"must have at most {_MOST_NODES} network nodes")
    if len(set(nodes)) < len(nodes):
        raise found.fault("must name each network node once")
    return nodes


_READERS: Final[dict[str, Callable[[Node], Row]]] = {
    "Instances": _instance,
    "CapacityReservations": _reservation,
    "CapacityBlocks": _block,
    "CapacityBlockStatuses": _status,
}
