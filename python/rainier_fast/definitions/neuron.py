"""How Trainium chips run collectives: what the links do not say."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from rainier_fast import _core
from rainier_fast.catalog import catalog
from rainier_fast.catalog.load import number_of
from rainier_fast.definitions.check import as_count, as_items, as_ratio
from rainier_fast.errors import Unsupported, invalid, invalid_type
from rainier_fast.units import Quantity, parse_bandwidth, parse_bytes, parse_time

ENTRY: Final = "neuron-trn2"
"""The entry of the catalogue that the defaults are from."""

_MEASURED: Final = "chip_all_reduce_"
"""What figures of all-reduces inside a chip are called, before their bytes."""

_EFA: Final = "efav3"
_MOST_LINKS: Final = 4
_CORES: Final = 8
_MOST_SHARE: Final = "must be above 0 and at most 1: no part is faster than its data sheet"

FITTED: Final = ("call", "step", "hbm_efficiency", "link_efficiency")
"""The parameters that are fitted to rows."""


class FittedOn(NamedTuple):
    """What the rows were that parameters were fitted on."""

    chips: int
    """Of a node."""
    nodes: int
    lnc: int
    operations: tuple[str, ...]
    dtype: str | None
    values: tuple[float, ...]
    """The parameters of `FITTED` that came out."""


@dataclass(frozen=True, slots=True)
class Neuron:
    """Parameters of ``algorithm="neuron"``, shared by all operations and sizes.

    Attributes
    ----------
    call
        Seconds that each call takes, whatever it does.
    step
        Seconds of one pass of the DMA engines that waits for the pass before it; the hop is in it,
        so that the latencies of the axes play no part.
    hbm_efficiency
        Share of the HBM's data-sheet rate that collectives reach.
    link_efficiency
        Share of the links' data-sheet rate that collectives reach.
    lnc
        Logical NeuronCore configuration: 2 (four ranks a chip) or 1 (eight).
    links_at_once
        Links that a chip drives together while it halves or doubles.
    mesh_most
        Largest size in bytes for Mesh.
    halving_most
        Largest size in bytes for recursive halving and doubling (RDH).
    efa_step
        Seconds of one step between nodes, where the links do not take longer.
    efa_goodput
        Bytes/s that one chip alone passes out of its HBM over its NIC.
    efa_instance_goodput
        Bytes/s that all chips of an instance pass so together; a chip passes the least of its
        NIC's rate, `efa_goodput`, and its part of this.
    instance_chips
        Chips of an instance, which follow each other by number.
    replica_groups
        Most replica groups of one program.
    streams
        Most collectives of one program that run at once.
    chip_all_reduce
        What an all-reduce among the four ranks of a chip with LNC 2 took, as pairs of a size and a
        time, in ascending order; empty where that is not known.
    fitted_on
        What `calibrate` fitted the parameters on; results name what differs from it.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> Neuron(call="8 us", step="3 us", hbm_efficiency=0.75).ranks_per_chip
    4
    """

    call: Quantity
    step: Quantity
    hbm_efficiency: float
    link_efficiency: float = 1.0
    lnc: int = 2
    links_at_once: float = 2.0
    mesh_most: Quantity = 2.0**20
    halving_most: Quantity = 2.0**26
    efa_step: Quantity = 15e-6
    replica_groups: int = 16
    streams: int = 4
    efa_goodput: Quantity = 19.3e9
    efa_instance_goodput: Quantity = 270e9
    instance_chips: int = 16
    chip_all_reduce: tuple[tuple[Quantity, Quantity], ...] = ()
    # Where numbers are from is no part of what they are.
    fitted_on: FittedOn | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("call", "step", "efa_step"):
            put(self, name, parse_time(getattr(self, name), name))
        for name in ("hbm_efficiency", "link_efficiency"):
            share = as_ratio(name, getattr(self, name))
            if share > 1:
                raise invalid(name, share, _MOST_SHARE)
            put(self, name, share)
        put(self, "lnc", as_count("lnc", self.lnc))
        if self.lnc not in (1, 2):
            raise invalid("lnc", self.lnc, "must be 1 or 2")
        put(self, "links_at_once", as_ratio("links_at_once", self.links_at_once))
        if self.links_at_once > _MOST_LINKS:
            allowed = f"must be at most {_MOST_LINKS}, the links of a chip in its plane"
            raise invalid("links_at_once", self.links_at_once, allowed)
        for name in ("mesh_most", "halving_most"):
            put(self, name, parse_bytes(getattr(self, name), name))
        if float(self.mesh_most) > float(self.halving_most):
            raise invalid("mesh_most", self.mesh_most, "must be at most halving_most")
        for name in ("efa_goodput", "efa_instance_goodput"):
            put(self, name, parse_bandwidth(getattr(self, name), name))
        put(self, "instance_chips", as_count("instance_chips", self.instance_chips))
        if self.fitted_on is not None and not isinstance(self.fitted_on, FittedOn):
            raise invalid_type("fitted_on", self.fitted_on, "must come of calibrate, or be None")
        put(self, "replica_groups", as_count("replica_groups", self.replica_groups))
        put(self, "streams", as_count("streams", self.streams))
        put(self, "chip_all_reduce", _rows(self.chip_all_reduce))

    @classmethod
    def from_catalog(cls) -> Neuron:
        """Return the parameters that the catalogue holds for Trn2, fitted on a public table.

        Returns
        -------
        Neuron
            For LNC 2.

        Examples
        --------
        >>> Neuron.from_catalog().halving_most
        67108864.0
        """
        return _published()

    @property
    def ranks_per_chip(self) -> int:
        """Ranks of one chip."""
        return _CORES // self.lnc

    def quiet(self) -> Neuron:
        """Return the same parameters with every time at zero: what remains is bytes over rates.

        Examples
        --------
        >>> Neuron.from_catalog().quiet().call
        0.0
        """
        rows = self.chip_all_reduce
        least = float(rows[0][1]) if rows else 0.0
        quiet = tuple((size, max(float(time) - least, 0.0)) for size, time in rows)
        return dataclasses.replace(self, call=0.0, step=0.0, efa_step=0.0, chip_all_reduce=quiet)

    def check_program(self, replica_groups: int, streams: int = 1) -> None:
        """Refuse a program that the runtime does not load.

        Parameters
        ----------
        replica_groups
            Replica groups (communicators) of the program.
        streams
            Collectives that it runs at once.

        Raises
        ------
        Unsupported
            If there are more than the runtime takes.

        Examples
        --------
        >>> Neuron.from_catalog().check_program(16, streams=4)
        """
        if as_count("replica_groups", replica_groups) > self.replica_groups:
            raise Unsupported(
                f"{replica_groups} replica groups in one program: the runtime takes "
                f"{self.replica_groups} (16 since SDK 2.32, 12 before; aws-neuron-sdk, nec.h); "
                "use fewer mesh axes, or split the program"
            )
        if as_count("streams", streams) > self.streams:
            raise Unsupported(
                f"{streams} collectives at once: the runtime has {self.streams} streams "
                "(aws-neuron-sdk, compute-comm-overlap.rst); run them one after another"
            )

    def row(self, hbm_bandwidth: float) -> _core._NeuronRow:
        """Return what the core takes; bytes/s of a chip's HBM are the chip's to know."""
        return (
            self.ranks_per_chip,
            float(self.call),
            float(self.step),
            (
                float(self.efa_step),
                float(self.efa_goodput),
                float(self.efa_instance_goodput),
                self.instance_chips,
            ),
            hbm_bandwidth,
            self.hbm_efficiency,
            self.link_efficiency,
            self.links_at_once,
            float(self.mesh_most),
            float(self.halving_most),
            self._fitted_row(),
            [(float(size), float(time)) for size, time in self.chip_all_reduce]
            if self.lnc == 2
            else [],
        )

    @property
    def fitted_values(self) -> tuple[float, ...]:
        """The parameters that are fitted to rows, in the order of `FITTED`."""
        return tuple(float(getattr(self, name)) for name in FITTED)

    def _fitted_row(self) -> _core._FittedOnRow | None:
        """Return what the parameters were fitted on; None where they are others than those."""
        for fitted in (self.fitted_on, _published_fit()):
            if fitted is not None and fitted.values == self.fitted_values:
                ranks = _CORES // fitted.lnc
                return fitted.chips, fitted.nodes, ranks, list(fitted.operations), fitted.dtype
        return None


def _rows(given: object) -> tuple[tuple[float, float], ...]:
    allowed = "must be pairs of a size and a time, in ascending order of sizes"
    rows = []
    for at, pair in enumerate(as_items("chip_all_reduce", given, allowed)):
        name = f"chip_all_reduce[{at}]"
        values = as_items(name, pair, allowed)
        if len(values) != 2:
            raise invalid(name, pair, allowed)
        rows.append((parse_bytes(values[0], f"size of {name}"), parse_time(values[1], name)))
    sizes = [float(size) for size, _ in rows]
    if any(low >= high for low, high in pairwise([0.0, *sizes])):
        raise invalid("chip_all_reduce", sizes, f"{allowed}, above 0")
    return tuple(rows)


@cache
def _published() -> Neuron:
    entry, efa = catalog()[ENTRY], catalog()[_EFA]
    names = (*FITTED, "links_at_once", "mesh_most", "halving_most", "efa_step")
    numbers: dict[str, Any] = {name: number_of(entry[name]) for name in names}
    for name in ("replica_groups", "streams"):
        numbers[name] = int(entry[name].number)
    sizes = sorted(int(name[len(_MEASURED) :]) for name in entry if name.startswith(_MEASURED))
    return Neuron(
        **numbers,
        chip_all_reduce=tuple((float(at), entry[f"{_MEASURED}{at}"].number) for at in sizes),
        efa_goodput=efa["goodput_single_chip"].number,
        efa_instance_goodput=efa["goodput_instance"].number,
        instance_chips=int(efa["nics_per_instance"].number),
    )


@cache
def _published_fit() -> FittedOn:
    entry = catalog()[ENTRY]
    return FittedOn(
        chips=int(entry["fitted_chips"].number),
        nodes=1,
        lnc=int(entry["fitted_lnc"].number),
        operations=tuple(str(entry["fitted_operations"].value).split(", ")),
        dtype=str(entry["fitted_dtype"].value),
        values=tuple(entry[name].number for name in FITTED),
    )
