"""Where training and serving stacks put ranks: every group of every axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from rainier_fast.ask.groups import Groups
from rainier_fast.errors import as_one_of
from rainier_fast.screen import Report, Told, aligned, one_screen
from rainier_fast.workload.orders.megatron import megatron
from rainier_fast.workload.orders.neuron import neuronx, neuronx_inference
from rainier_fast.workload.orders.options import as_world, checked, completed, stacks
from rainier_fast.workload.orders.plan import Plan
from rainier_fast.workload.orders.serving import sglang, vllm
from rainier_fast.workload.orders.training import accelerate, deepspeed, maxtext, torchtitan

_PLANS: Final[dict[str, Callable[[int, Mapping[str, Any]], Plan]]] = {
    "megatron": megatron,
    "torchtitan": torchtitan,
    "deepspeed": deepspeed,
    "neuronx": neuronx,
    "neuronx-inference": neuronx_inference,
    "vllm": vllm,
    "sglang": sglang,
    "accelerate": accelerate,
    "maxtext": maxtext,
}
_SHOWN: Final = 8  # ranks of the first group on screen


class Axes(Mapping[str, Groups]):
    """The groups of each axis by its name, made when they are asked for."""

    __slots__ = ("_plan",)

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __getitem__(self, name: str) -> Groups:
        """Return all groups of an axis, the ranks of each in their order."""
        return self._plan.axis(as_one_of("axis", name, self._plan.makers)).groups()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._plan.makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._plan.makers)

    def __len__(self) -> int:
        return len(self._plan.makers)

    def __repr__(self) -> str:
        return f"<Axes {', '.join(self)}>"


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class RankGroups(Report, Told):
    """Who sits where: the groups of each axis, as a real stack makes them. Made by `rank_groups`.

    Attributes
    ----------
    stack
        Name of the stack, as `rank_groups` takes it.
    world
        How many ranks there are.
    given
        What was asked beside, by the stack's keywords.

    Examples
    --------
    >>> groups = rank_groups("megatron", 64, tp=4, cp=2, pp=2, ep=4)
    >>> groups.order, groups.version
    (('tp', 'cp', 'dp', 'pp'), '0.19.2')
    >>> groups.axes["ep"].members(0)
    array([ 0,  4,  8, 12])
    """

    stack: str
    world: int
    given: tuple[tuple[str, Any], ...]

    _also = ("order", "version", "unit", "ranks_per_chip", "source", "notes", "sizes")

    @property
    def axes(self) -> Mapping[str, Groups]:
        """All groups of each axis by its name, listed as the stack lists them.

        Each is a `Groups`: ``.to_array()`` has a row for each group, members in the order of their
        ranks there. On a machine with a chip for each rank they are ``group=`` of a collective.
        """
        return Axes(self._plan())

    @property
    def sizes(self) -> Mapping[str, int]:
        """Ranks in each group of every axis."""
        return {name: axis.size for name, axis in self._plan().axes().items()}

    @property
    def order(self) -> tuple[str, ...]:
        """The axes of the dense part of a model, the fastest first."""
        return self._plan().order

    @property
    def version(self) -> str:
        """Version of the stack whose groups these are."""
        return str(stacks()[self.stack]["version"])

    @property
    def unit(self) -> str:
        """What a rank is: ``"device"``, or ``"logical core"`` in Neuron's stacks."""
        return str(stacks()[self.stack]["unit"])

    @property
    def ranks_per_chip(self) -> int | None:
        """How many ranks a chip is, as ``ranks_per_chip=`` of a mesh; None for devices."""
        return self._plan().ranks_per_chip

    @property
    def source(self) -> str:
        """The file of the stack that says so."""
        return str(stacks()[self.stack]["source"])

    @property
    def notes(self) -> tuple[str, ...]:
        """Which of the stack's rules took effect, where it has several."""
        return self._plan().notes

    def _plan(self) -> Plan:
        return plan_of(self.stack, self.world, self.given)

    def _page(self) -> list[Any]:
        stack = stacks()[self.stack]
        order = ", ".join(self.order)
        head = f"{stack['title']} {self.version}, {self.world:,} ranks, each a {self.unit}"
        if self.ranks_per_chip:
            head += f", {self.ranks_per_chip} of a chip"
        rows = [("axis", "ranks", "groups", "step", "first group")]
        for name, axis in self._plan().axes().items():
            digit, first = axis.digit(), axis.first(_SHOWN + 1)
            words = " ".join(map(str, first[:_SHOWN])) + " ..." * (len(first) > _SHOWN)
            step = str(digit[1]) if digit else "-"
            rows.append((name, f"{axis.size:,}", f"{axis.count:,}", step, words))
        table = aligned(rows, (False, True, True, True, False))
        return [head, f"fastest first: {order}", *self.notes, *table, self.source]

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self.given)
        return f"rank_groups({self.stack!r}, {self.world}{given})"


@lru_cache(maxsize=256)
def plan_of(stack: str, world: int, given: tuple[tuple[str, Any], ...]) -> Plan:
    """Return the plan of a stack for options that were given; the last ones are kept."""
    return _PLANS[stack](world, completed(stack, world, dict(given)))


def rank_groups(order: str, world: int, **sizes: Any) -> RankGroups:  # noqa: ANN401 - sizes, flags, text
    """Return which rank sits in which group, as a real training or serving stack has it.

    Parameters
    ----------
    order
        The stack: ``"megatron"``, ``"torchtitan"``, ``"deepspeed"``, ``"neuronx"``,
        ``"neuronx-inference"``, ``"vllm"``, ``"sglang"``, ``"accelerate"`` or ``"maxtext"``.
    world
        How many ranks there are: devices, or logical cores in Neuron's stacks.
    **sizes
        The stack's own keywords, with its defaults; one size may be -1 and takes what is left.

        - megatron: tp, cp, pp, dp, ep, etp (tp if left out), gtp_remat, expert_gtp_remat,
          axis_order, use_tp_pp_dp_mapping, hierarchical_cp, optimizer_instances
        - torchtitan: dp_replicate, dp_shard, cp, tp, pp, ep, spmd_backend
        - deepspeed: pp, dp, tp, sp, ep, hpz, data_before_expert, and experts as ``"native"``,
          ``"mpu"`` or ``"autoep"``
        - neuronx: tp, cp, pp, dp, ep, platform (``"trn2"``), lnc (1 if left out, as in the
          library) and local_world, which is LOCAL_WORLD_SIZE
        - neuronx-inference: cp or dp of attention and switch_cc; `world` is the tp degree
        - vllm: tp, pcp, pp, dp, external_dp, dcp
        - sglang: tp, pp, attn_dp, attn_cp, ep, moe_dp
        - accelerate: dp_replicate, dp_shard, cp, tp (sp is refused)
        - maxtext: slices, ici_<axis> and dcn_<axis> of its mesh

    Returns
    -------
    RankGroups
        All groups of each axis, the order of axes, the version and its source.

    Raises
    ------
    UnknownName
        If the stack is not known.
    InvalidType
        If it has no such keyword, or a value is of another type.
    InvalidArgument
        If sizes do not divide; the nearest that do are named.
    Unsupported
        If the stack refuses the combination.

    Examples
    --------
    >>> rank_groups("torchtitan", 64, dp_shard=-1, cp=2, tp=4, pp=2, ep=4).axes["efsdp"].members(0)
    array([ 0,  4,  8, 12, 16, 20, 24, 28])
    >>> rank_groups("neuronx", 64, tp=32, lnc=2).axes["dp"].members(16)
    array([48, 32])
    """
    stack = as_one_of("order", order, _PLANS)
    ranks = as_world(world)
    given = tuple(checked(stack, sizes).items())
    plan_of(stack, ranks, given)
    return RankGroups(stack, ranks, given)
