"""What NCCL's tuning model asks of a GPU machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rainier_fast.definitions.check import as_count, as_flag, as_items
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.units import Quantity, format_time, parse_time

GENERATIONS: Final = ("ampere", "hopper", "blackwell")
"""Generations: A100; H100 and H200; B200, GB200 and GB300."""

CPUS: Final = ("intel", "amd", "arm")
"""Hosts that NCCL tells apart."""

PROTOCOLS: Final = ("ll", "ll128", "simple")
"""NCCL's protocols."""

_NVLINKS: Final = {"ampere": 12, "hopper": 18, "blackwell": 18}


@dataclass(frozen=True, slots=True)
class Gpu:
    """GPUs of a node as the tuning model of NCCL 2.30.7 sees them, for ``algorithm="nccl"``.

    A node is an UltraServer of one switch axis. The tables are those of NVIDIA/nccl v2.30.7,
    ``src/graph/tuning.cc``; channels follow from its search, ``src/graph/search.cc``. Each GPU is
    taken to have one NIC of its own, at the rate of the UltraServer's `Nic`.

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
    fill
        Seconds that protocol simple takes to fill its pipeline beyond NCCL's figures. NCCL has no
        such figure (0): its model is there to choose, and this is fitted to measurements.

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
    fill: Quantity = "0 s"

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name, known in (("generation", GENERATIONS), ("cpu", CPUS)):
            put(self, name, as_one_of(name, getattr(self, name), known))
        links = _NVLINKS[self.generation] if self.nvlinks is None else self.nvlinks
        put(self, "nvlinks", as_count("nvlinks", links, 1024))
        put(self, "network_latency", parse_time(self.network_latency, "network_latency"))
        put(self, "protocols", _protocols(self.protocols))
        put(self, "collnet", as_flag("collnet", self.collnet))
        put(self, "fill", parse_time(self.fill, "fill"))

    @property
    def network_latency_s(self) -> float:
        """Seconds that the network plugin reports."""
        return float(self.network_latency)

    @property
    def fill_s(self) -> float:
        """Seconds of filling protocol simple's pipeline beyond NCCL's figures."""
        return float(self.fill)

    def row(self) -> tuple[str, int, str, float, bool, bool, bool, float]:
        """Return the row that the core is built from."""
        return (
            self.generation,
            int(self.nvlinks or 0),
            self.cpu,
            self.network_latency_s,
            "ll" in self.protocols,
            "ll128" in self.protocols,
            self.collnet,
            self.fill_s,
        )

    def __str__(self) -> str:
        words = f"{self.generation}, {self.nvlinks} NVLinks, {self.cpu} host"
        words += f", protocols {', '.join(self.protocols)}"
        if self.network_latency_s:
            words += f", network {format_time(self.network_latency_s)}"
        if self.collnet:
            words += ", switches reduce"
        if self.fill_s:
            words += f", fitted fill {format_time(self.fill_s)}"
        return words


def _protocols(given: object) -> tuple[str, ...]:
    listed = as_items("protocols", given, "must be a sequence of names")
    names = [as_one_of("protocols", name, PROTOCOLS) for name in listed]
    if "simple" not in names:
        raise invalid("protocols", names, "must have 'simple', which NCCL cannot do without")
    return tuple(name for name in PROTOCOLS if name in names)
