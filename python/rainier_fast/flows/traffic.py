"""Link loads: of flows that the caller names, and of the patterns that papers use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rainier_fast.definitions.check import as_integer
from rainier_fast.definitions.routing import Routing
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.topology.arrays import (
    Bytes,
    Chips,
    as_integers,
    as_progress,
    as_threads,
    flow_columns,
)
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.results.link_loads import LinkLoads

Progress: TypeAlias = Callable[[int, int], object]
"""Called with (done, total) at most 10 times a second; an exception in it stops the job."""

PATTERNS: Final = (
    "uniform",
    "transpose",
    "tornado",
    "bit_complement",
    "neighbor",
    "permutation",
    "bit_reversal",
    "shuffle",
    "bit_transpose",
)
"""Names that `Machine.traffic` takes."""


class Traffic(Base):
    """Many messages at once."""

    def link_loads(
        self,
        src: Chips,
        dst: Chips,
        nbytes: Bytes,
        routing: Routing = "dor",
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> LinkLoads:
        """Add up the bytes that messages put on every link.

        Parameters
        ----------
        src, dst
            Chip numbers of the senders and receivers: integers of any width, 1-D. A single number
            goes with every number of the other. int32, uint32, int64 and uint64 are not copied.
        nbytes
            Bytes of each message: one size as a number or text, or a number for each message.
        routing
            A policy or its name, as in `all_reduce`.
        n_threads
            Threads; None for ``RAINIER_NUM_THREADS`` or all cores. Results are the same bits for
            any number.
        progress
            Called with (done, total) now and then; an exception in it stops the job.

        Returns
        -------
        LinkLoads
            Bytes on each link, and what follows from them.

        Raises
        ------
        OutOfRange
            If a chip is not in the machine; the message names it, as in ``src[17]``.
        InvalidArgument, InvalidType
            If the columns do not go together or a value is not usable.
        Unsupported
            If the policy has no meaning on this machine.

        Notes
        -----
        Dimension order costs a constant number of steps per message and axis, whatever the
        distance, plus one pass over the links.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> loads = torus((4, 4), bandwidth="50 GB/s").link_loads([0, 1], [2, 3], 1000)
        >>> loads.total_hop_bytes
        4000.0
        """
        from rainier_fast.results.link_loads import LinkLoads

        row = self._routing(routing)
        threads, notify = as_threads(n_threads), as_progress(progress)
        columns = flow_columns(src, dst, nbytes, self.num_chips)
        return LinkLoads(self, self._core.link_loads(*columns, row, threads, notify))

    def traffic(
        self,
        pattern: str,
        bytes_per_chip: Quantity,
        routing: Routing = "dor",
        *,
        seed: int | None = None,
        shift: int | Sequence[int] | None = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> LinkLoads:
        """Add up the link loads of a pattern in which every chip sends.

        Parameters
        ----------
        pattern
            ``"uniform"`` (equal parts to every chip, itself included), or one receiver for each
            chip: ``"transpose"``, ``"tornado"``, ``"bit_complement"``, ``"neighbor"``,
            ``"permutation"``, ``"bit_reversal"``, ``"shuffle"``, ``"bit_transpose"``.
        bytes_per_chip
            Bytes that each chip sends, as a number or text.
        routing
            A policy or its name, as in `all_reduce`.
        seed
            Which permutation; 0 if not given. For ``"permutation"`` only.
        shift
            How far along each axis, or one distance for all axes. For ``"neighbor"`` only.
        n_threads, progress
            As in `link_loads`.

        Returns
        -------
        LinkLoads
            Bytes on each link, and what follows from them.

        Raises
        ------
        UnknownName
            If there is no such pattern.
        InvalidArgument, InvalidType
            If a value is not usable, or the pattern does not take it.
        Unsupported
            If the pattern or the policy has no meaning on this machine.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> ring = torus((8,), bandwidth="50 GB/s")
        >>> ring.traffic("tornado", 1000).total_hop_bytes
        24000.0
        """
        from rainier_fast.results.link_loads import LinkLoads

        pattern = as_one_of("pattern", pattern, PATTERNS)
        size = parse_bytes(bytes_per_chip, "bytes_per_chip")
        row = self._routing(routing)
        threads, notify = as_threads(n_threads), as_progress(progress)
        if seed is not None and pattern != "permutation":
            raise invalid("seed", seed, f"only permutation has a seed, not {pattern}")
        if shift is not None and pattern != "neighbor":
            raise invalid("shift", shift, f"only neighbor has a shift, not {pattern}")
        if pattern == "uniform":
            return LinkLoads(self, self._core.uniform(size, row))
        number = 0 if seed is None else as_integer("seed", seed, 0, 2**64 - 1)
        dst = self._core.destinations(pattern, self._shifts(shift), number)
        src = np.arange(self.num_chips, dtype=np.uint32)
        return LinkLoads(self, self._core.link_loads(src, dst, size, row, threads, notify))

    def _shifts(self, shift: int | Sequence[int] | None) -> list[int] | None:
        if shift is None:
            return None
        axes = len(self.ultraserver.axes)
        high = 2**31 - 1
        array = as_integers("shift", shift, high)
        if array.ndim == 0:
            return [as_integer("shift", int(array), -high, high)] * axes
        if array.size != axes:
            raise invalid("shift", shift, f"must be one number, or {axes}: one for each axis")
        return [as_integer(f"shift[{at}]", int(one), -high, high) for at, one in enumerate(array)]
