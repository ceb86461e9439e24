"""Nodes of an execution trace, as far as a simulation needs them."""

from __future__ import annotations

from typing import Final, NamedTuple

COLLECTIVES: Final = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")
KINDS: Final = (
    "skip", "groups", "memory", "compute", "send", "receive", "broadcast", *COLLECTIVES,
)  # fmt: skip


class Node(NamedTuple):
    """One node.

    Attributes
    ----------
    id
        Its number, by which nodes that are free begin.
    waits
        Numbers of the nodes that it waits for.
    micros
        Microseconds that it took when it was traced.
    host
        Whether it runs on the host.
    kind
        ``"compute"``, ``"send"``, ``"receive"``, a collective, ``"broadcast"``, ``"memory"``,
        ``"groups"``, or ``"skip"`` for what does nothing.
    numbers
        Of a collective its bytes and priority; of a message its peer, bytes and tag; of computation
        operations and bytes; of memory its bytes.
    involved
        Of a collective, whether each dimension takes part; None where the trace does not say.
    group
        Of a collective, the number of its group of ranks; None for all.
    groups
        Groups that it names, each with its ranks.
    name, dtype
        As the trace has them.

    Examples
    --------
    >>> Node(0, kind="all_reduce", numbers=(1024, 0)).waits
    ()
    """

    id: int
    waits: tuple[int, ...] = ()
    micros: int = 0
    host: bool = False
    kind: str = "skip"
    numbers: tuple[int, ...] = ()
    involved: tuple[bool, ...] | None = None
    group: int | None = None
    groups: tuple[tuple[int, tuple[int, ...]], ...] = ()
    name: str = ""
    dtype: str = ""

    def row(self) -> tuple[object, ...]:
        """Return it as the core takes it.

        Examples
        --------
        >>> Node(3).row()
        (3, [], 0, False, 'skip', [], None, None, [])
        """
        groups = [(name, list(ranks)) for name, ranks in self.groups]
        involved = None if self.involved is None else list(self.involved)
        return (
            self.id, list(self.waits), self.micros, self.host, self.kind, list(self.numbers),
            involved, self.group, groups,
        )  # fmt: skip
