"""The collectives of a mesh axis, one method each: all groups of the axis at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from rainier_fast.ask.groups import Groups
from rainier_fast.ask.request import Algorithm
from rainier_fast.collectives.run import run
from rainier_fast.definitions.routing import Routing
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

__all__ = ["MeshBase", "MeshCollectives"]


class MeshBase:
    """What a mesh's collectives stand on."""

    __slots__ = ()

    machine: Base

    @abstractmethod
    def axis_groups(self, axis: str | Sequence[str]) -> Groups:
        """Return the groups of an axis."""


class MeshCollectives(MeshBase):
    """What the groups of an axis do. Sizes are as for the same operation of `Machine`."""

    __slots__ = ()

    def all_reduce(
        self,
        size: Quantity,
        axis: str | Sequence[str],
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
    ) -> CollectiveResult:
        """Every rank ends with the sum of all buffers.

        Parameters
        ----------
        size
            Bytes of each rank's buffer, as a number or text.
        axis
            Name of a mesh axis, or names of adjacent ones that act as one; every group of it takes
            part at once.
        algorithm
            A name of `rainier_fast.algorithms`, ``"auto"`` for the fastest of them, or names by
            tier (UltraServer, site, WAN) for a hierarchical schedule.
        model
            ``"link_load"`` (links are shared), ``"alpha_beta"`` (no contention), ``"fluid"`` (fair
            rates, simulated) or ``"fifo"`` (whole messages, first come, first served).
        routing
            ``"dor"``, ``"adaptive"``, ``"valiant"``, ``"wild_first"``, ``"shortest"``,
            ``"up_down"`` or a policy object.
        chunks
            Chunks that follow each other through a hierarchical schedule; None for the best.

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
        >>> mesh.all_reduce("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(self.machine, "all_reduce", size, group, algorithm, model, routing, chunks)

    def reduce_scatter(
        self,
        size: Quantity,
        axis: str | Sequence[str],
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
    ) -> CollectiveResult:
        """Every rank ends with its share of the sum.

        Parameters
        ----------
        size
            Bytes of each rank's input, as a number or text.
        axis, algorithm, model, routing, chunks
            As in `all_reduce`.

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
        >>> mesh.reduce_scatter("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(self.machine, "reduce_scatter", size, group, algorithm, model, routing, chunks)

    def all_gather(
        self,
        size: Quantity,
        axis: str | Sequence[str],
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
    ) -> CollectiveResult:
        """Every rank ends with the shares of all.

        Parameters
        ----------
        size
            Bytes of each rank's output, as a number or text.
        axis, algorithm, model, routing, chunks
            As in `all_reduce`.

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
        >>> mesh.all_gather("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(self.machine, "all_gather", size, group, algorithm, model, routing, chunks)

    def all_to_all(
        self,
        size: Quantity,
        axis: str | Sequence[str],
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
    ) -> CollectiveResult:
        """Every rank sends a share to every rank.

        Parameters
        ----------
        size
            Bytes that each rank sends, its share to itself included, as a number or text.
        axis, algorithm, model, routing, chunks
            As in `all_reduce`.

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
        >>> mesh.all_to_all("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(self.machine, "all_to_all", size, group, algorithm, model, routing, chunks)

    def send_recv(
        self,
        size: Quantity,
        axis: str | Sequence[str],
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
        *,
        shift: int = 1,
    ) -> CollectiveResult:
        """Every rank sends a message to the rank `shift` further on, cyclically.

        Parameters
        ----------
        size
            Bytes of the message, as a number or text.
        axis, algorithm, model, routing, chunks
            As in `all_reduce`.
        shift
            How many ranks further on; negative numbers go back.

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
        >>> mesh.send_recv("64 MiB", axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(
            self.machine, "send_recv", size, group, algorithm, model, routing, chunks, shift=shift
        )

    def barrier(
        self,
        axis: str | Sequence[str],
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
    ) -> CollectiveResult:
        """Nobody leaves before everybody came; no bytes move.

        Parameters
        ----------
        axis, algorithm, model, routing, chunks
            As in `all_reduce`.

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
        >>> mesh.barrier(axis="tp").groups
        4
        """
        group = self.axis_groups(axis)
        return run(self.machine, "barrier", 0, group, algorithm, model, routing, chunks)
