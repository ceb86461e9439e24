"""How XLA runs collectives on TPUs: the part, and what the links do not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rainier_fast import _core
from rainier_fast.definitions.check import as_number
from rainier_fast.errors import as_one_of
from rainier_fast.provenance import keep

PARTS: Final = _core.TPU_PARTS
"""Parts as XLA's compiler names them."""


@dataclass(frozen=True, slots=True)
class Tpu:
    """Parameters of ``algorithm="xla"``: which rules choose, and what calls add to links.

    A call takes the launch of its UltraServer and its hops or, where that is more, what of the
    launch its bytes do not hide and these on the links at the rate that they reach.

    Attributes
    ----------
    part
        ``"v4"``, ``"v5e"``, ``"v5p"``, ``"v6e"`` or ``"tpu7x"``.
    link_efficiency
        Share of the links' data-sheet rate that collectives reach.
    exposed_launch
        Share of the launch that no bytes hide.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Tpu("v5p", link_efficiency=0.9).exposed_launch
    0.0
    """

    part: str
    link_efficiency: float = 1.0
    exposed_launch: float = 0.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "part", as_one_of("part", self.part, PARTS))
        for name, least in (("link_efficiency", 1e-9), ("exposed_launch", 0.0)):
            given = getattr(self, name)
            share = as_number(name, given, least, 1.0, f"must be a share from {least:g} to 1")
            put(self, name, keep(given, share))

    def row(self) -> _core._TpuRow:
        """Return the row that the core is built from."""
        return (self.part, float(self.link_efficiency), float(self.exposed_launch))

    def __str__(self) -> str:
        words = f"{self.part}, links at {self.link_efficiency:.1%} of their rate"
        return f"{words}, {self.exposed_launch:.0%} of the launch exposed"
