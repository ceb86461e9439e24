"""Training stacks but Neuron's: megatron-core, torchtitan, DeepSpeed, accelerate, MaxText."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import Any

import numpy as np

from rainier_fast.errors import Unsupported, invalid
from rainier_fast.workload.orders.options import check_divides, fill, stacks
from rainier_fast.workload.orders.plan import Line, Maker, Plan, grids, planned
from rainier_fast.workload.orders.view import View


def torchtitan(world: int, options: Mapping[str, Any]) -> Plan:
    """Return torchtitan's meshes: experts are the fast end of dp_shard x cp x tp."""
    stack = stacks()["torchtitan"]
    whole = world // (options["pp"] * options["dp_replicate"])
    check_divides("ep", options["ep"], whole, "dp_shard x cp x tp")
    views = grids(stack, {**options, "efsdp": whole // options["ep"]})
    plan = planned(stack, views)
    folded = options["spmd_backend"] == "partial_dtensor"
    left_out = {"dp_shard", "dp"} if folded else set()
    left_out |= {"dp"} if options["spmd_backend"] == "full_dtensor" else set()
    makers = {name: make for name, make in plan.makers.items() if name not in left_out}
    return Plan(plan.views, makers, plan.order)


def accelerate(world: int, options: Mapping[str, Any]) -> Plan:
    """Return accelerate's mesh and the joint meshes over it."""
    if options["sp"] > 1:
        mend = "accelerate leaves the groups to DeepSpeed then: use 'deepspeed' with sp"
        raise Unsupported(f"sp: got {options['sp']}; {mend}")
    whole = prod(options.values())
    if whole != world:
        words = " x ".join(f"{name} {size}" for name, size in options.items() if size > 1) or "1"
        allowed = f"must be the product of all sizes, {words} = {whole:,}: none is worked out"
        raise invalid("world", world, allowed)
    if options["dp_replicate"] > options["dp_shard"] == 1 < options["tp"] * options["cp"]:
        allowed = "must be 1 beside tp or cp, or dp_shard above 1: accelerate refuses plain copies"
        raise invalid("dp_replicate", options["dp_replicate"], allowed)
    stack = stacks()["accelerate"]
    return planned(stack, grids(stack, options))


def maxtext(world: int, options: Mapping[str, Any]) -> Plan:
    """Return MaxText's mesh: each axis between slices first, then inside them."""
    stack = stacks()["maxtext"]
    sizes = dict(options)
    check_divides("slices", sizes["slices"], world, "world")
    for part, whole in (("dcn", sizes["slices"]), ("ici", world // sizes["slices"])):
        _fill_part(sizes, part, whole)
    names = [f"{part}_{axis}" for part in ("dcn", "ici") for axis in stack["mesh"]]
    view = View(tuple((name, sizes[name]) for name in names))
    makers = {
        axis: partial(Line, view, (f"dcn_{axis}", f"ici_{axis}"))
        for axis in reversed(stack["mesh"])
        if view.size((f"dcn_{axis}", f"ici_{axis}")) > 1
    }
    note = (
        "places of JAX's mesh, the devices of a slice counted up: create_device_mesh may put a "
        "place on another device of a TPU slice"
    )
    return Plan({"all": view}, makers, tuple(reversed(stack["mesh"])), None, (note,))


def _fill_part(sizes: dict[str, int], part: str, whole: int) -> None:
    """Put the size that is left of the slices, or of the devices of one."""
    stack = stacks()["maxtext"]
    names = [f"{part}_{axis}" for axis in stack["mesh"]]
    left = [name for name in names if sizes[name] == -1]
    if len(left) > 1:
        raise invalid(left[1], -1, f"must be a size where {left[0]} is -1: one takes what is left")
    rest = left[0] if left else f"{part}_{stack['rests'][part]}"
    others = [name for name in names if name != rest]
    what = "slices" if part == "dcn" else "devices of a slice"
    fill(sizes, whole, rest, others, what)


def deepspeed(world: int, options: Mapping[str, Any]) -> Plan:
    """Return DeepSpeed's grid, its expert groups by one of three ways, and its small shards."""
    stack = stacks()["deepspeed"]
    pp, tp, sp = (options[name] for name in ("pp", "tp", "sp"))
    if sp > 1 and tp > 1:
        raise Unsupported(
            f"sp: got {sp} beside tp {tp}; no grid of DeepSpeed has both: leave one at 1"
        )
    plan = planned(stack, grids(stack, options))
    stage = world // pp
    view = _deepspeed_experts(options, stage)
    hpz = min(options["hpz"], world)
    check_divides("hpz", hpz, world, "world")
    shards = View((("rest", world // hpz), ("hpz", hpz)))
    lanes = "lane" in dict(view.axes)
    # One list of lanes, of which edp takes every ep-th: all lanes of a tensor group are in it.
    ways = {"ep": ("pp", "lane", "edp"), "edp": ("pp", "lane", "ep")} if lanes else {}
    makers: dict[str, Maker] = {}
    for name in ("ep", "edp"):
        makers[name] = partial(Line, view, (name,), ways.get(name, ()))
    makers["hpz"] = partial(Line, shards, ("hpz",))
    notes = []
    if options["experts"] == "autoep" and tp > 1 < pp:
        notes.append(
            "groups of AutoEP's table; the engine of 0.19.8 stops where tp and pp are above 1"
        )
    views, every = {**plan.views, "expert": view}, {**plan.makers, **makers}
    return Plan(views, every, plan.order, notes=tuple(notes))


def _deepspeed_experts(options: Mapping[str, Any], stage: int) -> View:
    """Return the ranks of DeepSpeed's experts over pp, edp and ep; `lane` is a place in tp."""
    pp, tp, ep, way = (options[name] for name in ("pp", "tp", "ep", "experts"))
    data_first = options["data_before_expert"]
    whole = stage // tp if way == "mpu" else stage
    words = "dp" if way == "mpu" else "the ranks of a pipeline stage"
    check_divides("ep", ep, whole, words)
    edp = whole // ep
    if way == "mpu":
        inner = (("ep", ep), ("edp", edp)) if data_first else (("edp", edp), ("ep", ep))
        return View((("pp", pp), *inner, ("lane", tp)))
    if way == "autoep" and ep == 1 < tp:
        allowed = "must be above 1 for AutoEP with tp: DeepSpeed would count gradients twice"
        raise invalid("ep", ep, allowed)
    if data_first and tp * options["sp"] > 1:
        allowed = "must be False with tp or sp: DeepSpeed has it without them, or by mpu"
        raise invalid("data_before_expert", data_first, allowed)
    if data_first:
        return View((("pp", pp), ("ep", ep), ("edp", edp)))
    block: tuple[int, ...] = ()
    if way == "native" and tp > 1:
        block = tuple(np.arange(stage).reshape(-1, tp).T.ravel().tolist())
    return View((("pp", pp), ("edp", edp), ("ep", ep)), block)
