"""How a training job is cut into ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeAlias

from rainier_fast.definitions.check import as_count, as_flag, as_integer, as_items, as_name
from rainier_fast.errors import as_one_of, invalid, unknown
from rainier_fast.files.saved import Saved
from rainier_fast.screen import Told, one_screen
from rainier_fast.workload.parts import MOST_LAYERS
from rainier_fast.workload.training import changed

Context: TypeAlias = Literal["ring", "all_gather", "all_to_all"]
CONTEXTS: Final = ("ring", "all_gather", "all_to_all")
SCHEDULES: Final = ("gpipe", "1f1b", "interleaved", "zb-h1", "zb-h2", "zb-v", "dualpipe")
AXES: Final = ("tp", "cp", "dp", "pp")
ORDERS: Final = {
    "megatron": ("tp", "cp", "dp", "pp"),
    "torchtitan": ("tp", "cp", "dp", "pp"),
    "deepspeed": ("tp", "cp", "dp", "pp"),
    "neuronx": ("tp", "cp", "dp", "pp"),
    "vllm": ("tp", "cp", "pp", "dp"),
}
"""Axes of dense parts by stack, the fastest first.

megatron-core 0.19.2, torchtitan 0.3.0, deepspeed 0.19.8, neuronx-distributed 0.18.0 where it counts
ranks up, and vLLM.
"""
_MOST: Final = 2**31
_MOST_RANKS_PER_CHIP: Final = 64


@one_screen
@dataclass(frozen=True, slots=True, kw_only=True)
class Layout(Told, Saved):
    """How a training job is cut into ranks. Immutable; `with_` makes another of it.

    Attributes
    ----------
    tp, pp, cp
        Ranks that share matrices; stages of the pipeline; ranks that share a sequence.
    dp
        Replicas of all that, of one island; -1 for as many as the chips hold.
    ep, etp
        Ranks that share the experts of a layer, and ranks that share one expert. None for `tp`
        where `ep` is 1 and in the order of neuronx, else 1. (megatron-core's own default is tp.)
    zero
        What replicas share: 0 nothing, 1 what the optimizer keeps, 2 gradients too, 3 weights too
        (as FSDP does).
    shard
        Of how many of the dp x cp ranks each number's parts are, as HSDP has it; None for all.
    microbatch
        Sequences that go through a stage at once.
    schedule
        ``"gpipe"``, ``"1f1b"``, ``"interleaved"``, ``"zb-h1"``, ``"zb-h2"``, ``"zb-v"`` or
        ``"dualpipe"``.
    virtual
        Chunks of layers on each stage. Above 1, ``"1f1b"`` is the interleaved schedule, as
        Megatron has it. ``"zb-v"`` has two, whether or not it is said.
    sequence_parallel
        Whether ranks that share matrices share rows between them; None for where tp > 1.
    context
        How ranks share a sequence: ``"ring"`` passes keys and values round, ``"all_gather"``
        gathers them (Llama 3), ``"all_to_all"`` trades sequence for heads (Ulysses).
    order
        Which ranks are next to each other: the order of a stack (``"megatron"``, ``"torchtitan"``,
        ``"deepspeed"``, ``"neuronx"`` or ``"vllm"``), or the axes, the fastest first, such as
        ``"tp-cp-dp-pp"``. Experts are laid etp first, then ep, over the same ranks.
    split
        Layers of each chunk, in the order of the model; None to share them evenly.
    overlap
        Whether collectives hide behind computation, as far as the machine's software does that.
    islands, outer_every
        Islands of replicas, which add up what they have learnt every so many steps (DiLoCo).
    ranks_per_chip
        How many of these ranks a chip is, where they are cores: 4 on Trainium2 with LNC 2. The
        fastest axis must have all ranks of a chip.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable, or two do not fit each other; the message names it. What does not
        fit a job or a machine is said when both are known.

    Examples
    --------
    >>> layout = Layout(tp=16, pp=16, virtual=2)
    >>> print(layout)
    tp 16, pp 16, dp what is left; zero 1; interleaved, 2 chunks a stage; order megatron
    >>> layout.with_(dp=256).ranks
    65536
    """

    _saved_as = "layout"

    tp: int = 1
    pp: int = 1
    dp: int = -1
    cp: int = 1
    ep: int = 1
    etp: int | None = None
    zero: int = 1
    shard: int | None = None
    microbatch: int = 1
    schedule: str = "1f1b"
    virtual: int = 1
    sequence_parallel: bool | None = None
    context: Context = "ring"
    order: str = "megatron"
    split: tuple[int, ...] | None = None
    overlap: bool = True
    islands: int = 1
    outer_every: int = 1
    ranks_per_chip: int = 1

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("tp", "pp", "cp", "ep", "microbatch", "virtual", "islands", "outer_every"):
            put(self, name, as_count(name, getattr(self, name), _MOST))
        put(self, "dp", _as_replicas(self.dp))
        for name in ("etp", "shard"):
            if getattr(self, name) is not None:
                put(self, name, as_count(name, getattr(self, name), _MOST))
        per_chip = as_count("ranks_per_chip", self.ranks_per_chip, _MOST_RANKS_PER_CHIP)
        put(self, "ranks_per_chip", per_chip)
        put(self, "zero", as_integer("zero", self.zero, 0, 3))
        put(self, "schedule", as_one_of("schedule", self.schedule, SCHEDULES))
        put(self, "context", as_one_of("context", self.context, CONTEXTS))
        put(self, "order", _as_order(self.order))
        put(self, "overlap", as_flag("overlap", self.overlap))
        if self.sequence_parallel is not None:
            put(self, "sequence_parallel", as_flag("sequence_parallel", self.sequence_parallel))
        if self.split is not None:
            put(self, "split", _as_split(self.split))
        self._check()

    def _check(self) -> None:
        if self.shard is not None and self.zero == 0:
            raise invalid("shard", self.shard, "must be None where replicas share nothing (zero=0)")
        if self.outer_every > 1 and self.islands == 1:
            raise invalid("outer_every", self.outer_every, "must be 1 where there is one island")
        if self.sequence_parallel and self.tp == 1:
            raise invalid("sequence_parallel", self.sequence_parallel, "needs tp > 1")
        if self.schedule == "interleaved" and self.virtual == 1 and self.pp > 1:
            raise invalid("virtual", self.virtual, "must be at least 2 with 'interleaved'")
        if self.virtual > 1 and self.pp == 1:
            raise invalid("virtual", self.virtual, "must be 1 where there is one stage (pp=1)")
        if self.schedule == "zb-v" and self.virtual > 2:
            raise invalid("virtual", self.virtual, "must be 2 with 'zb-v', or left out")
        if self.virtual > 1 and self.schedule not in ("1f1b", "interleaved", "zb-v"):
            allowed = f"must be 1 with {self.schedule!r}; 'interleaved' and 'zb-v' have several"
            raise invalid("virtual", self.virtual, allowed)
        chunks = self.pp * self.chunks
        if self.split is not None and len(self.split) != chunks:
            allowed = f"must name the layers of {chunks:,} chunks"
            raise invalid("split", self.split, allowed)

    @property
    def chunks(self) -> int:
        """Chunks of layers on each stage."""
        return 2 if self.schedule == "zb-v" and self.pp > 1 else self.virtual

    @property
    def runs(self) -> str:
        """The schedule that runs.

        ``"interleaved"`` where stages of ``"1f1b"`` have chunks; of one stage all are the same.
        """
        if self.pp == 1:
            return "1f1b"
        return "interleaved" if self.schedule == "1f1b" and self.virtual > 1 else self.schedule

    @property
    def has_sequence_parallel(self) -> bool:
        """Whether rows are shared: as said, or where tp > 1."""
        return self.tp > 1 if self.sequence_parallel is None else self.sequence_parallel

    @property
    def expert_tp(self) -> int:
        """Ranks that share one expert: as said, or tp where ep is 1 or the stack has no other."""
        if self.etp is not None:
            return self.etp
        return self.tp if self.ep == 1 or self.order == "neuronx" else 1

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes of dense parts, the fastest first."""
        return ORDERS.get(self.order) or tuple(self.order.split("-"))

    @property
    def model_ranks(self) -> int:
        """Ranks of one replica, times the islands: what dp multiplies."""
        return self.tp * self.cp * self.pp * self.islands

    @property
    def ranks(self) -> int | None:
        """Ranks in all; None where dp is what is left."""
        return None if self.dp == -1 else self.model_ranks * self.dp

    def with_(self, **changes: Any) -> Self:  # noqa: ANN401 - of any field
        """Return the same layout with other values.

        Parameters
        ----------
        **changes
            Fields by name.

        Returns
        -------
        Layout
            Checked as a new one.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If a value is not usable; the message names it.

        Examples
        --------
        >>> Layout(tp=8).with_(tp=4, cp=2).axes
        ('tp', 'cp', 'dp', 'pp')
        """
        made: Self = changed(self, changes)
        return made

    def __str__(self) -> str:
        sizes = [(name, getattr(self, name)) for name in ("tp", "cp", "pp", "ep", "islands")]
        words = [f"{name} {size:,}" for name, size in sizes if size > 1]
        words.append(f"dp {'what is left' if self.dp == -1 else format(self.dp, ',')}")
        if self.ep > 1 or self.etp is not None:
            words.append(f"etp {self.expert_tp}")
        parts = [", ".join(words), f"zero {self.zero}"]
        parts[1] += "" if self.shard is None else f" over {self.shard:,}"
        if self.pp > 1:
            chunks = f", {self.chunks} chunks a stage" if self.chunks > 1 else ""
            parts.append(f"{self.runs}{chunks}")
        if self.microbatch > 1:
            parts.append(f"microbatches of {self.microbatch:,}")
        if self.tp > 1 and not self.has_sequence_parallel:
            parts.append("rows on every rank")
        if self.cp > 1:
            parts.append(f"context by {self.context}")
        parts += [] if self.overlap else ["nothing overlaps"]
        if self.ranks_per_chip > 1:
            parts.append(f"{self.ranks_per_chip} ranks a chip")
        parts.append(f"order {self.order}")
        return "; ".join(parts)


def _as_replicas(value: object) -> int:
    number = as_integer("dp", value, -1, _MOST)
    if number == 0:
        raise invalid("dp", number, f"must be 1 to {_MOST:,}, or -1 for what is left")
    return number


def _as_order(value: object) -> str:
    """Return the name of a stack, or names of all four axes with dashes between them."""
    text = as_name("order", value)
    if text in ORDERS or sorted(text.split("-")) == sorted(AXES):
        return text
    if "-" in text:
        raise invalid("order", text, f"must name {', '.join(AXES)} once each, the fastest first")
    raise unknown("order", text, ORDERS)


def _as_split(value: Sequence[int]) -> tuple[int, ...]:
    items = as_items("split", value, "must be a sequence of numbers of layers")
    return tuple(as_integer(f"split[{at}]", item, 1, MOST_LAYERS) for at, item in enumerate(items))
