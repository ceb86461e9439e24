"""Groups whose ranks are cores, several of a chip, as software on Trainium and TPU7x has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.groups import Groups
from rainier_fast.definitions.check import as_count
from rainier_fast.definitions.ultraserver import RUNTIMES
from rainier_fast.errors import Unsupported, invalid
from rainier_fast.memory import reckon

if TYPE_CHECKING:
    from rainier_fast.topology.base import Base

_SOFTWARE: Final = frozenset(RUNTIMES.values())
_TWICE: Final = ("all_reduce",)
_ONCE: Final = ("reduce_scatter", "all_gather", "all_to_all")


class Asked(Protocol):
    """What a request among cores says."""

    @property
    def operation(self) -> str:
        """What is done."""

    @property
    def size(self) -> float:
        """Bytes."""

    @property
    def root(self) -> int:
        """Rank of the root."""

    @property
    def shift(self) -> int:
        """How many ranks further on."""

    @property
    def algorithm(self) -> str | tuple[str, ...]:
        """Names."""

    @property
    def model(self) -> str:
        """How contention is modelled."""


class OnChips(NamedTuple):
    """A request among cores as chips do it: the size of theirs over that of a core, root, shift."""

    scale: float
    root: int
    shift: int


@dataclass(frozen=True, slots=True)
class CoreGroups(Groups):
    """The chips of groups whose ranks are cores; made by a mesh with several ranks a chip.

    ``listed`` has the chips of each group once, `cores` how many ranks of each chip a group has,
    and `copies` how many groups have the same chips.
    """

    cores: int = 1
    copies: int = 1
    in_order: bool = True
    """Whether ranks go through all cores of one chip, then of the next."""

    @property
    def members_of_each(self) -> int:
        """Ranks in each group."""
        return self.cores * self.ranks

    def on_chips(self, request: Asked) -> OnChips:
        """Return what chips do for what cores ask; `Unsupported` where that is not known."""
        cores, copies, operation = self.cores, self.copies, request.operation
        whole = f"{cores} of the {cores * copies} ranks (cores) per chip in each group"
        if request.algorithm in _SOFTWARE:
            if copies > 1 or (request.algorithm != "neuron" and cores > 1):
                raise Unsupported(
                    f"{request.algorithm} with {whole}: what its software takes for that has no "
                    "figure; use algorithm='auto' for the links alone, or a group of all cores"
                )
        elif self.ranks == 1 and cores > 1:
            raise Unsupported(
                f"{operation} among {cores} cores of one chip by links, of which there are none "
                "inside a chip; algorithm='neuron' knows what was measured on Trainium2"
            )
        scale, shift = self._scale(request)
        if scale != 1 and request.model not in ("link_load", "fluid"):
            raise Unsupported(
                f"{operation} with {whole} under model {request.model!r}, in which messages that "
                "leave a chip together are not as one; use 'link_load' or 'fluid'"
            )
        ranked = request.root != 0 or operation == "send_recv"
        if ranked and cores > 1 and not self.in_order:
            raise Unsupported(
                f"{operation} over ranks that go from chip to chip before all cores of one had "
                "their turn; name the axes with cores last"
            )
        return OnChips(scale, request.root // cores, shift)

    def _scale(self, request: Asked) -> tuple[float, int]:
        cores, shift = self.cores, request.shift
        scale = 1
        if request.operation == "all_to_all":
            # A share from each core to each, of which the model of the runtime knows.
            scale = 1 if request.algorithm == "neuron" else cores
        elif request.operation == "send_recv" and cores > 1 and self.ranks > 1:
            if shift % cores == 0 and request.algorithm != "neuron":
                scale, shift = cores, shift // cores
            elif abs(shift) != 1:  # of which one core of each chip sends to another
                raise Unsupported(
                    f"send_recv to the rank {shift} further on, {cores} ranks a chip: only some "
                    f"leave the chip; use a shift of 1, -1 or a multiple of {cores}"
                )
        return float(scale * self.copies), shift

    def facts(self, request: Asked) -> Mapping[str, Any]:
        """Return what results say of ranks, where the core says it of chips."""
        ranks = self.members_of_each
        share = (ranks - 1) / ranks
        doubled = {**dict.fromkeys(_TWICE, 2 * share), **dict.fromkeys(_ONCE, share)}
        return {
            "ranks": ranks,
            "groups": self.copies * self.count,
            "size_bytes": request.size,
            "bus_factor": doubled.get(request.operation, 1.0),
        }


def core_groups(machine: Base, ranks: NDArray[np.int64], per_chip: int) -> CoreGroups:
    """Return groups of ranks, one a row, as the chips that they are on."""
    reckon(64 * ranks.size, f"groups of {ranks.size:,} ranks in all", "use a smaller machine")
    chips = ranks // per_chip
    ordered = np.sort(chips, axis=1)
    cores = int((ordered[0] == ordered[0, 0]).sum())
    units = ordered[:, ::cores]
    alike = chips.shape[1] % cores == 0 and np.array_equal(np.repeat(units, cores, 1), ordered)
    known, first = np.unique(units, axis=0, return_index=True)
    if not alike or known.size != machine.num_chips:
        raise Unsupported(
            f"axis: groups in which chips have unlike numbers of their {per_chip} ranks, or "
            "whose chips overlap; use sizes that divide the ranks per chip, or are multiples of it"
        )
    in_turn = chips[:, ::cores]
    in_order = np.array_equal(np.repeat(in_turn, cores, 1), chips)
    listed = (in_turn if in_order else units)[np.sort(first)]
    return CoreGroups(
        num_chips=machine.num_chips,
        ranks=int(listed.shape[1]),
        stride=0,
        listed=np.ascontiguousarray(listed).tobytes(),
        cores=cores,
        copies=per_chip // cores,
        in_order=in_order,
    )


def as_ranks_per_chip(machine: Base, given: object) -> int:
    """Return ranks per chip: 1 for chips, or as many as the machine's software makes."""
    number = as_count("ranks_per_chip", given, 64)
    known = machine.ultraserver.ranks_per_chip
    if number != 1 and known is not None and number != known:
        allowed = "must be 1, of which chips are ranks"
        if known > 1:
            allowed += f", or {known}, the ranks (cores) per chip of {machine.ultraserver.name}"
        raise invalid("ranks_per_chip", number, allowed)
    return number


def cores_hint(machine: Base, ranks: int) -> str:
    """Return what to do where so many ranks may be cores; nothing where they cannot be."""
    known = machine.ultraserver.ranks_per_chip or 1
    if known == 1 or ranks > known * machine.num_chips:
        return ""
    return (
        f"; ranks are chips here, and software makes {known} ranks (cores) per chip of this one: "
        f"machine.mesh(..., ranks_per_chip={known}) takes axes of those"
    )
