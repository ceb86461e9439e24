"""The options of a collective, stated once: every way to ask for one takes these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypedDict, cast, get_args

from rainier_fast import _core
from rainier_fast.ask.groups import Group
from rainier_fast.definitions.bucket import Bucket
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_items, as_name
from rainier_fast.definitions.routing import Policy, Routing, as_routing
from rainier_fast.errors import as_one_of, invalid, invalid_type, unexpected, unknown

OPERATIONS: Final = _core.OPERATIONS
"""Every collective."""

MODELS: Final = _core.MODELS
"""How contention may be modelled."""

RUNTIME: Final = "runtime"
"""The algorithm that stands for that of the machine's own software."""

Operation: TypeAlias = Literal[
    "all_reduce",
    "reduce_scatter",
    "all_gather",
    "all_to_all",
    "broadcast",
    "reduce",
    "gather",
    "scatter",
    "send_recv",
    "barrier",
]
Model: TypeAlias = Literal["alpha_beta", "link_load", "fluid", "fifo"]
AlgorithmName: TypeAlias = Literal[
    "auto",
    "runtime",
    "ring",
    "ring_one_way",
    "half_ring",
    "multi_ring",
    "bucket",
    "bucket_equal",
    "halving_doubling",
    "recursive_doubling",
    "swing",
    "swing_latency",
    "trivance",
    "trivance_latency",
    "bruck",
    "pat",
    "direct",
    "mesh",
    "in_switch",
    "binomial_tree",
    "double_binary_tree",
    "disjoint_trees",
    "scatter_allgather",
    "symmetric",
    "neighbor_exchange",
    "pairwise",
    "linear_sync",
    "butterfly",
    "knomial_tree",
    "chain",
    "nccl",
    "neuron",
    "xla",
    "synthesized",
    "hierarchical",
]
DType: TypeAlias = Literal[
    "fp64", "fp32", "bf16", "fp16", "fp8", "int64", "int32", "int16", "int8", "uint8"
]
Algorithm: TypeAlias = AlgorithmName | str | Bucket | Sequence[str | Bucket]
"""A name, ``"auto"``, a `Bucket`, or these by tier for a hierarchical schedule."""


class Options(TypedDict, total=False):
    """How a collective runs; `OPTIONS` says what each means."""

    algorithm: Algorithm
    model: Model
    routing: Routing
    chunks: int | None
    dtype: DType | None


class Asked(Options, total=False):
    """Options of a method, and who takes part: a machine knows a group, a mesh an axis."""

    group: Group
    axis: str | Sequence[str]


class Call(Options, total=False):
    """All that says which collective it is, beside operation and size."""

    group: Group
    root: int
    shift: int


class Option(NamedTuple):
    """What an option is when it is left out, and what it means."""

    default: object
    text: str
    said: str = ""
    """How results say it; nothing where they have a line of its own."""


OPTIONS: Final = {
    "algorithm": Option(
        "auto",
        'A name of `rainier_fast.algorithms`, ``"auto"`` for the fastest of them on the links,\n'
        '``"runtime"`` for what the machine\'s own software runs (`Machine.runtime`), or names by\n'
        "tier (UltraServer, site, WAN) for a hierarchical schedule.",
    ),
    "model": Option(
        "link_load",
        '``"link_load"`` (links are shared), ``"alpha_beta"`` (no contention), ``"fluid"`` (fair\n'
        'rates, simulated) or ``"fifo"`` (whole messages, first come, first served).',
    ),
    "routing": Option(
        "dor",
        '``"dor"``, ``"adaptive"``, ``"valiant"``, ``"wild_first"``, ``"shortest"``,\n'
        '``"up_down"``, ``"balanced"`` or a policy object.',
    ),
    "chunks": Option(
        None,
        "Chunks that follow each other through a hierarchical schedule, or into which\n"
        '``"synthesized"`` cuts each rank\'s share; None for the best.',
    ),
    "dtype": Option(
        None,
        'Type of the numbers, such as ``"bf16"``, ``"fp32"`` or ``"int8"``; None for none in\n'
        "particular. Results say it; only runtimes look at it: NVLink switches add up no numbers\n"
        'of 8 bits, ``"xla"`` takes None for bf16, and ``"neuron"`` has no 64 bits and names\n'
        "types that it was not fitted on.",
        "in {}",
    ),
}
"""Every option by name."""


_DOR: Final = as_routing("dor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of a collective, checked."""

    algorithm: str | tuple[str, ...] = "auto"
    model: str = "link_load"
    routing: Policy = _DOR
    chunks: int | None = None
    dtype: str | None = None
    bucket: Bucket | None = None

    def row(self) -> dict[str, Any]:
        """Return what the core takes of them."""
        names = self.algorithm if isinstance(self.algorithm, str) else list(self.algorithm)
        return {name: getattr(self, name) for name in _INWARD} | {"algorithm": names}

    def _spelled(self) -> Options:
        """Return how to ask for the same again: the options that are not as by default."""
        given = {name: getattr(self, name) for name in OPTIONS}
        if self.bucket is not None and self.algorithm == "bucket":
            given["algorithm"] = self.bucket
        elif self.bucket is not None:
            by_tier = (self.bucket if name == "bucket" else name for name in self.algorithm)
            given["algorithm"] = tuple(by_tier)
        usual = Choices()
        told = {name: value for name, value in given.items() if value != getattr(usual, name)}
        return cast("Options", told)

    def _said(self) -> str:
        """Return the words of a result for what was asked beside the algorithm and the like."""
        told = self._spelled()
        words = [f" {OPTIONS[name].said.format(value)}" for name, value in told.items()]
        return "".join(word for word in words if word.strip())


_INWARD: Final = [name for name in OPTIONS if name != "routing"]


def refuse_unknown(given: Iterable[str], known: Collection[str]) -> None:
    """Refuse an option that is none, by name."""
    for name in given:
        if name not in known:
            raise unexpected("option", name, tuple(known))


def checked(operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Choices` that options ask for."""
    full = {name: given.get(name, option.default) for name, option in OPTIONS.items()}
    names, bucket = _algorithm(full["algorithm"], operation)
    chunks, dtype = full["chunks"], full["dtype"]
    return full | {
        "algorithm": names,
        "bucket": bucket,
        "model": as_one_of("model", full["model"], MODELS),
        "routing": as_routing(full["routing"]),
        "chunks": None if chunks is None else as_count("chunks", chunks, MAX_COUNT),
        "dtype": None if dtype is None else as_one_of("dtype", dtype, get_args(DType)),
    }


def algorithms(operation: str | None = None) -> dict[str, str]:
    """Return the algorithms that collectives may name.

    Parameters
    ----------
    operation
        Only those that do this operation, such as ``"all_reduce"``; None for all of them.

    Returns
    -------
    dict of str to str
        Names and one line each. ``"auto"``, the default, is the fastest of them but ``"nccl"``,
        ``"neuron"``, ``"xla"``, ``"synthesized"`` and those whose line says so, which run only when
        named; ``"runtime"`` is the one of the first three that the machine has.

    Raises
    ------
    UnknownName
        If there is no such operation.
    InvalidType
        If it is not text.

    Examples
    --------
    >>> "ring" in algorithms("all_reduce")
    True
    """
    if operation is not None and not isinstance(operation, str):
        raise invalid_type("operation", operation, "must be text or None")
    if operation is not None:
        operation = as_one_of("operation", operation, OPERATIONS)
    return {name: line for name, line, _ in _core.algorithms(operation)}


@cache
def _named() -> frozenset[str]:
    return frozenset(("auto", RUNTIME, *algorithms()))


def _algorithm(algorithm: object, operation: str) -> tuple[str | tuple[str, ...], Bucket | None]:
    """Return names, and the weights of a bucket if there are any."""
    allowed = "must be the name of an algorithm, 'auto', or a sequence of names, one for each tier"
    if isinstance(algorithm, Bucket):
        return "bucket", algorithm
    if isinstance(algorithm, str):
        named = str.__str__(algorithm)
        if named not in _named():
            raise unknown("algorithm", named, ["auto", RUNTIME, *algorithms(operation)])
        return named, None
    by_tier = as_items("algorithm", algorithm, allowed)
    for at, name in enumerate(by_tier):
        if not isinstance(name, (str, Bucket)):
            raise invalid_type(f"algorithm[{at}]", name, "must be the name of an algorithm")
    if not by_tier:
        raise invalid("algorithm", algorithm, allowed)
    buckets = {name for name in by_tier if isinstance(name, Bucket)}
    if len(buckets) > 1:
        raise invalid("algorithm", algorithm, "may give weights of one Bucket only")
    names = [
        as_name("algorithm", "bucket" if isinstance(name, Bucket) else name) for name in by_tier
    ]
    return tuple(names), next(iter(buckets), None)
