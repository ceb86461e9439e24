"""Collectives prepared for many sizes: all is priced once that does not depend on the size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.ask.cores import CoreGroups
from rainier_fast.ask.options import Asked, Operation
from rainier_fast.ask.request import Request
from rainier_fast.collectives.methods import Collectives, R
from rainier_fast.definitions.check import as_items
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.frozen import frozen, put
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.topology.base import Base
from rainier_fast.units import MAX_BYTES, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.results.times import Times

_SIZES = "must be sizes in bytes: a sequence of numbers and texts, or a 1-D array of numbers"
_BYTES_A_SIZE = 160
"""Bytes that a row of the answer takes while it is made."""


class AskedOnce(Asked, total=False):
    """Options of a method, who takes part, and root or shift where there is one."""

    root: int
    shift: int


@one_screen
@frozen("what is prepared does not change; prepare another plan")
class Prepared:
    """A collective of which all is priced that does not depend on the size: `Plan.prepared`.

    Simulated models, and ``"nccl"``, ``"neuron"``, ``"xla"`` and ``"synthesized"``, run for each
    size.

    Examples
    --------
    >>> from rainier_fast import preset
    >>> prepared = preset("trn2").plan.all_reduce("1 GiB").prepared()
    >>> prepared.times([2**10, 2**20]).time_s.shape
    (2,)
    """

    __slots__ = ("_core", "machine", "request")

    machine: Base
    request: Request
    _core: _core.Prepared

    def __init__(self, machine: Base, request: Request) -> None:
        row, groups = request._core_row(machine), request.groups.core(machine._core)
        made = _core.Prepared(machine._core, row, groups, request._routing_row(machine))
        put(self, machine=machine, request=request, _core=made)

    def __reduce__(self) -> tuple[Any, ...]:
        return Prepared, (self.machine, self.request)

    def _key(self) -> tuple[Any, ...]:
        return self.machine, self.request

    def __repr__(self) -> str:
        return f"prepared {self.request.operation} of {self.request.groups.ranks} ranks"

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps so far: algorithms are priced when a size asks for them."""
        return self._core.nbytes

    def times(self, sizes: Iterable[Any]) -> Times:
        """Return the time at each size in bytes: what `Machine.times` takes, gives and raises.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> prepared = preset("trn2").plan.all_gather("1 MiB").prepared()
        >>> bool(prepared.times(["1 MiB"]).time_s[0] == preset("trn2").all_gather("1 MiB").time_s)
        True
        """
        from rainier_fast.results.times import Times
        from rainier_fast.table import Table

        nbytes = as_sizes(sizes)
        request, groups = self.request, self.request.groups
        scale = groups.on_chips(request).scale if isinstance(groups, CoreGroups) else 1.0
        seconds, numbers, names = self._core.times(scale * nbytes)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = np.where(seconds > 0, nbytes / seconds, np.where(nbytes > 0, math.inf, 0.0))
        factor = self._core.bus_factor
        if isinstance(groups, CoreGroups):
            factor = groups.facts(request)["bus_factor"]
        columns = {
            "bytes": nbytes,
            "time_s": seconds,
            "algorithm": np.array(names or [""], dtype=object)[numbers],
            "algbw_Bps": rates,
            "busbw_Bps": rates * factor if factor > 0 else np.zeros_like(rates),
        }
        return Times(self.machine, self.request, Table(columns)._of_kind(self.request.kind))


class Timing(Collectives[R]):
    """Collectives at many sizes."""

    __slots__ = ()

    def times(
        self, operation: Operation, sizes: Iterable[Any], **options: Unpack[AskedOnce]
    ) -> Times:
        """Return the time of a collective at many sizes, for little more than that of one call.

        Parameters
        ----------
        operation
            Which collective, such as ``"all_reduce"``.
        sizes
            Sizes in bytes: an array of numbers, or a sequence of numbers and texts.
        **options
            Those of the method of that name: `Options`, who takes part, and ``root`` or ``shift``.

        Returns
        -------
        Times
            Seconds and algorithm at each size, as single calls answer.

        Raises
        ------
        RainierError
            If an argument is not usable (the message names it) or a combination has no model.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> mesh = preset("trn2").mesh(dp=4, tp=4)
        >>> mesh.times("all_gather", ["1 KiB", "1 MiB", "1 GiB"], axis="tp").time_s.shape
        (3,)
        """
        nbytes = as_sizes(sizes)
        given = cast("dict[str, Any]", options)
        rank = {name: given.pop(name) for name in ("root", "shift") if name in given}
        name = as_one_of("operation", operation, _core.OPERATIONS)
        first = float(nbytes[0]) if len(nbytes) and name != "barrier" else 0.0
        members, request = self._asked(name, first, cast("Asked", given), **rank)
        return Prepared(members.machine, request).times(nbytes)


def as_sizes(sizes: object) -> NDArray[np.float64]:
    """Return sizes as an array of bytes, each checked by its place."""
    if isinstance(sizes, np.ndarray) and sizes.ndim == 1 and sizes.dtype.kind in "iuf":
        reckon(_BYTES_A_SIZE * len(sizes), f"times at {len(sizes)} sizes", "ask for fewer at once")
        with np.errstate(over="ignore"):  # of wider floats; infinite ones are refused below
            nbytes = np.ascontiguousarray(sizes, np.float64)
        wrong = ~((nbytes >= 0) & (nbytes <= MAX_BYTES))
        if wrong.any():
            at = int(wrong.argmax())
            parse_bytes(sizes[at], f"sizes[{at}]")
        return nbytes
    if isinstance(sizes, str | bytes | np.ndarray):
        raise invalid("sizes", sizes, _SIZES)
    items = as_items("sizes", sizes, _SIZES)
    reckon(_BYTES_A_SIZE * len(items), f"times at {len(items)} sizes", "ask for fewer at once")
    return np.array([parse_bytes(size, f"sizes[{at}]") for at, size in enumerate(items)], float)
