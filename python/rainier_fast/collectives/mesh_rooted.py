"""The collectives of a mesh axis in which one rank of each group plays a part of its own."""

from __future__ import annotations

from collections.abc import Sequence

from rainier_fast.ask.request import Algorithm
from rainier_fast.collectives.mesh_collectives import MeshBase
from rainier_fast.collectives.run import run
from rainier_fast.definitions.routing import Routing
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.units import Quantity

__all__ = ["MeshRooted"]


class MeshRooted(MeshBase):
    """Broadcast, reduce, gather and scatter."""

    __slots__ = ()

    def broadcast(
        self,
        size: Quantity,
        axis: str | Sequence[str],
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
        axis, algorithm, model, routing, chunks
            As in `DeviceMesh.all_reduce`.
        root
            Rank of the root in each group.

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
        >>> mesh = preset("trn2").mesh(dp=4, tp=4)
        >>> mesh.broadcast("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(
            self.machine, "broadcast", size, group, algorithm, model, routing, chunks, root=root
        )

    def reduce(
        self,
        size: Quantity,
        axis: str | Sequence[str],
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
        axis, algorithm, model, routing, chunks
            As in `DeviceMesh.all_reduce`.
        root
            Rank of the root in each group.

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
        >>> mesh = preset("trn2").mesh(dp=4, tp=4)
        >>> mesh.reduce("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(
            self.machine, "reduce", size, group, algorithm, model, routing, chunks, root=root
        )

    def gather(
        self,
        size: Quantity,
        axis: str | Sequence[str],
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
        axis, algorithm, model, routing, chunks
            As in `DeviceMesh.all_reduce`.
        root
            Rank of the root in each group.

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
        >>> mesh = preset("trn2").mesh(dp=4, tp=4)
        >>> mesh.gather("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(
            self.machine, "gather", size, group, algorithm, model, routing, chunks, root=root
        )

    def scatter(
        self,
        size: Quantity,
        axis: str | Sequence[str],
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
        axis, algorithm, model, routing, chunks
            As in `DeviceMesh.all_reduce`.
        root
            Rank of the root in each group.

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
        >>> mesh = preset("trn2").mesh(dp=4, tp=4)
        >>> mesh.scatter("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(
            self.machine, "scatter", size, group, algorithm, model, routing, chunks, root=root
        )
