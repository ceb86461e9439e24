"""The collectives of a machine, one method each."""

from __future__ import annotations

from rainier_fast.ask.groups import Group
from rainier_fast.ask.request import Algorithm
from rainier_fast.collectives.run import run
from rainier_fast.definitions.routing import Routing
from rainier_fast.results.collective import CollectiveResult
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity

__all__ = ["Collectives"]


class Collectives(Base):
    """What chips do together. Sizes are in bytes as nccl-tests defines them for each operation."""

    __slots__ = ()

    def all_reduce(
        self,
        size: Quantity,
        group: Group = None,
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
        group
            Chips that take part, in the order of their ranks; None for all; or `Groups` of a mesh,
            all at once.
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
            Chunks that follow each other through a hierarchical schedule, or into which
            ``"synthesized"`` cuts each rank's share; None for the best.

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
        >>> preset("trn2").all_reduce("64 MiB").ranks
        16
        """
        return run(self, "all_reduce", size, group, algorithm, model, routing, chunks)

    def reduce_scatter(
        self,
        size: Quantity,
        group: Group = None,
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
        group, algorithm, model, routing, chunks
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
        >>> preset("trn2").reduce_scatter("64 MiB").ranks
        16
        """
        return run(self, "reduce_scatter", size, group, algorithm, model, routing, chunks)

    def all_gather(
        self,
        size: Quantity,
        group: Group = None,
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
        group, algorithm, model, routing, chunks
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
        >>> preset("trn2").all_gather("64 MiB").ranks
        16
        """
        return run(self, "all_gather", size, group, algorithm, model, routing, chunks)

    def all_to_all(
        self,
        size: Quantity,
        group: Group = None,
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
        group, algorithm, model, routing, chunks
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
        >>> preset("trn2").all_to_all("64 MiB").ranks
        16
        """
        return run(self, "all_to_all", size, group, algorithm, model, routing, chunks)

    def send_recv(
        self,
        size: Quantity,
        group: Group = None,
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
        group, algorithm, model, routing, chunks
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
        >>> preset("trn2").send_recv("64 MiB").ranks
        16
        """
        return run(self, "send_recv", size, group, algorithm, model, routing, chunks, shift=shift)

    def barrier(
        self,
        group: Group = None,
        algorithm: Algorithm = "auto",
        model: str = "link_load",
        routing: Routing = "dor",
        chunks: int | None = None,
    ) -> CollectiveResult:
        """Nobody leaves before everybody came; no bytes move.

        Parameters
        ----------
        group, algorithm, model, routing, chunks
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
        >>> preset("trn2").barrier().ranks
        16
        """
        return run(self, "barrier", 0, group, algorithm, model, routing, chunks)
