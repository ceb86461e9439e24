"""The compiled core, private to `rainier_fast`; units are bytes, seconds, bytes/s."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

_U8 = NDArray[np.uint8]
_U32 = NDArray[np.uint32]
_U64 = NDArray[np.uint64]
_I64 = NDArray[np.int64]
_F64 = NDArray[np.float64]
# (group size in leaves, oversubscription, latency in s)
_Tier = tuple[int, float, float]
# (name, size, kind, bandwidth, latency, tiers), kind one of ring, line, switch,
# spanning_switch, full_mesh
_AxisRow = tuple[str, int, str, float, float, Sequence[_Tier]]
# (name, UltraServers, fabric tiers with groups counted in UltraServers)
_SiteRow = tuple[str, int, Sequence[_Tier]]
# ("dor", tie, order or None) | (name, "", None), name one of adaptive, valiant, wild_first,
# shortest, up_down
_Cuts = Sequence[Sequence[tuple[int, int, bool]]]
_RoutingRow = tuple[str, str, Sequence[int] | None]
# (generation, NVLinks, cpu, network latency, LL, LL128, CollNet, NICs of a node, release, what was
# fitted: twelve numbers)
_GpuRow = tuple[str, int, str, float, bool, bool, bool, int | None, str, bool, Any]
# (rank that has it at first, rank that must have it at last, bytes)
_Block = tuple[int | None, int | None, float]
# (src, dst, blocks, bytes, reduce, stage, lane, step, sends that it waits for)
_Send = tuple[int, int, Sequence[int], float, bool, int, int, int, Sequence[int]]
# rate, bandwidth, launch, area, depth, conversion, bytes of an operand's number and an output's
_MatmulRow = tuple[float, float, float, float, float, float, float, float]
# rate, share of it backward, bandwidth, launch, few, score, row, bytes of a number
_AttentionRow = tuple[float, float, float, float, float, float, float, float]
_MemoryRow = tuple[float, float]
_EfficiencyRow = tuple[_MatmulRow, _AttentionRow, _MemoryRow]
# step (s), goodput of a chip and of an instance (bytes/s), chips of an instance
_EfaRow = tuple[float, float, float, int]
# chips of a node, nodes, ranks of a chip, operations, type
_FittedOnRow = tuple[int, int, int, list[str], str | None]
# ranks a chip; call, step (s); EFA; HBM bytes/s; HBM and link efficiency; links at once;
# most bytes for Mesh and for halving
_NeuronRow = tuple[
    int,
    float,
    float,
    _EfaRow,
    float,
    float,
    float,
    float,
    float,
    float,
    _FittedOnRow | None,
    list[tuple[float, float]],
]
# part, link efficiency, exposed share of the launch
_TpuRow = tuple[str, float, float]
# a collective as `RequestRow` of rust/py/src/convert.rs takes it, by name
_RequestRow = Mapping[str, Any]
# (UltraServer, alike, pairs, cut, other order, detours, wild, wild hops, promised, virtual
# channels), (link, virtual channel) of a cycle, (mean hops, longest, highest load) damaged, healthy
_ReportRow = tuple[
    tuple[int, int, int, int, int, int, int, int, bool, int],
    list[tuple[int, int]],
    tuple[float, int, float],
    tuple[float, int, float],
]
# failures per hour of a chip, cable, NIC, host and UltraServer; chips of a host
_RatesRow = tuple[float, float, float, float, float, int]
# links, chips, NICs, UltraServers, sites, slower links and their factors
_FaultRow = tuple[_U64, _U32, _U32, _U32, _U32, _U64, _F64]
_Progress = Callable[[int, int], object]
# (class, link, chip, plans)
_Meeting = tuple[str, int | None, int | None, list[int]]
# (plans as (alone, time, start, finish, what slows it), makespan, busiest link, which, messages)
_Together = tuple[
    list[tuple[float, float, float, float, _Meeting | None]], float, float, _Meeting | None, int
]
# name, op, as written, bytes in and out, dtype, number of the groups, count, whether it only starts
# there, line, notes
_CompiledRow = tuple[
    str, str, str, int | None, int | None, str | None, int | None, int | None, bool | None, int,
    list[str],
]  # fmt: skip
# name, replicas, partitions, collectives, groups as ("lists", ids, sizes), ("iota", count, size,
# dims, perm), ("pairs", ids) or ("everyone", ranks), notes
_ProgramRow = tuple[
    str, int | None, int | None, list[_CompiledRow], list[tuple[Any, ...]], list[str]
]

__all__ = [
    "MODELS", "OPERATIONS", "PIPELINE_SCHEDULES", "TPU_PARTS", "Faults", "FreePlanes", "Groups",
    "Machine", "Order", "Outcome", "Prepared", "Schedule", "Tables", "Written", "__version__",
    "algorithms", "astra_sim", "attention_times", "best_layouts", "best_mapping", "build_info",
    "damaged_ultraservers", "dead_ultraservers", "faults", "healthy", "in_mode", "kept",
    "keys_seen", "kineto_events", "layout_space", "links_named", "mapping_dimensions",
    "matmul_times",
    "memory_limit", "memory_time", "monte_carlo", "num_live_chips", "overlay_bytes",
    "pipeline_events", "pipeline_forms", "read_chakra", "read_hlo", "read_stablehlo", "repaired",
    "replace_damaged", "routing_reports", "sample_faults", "serve", "serve_events",
    "set_memory_limit", "share_links", "share_messages",
    "simulate_pipeline", "training_step", "unreachable", "weigh_layouts", "with_faults",
    "write_chakra", "write_out",
]  # fmt: skip
__version__: str
OPERATIONS: tuple[str, ...]
PIPELINE_SCHEDULES: tuple[str, ...]
TPU_PARTS: tuple[str, ...]
MODELS: tuple[str, ...]

def build_info() -> dict[str, str]: ...
def memory_limit() -> int: ...
def set_memory_limit(limit: int, resident: int, addresses: int) -> None: ...
def algorithms(operation: str | None) -> list[tuple[str, str, list[str]]]:
    """Return (name, one line, operations) of each algorithm, of one operation or all."""

def read_hlo(text: bytes, source: str) -> _ProgramRow:
    """Return the collectives of an HLO text; errors name `source`, line and column."""

def read_stablehlo(text: bytes, source: str) -> _ProgramRow:
    """Return the collectives of a StableHLO text; errors name `source`, line and column."""

def with_faults(machine: Machine, row: _FaultRow | None, more: Faults | None) -> Machine:
    """Return the machine with these faults, and more, beside those that it has."""

def repaired(machine: Machine, row: _FaultRow) -> Machine:
    """Return the machine without these of its faults; factors do not count."""

def healthy(machine: Machine) -> Machine: ...
def num_live_chips(machine: Machine) -> int: ...
def overlay_bytes(machine: Machine) -> int: ...
def faults(machine: Machine) -> Faults: ...
def damaged_ultraservers(machine: Machine) -> _U32: ...
def dead_ultraservers(machine: Machine) -> _U32: ...
def in_mode(machine: Machine, mode: Machine) -> tuple[Machine, list[tuple[int, int]]]:
    """Return the mode with the faults, and (UltraServer, turn) of those numbered otherwise."""

def replace_damaged(
    machine: Machine, chips: _I64, root: int
) -> tuple[list[int], list[int], _I64, int]:
    """Return damaged UltraServers, what stands in for them, the chips then, where the root is."""

def matmul_times(row: _EfficiencyRow, shapes: _F64) -> _F64:
    """Return the seconds of the product of each line: M, K, N."""

def attention_times(row: _EfficiencyRow, shapes: _F64, backward: bool) -> _F64:
    """Return seconds by line: rows, rows of keys, keys that a row sees, sizes of key and value."""

def memory_time(row: _EfficiencyRow, bytes: float) -> float:
    """Return the seconds of an operator that moves so many bytes."""

def keys_seen(queries: float, keys: float, causal: bool, window: float | None) -> float:
    """Return the keys that a query sees in the mean."""

def training_step(
    machine: Machine, training: dict[str, Any], layout: dict[str, Any], runs: dict[str, Any]
) -> dict[str, Any]:
    """Return seconds by part, bytes by stage, chunks and collectives of a step."""

def serve(
    machine: Machine,
    service: dict[str, Any],
    layout: dict[str, Any],
    runs: dict[str, Any],
    demands: list[tuple[float | None, ...]],
) -> list[dict[str, Any]]:
    """Return times, rates, shapes, bytes and parts of a service for each demand."""

def layout_space(
    machine: Machine, training: dict[str, Any], space: dict[str, Any], runs: dict[str, Any]
) -> tuple[int, int, list[tuple[int, int, int, int, int]]]:
    """Return how many ways to choose there are, cells of them, and (tp, pp, cp, ep, etp)."""

def weigh_layouts(
    machine: Machine,
    training: dict[str, Any],
    space: dict[str, Any],
    runs: dict[str, Any],
    cells: tuple[int, int],
    n_threads: int,
) -> tuple[tuple[_F64, _F64, _U64], tuple[int, int, int, tuple[float, int] | None]]:
    """Return least s, bytes and numbers of layouts that fit; (layouts, straddle, full, least)."""

def best_layouts(
    machine: Machine,
    training: dict[str, Any],
    space: dict[str, Any],
    runs: dict[str, Any],
    keep: int,
    given: tuple[Any, ...] | None,
    n_threads: int,
    progress: Callable[[int, int], object] | None,
) -> dict[str, Any]:
    """Return the best layouts, those on the front of time and memory, and counts."""

def serve_events(
    machine: Machine,
    service: dict[str, Any],
    layout: dict[str, Any],
    runs: dict[str, Any],
    load: tuple[Any, ...],
) -> _F64:
    """Return when each request came, had its first token and its last, one after the other."""

def simulate_pipeline(
    schedule: str,
    stages: int,
    virtual_stages: int,
    microbatches: int,
    chunks: _F64,
    transfer: _F64,
) -> tuple[float, float, _F64, _F64]:
    """Return s from step to step, s of one alone; by stage, idle s and most microbatches held.

    `chunks` has a row for each chunk of the model: s of its forward, gradient of inputs and of
    weights; `transfer` has the s between each and the next.
    """

def pipeline_events(
    schedule: str,
    stages: int,
    virtual_stages: int,
    microbatches: int,
    chunks: _F64,
    transfer: _F64,
) -> tuple[_U32, _U8, _U32, _U32, _F64, _F64]:
    """Return stage, kind (0 forward, 1 backward, 2 weights), chunk, microbatch, start, end."""

def pipeline_forms(
    schedule: str,
    stages: int,
    virtual_stages: int,
    microbatches: int,
    chunks: _F64,
    transfer: _F64,
) -> tuple[float | None, float, list[float]]:
    """Return s in closed form if one holds, s at least, most microbatches held by stage."""

def links_named(
    machine: Machine, chip: int, kind: str, direction: str | None, to: int | None
) -> list[int]: ...
def unreachable(
    machine: Machine,
    src: NDArray[Any],
    dst: NDArray[Any],
    routing: _RoutingRow,
    n_threads: int,
    progress: _Progress | None,
) -> NDArray[np.bool_]:
    """Take src and dst as `Machine.link_loads` does."""

def sample_faults(
    machine: Machine, rates_row: _RatesRow, hours: float, seed: int, draw: int
) -> Machine:
    """Return the machine with what one draw breaks, beside the faults that it has."""

def mapping_dimensions(machine: Machine) -> list[tuple[str, int, int, bool, bool]]:
    """Return (name, size, step, inside an UltraServer, in an order), the fastest first."""

def best_mapping(
    machine: Machine,
    sizes: list[int],
    calls: list[list[tuple[str, float, int]]],
    keep: int,
    request: _RequestRow,
    routing: _RoutingRow,
    n_threads: int,
    progress: _Progress | None,
) -> tuple[list[tuple[_Cuts, list[int] | None, list[list[tuple[float, str, str]]]]], int, int, int]:
    """Return the fastest layouts; how many there are, were compared; how many prices.

    A layout: its cuts, the order of axes of a plain mesh, (seconds, algorithm, bottleneck) of each
    collective by axis.
    """

def monte_carlo(
    machine: Machine,
    request: _RequestRow,
    otherwise: _RequestRow | None,
    groups: Groups | None,
    routing: _RoutingRow,
    drop_damaged: bool,
    rates_row: _RatesRow,
    hours: float,
    seed: int,
    first: int,
    end: int,
    n_threads: int,
    progress: _Progress | None,
) -> tuple[_F64, _U32, _U32, list[tuple[int, str]], list[int]]:
    """Return seconds (NaN without an answer), faults by kind, live chips, (draw, why no answer).

    Last are the draws in which `otherwise` ran, since the request does not run there.
    """

def routing_reports(
    machine: Machine, routing: _RoutingRow, ultraserver: int | None, progress: _Progress | None
) -> list[_ReportRow]: ...
def share_links(
    machine: Machine,
    plans: Sequence[Outcome | tuple[Groups, float, float, float]],
    starts: Sequence[float],
    dma: tuple[float, float] | None,
) -> _Together:
    """Take answers alone, or (chips, seconds, bytes of HBM a chip, bytes a packet) of computation.

    `dma` is (bytes/s of a chip's DMA engines, bytes of a collective's packets).
    """

def write_out(
    machine: Machine, request: _RequestRow, groups: Groups, routing: _RoutingRow
) -> Written:
    """Return the messages of a request over all of its groups."""

def share_messages(
    machine: Machine, plans: Sequence[tuple[Written, _RoutingRow, float]]
) -> _Together:
    """Take plans as (messages, routing, start)."""

@final
class Faults:
    """What is broken, by number; columns are made when asked for."""

    links: _I64
    chips: _I64
    nics: _I64
    ultraservers: _I64
    sites: _I64
    degraded: list[tuple[int, float]]

    def __new__(cls, row: _FaultRow) -> Faults: ...
    def __len__(self) -> int: ...
    def __or__(self, value: Faults, /) -> Faults: ...
    def __ror__(self, value: Faults, /) -> Faults: ...
    def counts(self) -> list[tuple[str, int]]:
        """Return how many of each kind are named."""

@final
class Written:
    """The messages of a request. Immutable."""

    algorithm: str
    parts: list[tuple[Schedule, list[list[int]]]]  # with the chips of the groups that run it

@final
class Machine:
    def __new__(
        cls,
        axes: Sequence[_AxisRow],
        overhead: float,
        nic: tuple[float, float, float, int] | None,
        sites: Sequence[_SiteRow],
        wan: tuple[str, Sequence[float], Sequence[float], float | None] | None,
        launch: float,
        gpu: _GpuRow | None,
        neuron: _NeuronRow | None,
        tpu: _TpuRow | None,
    ) -> Machine: ...
    num_chips: int
    num_links: int
    num_domains: int
    def places(self, chips: _I64) -> tuple[_U32, _U32, list[_U32]]:
        """Return site, UltraServer in the site and coordinate along each axis of each chip."""
    def link(
        self, link: int
    ) -> tuple[str, str, str, str, int | None, int | None, float, float, bool, float]:
        """Return class, direction, ends in words and as chips, bandwidth, latency, dead, factor."""
    def link_runs(self) -> list[tuple[int, str, float, float]]:
        """Return runs of equal links: (count, class, bandwidth, latency)."""
    def link_bandwidths(self) -> _F64: ...
    def route(
        self, src: int, dst: int, routing: _RoutingRow
    ) -> tuple[_I64, _F64, float, int, float, float, float]:
        """Return links, shares, mean hops, longest hops, latency, bandwidth, overhead."""
    def link_loads(
        self,
        src: NDArray[Any],
        dst: NDArray[Any],
        nbytes: float | _F64,
        routing: _RoutingRow,
        n_threads: int,
        progress: _Progress | None,
    ) -> _F64:
        """Take src and dst as contiguous native 32- or 64-bit integers, each of its own dtype."""
    def max_min_rates(self, src: NDArray[Any], dst: NDArray[Any], routing: _RoutingRow) -> _F64:
        """Take src and dst as `link_loads` does."""
    def finish_times(
        self,
        src: NDArray[Any],
        dst: NDArray[Any],
        nbytes: float | _F64,
        start: float | _F64,
        routing: _RoutingRow,
        model: str,
        progress: _Progress | None,
    ) -> _F64:
        """Take src and dst as `link_loads` does."""
    def uniform(self, bytes_per_chip: float, routing: _RoutingRow) -> _F64: ...
    def destinations(self, pattern: str, shift: Sequence[int] | None, seed: int) -> _U32:
        """Return one destination per chip; the core lists the patterns in its error."""
    def collective(self, request: _RequestRow, groups: Groups, routing: _RoutingRow) -> Outcome: ...
    def candidates(self, request: _RequestRow, groups: Groups, routing: _RoutingRow) -> Tables:
        """Return the table of all that a collective considers, also what bounds rule out."""
    def schedule(
        self, request: _RequestRow, groups: Groups, routing: _RoutingRow
    ) -> tuple[str, Schedule]:
        """Return the name of the algorithm and the schedule of the first group."""
    def vector(
        self,
        operation: str,
        sizes: _F64,
        groups: Groups,
        algorithm: str,
        model: str,
        routing: _RoutingRow,
    ) -> tuple[str, Schedule]:
        """Return the same where each rank, or each pair of ranks, has a size of its own."""

@final
class FreePlanes:
    """The planes of UltraServers that no job has; jobs take them."""

    def __new__(cls, machine: Machine, planes: int, alone: bool) -> FreePlanes: ...
    broken: int  # how many UltraServers have a dead chip
    def count(self, own: int) -> int:
        """Return in how many UltraServers so many planes side by side are free."""
    def first(self, own: int, count: int) -> _I64:
        """Take planes of the first ones; all three return the chips."""
    def even(self, own: int, count: int, job: int, jobs: int) -> _I64:
        """Take planes of some evenly over all."""
    def listed(self, own: int, picks: _I64) -> _I64:
        """Take planes of these, counted among those that `count` counts."""

@final
class Prepared:
    """A collective of which all is priced that does not depend on the size."""

    def __new__(
        cls, machine: Machine, request: _RequestRow, groups: Groups, routing: _RoutingRow
    ) -> Prepared: ...
    bus_factor: float
    nbytes: int
    def times(self, sizes: _F64) -> tuple[_F64, _U32, list[str]]:
        """Return seconds, the algorithm of each size as a number, and names of algorithms."""

@final
class Schedule:
    """Who sends what to whom. Immutable; checked when it is made, proven by `verify`."""

    def __new__(
        cls,
        operation: str,
        size: float,
        root: int,
        shift: int,
        chips: Sequence[int],
        blocks: Sequence[_Block],
        sends: Sequence[_Send],
    ) -> Schedule: ...
    operation: str
    size: float
    root: int
    shift: int
    chips: list[int]
    num_sends: int
    num_blocks: int
    blocks: list[_Block]
    sends: list[_Send]
    def verify(self) -> None: ...
    def run(
        self, machine: Machine, routing: _RoutingRow, model: str, algorithm: str
    ) -> Outcome: ...
    def message_times(
        self, machine: Machine, routing: _RoutingRow, model: str
    ) -> list[NDArray[np.float64]]: ...

@final
class Groups:
    """Who takes part. Immutable."""

    @staticmethod
    def all(machine: Machine) -> Groups: ...
    @staticmethod
    def mesh_axis(machine: Machine, size: int, stride: int) -> Groups: ...
    @staticmethod
    def grid(machine: Machine, locals: _U32, domains: _U32) -> Groups: ...
    @staticmethod
    def of_chips(machine: Machine, chips: _I64) -> Groups: ...
    @staticmethod
    def of_lists(machine: Machine, chips: _I64) -> Groups: ...
    def tables(self) -> tuple[_U32, _U32] | None: ...
    def lists(self) -> _U32: ...
    ranks: int
    count: int
    def members(self, machine: Machine, index: int) -> _U32: ...

@final
class Order:
    """Which chip is at each place of a mesh. Immutable."""

    @staticmethod
    def of_layout(machine: Machine, sizes: list[int], cuts: _Cuts) -> Order: ...
    @staticmethod
    def ascending(machine: Machine, sizes: list[int]) -> Order: ...
    @staticmethod
    def of_sums(machine: Machine, sums: list[list[int]]) -> Order: ...
    @staticmethod
    def of_chips(machine: Machine, sizes: list[int], chips: _I64) -> Order: ...
    sums: list[list[int]] | None
    def chips(self) -> _U32: ...
    def groups(self, axes: list[int]) -> Groups: ...

def kept() -> tuple[int, int]:
    """Return how many things are kept between calls, of all machines, and their bytes."""

@final
class Outcome:
    algorithm: str
    # how to ask for the same algorithms again: a name, or one for each tier
    choice: str | list[str]
    time: float
    left_out: bool  # bounds ruled candidates out, which are not in their table
    # the values of `CollectiveResult` by name, but for its tables
    def facts(self) -> dict[str, Any]: ...
    def tables(self) -> Tables: ...
    def link_loads(self) -> _F64: ...

@final
class Tables:
    def names(self) -> list[str]: ...
    # empty for a name that is none of them
    def columns(self, name: str) -> dict[str, list[str] | list[int] | _F64]: ...

def astra_sim(
    network: list[tuple[str, int, float, float]],
    system: dict[str, Any],
    memory: tuple[str, int, int, int],
    traces: list[list[tuple[Any, ...]]],
    trace_of: _U32,
    groups: list[tuple[int, list[int]]],
    each: bool,
) -> tuple[_I64, _I64, int, bool]:
    """Return, by rank, ns at its end (-1: never) and of computation; messages; one stood for all.

    ASTRA-sim's analytical backends. `each` runs every rank for itself where one could stand for
    all.
    """

def read_chakra(
    data: bytes, source: str
) -> tuple[str, list[tuple[Any, ...]], list[tuple[Any, ...]], int, tuple[int, int] | None]:
    """Return version, attributes, nodes of a Chakra trace; missing waits; a node in a circle.

    The last with how many such nodes there are.

    A node: number, name, kind, control, data, start, duration, inputs, outputs, attributes,
    offset. An attribute: name, what it means, number of its field, value.
    """

def write_chakra(
    version: str, attributes: list[tuple[Any, ...]], nodes: list[tuple[Any, ...]]
) -> bytes:
    """Return a Chakra trace of rows as `read_chakra` gives them."""

def kineto_events(
    data: bytes, source: str
) -> tuple[NDArray[np.int64], list[str], int, list[tuple[str, int, int]]]: ...
