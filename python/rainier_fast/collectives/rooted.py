"""The collectives of a machine in which one rank plays a part of its own."""

from __future__ import annotations

from rainier_fast.ask.groups import Group
from rainier_fast.ask.request import Algorithm
from rainier_fast.collectives.run import run
from rainier_fast.definitions.routing import Routing
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

__all__ = ["Rooted"]


class Rooted(Base):
    """Broadcast, reduce, gather and scatter."""

    __slots__ = ()

    def broadcast(
        self,
        size: Quantity,
        group: Group = None,
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
        *,
        root: int = 0,
    ) -> CollectiveResult:
        """Every rank ends with the root's buffer.

        Parameters
        ----------
        size
            Bytes of that buffer, as a number or text.
        group, algorithm, model, routing, chunks
            As in `Machine.all_reduce`.
        root
            Rank of the root in the group.

        Returns
        -------
        CollectiveResult
            Time (s), bandwidths (bytes/s), bottleneck, lower bound, phases.

        Raises
        ------
        RainierError
            If an argument is not usable (the message names it) or a combination has no model.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").broadcast("64 MiB").ranks
        16
        """
        return run(self, "broadcast", size, group, algorithm, model, routing, chunks, root=root)

    def reduce(
        self,
        size: Quantity,
        group: Group = None,
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
        *,
        root: int = 0,
    ) -> CollectiveResult:
        """Reduce: the root ends with the sum of all buffers.

        Parameters
        ----------
        size
            Bytes of each rank's buffer, as a number or text.
        group, algorithm, model, routing, chunks
            As in `Machine.all_reduce`.
        root
            Rank of the root in the group.

        Returns
        -------
        CollectiveResult
            Time (s), bandwidths (bytes/s), bottleneck, lower bound, phases.

        Raises
        ------
        RainierError
            If an argument is not usable (the message names it) or a combination has no model.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").reduce("64 MiB").ranks
        16
        """
        return run(self, "reduce", size, group, algorithm, model, routing, chunks, root=root)

    def gather(
        self,
        size: Quantity,
        group: Group = None,
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
        *,
        root: int = 0,
    ) -> CollectiveResult:
        """Gather: the root ends with the shares of all.

        Parameters
        ----------
        size
            Bytes of the root's output, as a number or text.
        group, algorithm, model, routing, chunks
            As in `Machine.all_reduce`.
        root
            Rank of the root in the group.

        Returns
        -------
        CollectiveResult
            Time (s), bandwidths (bytes/s), bottleneck, lower bound, phases.

        Raises
        ------
        RainierError
            If an argument is not usable (the message names it) or a combination has no model.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").gather("64 MiB").ranks
        16
        """
        return run(self, "gather", size, group, algorithm, model, routing, chunks, root=root)

    def scatter(
        self,
        size: Quantity,
        group: Group = None,
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
        *,
        root: int = 0,
    ) -> CollectiveResult:
        """Every rank ends with its share of the root's buffer.

        Parameters
        ----------
        size
            Bytes of the root's input, as a number or text.
        group, algorithm, model, routing, chunks
            As in `Machine.all_reduce`.
        root
            Rank of the root in the group.

        Returns
        -------
        CollectiveResult
            Time (s), bandwidths (bytes/s), bottleneck, lower bound, phases.

        Raises
        ------
        RainierError
            If an argument is not usable (the message names it) or a combination has no model.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").scatter("64 MiB").ranks
        16
        """
        return run(self, "scatter", size, group, algorithm, model, routing, chunks, root=root)
