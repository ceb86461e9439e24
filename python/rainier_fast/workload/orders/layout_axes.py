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
    items = tuple(sorted((name, size) for name, size in sizes.items()))
    return dict(_axes(order, world, items, tuple(sorted(options.items()))))


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
    given = _given(name, stack, ranks, dict(sizes))
    extra = {**stack["layout"].get("options", {}), **dict(options)}
    plan = plan_of(name, ranks, tuple(checked(name, {**given, **extra}).items()))
    found: dict[str, Axis] = dict.fromkeys(AXES, (1, 1))
    for axis, spec in stack["layout"]["axes"].items():
        known_axis = isinstance(spec, str) and spec in plan.makers
        one = plan.axis(spec) if known_axis else line(stack, plan.views, spec)
        found[axis] = one.digit() or one.groups()
    if name == "vllm" and dict(sizes).get("ep") in (None, 1):
        found["ep"] = (1, 1)
    return found


def _given(
    name: str, stack: Mapping[str, Any], world: int, sizes: dict[str, int | None]
) -> dict[str, Any]:
    """Return the sizes of a layout as the stack's own keywords."""
    for axis, size in sizes.items():
        if axis not in SIZES:
            raise unexpected("sizes", axis, SIZES)
        if size is not None and not (axis == "dp" and size == -1):
            as_size(axis, size)
    names = stack["layout"]["sizes"]
    given = {names[axis]: size for axis, size in sizes.items() if axis in names and size}
    rest = {axis: size for axis, size in sizes.items() if axis not in names and size is not None}
    tp, cp, dp, ep = (sizes.get(axis) or 1 for axis in ("tp", "cp", "dp", "ep"))
    if name == "sglang":
        rest.pop("tp", None)
        if dp == -1:
            pp = sizes.get("pp") or 1
            check_divides("tp", tp * cp, world // pp, "the ranks of a pipeline stage / cp")
            given["attn_dp"] = dp = world // pp // (tp * cp)
        given["tp"] = tp * cp * dp
        rest.pop("etp", None)
    if name == "vllm" and rest.get("ep", 1) not in (1, _stage(world, sizes)):
        allowed = f"must be 1 or all ranks of a stage, {_stage(world, sizes)}: vLLM has no other"
        raise invalid("ep", ep, allowed)
    if name == "vllm":
        rest.pop("ep", None)
        if dp == -1:
            given["dp"] = max(_stage(world, sizes) // (tp * cp), 1)
    own = {"neuronx": tp}.get(name, 1)
    if rest.pop("etp", own) != own:
        words = "tp" if name == "neuronx" else "1"
        raise invalid("etp", sizes["etp"], f"must be {words}: {stack['title']} has no other")
    for axis, size in rest.items():
        if size != 1:
            raise invalid(axis, size, f"must be 1: {stack['title']} has no such axis")
    return given


def _stage(world: int, sizes: Mapping[str, int | None]) -> int:
    return world // (sizes.get("pp") or 1)
