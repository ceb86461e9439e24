"""The NIC of a chip, and the scale-up domain that a site repeats."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rainier_fast import _core
from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_name, as_tuple_of
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.gpu import Gpu
from rainier_fast.definitions.neuron import Neuron
from rainier_fast.definitions.tpu import Tpu
from rainier_fast.errors import Unsupported, invalid, invalid_type
from rainier_fast.screen import one_screen
from rainier_fast.units import Quantity, parse_bandwidth, parse_time

RUNTIMES: Final[Mapping[str, str]] = {"neuron": "neuron", "gpu": "nccl", "tpu": "xla"}
"""Algorithms that are a maker's own software, by the part that says what it runs on."""

MAX_AXES = 16
"""Most axes of a domain."""


@dataclass(frozen=True, slots=True)
class Nic:
    """The network interface of each chip, or of several that share it.

    Attributes
    ----------
    bandwidth
        Bytes/s, each direction, as a number or text.
    latency
        Seconds that egress adds, and ingress again.
    overhead
        Seconds that the sender spends on each message it starts.
    chips
        Chips that share it: neighbours by number, as many in every group of them. One that sends
        alone has all of its rate. Faults, `together` by link loads and collectives that are
        simulated between UltraServers are refused where it is more than 1.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Nic("200 Gbps", latency="7.5 us").bandwidth_Bps
    25000000000.0
    >>> Nic("100 Gbps", "7.5 us", chips=2).chips
    2
    """

    bandwidth: Quantity
    latency: Quantity
    overhead: Quantity = "0 s"
    chips: int = 1

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "chips", as_count("chips", self.chips, MAX_COUNT))
        put(self, "bandwidth", parse_bandwidth(self.bandwidth, "bandwidth of the nic"))
        put(self, "latency", parse_time(self.latency, "latency of the nic"))
        put(self, "overhead", parse_time(self.overhead, "overhead of the nic"))

    @property
    def bandwidth_Bps(self) -> float:  # noqa: N802 - B is the unit's letter
        """Bytes/s, each direction."""
        return float(self.bandwidth)

    @property
    def latency_s(self) -> float:
        """Seconds that egress adds, and ingress again."""
        return float(self.latency)

    @property
    def overhead_s(self) -> float:
        """Seconds that the sender spends on each message."""
        return float(self.overhead)

    def row(self) -> tuple[float, float, float, int]:
        """Return the row that the core is built from."""
        return self.bandwidth_Bps, self.latency_s, self.overhead_s, self.chips


_PARTS: Final[Mapping[str, type]] = {
    "chip": Chip,
    "nic": Nic,
    "gpu": Gpu,
    "neuron": Neuron,
    "tpu": Tpu,
}


@one_screen
@dataclass(frozen=True, slots=True)
class UltraServer:
    """A scale-up domain: chips on a product of axes, each with a NIC if domains are to meet.

    Attributes
    ----------
    name
        Its name.
    chip
        What each chip is; None where only the network matters.
    axes
        The axes, fastest first.
    nic
        The NIC of each chip, or None.
    overhead
        Seconds that a sender spends on each message inside the domain.
    launch
        Least seconds that a collective call takes: its issue overlaps the transfer, so a call takes
        the longer of the two. A group of one still costs nothing.
    gpu
        What NCCL's tuning model asks of the chips, for ``algorithm="nccl"``; None where they are
        not GPUs.
    neuron
        How the chips run collectives where they are Trainium, for ``algorithm="neuron"``.
    tpu
        What XLA asks of the chips where they are TPUs, for ``algorithm="xla"``.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> server = UltraServer("pair", None, [Axis("x", 2, "line", "50 GB/s")], Nic("25 GB/s", 0))
    >>> server.num_chips, server.nic_bandwidth_Bps
    (2, 50000000000.0)
    """

    name: str
    chip: Chip | None
    axes: tuple[Axis, ...]
    nic: Nic | None = None
    overhead: Quantity = 0.0
    launch: Quantity = 0.0
    gpu: Gpu | None = None
    neuron: Neuron | None = None
    tpu: Tpu | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "name", as_name("name", self.name))
        for part, kind in _PARTS.items():
            given = getattr(self, part)
            if given is not None and not isinstance(given, kind):
                raise invalid_type(part, given, f"must be a {kind.__name__} or None")
        put(self, "axes", as_tuple_of("axes", self.axes, Axis))
        if not 1 <= len(self.axes) <= MAX_AXES:
            raise invalid("axes", self.axes, f"a domain has 1 to {MAX_AXES} axes")
        names = [axis.name for axis in self.axes]
        if len(set(names)) < len(names):
            raise invalid("axes", names, "must have a different name each")
        if self.num_chips > MAX_COUNT:
            raise invalid("shape", self.shape, f"a machine has at most {MAX_COUNT:,} chips")
        shared = 1 if self.nic is None else self.nic.chips
        if self.num_chips % shared:
            raise invalid("chips", shared, f"of a Nic must divide the {self.num_chips} chips")
        if shared > 1 and self.gpu is not None and self.gpu.nics is not None:
            raise invalid("nics", self.gpu.nics, "the Nic says how many there are: leave it out")
        put(self, "overhead", parse_time(self.overhead, "overhead"))
        put(self, "launch", parse_time(self.launch, "launch"))
        if self.neuron is not None and self.chip is None:
            raise invalid("neuron", self.neuron, "needs a chip, whose HBM it uses")

    @property
    def num_chips(self) -> int:
        """Chips of one domain."""
        return math.prod(axis.size for axis in self.axes)

    @property
    def num_nics(self) -> int:
        """NICs of one domain."""
        return 0 if self.nic is None else self.num_chips // self.nic.chips

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each axis, fastest first."""
        return tuple(axis.size for axis in self.axes)

    @property
    def runtime(self) -> str | None:
        """The software that runs collectives here: ``"neuron"``, ``"nccl"``, ``"xla"`` or None.

        The one that `neuron`, `gpu` or `tpu` speaks for; None without one of them, or with several.
        """
        known = [name for part, name in RUNTIMES.items() if getattr(self, part) is not None]
        return known[0] if len(known) == 1 else None

    @property
    def overhead_s(self) -> float:
        """Seconds that a sender spends on each message inside the domain."""
        return float(self.overhead)

    @property
    def launch_s(self) -> float:
        """Least seconds that a collective call takes."""
        return float(self.launch)

    @property
    def hbm_bytes(self) -> int:
        """Bytes of memory of all chips; `Unsupported` without a chip."""
        return self.num_chips * int(float(self._chip().hbm_bytes))

    @property
    def nic_bandwidth_Bps(self) -> float:  # noqa: N802 - B is the unit's letter
        """Bytes/s of all NICs together, each direction; 0 without NICs."""
        return self.num_nics * (0.0 if self.nic is None else self.nic.bandwidth_Bps)

    def peak_flops(self, dtype: str, *, tensor_only: bool = False) -> float:
        """Return the dense FLOP/s of all chips; arguments and errors as `Chip.flops`.

        Raises
        ------
        Unsupported
            If the domain has no chip.

        Examples
        --------
        >>> from rainier_fast import TRN2_ULTRASERVER
        >>> TRN2_ULTRASERVER.peak_flops("fp8")
        8.3136e+16
        """
        return self.num_chips * self._chip().flops(dtype, tensor_only=tensor_only)

    @property
    def ranks_per_chip(self) -> int | None:
        """Ranks that its software makes of a chip; None where that is not known.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> [preset(name).ultraserver.ranks_per_chip for name in ("trn2", "trn1", "h100")]
        [4, 2, None]
        """
        if self.neuron is not None:
            return self.neuron.ranks_per_chip
        return None if self.chip is None else self.chip.devices

    def neuron_row(self) -> _core._NeuronRow | None:
        """Return what the core takes of `neuron`."""
        if self.neuron is None:
            return None
        return self.neuron.row(float(self._chip().hbm_bandwidth_Bps))

    def _chip(self) -> Chip:
        if self.chip is None:
            raise Unsupported(
                f"{self.name} does not say what its chips are; "
                "give its UltraServer a chip, for example Chip.from_catalog('trainium2')"
            )
        return self.chip
