"""Rates and finish times of messages that share links."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.routing import Routing
from rainier_fast.errors import as_one_of
from rainier_fast.flows.traffic import Progress
from rainier_fast.topology.arrays import Bytes, Chips, Times, as_progress, as_times, flow_columns
from rainier_fast.topology.base import Base

ENGINES: Final = ("fluid", "fifo")
"""Names of models that `Machine.finish_times` takes."""


class Sharing(Base):
    """What messages leave each other."""

    def max_min_rates(
        self, src: Chips, dst: Chips, routing: Routing = "dor"
    ) -> NDArray[np.float64]:
        """Return the max-min fair rate of each message when all run at once.

        No message can go faster unless one that is no faster slows down (Bertsekas and Gallager,
        Data Networks, 1992, section 6.5.2). A message alone has the bandwidth of its route.

        Parameters
        ----------
        src, dst
            Chip numbers of the senders and receivers, as for `link_loads`.
        routing
            A policy or its name, as in `all_reduce`.

        Returns
        -------
        numpy.ndarray
            float64, bytes/s; infinite for a chip that sends to itself.

        Raises
        ------
        OutOfRange
            If a chip is not in the machine.
        InvalidArgument, InvalidType
            If the columns do not go together.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((4,), bandwidth="30 GB/s", wrap=False).max_min_rates([0, 1, 2], [3, 2, 3])
        array([1.5e+10, 1.5e+10, 1.5e+10])
        """
        row = self._routing(routing)
        sources, targets, _ = flow_columns(src, dst, 0, self.num_chips)
        return self._core.max_min_rates(sources, targets, row)

    def finish_times(
        self,
        src: Chips,
        dst: Chips,
        nbytes: Bytes,
        start: Times = 0.0,
        routing: Routing = "dor",
        model: str = "fluid",
        progress: Progress | None = None,
    ) -> NDArray[np.float64]:
        """Return when the last byte of each message arrives if all share the machine.

        A message begins with its sender's overhead; then its bytes enter the links.

        Parameters
        ----------
        src, dst
            Chip numbers of the senders and receivers, as for `link_loads`.
        nbytes
            Bytes of each message: one size as a number or text, or a number for each message.
        start
            When each message begins: one time as a number of seconds or text, or seconds for each.
        routing
            A policy or its name, as in `all_reduce`.
        model
            ``"fluid"``: messages share links with max-min fair rates, found anew whenever one
            starts or ends; one alone takes `Route.time_s`. ``"fifo"``: each link serves whole
            messages, first come, first served (of two at once, the one that stands first), and
            stores each before it goes on; one alone takes `Route.time_s` with
            ``"store_and_forward"``.
        progress
            Called with (done, total) now and then; an exception in it stops the job.

        Returns
        -------
        numpy.ndarray
            float64, seconds.

        Raises
        ------
        OutOfRange
            If a chip is not in the machine.
        UnknownName
            If there is no such model.
        InvalidArgument, InvalidType
            If the columns do not go together or a value is not usable.
        Unsupported
            If messages that adaptive or Valiant routing spreads are to go first come, first served.

        Notes
        -----
        Under ``"fifo"`` a message that the tie rule ``"split"`` halves goes as two of half the
        bytes, one towards higher and one towards lower coordinates wherever it has the choice, and
        has arrived when both have. A message of no bytes waits for nobody under ``"fluid"``, and
        for its turn under ``"fifo"``.

        Under ``"fluid"`` a start or end costs what it reaches: the links whose fair level it moves
        and the messages on them. Events closer than 1e-12 of the time are one.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> line = torus((4,), bandwidth="1 GB/s", wrap=False)
        >>> line.finish_times([0, 1], [3, 2], "1 kB")
        array([2.e-06, 2.e-06])
        >>> line.finish_times([0, 1], [3, 2], "1 kB", model="fifo")
        array([3.e-06, 1.e-06])
        """
        row = self._routing(routing)
        model = as_one_of("model", model, ENGINES)
        notify = as_progress(progress)
        sources, targets, sizes = flow_columns(src, dst, nbytes, self.num_chips)
        starts = as_times("start", start, len(sources))
        return self._core.finish_times(sources, targets, sizes, starts, row, model, notify)
