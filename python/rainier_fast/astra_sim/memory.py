"""ASTRA-sim's file of remote memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from rainier_fast.astra_sim.files import settings
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import as_one_of, invalid

_TYPES: Final = (
    "NO_MEMORY_EXPANSION",
    "PER_NPU_MEMORY_EXPANSION",
    "PER_NODE_MEMORY_EXPANSION",
    "MEMORY_POOL",
)
_MOST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory beside that of the NPUs: whole nanoseconds, and whole bytes per nanosecond.

    Attributes
    ----------
    kind
        ``"NO_MEMORY_EXPANSION"``, ``"PER_NPU_MEMORY_EXPANSION"``, ``"PER_NODE_MEMORY_EXPANSION"``
        or ``"MEMORY_POOL"``.
    latency_ns, bandwidth_gbps
        Of one access.
    npus_per_node
        NPUs that share a memory, which serves one access at a time.

    Examples
    --------
    >>> Memory("MEMORY_POOL", 100, 50).kind
    'MEMORY_POOL'
    """

    kind: str = "NO_MEMORY_EXPANSION"
    latency_ns: int = 0
    bandwidth_gbps: int = 0
    npus_per_node: int = 0

    def __post_init__(self) -> None:
        as_one_of("memory-type", self.kind, _TYPES)
        for name in ("latency_ns", "bandwidth_gbps", "npus_per_node"):
            as_integer(name, getattr(self, name), 0, _MOST)
        if self.kind != _TYPES[0] and self.bandwidth_gbps == 0:
            raise invalid("remote-mem-bw", 0, "must be 1 at least: the peer divides by it")
        if self.kind == _TYPES[2] and self.npus_per_node == 0:
            raise invalid("num-npus-per-node", 0, "must be 1 at least: the peer divides by it")

    @classmethod
    def read(cls, source: str | os.PathLike[str] | dict[str, Any]) -> Memory:
        """Read a file of remote memory, or take its settings as a dict.

        Raises
        ------
        InvalidArgument, InvalidType
            If it is none.

        Examples
        --------
        >>> Memory.read({"memory-type": "NO_MEMORY_EXPANSION"}) == Memory()
        True
        """
        return cls.of_settings(settings("memory", source)[0])

    @classmethod
    def of_settings(cls, found: dict[str, Any]) -> Memory:
        """Make one of the settings of a file.

        Examples
        --------
        >>> row = {"memory-type": "MEMORY_POOL", "remote-mem-latency": 5, "remote-mem-bw": 2}
        >>> Memory.of_settings(row).latency_ns
        5
        """
        whole = {
            key: int(value) if isinstance(value, float) and isfinite(value) else value
            for key, value in found.items()
        }
        return cls(
            found.get("memory-type", _TYPES[0]),
            whole.get("remote-mem-latency", 0),
            whole.get("remote-mem-bw", 0),
            whole.get("num-npus-per-node", 0),
        )

    def row(self, npus: int) -> tuple[str, int, int, int]:
        """Return it as the core takes it.

        Examples
        --------
        >>> Memory().row(4)
        ('none', 0, 0, 0)
        """
        if self.kind == _TYPES[0]:
            return "none", 0, 0, 0
        if self.kind == _TYPES[1]:
            return "own", self.latency_ns, self.bandwidth_gbps, 0
        sharers = npus if self.kind == _TYPES[3] else min(self.npus_per_node, npus)
        return "shared", self.latency_ns, self.bandwidth_gbps, sharers
