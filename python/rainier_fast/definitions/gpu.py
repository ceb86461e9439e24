"""What NCCL asks of a GPU machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rainier_fast import _core
from rainier_fast.definitions.check import as_count, as_flag, as_items
from rainier_fast.definitions.nccl import GENERATIONS, NcclTiming
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.units import Quantity, format_time, parse_time

CPUS: Final = ("intel", "amd", "arm")
"""Hosts that NCCL tells apart."""

PROTOCOLS: Final = ("ll", "ll128", "simple")
"""NCCL's protocols."""

VERSIONS: Final = ("2.29.2", "2.30.7")
"""Releases of NCCL whose tables are known."""

_NVLINKS: Final = {"ampere": 12, "hopper": 18, "blackwell": 18}


@dataclass(frozen=True, slots=True)
class Gpu:
    """GPUs of a node as NCCL's tuning model sees them, for ``algorithm="nccl"``.

    A node is an UltraServer of one switch axis. NCCL chooses by the tables of its
    ``src/graph/tuning.cc``; channels follow from its search, ``src/graph/search.cc``.

    Attributes
    ----------
    generation
        ``"ampere"``, ``"hopper"`` or ``"blackwell"``.
    nvlinks
        NVLinks of one GPU; None for the generation's own number (12, 18, 18).
    cpu
        The host: ``"intel"``, ``"amd"`` or ``"arm"``; it matters between nodes only.
    network_latency
        Seconds that the network plugin reports; aws-ofi-nccl reports 35 us on P5en and P6
        instances and 75 us on P5 (aws/aws-ofi-nccl, ``src/platform-aws.cpp``). NCCL's tables have
        the rest.
    protocols
        Which of ``"ll"``, ``"ll128"`` and ``"simple"`` may be used. aws-ofi-nccl leaves only simple
        where EFA does not promise the order of 128 bytes.
    collnet
        Whether network switches reduce.
    nics
        NICs of a node, spread evenly over neighbouring GPUs; together they have the rate of the
        `Nic` of all GPUs. None for one NIC of each GPU's own; 4 on P4d, 32 on P5. A channel takes
        one NIC. A GPU alone on its node that shares one has all of it to NCCL, but the bound by
        links, which has its part alone, holds the time up.
    version
        The release of NCCL, ``"2.30.7"`` or ``"2.29.2"``: they differ in the caps of LL128 and of
        NVLS trees on Blackwell.
    timing
        What the parts of a collective take, fitted to measurements; None for what NCCL's tables
        say, which are there to choose and are up to a third too fast.
    silent
        Whether times leave all latencies out, as on `Machine.without_latency`; NCCL's choice, whose
        tables have latencies, stays.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Gpu("hopper").nvlinks
    18
    """

    generation: str
    nvlinks: int | None = None
    cpu: str = "intel"
    network_latency: Quantity = "0 s"
    protocols: tuple[str, ...] = PROTOCOLS
    collnet: bool = False
    nics: int | None = None
    version: str = "2.30.7"
    timing: NcclTiming | None = None
    silent: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        known_names = (("generation", GENERATIONS), ("cpu", CPUS), ("version", VERSIONS))
        for name, known in known_names:
            put(self, name, as_one_of(name, getattr(self, name), known))
        links = _NVLINKS[self.generation] if self.nvlinks is None else self.nvlinks
        put(self, "nvlinks", as_count("nvlinks", links, 1024))
        put(self, "network_latency", parse_time(self.network_latency, "network_latency"))
        put(self, "protocols", _protocols(self.protocols))
        put(self, "collnet", as_flag("collnet", self.collnet))
        put(self, "silent", as_flag("silent", self.silent))
        if self.nics is not None:
            put(self, "nics", as_count("nics", self.nics, 1024))
        if self.timing is not None and not isinstance(self.timing, NcclTiming):
            raise invalid_type("timing", self.timing, "must be an NcclTiming or None")

    @property
    def network_latency_s(self) -> float:
        """Seconds that the network plugin reports."""
        return float(self.network_latency)

    def row(self) -> _core._GpuRow:
        """Return the row that the core is built from."""
        return (
            self.generation,
            int(self.nvlinks or 0),
            self.cpu,
            self.network_latency_s,
            "ll" in self.protocols,
            "ll128" in self.protocols,
            self.collnet,
            self.nics,
            self.version,
            self.silent,
            None if self.timing is None else self.timing.row(),
        )

    def __str__(self) -> str:
        words = f"{self.generation}, {self.nvlinks} NVLinks, {self.cpu} host"
        words += f", protocols {', '.join(self.protocols)}"
        if self.network_latency_s:
            words += f", network {format_time(self.network_latency_s)}"
        if self.collnet:
            words += ", switches reduce"
        if self.nics is not None:
            words += f", {self.nics} NICs"
        words += f", NCCL {self.version}"
        if self.timing is not None:
            words += ", times fitted"
        if self.silent:
            words += ", without latencies"
        return words


def _protocols(given: object) -> tuple[str, ...]:
    listed = as_items("protocols", given, "must be a sequence of names")
    names = [as_one_of("protocols", name, PROTOCOLS) for name in listed]
    if "simple" not in names:
        raise invalid("protocols", names, "must have 'simple', which NCCL cannot do without")
    return tuple(name for name in PROTOCOLS if name in names)
