"""The compiled core. Private: the public face is `rainier_fast`; units are bytes, seconds, bytes/s."""

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

# (group size in leaves, oversubscription, latency in s)
Tier = tuple[int, float, float]
# (name, size, kind, bandwidth, latency, tiers); kind: ring, line, switch, spanning_switch, full_mesh
AxisRow = tuple[str, int, str, float, float, Sequence[Tier]]
# (name, UltraServers, fabric tiers with groups counted in UltraServers)
SiteRow = tuple[str, int, Sequence[Tier]]
# ("dor", tie, order or None) | ("adaptive", "", None) | ("valiant", "", None)
RoutingRow = tuple[str, str, Sequence[int] | None]
Progress = Callable[[int, int], object]

__version__: str

def build_info() -> dict[str, str]: ...
def algorithms(operation: str | None) -> list[tuple[str, str, list[str]]]:
    """(name, one line, operations) of each algorithm; of one operation, or of all."""

@final
class Machine:
    def __new__(
        cls,
        axes: Sequence[AxisRow],
        overhead: float,
        nic: tuple[float, float, float] | None,
        sites: Sequence[SiteRow],
        wan: tuple[str, Sequence[float], Sequence[float]] | None,
    ) -> Machine: ...
    @property
    def num_chips(self) -> int: ...
    @property
    def num_links(self) -> int: ...
    @property
    def num_domains(self) -> int: ...
    def places(self, chips: NDArray[np.int64]) -> tuple[
        NDArray[np.uint32], NDArray[np.uint32], list[NDArray[np.uint32]]
    ]:
        """(site, UltraServer in the site, coordinate along each axis) of each chip."""
    def link(self, link: int) -> tuple[str, str, str, str, int | None, int | None, float, float]:
        """(class, direction, from in words, to in words, from chip, to chip, bandwidth, latency)."""
    def link_runs(self) -> list[tuple[int, str, float, float]]:
        """Runs of equal links by number, neighbours merged: (count, class, bandwidth, latency)."""
    def link_bandwidths(self) -> NDArray[np.float64]: ...
    def route(self, src: int, dst: int, routing: RoutingRow) -> tuple[
        NDArray[np.int64], NDArray[np.float64], float, int, float, float, float
    ]:
        """(links, shares, mean hops, longest hops, latency, bandwidth, overhead)."""
    def link_loads(
        self,
        src: NDArray[Any],
        dst: NDArray[Any],
        nbytes: float | NDArray[np.float64],
        routing: RoutingRow,
        n_threads: int,
        progress: Progress | None,
    ) -> NDArray[np.float64]:
        """src and dst: contiguous native int32, uint32, int64 or uint64, each of its own dtype."""
    def uniform(self, bytes_per_chip: float, routing: RoutingRow) -> NDArray[np.float64]: ...
    def destinations(
        self, pattern: str, shift: Sequence[int] | None, seed: int
    ) -> NDArray[np.uint32]:
        """pattern: transpose, tornado, bit_complement, neighbor, permutation, bit_reversal, shuffle, bit_transpose."""
    def collective(
        self,
        operation: str,
        size: float,
        groups: Groups,
        routing: RoutingRow,
        root: int,
        shift: int,
        algorithm: str | Sequence[str],
        model: str,
        chunks: int | None,
    ) -> Outcome: ...

@final
class Groups:
    """Who takes part. Immutable."""

    @staticmethod
    def all(machine: Machine) -> Groups: ...
    @staticmethod
    def mesh_axis(machine: Machine, size: int, stride: int) -> Groups: ...
    @staticmethod
    def of_chips(machine: Machine, chips: NDArray[np.int64]) -> Groups: ...
    @property
    def ranks(self) -> int: ...
    @property
    def count(self) -> int: ...
    def members(self, machine: Machine, index: int) -> NDArray[np.uint32]: ...

@final
class Outcome:
    operation: str
    algorithm: str
    model: str
    ranks: int
    groups: int
    size: float
    bus_factor: float
    chunks: int
    time: float
    latency: float
    overhead: float
    lower_bound: float
    # (stage, tier, steps, bytes, latency, overhead, serialisation, time, bottleneck class)
    stages: list[tuple[str, str, int, float, float, float, float, float, str]]
    # (stage, what, tier, steps, bytes, latency, overhead, serialisation, time, bottleneck class)
    phases: list[tuple[str, str, str, int, float, float, float, float, float, str]]
    # (class, link, bytes, utilisation)
    bottleneck: tuple[str, int, float, float] | None
    bounds: list[tuple[str, float]]
    # (algorithm, seconds or None, reason it does not apply or "")
    candidates: list[tuple[str, float | None, str]]
    def link_loads(self) -> NDArray[np.float64]: ...
