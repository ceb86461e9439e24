"""The networks that a Slurm cluster plans by: read from its files, and written as them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from rainier_fast.definitions.check import as_items
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.frozen import put
from rainier_fast.placement.networks import Blocks, Rings, Tree
from rainier_fast.placement.slurm_conf import looks_like_conf, read_conf, write_conf
from rainier_fast.placement.slurm_yaml import (
    Network,
    looks_like_yaml,
    read_yaml,
    write_yaml,
)
from rainier_fast.placement.text import Source, said, source_of
from rainier_fast.placement.torus import Torus
from rainier_fast.screen import Facts, Report, one_screen

_Network = TypeVar("_Network", Tree, Blocks, Rings, tuple[Torus, ...])


@dataclass(frozen=True, slots=True)
class Topology:
    """One network of a Slurm cluster: its name, plug-in, and whether it is the default."""

    name: str
    kind: str
    default: bool
    network: Network


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class SlurmTopology(Report):
    r"""The networks of a Slurm cluster, of ``topology.conf`` or ``topology.yaml``. Immutable.

    Where a cluster has both files, Slurm reads ``topology.yaml`` alone.

    Attributes
    ----------
    topologies
        Each with its name, its kind (``"tree"``, ``"block"``, ``"ring"``, ``"torus3d"`` or
        ``"flat"``), whether it is the default, and the network.
    source
        What was read.
    notes
        What was left out.

    Examples
    --------
    >>> slurm = SlurmTopology.parse("BlockName=us0 Nodes=trn[01-04]\nBlockSizes=4")
    >>> slurm.block.nodes, slurm.block.sizes
    ({'us0': ('trn01', 'trn02', 'trn03', 'trn04')}, (4,))
    """

    topologies: tuple[Topology, ...]
    source: str = "made here"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        made = as_items("topologies", self.topologies, "must be Topology, one or more")
        put(self, topologies=tuple(made))
        if not self.topologies:
            raise invalid("topologies", self.topologies, "must have at least one")
        for at, one in enumerate(self.topologies):
            if not isinstance(one, Topology):
                raise invalid_type(f"topologies[{at}]", one, "must be a Topology")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read ``topology.conf`` or ``topology.yaml``.

        Parameters
        ----------
        path
            The file, known by its content.

        Returns
        -------
        SlurmTopology
            All networks of the file.

        Raises
        ------
        InvalidArgument, Unsupported
            If Slurm would refuse it; the message names file, line or key, and the mend.
        OSError
            If it cannot be read.

        Examples
        --------
        >>> SlurmTopology.load("/no/such/topology.conf")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: '/no/such/topology.conf'
        """
        return cls._of(source_of(path))

    @classmethod
    def parse(cls, text: str | bytes, name: str = "text") -> Self:
        """Return what the text of such a file says.

        Parameters
        ----------
        text
            The text.
        name
            What errors call it.

        Returns
        -------
        SlurmTopology
            As `load`.

        Raises
        ------
        InvalidArgument, InvalidType, Unsupported
            As `load`.

        Examples
        --------
        >>> SlurmTopology.parse("RingName=r Nodes=n[1-3]").ring.nodes
        {'r': ('n1', 'n2', 'n3')}
        """
        return cls._of(said(text, name))

    @classmethod
    def _of(cls, source: Source) -> Self:
        if looks_like_conf(source.text):
            made = [Topology(kind, kind, at == 0, one) for at, (kind, one) in _each(source)]
            return cls(tuple(made), f"Slurm topology.conf {source.name}")
        if not looks_like_yaml(source.text):
            allowed = "must be a Slurm topology.conf or topology.yaml"
            raise source.fault("", source.text[:60], allowed)
        rows, notes = read_yaml(source)
        named = f"Slurm topology.yaml {source.name}"
        return cls(tuple(Topology(*row) for row in rows), named, tuple(notes))

    def __len__(self) -> int:
        return len(self.topologies)

    def __iter__(self) -> Iterator[Topology]:
        return iter(self.topologies)

    def __getitem__(self, name: str) -> Topology:
        named = {one.name: one for one in self.topologies}
        return named[as_one_of("topology", name, named)]

    @property
    def default(self) -> Topology:
        """The network for partitions that name none: the first that says so, else the first."""
        return next((one for one in self.topologies if one.default), self.topologies[0])

    @property
    def tree(self) -> Tree:
        """The first network of switches; `Unsupported` where there is none, as of all these."""
        return self._first(Tree)

    @property
    def block(self) -> Blocks:
        """The first network of blocks."""
        return self._first(Blocks)

    @property
    def ring(self) -> Rings:
        """The first network of rings."""
        return self._first(Rings)

    @property
    def toruses(self) -> tuple[Torus, ...]:
        """The toruses of the first network of topology/torus3d."""
        return self._first(tuple)

    def _first(self, kind: type[_Network]) -> _Network:
        for one in self.topologies:
            if isinstance(one.network, kind):
                return one.network
        have = ", ".join(one.kind for one in self.topologies)
        raise Unsupported(f"{self.source} has no such network: it has {have}")

    def groups(self, name: str | None = None) -> list[tuple[str, tuple[str, ...]]]:
        r"""Return nodes that are close, by what they are below.

        Parameters
        ----------
        name
            Of a topology; None for the default.

        Returns
        -------
        list of tuple
            A name and its nodes: blocks, leaf switches in the order in which the tree has them,
            rings, or whole toruses, x fastest.

        Raises
        ------
        Unsupported
            If the network is flat: it says nothing of who is close.

        Examples
        --------
        >>> SlurmTopology.parse("SwitchName=s1 Nodes=a\nSwitchName=s0 Nodes=b").groups()
        [('s1', ('a',)), ('s0', ('b',))]
        """
        one = self.default if name is None else self[name]
        network = one.network
        if network is None:
            raise Unsupported(f"topology {one.name} is flat: it does not say which nodes are close")
        if isinstance(network, Blocks):
            return list(network.blocks)
        if isinstance(network, Rings):
            return list(network.rings)
        if isinstance(network, Tree):
            order = {
                node: at for root in network.roots for at, node in enumerate(network.nodes(root))
            }
            tops = {
                node: at for at, root in enumerate(network.roots) for node in network.nodes(root)
            }
            leaves = network.leaves.items()
            return sorted(leaves, key=lambda leaf: (tops[leaf[1][0]], order[leaf[1][0]]))
        return [(torus.name, torus.nodes) for torus in network]

    def to_conf(self) -> str:
        r"""Return the text of a ``topology.conf``.

        Returns
        -------
        str
            Trees, blocks and rings; nodes are folded in their order.

        Raises
        ------
        Unsupported
            If there is a torus3d or flat network, which that file cannot say, or two of one kind.

        Examples
        --------
        >>> SlurmTopology.parse("blockname=b nodes=a1,a2").to_conf()
        'BlockName=b Nodes=a[1-2]\n'
        """
        kinds = [one.kind for one in self.topologies]
        if len(set(kinds)) < len(kinds):
            raise Unsupported("topology.conf has one network of a kind: call to_yaml()")
        return write_conf(one.network for one in self.topologies)

    def to_yaml(self) -> str:
        """Return the text of a ``topology.yaml`` (Slurm 25.05; torus3d and rings: 26.05).

        Returns
        -------
        str
            What `parse` reads back the same.

        Examples
        --------
        >>> text = SlurmTopology.parse("BlockName=b Nodes=a[1-2]").to_yaml()
        >>> SlurmTopology.parse(text).block.nodes
        {'b': ('a1', 'a2')}
        """
        rows = [(one.name, one.kind, one.default, one.network) for one in self.topologies]
        return write_yaml(rows)

    def _page(self) -> list[Any]:
        facts: Facts = []
        for one in self.topologies:
            default = ", default" if one.default else ""
            facts.append((f"{one.name} ({one.kind}{default})", _words(one.network)))
        return [self.source, *([facts] if facts else []), *self.notes]

    def __repr__(self) -> str:
        kinds = ", ".join(f"{one.name}: {one.kind}" for one in self.topologies)
        return f"<SlurmTopology of {self.source}: {kinds}>"


def _each(source: Source) -> Iterator[tuple[int, tuple[str, Tree | Blocks | Rings]]]:
    return iter(enumerate(read_conf(source)))


def _words(network: Network) -> str:
    if network is None:
        return "says nothing of who is close"
    if isinstance(network, Tree):
        leaves = network.leaves
        return f"{len(network.switches):,} switches, {_total(list(leaves.values())):,} nodes"
    if isinstance(network, Blocks):
        sizes = ", ".join(map(str, network.sizes)) or "not said"
        nodes = [nodes for _, nodes in network.blocks]
        return f"{len(nodes):,} blocks, {_total(nodes):,} nodes, sizes {sizes}"
    if isinstance(network, Rings):
        nodes = [nodes for _, nodes in network.rings]
        return f"{len(nodes):,} rings, {_total(nodes):,} nodes"
    words = ["x".join(map(str, torus.dims)) + f" {torus.name}" for torus in network]
    return f"{', '.join(words)}, {_total([torus.nodes for torus in network]):,} nodes"


def _total(parts: list[tuple[str, ...]]) -> int:
    return sum(map(len, parts))
