"""Networks of nodes as Slurm's other topology plug-ins have them: trees, blocks, rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rainier_fast.errors import invalid, unknown


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch of topology/tree: of nodes, or of switches below it."""

    name: str
    nodes: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    link_speed: int | None = None


@dataclass(frozen=True)
class Tree:
    """The switches of topology/tree, in the order of the file. Immutable.

    Raises
    ------
    InvalidArgument
        If a name is there twice, a child is unknown or has two parents, switches go in a circle, a
        switch has both nodes and switches or neither, or a node is below two switches.

    Examples
    --------
    >>> leaves = Switch("a", ("n1", "n2")), Switch("b", ("n3",))
    >>> tree = Tree((*leaves, Switch("top", (), ("a", "b"))))
    >>> tree.roots, tree.nodes("top"), tree.distance("n1", "n3")
    (('top',), ('n1', 'n2', 'n3'), 2)
    """

    switches: tuple[Switch, ...]

    def __post_init__(self) -> None:
        known: dict[str, Switch] = {}
        for switch in self.switches:
            if switch.name in known:
                raise invalid("switches", switch.name, "must have a name each")
            known[switch.name] = switch
            if bool(switch.nodes) == bool(switch.switches):
                allowed = "must have either nodes or switches below it"
                raise invalid("switches", switch.name, allowed)
        apart("switches", "below one switch", [(one.name, one.nodes) for one in self.switches])
        parents: dict[str, str] = {}
        for switch in self.switches:
            for child in switch.switches:
                if child not in known:
                    allowed = "must have switches below it that are in the file"
                    raise invalid("switches", f"{child} below {switch.name}", allowed)
                if child in parents:
                    allowed = f"must have one parent, and {parents[child]} has it too"
                    raise invalid("switches", f"{child} below {switch.name}", allowed)
                parents[child] = switch.name
        self._check_circles(parents)

    def _check_circles(self, parents: Mapping[str, str]) -> None:
        ended: set[str] = set()
        for name in parents:
            path: list[str] = []
            seen: set[str] = set()
            at: str | None = name
            while at is not None and at not in ended:
                if at in seen:
                    circle = " > ".join(path[path.index(at) :][:8])
                    raise invalid("switches", circle, "must not go in a circle")
                seen.add(at)
                path.append(at)
                at = parents.get(at)
            ended |= seen

    @cached_property
    def _known(self) -> Mapping[str, Switch]:
        return {switch.name: switch for switch in self.switches}

    @cached_property
    def _parents(self) -> Mapping[str, str]:
        return {child: one.name for one in self.switches for child in one.switches}

    @cached_property
    def _leaf(self) -> Mapping[str, str]:
        return {node: one.name for one in self.switches for node in one.nodes}

    @property
    def leaves(self) -> dict[str, tuple[str, ...]]:
        """The nodes of each switch that has some, by its name."""
        return {switch.name: switch.nodes for switch in self.switches if switch.nodes}

    @property
    def roots(self) -> tuple[str, ...]:
        """Switches with none above them."""
        return tuple(one.name for one in self.switches if one.name not in self._parents)

    def nodes(self, switch: str) -> tuple[str, ...]:
        """Return all nodes below a switch, from its first leaf on."""
        if switch not in self._known:
            raise unknown("switch", switch, self._known)
        found: list[str] = []
        left = [switch]
        while left:
            one = self._known[left.pop()]
            found += one.nodes
            left += reversed(one.switches)
        return tuple(found)

    def above(self, node: str) -> tuple[str, ...]:
        """Return the switches above a node, its own first."""
        if node not in self._leaf:
            raise unknown("node", node, self._leaf)
        path = [self._leaf[node]]
        while path[-1] in self._parents:
            path.append(self._parents[path[-1]])
        return tuple(path)

    def distance(self, a: str, b: str) -> int | None:
        """Return how many levels up two nodes meet: 0 for one node, None where they do not."""
        mine, theirs = self.above(a), self.above(b)
        if a == b:
            return 0
        return next((at for at, name in enumerate(mine, 1) if name in theirs), None)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of topology/block, in the order of the file. Immutable.

    `sizes` are those that jobs may be planned by, the base first; none where the file says none.

    Raises
    ------
    InvalidArgument
        If a name or a node is there twice, or sizes are not powers of two times the first.

    Examples
    --------
    >>> Blocks((("us0", ("a", "b")), ("us1", ("c",))), (2, 4)).nodes
    {'us0': ('a', 'b'), 'us1': ('c',)}
    """

    blocks: tuple[tuple[str, tuple[str, ...]], ...]
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        apart("blocks", "in one block", self.blocks)
        before = 0
        for size in self.sizes:
            ratio = size // self.sizes[0]
            if size <= before or size % self.sizes[0] or ratio & (ratio - 1):
                allowed = "must be the base size, then powers of two of it, each above the last"
                raise invalid("block_sizes", self.sizes, allowed)
            before = size

    @property
    def nodes(self) -> dict[str, tuple[str, ...]]:
        """The nodes of each block by its name."""
        return dict(self.blocks)


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings of topology/ring: nodes in the order in which they follow each other. Immutable.

    Raises
    ------
    InvalidArgument
        If a name or a node is there twice.

    Examples
    --------
    >>> Rings((("r", ("a", "b", "c")),)).nodes["r"]
    ('a', 'b', 'c')
    """

    rings: tuple[tuple[str, tuple[str, ...]], ...]

    def __post_init__(self) -> None:
        apart("rings", "in one ring", self.rings)

    @property
    def nodes(self) -> dict[str, tuple[str, ...]]:
        """The nodes of each ring by its name."""
        return dict(self.rings)


def apart(argument: str, once: str, parts: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    """Refuse a name that two parts have, and a node that is in two, or twice in one."""
    owner: dict[str, str] = {}
    names: set[str] = set()
    for name, nodes in parts:
        if name in names:
            raise invalid(argument, name, "must have a name each")
        names.add(name)
        for node in nodes:
            if node in owner:
                raise invalid(
                    argument, f"{node} of {name}", f"must be {once}: {owner[node]} has it"
                )
            owner[node] = name
