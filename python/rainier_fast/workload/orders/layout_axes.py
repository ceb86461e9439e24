"""Axes of a training layout as digits of rank numbers, by the order of a real stack."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from rainier_fast.ask.groups import Groups
from rainier_fast.errors import as_one_of, invalid, unexpected
from rainier_fast.workload.orders.options import as_size, as_world, check_divides, checked, stacks
from rainier_fast.workload.orders.plan import line
from rainier_fast.workload.orders.rank_groups import plan_of
from rainier_fast.workload.orders.view import Digit

SIZES: Final = ("tp", "cp", "pp", "dp", "ep", "etp")
AXES: Final = ("tp", "cp", "dp", "pp", "ep", "etp", "edp", "dp_cp")
Axis: TypeAlias = Digit | Groups
"""(ranks in each group, step from one to the next), or the groups where they are no such digit."""


def layout_axes(
    order: str,
    world: int,
    sizes: Mapping[str, int | None],
    **options: Any,  # noqa: ANN401 - of any stack
) -> dict[str, Axis]:
    """Return where a stack puts the axes of a layout, in ranks.

    `sizes` has any of tp, cp, pp, dp (-1 for what is left), ep and etp (None for the stack's
    own); `options` are further keywords of `rank_groups`. The dense axes are tp, cp, dp and pp,
    those of experts etp, ep and edp over the same ranks; dp_cp is dp and cp together. Neuron's
    ranks are logical cores, with ``lnc=2`` here unless it is given.
    """
    plain = {name: tuple(one) if isinstance(one, list) else one for name, one in options.items()}
    return dict(_axes(order, world, tuple(sorted(sizes.items())), tuple(sorted(plain.items()))))


@lru_cache(maxsize=4096)
def _axes(
    order: str,
    world: int,
    sizes: tuple[tuple[str, int | None], ...],
    options: tuple[tuple[str, Any], ...],
) -> Mapping[str, Axis]:
    known = {name: stack for name, stack in stacks().items() if "layout" in stack}
    name = as_one_of("order", order, known)
    stack, ranks = known[name], as_world(world)
    extra = {**stack["layout"].get("options", {}), **dict(options)}
    given = _given(name, ranks, dict(sizes), extra)
    plan = plan_of(name, ranks, tuple(checked(name, {**given, **extra}).items()))
    found: dict[str, Axis] = dict.fromkeys(AXES, (1, 1))
    for axis, spec in stack["layout"]["axes"].items():
        known_axis = isinstance(spec, str) and spec in plan.makers
        one = plan.axis(spec) if known_axis else line(stack, plan.views, spec)
        found[axis] = one.digit() or one.groups()
    if _etp(name, 2, extra) == 2:
        found["etp"] = found["tp"]
    if name == "vllm" and dict(sizes).get("ep") in (None, 1):
        found["ep"] = (1, 1)
    return found


def _given(
    name: str, world: int, sizes: dict[str, int | None], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the sizes of a layout as the stack's own keywords."""
    for axis, size in sizes.items():
        if axis not in SIZES:
            raise unexpected("sizes", axis, SIZES)
        if size is not None:
            as_size(axis, size, -1 if axis == "dp" else 1)
    stack = stacks()[name]
    names = stack["layout"]["sizes"]
    given = {names[axis]: size for axis, size in sizes.items() if axis in names and size}
    full = {axis: sizes.get(axis) or (-1 if axis == "dp" else 1) for axis in SIZES}
    given |= _OWN.get(name, _nothing)(world, full, options)
    own = _etp(name, full["tp"], options)
    if "etp" not in names and sizes.get("etp") not in (None, own):
        raise invalid("etp", sizes["etp"], f"must be {own} here: {stack['title']} has no other")
    for axis in ("pp", "ep"):
        if axis not in names and full[axis] > 1 and name != "vllm":
            raise invalid(axis, full[axis], f"must be 1: {stack['title']} has no such axis")
    return given


def _etp(name: str, tp: int, options: Mapping[str, Any]) -> int:
    """Return over how many ranks a stack splits an expert that does not let one choose."""
    if name == "deepspeed":
        return tp if options.get("experts") == "mpu" else 1
    return tp if name in ("neuronx", "maxtext") else 1


def _nothing(_world: int, _sizes: Mapping[str, int], _options: Mapping[str, Any]) -> dict[str, int]:
    return {}


def _sglang(world: int, sizes: Mapping[str, int], _options: Mapping[str, Any]) -> dict[str, int]:
    """Return SGLang's tp, all ranks of a stage, which attention divides."""
    dp, attention = sizes["dp"], sizes["tp"] * sizes["cp"]
    if dp == -1:
        check_divides("tp", attention, world // sizes["pp"], "the ranks of a pipeline stage / cp")
        dp = world // sizes["pp"] // attention
    return {"tp": attention * dp, "attn_dp": dp}


def _vllm(world: int, sizes: Mapping[str, int], _options: Mapping[str, Any]) -> dict[str, int]:
    """Return vLLM's copies; its experts have one size."""
    stage = world // sizes["pp"]
    if sizes["ep"] not in (1, stage):
        raise invalid("ep", sizes["ep"], f"must be 1 or all ranks of a stage, {stage}")
    return {"dp": max(stage // (sizes["tp"] * sizes["cp"]), 1)} if sizes["dp"] == -1 else {}


def _maxtext(world: int, sizes: Mapping[str, int], options: Mapping[str, Any]) -> dict[str, int]:
    """Return MaxText's fsdp: a batch is divided over data, fsdp and expert (base.yml)."""
    dp, taken = sizes["dp"], sizes["ep"] * options.get("slices", 1)
    if dp == -1:
        return {}
    if dp % taken:
        allowed = f"must be a multiple of ep x slices = {taken}, over which a batch is divided too"
        raise invalid("dp", dp, allowed)
    return {"ici_fsdp": dp // taken}


def _accelerate(
    world: int, sizes: Mapping[str, int], _options: Mapping[str, Any]
) -> dict[str, int]:
    """Return accelerate's dp_shard, which it does not work out itself."""
    inner = sizes["tp"] * sizes["cp"]
    check_divides("tp", inner, world, "the ranks / cp")
    return {"dp_shard": world // inner} if sizes["dp"] == -1 else {}


_OWN: Final = {"accelerate": _accelerate, "sglang": _sglang, "vllm": _vllm, "maxtext": _maxtext}
