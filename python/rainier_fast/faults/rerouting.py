"""Routes round damage: which pairs are cut, and what a policy costs and promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.check import as_integer
from rainier_fast.definitions.routing import Routing
from rainier_fast.flows.traffic import Progress
from rainier_fast.topology.arrays import Chips, as_progress, as_threads, flow_columns
from rainier_fast.topology.base import Base

if TYPE_CHECKING:
    from rainier_fast.results.routing import RoutingReport


class Rerouting(Base):
    """What is left of the routes."""

    def unreachable(
        self,
        src: Chips,
        dst: Chips,
        routing: Routing = "dor",
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.bool_]:
        """Return which messages damage cuts off.

        `route`, `link_loads`, `max_min_rates` and `finish_times` raise `Unreachable` for the first
        of them, with what cuts it.

        Parameters
        ----------
        src, dst
            Chip numbers of the senders and receivers, as for `link_loads`.
        routing
            ``"dor"``, ``"wild_first"``, ``"shortest"``, ``"up_down"``, ``"balanced"`` or a policy
            object; others where they meet no damage.
        n_threads, progress
            As in `link_loads`.

        Returns
        -------
        numpy.ndarray
            bool, one for each message: True where no route joins its ends.

        Raises
        ------
        OutOfRange, InvalidArgument, InvalidType
            If a chip does not exist or the columns do not go together.
        Unsupported
            If the policy does not go round damage and meets it.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> damaged = torus((4,), bandwidth="50 GB/s", wrap=False).with_faults(links=[1])
        >>> damaged.unreachable(0, [1, 2, 3])
        array([False,  True,  True])
        """
        row = self._routing(routing)
        threads, notify = as_threads(n_threads), as_progress(progress)
        sources, targets, _ = flow_columns(src, dst, 0, self.num_chips)
        return _core.unreachable(self._core, sources, targets, row, threads, notify)

    def routing_report(
        self,
        routing: Routing = "dor",
        ultraserver: int | None = None,
        progress: Progress | None = None,
    ) -> tuple[RoutingReport, ...]:
        """Return what a policy does in damaged UltraServers: lengths, loads, deadlocks.

        All pairs of chips of the UltraServer are routed. The channel dependencies of the routes,
        link by link and virtual channel by virtual channel, are searched for a cycle: without one
        no messages can deadlock (Dally and Seitz 1987).

        Parameters
        ----------
        routing
            ``"dor"``, ``"wild_first"``, ``"shortest"``, ``"up_down"``, ``"balanced"`` or a policy
            object.
        ultraserver
            Its number over the machine; None for each of those with distinct damage inside, or the
            first one if none has any.
        progress
            Called with (done, total) now and then; an exception in it stops the job.

        Returns
        -------
        tuple of RoutingReport
            One for each distinct damage.

        Raises
        ------
        Unsupported
            For adaptive and Valiant routing, and more than 4,096 chips in an UltraServer.
        OutOfRange, InvalidArgument, InvalidType
            If the UltraServer does not exist or is dead.

        Notes
        -----
        Virtual channels: dimension order takes the first one in each ring until it has passed the
        cable that closes the ring, then the second; wild hops have one each beside these;
        up*/down* has one. Pairs that dimension order turns aside, and all pairs of ``"balanced"``,
        take the first channel on which their whole route closes no cycle, in the order of senders
        or of receivers, whichever needs fewer; LASH and DFSSSP do so, with service levels. The
        check is of messages inside an UltraServer.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> damaged = torus((4, 4), bandwidth="50 GB/s").with_faults(links=[0])
        >>> print(damaged.routing_report("wild_first")[0])
        wild_first in UltraServer 0
          240 of 240 pairs joined; 0 by another order, 0 by the shortest way, 0 by wild hops
          free of deadlock with 2 virtual channels (checked; promised)
          hops: mean 2.167 (healthy 2.133), most 5 (4)
          busiest link of uniform traffic: 16 (8)
        """
        from rainier_fast.results.routing import RoutingReport

        row = self._routing(routing)
        notify = as_progress(progress)
        number = None
        if ultraserver is not None:
            number = as_integer("ultraserver", ultraserver, 0, self.num_ultraservers - 1)
        found = _core.routing_reports(self._core, row, number, notify)
        return tuple(
            RoutingReport(row[0], *counts, tuple(cycle), *damaged, *healthy)
            for counts, cycle, damaged, healthy in found
        )
