"""megatron-core: two grids over the same ranks, in an order that is a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, Final

import numpy as np

from rainier_fast.errors import Unsupported, invalid, unknown
from rainier_fast.workload.orders.options import check_divides, stacks
from rainier_fast.workload.orders.plan import Derived, Maker, Plan, levels, planned
from rainier_fast.workload.orders.view import Ranks, View

_AXES: Final = ("tp", "cp", "ep", "dp", "pp", "gtp_remat")
_PP_BEFORE_DP: Final = "tp-cp-ep-pp-dp"


def megatron(world: int, options: Mapping[str, Any]) -> Plan:
    """Return megatron-core's groups of the dense and of the expert grid."""
    stack = stacks()["megatron"]
    sizes = _sizes(world, options)
    order = _order(options)
    dense = dict(sizes["dense"])
    views = {
        name: View(_grid(name, order, sizes[name], after))
        for name, after in (("dense", "tp"), ("expert", "ep"))
    }
    _check_pipelines(views, order, sizes)
    fastest = [name for name, _ in reversed(views["dense"].axes) if name not in ("ep", "gtp_remat")]
    fastest += ["gtp_remat"] * (dense["gtp_remat"] > 1)
    plan = planned(stack, views, fastest)
    return Plan(views, {**plan.makers, **_derived(plan, options, sizes)}, plan.order)


def _sizes(world: int, options: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return the sizes of the axes of both grids; experts have no axis for the context."""
    tp = options["tp"]
    etp = tp if options["etp"] is None else options["etp"]
    shards, pp, ep = options["expert_gtp_remat"], options["pp"], options["ep"]
    dense = {name: options[name] for name in ("tp", "cp", "dp", "pp", "gtp_remat")} | {"ep": 1}
    for name, size, taken in (("etp", etp, pp), ("ep", ep, etp * pp)):
        if world % taken == 0:
            check_divides(name, size, world // taken, f"the ranks / {taken}")
    left = world // (etp * ep * pp)
    check_divides("expert_gtp_remat", shards, left, "the ranks of edp")
    edp = left // shards
    instances = options["optimizer_instances"]
    if instances > 1 and max(options["gtp_remat"], shards) > 1:
        allowed = "must be 1 beside gtp_remat or expert_gtp_remat: megatron-core refuses both"
        raise invalid("optimizer_instances", instances, allowed)
    check_divides("optimizer_instances", instances, dense["dp"] * dense["cp"], "dp x cp")
    check_divides("optimizer_instances", instances, edp, "edp")
    if options["hierarchical_cp"] and prod(options["hierarchical_cp"]) != dense["cp"]:
        given = list(options["hierarchical_cp"])
        raise invalid("hierarchical_cp", given, f"must have the product cp, {dense['cp']}")
    expert = {"tp": etp, "ep": ep, "dp": edp, "pp": pp, "gtp_remat": shards, "cp": 1}
    return {"dense": dense, "expert": expert}


def _order(options: Mapping[str, Any]) -> list[str]:
    """Return the tokens of the order, the fastest first."""
    text = str(options["axis_order"]).lower()
    if options["use_tp_pp_dp_mapping"]:
        if text != stacks()["megatron"]["options"]["axis_order"]:
            allowed = f"must be left out beside use_tp_pp_dp_mapping, which is {_PP_BEFORE_DP}"
            raise invalid("axis_order", text, allowed)
        text = _PP_BEFORE_DP
    tokens = text.split("-")
    for token in tokens:
        if token not in _AXES:
            raise unknown("axis_order", token, _AXES)
        if tokens.count(token) > 1:
            raise invalid("axis_order", text, f"must name {token} once")
    return tokens


def _grid(
    name: str, order: list[str], sizes: Mapping[str, int], after: str
) -> tuple[tuple[str, int], ...]:
    """Return the axes of a grid, slowest first; those that the order leaves out must be 1."""
    tokens = list(order)
    if "gtp_remat" not in tokens:
        anchor = after if after in tokens else "tp"
        tokens.insert(tokens.index(anchor) + 1 if anchor in tokens else 0, "gtp_remat")
    for axis, size in sizes.items():
        if axis not in tokens:
            if size > 1:
                allowed = f"must name {axis}, which is {size} in the {name} grid"
                raise invalid("axis_order", "-".join(order), allowed)
            tokens.append(axis)
    return tuple((axis, sizes[axis]) for axis in reversed(tokens))


def _check_pipelines(
    views: Mapping[str, View], order: list[str], sizes: Mapping[str, Mapping[str, int]]
) -> None:
    """Refuse orders in which the two grids would have unlike pipelines."""
    dense, expert = sizes["dense"], sizes["expert"]
    if dense["pp"] == 1 or (order[-1] == "pp" and _same(views)):
        return
    text = "-".join(order)
    near = "-".join([*(axis for axis in order if axis != "pp"), "pp"])
    if order[-1] != "pp" and dense["dp"] != expert["dp"]:
        raise Unsupported(
            f"axis_order: got '{text}' with dp {dense['dp']} and edp {expert['dp']}; where pp is "
            f"not the last, megatron-core wants both alike: use '{near}', or cp 1 and ep x etp = tp"
        )
    if not _same(views):
        raise Unsupported(
            f"axis_order: got '{text}', by which the pipelines of experts join other ranks than "
            f"those of the rest; megatron-core refuses that: use '{near}'"
        )


def _same(views: Mapping[str, View]) -> bool:
    return views["dense"].counted(["pp"]) == views["expert"].counted(["pp"])


def _derived(
    plan: Plan, options: Mapping[str, Any], sizes: Mapping[str, Mapping[str, int]]
) -> dict[str, Maker]:
    """Return the groups that are made of other groups: ends of pipelines, levels, instances."""
    dense, edp = sizes["dense"], sizes["expert"]["dp"]
    world = plan.views["dense"].world
    found: dict[str, Maker] = {}

    def derive(name: str, source: str, change: Callable[[Ranks], Ranks], size: int) -> None:
        count = world // (dense["pp"] if source == "pp" else size)
        found[name] = lambda: Derived(plan.axis(source), change, size, count)

    derive("embedding", "pp", _ends, min(2, dense["pp"]))
    derive("position_embedding", "pp", _first, 1)
    for at, level in enumerate(levels(options["hierarchical_cp"])):
        derive(f"cp_h{at}", "cp", level, options["hierarchical_cp"][at])
    instances = options["optimizer_instances"]
    if instances > 1:
        data = [dense["dp"] * dense["cp"] // instances, instances]
        experts = [edp // instances, instances]
        derive("dp_cp_intra", "dp_cp", levels(data)[0], data[0])
        derive("edp_intra", "edp", levels(experts)[0], experts[0])
        derive("edp_inter", "edp", levels(experts)[1], instances)
    sharded = max(options["gtp_remat"], options["expert_gtp_remat"]) > 1

    def instance(table: Ranks) -> Ranks:
        if sharded:
            return np.sort(table, axis=None).reshape(1, -1)
        return table.reshape(instances, -1)

    derive("optimizer_instance", "etp_ep_pp", instance, world // instances)
    return found


def _first(table: Ranks) -> Ranks:
    return table[:, :1]


def _ends(table: Ranks) -> Ranks:
    return table if table.shape[1] < 2 else table[:, [0, -1]]
