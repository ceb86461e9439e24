"""Rates of messages that share links fairly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.routing import Routing
from rainier_fast.machine.arrays import Chips, flow_columns
from rainier_fast.machine.base import Base

__all__ = ["Sharing"]


class Sharing(Base):
    """What messages leave each other."""

    __slots__ = ()

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
            ``"dor"``, ``"adaptive"``, ``"valiant"`` or a policy object.

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
