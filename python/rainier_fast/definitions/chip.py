"""One accelerator chip: how fast it computes, how much it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from rainier_fast.catalog import Entry, catalog
from rainier_fast.definitions.check import as_count, as_flag, as_items, as_name, as_pairs, as_ratio
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.screen import one_screen
from rainier_fast.units import Quantity, parse_bandwidth, parse_bytes

DTYPES: Final = ("bf16", "fp32", "fp8")
"""Types of numbers whose dense rates the catalogue holds, where the maker publishes them."""

_DTYPE_ALIASES: Final = {
    "bfloat16": "bf16",
    "float16": "bf16",
    "fp16": "bf16",
    "f32": "fp32",
    "float": "fp32",
    "float32": "fp32",
    "float8": "fp8",
    "f8e4m3": "fp8",
    "float8_e4m3": "fp8",
}

Rates: TypeAlias = Mapping[str, float] | tuple[tuple[str, float], ...]
"""FLOP/s by type of number; stored as pairs, sorted."""


@one_screen
@dataclass(frozen=True, slots=True)
class Chip:
    """A chip.

    Attributes
    ----------
    name
        Its name, as in the catalogue where it is there.
    peak_flops
        Dense FLOP/s of all engines by type of number, as sorted pairs.
    tensor_flops
        The part of it that matrix products reach.
    hbm_bytes
        Bytes of memory.
    hbm_bandwidth_Bps
        Bytes/s of memory.
    dma_bandwidth_Bps
        Bytes/s of all DMA engines together, which collectives and computation share; None where
        it is not known.
    devices
        Ranks that software makes of it: cores, chiplets or all of it; None where that is not known.

    Raises
    ------
    InvalidArgument
        If a number is not finite or not above 0, or a type of number repeats.
    InvalidType
        If something is of the wrong type.

    Examples
    --------
    >>> chip = Chip("mine", {"bf16": 1e15}, {"bf16": 0.9e15}, "96 GiB", "3 TB/s")
    >>> chip.flops("bf16"), chip.hbm_bytes
    (1000000000000000.0, 103079215104)
    """

    name: str
    peak_flops: Rates
    tensor_flops: Rates = ()
    hbm_bytes: Quantity = 1
    hbm_bandwidth_Bps: Quantity = 1.0  # noqa: N815 - B is the unit's letter
    dma_bandwidth_Bps: Quantity | None = None  # noqa: N815 - B is the unit's letter
    devices: int | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "name", as_name("name", self.name))
        put(self, "peak_flops", _rates("peak_flops", self.peak_flops))
        put(self, "tensor_flops", _rates("tensor_flops", self.tensor_flops))
        size = parse_bytes(self.hbm_bytes, "hbm_bytes")
        if size < 1:
            raise invalid("hbm_bytes", self.hbm_bytes, "must be at least 1 byte")
        put(self, "hbm_bytes", int(size))
        rate = parse_bandwidth(self.hbm_bandwidth_Bps, "hbm_bandwidth_Bps")
        put(self, "hbm_bandwidth_Bps", rate)
        if self.dma_bandwidth_Bps is not None:
            rate = parse_bandwidth(self.dma_bandwidth_Bps, "dma_bandwidth_Bps")
            put(self, "dma_bandwidth_Bps", rate)
        if self.devices is not None:
            put(self, "devices", as_count("devices", self.devices))

    @classmethod
    def from_catalog(cls, name: str) -> Chip:
        """Make a chip of the catalogue's figures.

        Parameters
        ----------
        name
            A chip of `rainier_fast.catalog()`.

        Returns
        -------
        Chip
            Rates in FLOP/s, memory in bytes and bytes/s. A type of number that has no published
            rate is left out.

        Raises
        ------
        UnknownName
            If the catalogue has no such chip.

        Examples
        --------
        >>> Chip.from_catalog("trainium2").flops("fp8")
        1299000000000000.0
        """
        chips = {key: entry for key, entry in catalog().items() if entry.kind == "chip"}
        entry = chips[as_one_of("chip", name, chips)]
        return cls(
            entry.name,
            _listed(entry, "peak_flops"),
            _listed(entry, "tensor_flops"),
            entry["hbm_bytes"].number,
            entry["hbm_bandwidth"].number,
            entry["dma_bandwidth"].number if "dma_bandwidth" in entry else None,
            int(entry["devices"].number) if "devices" in entry else None,
        )

    def flops(self, dtype: str, *, tensor_only: bool = False) -> float:
        """Return the dense rate for a type of number.

        Parameters
        ----------
        dtype
            ``"fp8"``, ``"bf16"`` or ``"fp32"``, or another name that the chip was given.
        tensor_only
            Count the tensor engines only, which bound matrix products.

        Returns
        -------
        float
            FLOP/s.

        Raises
        ------
        UnknownName
            If the chip has no rate for this type.

        Examples
        --------
        >>> Chip.from_catalog("trainium2").flops("bf16", tensor_only=True)
        632000000000000.0
        """
        pairs = self.tensor_flops if as_flag("tensor_only", tensor_only) else self.peak_flops
        rates = dict(pairs)
        return rates[as_one_of("dtype", dtype, rates, lambda: _DTYPE_ALIASES)]


def _listed(entry: Entry, kind: str) -> dict[str, float]:
    return {
        dtype: entry[f"{kind}_{dtype}"].number for dtype in DTYPES if f"{kind}_{dtype}" in entry
    }


def _rates(argument: str, given: object) -> tuple[tuple[str, float], ...]:
    allowed = "must map types of numbers such as 'bf16' to FLOP/s"
    rates: dict[str, float] = {}
    read = as_pairs if isinstance(given, Mapping) else as_items
    for pair in read(argument, given, allowed):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise invalid_type(argument, given, allowed)
        dtype = as_name(f"{argument} type", pair[0])
        if dtype in rates:
            raise invalid(argument, dtype, "must name each type of number once")
        rates[dtype] = as_ratio(f"{argument}[{dtype!r}]", pair[1])
    return tuple(sorted(rates.items()))
