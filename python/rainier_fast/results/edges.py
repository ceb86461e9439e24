"""Links as arrays of edges, and as a graph of networkx."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_count
from rainier_fast.errors import RainierError, Unsupported
from rainier_fast.memory import reckon
from rainier_fast.topology.base import Base

if TYPE_CHECKING:
    import networkx as nx  # type: ignore[import-not-found, import-untyped, unused-ignore]

_LINK_BYTES: Final = 300
_MOST_NODES: Final = 20_000
_MOST: Final = 2**40


@dataclass(frozen=True, eq=False, repr=False)
class Edges:
    """The links of a machine as edges between nodes: edge i is link i.

    Attributes
    ----------
    index
        int64, 2 x links: the nodes that each link leads from and to. Nodes below `num_chips` are
        chips; the others are switches, named by `names` in turn.
    bandwidth_Bps, latency_s
        float64, one for each link: bytes/s, less where a link is degraded, and seconds.
    dead
        bool, one for each link.
    bytes
        float64, what each link carries; None for those of a machine.
    num_chips
        Chips.
    names
        Names of the nodes that are no chips.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> torus((3,), "1 GB/s", wrap=False).edges().index.tolist()
    [[0, 1, 1, 2], [1, 2, 0, 1]]
    """

    index: NDArray[np.int64]
    bandwidth_Bps: NDArray[np.float64]  # noqa: N815 - B is the unit's letter
    latency_s: NDArray[np.float64]
    dead: NDArray[np.bool_]
    bytes: NDArray[np.float64] | None
    num_chips: int
    names: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Edges):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, one.name), getattr(other, one.name))
            for one in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def num_nodes(self) -> int:
        """Chips and switches."""
        return self.num_chips + len(self.names)

    def __repr__(self) -> str:
        return f"<Edges of {self.num_nodes} nodes: {self.index.shape[1]} links>"

    def to_networkx(self, most_nodes: int = _MOST_NODES) -> nx.MultiDiGraph[Any]:
        """Return a directed graph of networkx, in which two nodes may have several links.

        Parameters
        ----------
        most_nodes
            Refuse more nodes than this: networkx takes some 2 kB for each link.

        Returns
        -------
        networkx.MultiDiGraph
            Nodes are chip numbers, with ``kind="chip"``, and names of switches. An edge's key is
            the number of its link; it has ``bandwidth_Bps``, ``latency_s``, ``dead``, and ``bytes``
            for those of loads.

        Raises
        ------
        Unsupported
            If there are more nodes.
        RainierError
            If networkx is not installed.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> graph = torus((3,), "1 GB/s").edges().to_networkx()  # doctest: +SKIP
        >>> graph.number_of_edges()  # doctest: +SKIP
        6
        """
        most = as_count("most_nodes", most_nodes, _MOST)
        if self.num_nodes > most:
            raise Unsupported(
                f"a graph of networkx with {self.num_nodes:,} nodes, more than most_nodes "
                f"({most:,}): use .index, or pass most_nodes={self.num_nodes}"
            )
        try:
            import networkx as nx  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError as error:
            raise RainierError(
                "to_networkx needs networkx, which is not installed; "
                "install it with: pip install rainier_fast[graph]"
            ) from error
        graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph()
        graph.add_nodes_from(range(self.num_chips), kind="chip")
        graph.add_nodes_from(self.names, kind="switch")
        nodes = [*range(self.num_chips), *self.names]
        columns = {name: getattr(self, name) for name in ("bandwidth_Bps", "latency_s", "dead")}
        if self.bytes is not None:
            columns["bytes"] = self.bytes
        values = [column.tolist() for column in columns.values()]
        for link, (source, target, *row) in enumerate(
            zip(*self.index.tolist(), *values, strict=True)
        ):
            told = dict(zip(columns, row, strict=True))
            graph.add_edge(nodes[source], nodes[target], key=link, **told)
        return graph


def edges_of(machine: Base, nbytes: NDArray[np.float64] | None = None) -> Edges:
    """Return the links of a machine, and what they carry."""
    count, chips = machine.num_links, machine.num_chips
    reckon(_LINK_BYTES * count, f"the edges of {count:,} links", "take a smaller machine")
    ends = _Ends(machine)
    inside = _inside(ends, count)
    rows = [ends.of(link) for link in range(inside.shape[1], count)]
    rest = np.array(rows, np.int64).reshape(-1, 2).T
    bandwidth = np.asarray(machine._core.link_bandwidths(), np.float64)
    return Edges(
        _frozen(np.concatenate([inside, rest], axis=1)),
        _frozen(bandwidth),
        _frozen(ends.latencies(count)),
        _frozen(ends.dead(count)),
        nbytes,
        chips,
        tuple(ends.names),
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


class _Ends:
    """Nodes at the ends of links, by number."""

    def __init__(self, machine: Base) -> None:
        self.machine, self.chips = machine, machine.num_chips
        self.names: dict[str, int] = {}
        self._dead: set[int] = set()

    def of(self, link: int) -> tuple[int, int]:
        """Return the nodes of one link."""
        row = self.machine._core.link(link)
        if row[8]:
            self._dead.add(link)
        ends = zip(row[2:4], row[4:6], strict=True)
        source, target = (self.node(name) if chip is None else chip for name, chip in ends)
        return source, target

    def node(self, name: str) -> int:
        """Return the number of a switch."""
        return self.names.setdefault(name, self.chips + len(self.names))

    def latencies(self, count: int) -> NDArray[np.float64]:
        """Return the latency of each link."""
        runs = self.machine._core.link_runs()
        counts = np.array([run[0] for run in runs], np.int64)
        made = np.repeat(np.array([run[3] for run in runs], np.float64), counts)
        assert len(made) == count, "runs cover all links"
        return made

    def dead(self, count: int) -> NDArray[np.bool_]:
        """Return which links carry nothing."""
        found = np.zeros(count, bool)
        found[sorted(self._dead)] = True
        return found


def _inside(ends: _Ends, count: int) -> NDArray[np.int64]:
    """Return the nodes of links inside UltraServers: those of the first, as often as there are.

    Where something is broken, or a switch stands inside, each is looked at by itself.
    """
    machine = ends.machine
    domains = machine.num_ultraservers
    nothing = np.zeros((2, 0), np.int64)
    if machine.is_damaged or domains < 2:
        return nothing
    outside = ("nic ", "fabric ", "wan")
    runs = machine._core.link_runs()
    within = itertools.takewhile(lambda run: not run[1].startswith(outside), runs)
    per_domain = sum(run[0] for run in within) // domains
    first = [machine._core.link(link)[4:6] for link in range(min(per_domain, count))]
    if any(chip is None for row in first for chip in row):
        return nothing
    one = np.array(first, np.int64).reshape(-1, 2).T
    shift = np.arange(domains, dtype=np.int64) * machine.ultraserver.num_chips
    return (one[:, None, :] + shift[None, :, None]).reshape(2, -1)
