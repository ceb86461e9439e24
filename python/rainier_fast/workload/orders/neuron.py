"""neuronx-distributed: ranks are logical cores, and some tensor groups go round an instance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from rainier_fast.errors import Unsupported, invalid
from rainier_fast.workload.orders.options import check_divides, stacks
from rainier_fast.workload.orders.plan import Line, Plan, grids, planned
from rainier_fast.workload.orders.view import View


def neuronx(world: int, options: Mapping[str, Any]) -> Plan:
    """Return the groups of neuronx-distributed: LOGIC1, LOGIC2, or across nodes of trn1."""
    stack = stacks()["neuronx"]
    tp, ep = options["tp"], options["ep"]
    check_divides("ep", ep, world // (tp * options["pp"]), "dp x cp")
    sizes = {**options, "edp": world // (tp * options["pp"] * ep)}
    views = grids(stack, sizes)
    platform, lnc = options["platform"], options["lnc"]
    ranks = ranks_of_chip(platform, lnc)
    if platform == "trn1" and tp == 4:
        block = _across_a_node(world, options)
        views = {name: View(view.axes, block) for name, view in views.items()}
        note = f"tp joins ranks {len(block) // 4} apart inside each node (platform trn1, tp 4)"
        return planned(stack, views, ranks_per_chip=ranks, notes=[note])
    if not _is_logic2(world, platform, lnc, tp):
        notes = ["LOGIC1: ranks are counted up"]
        if [platform, 3 - lnc, tp] in stack["logic2"]["when"]:
            notes.append(
                f"lnc {lnc} is given or the default; with lnc {3 - lnc}, tp {tp} is LOGIC2"
            )
        return planned(stack, views, ranks_per_chip=ranks, notes=notes)
    views["dense"] = View(views["dense"].axes, _rows(world, options))
    notes = ["LOGIC2: rows 0 + 3 and 1 + 2 of each instance, in the order 0, 3, 1, 2"]
    if ep > 1:
        notes.append("ep is counted up all the same: it joins unlike places of tensor groups")
    plan = planned(stack, views, ranks_per_chip=ranks, notes=notes)
    # Axes of one rank are listed by the numbers of the ranks.
    single = partial(Line, View((("rank", world),)), ())
    alone = {name: single for name in ("dp", "pp") if options[name] == 1}
    return Plan(views, {**plan.makers, **alone}, plan.order, ranks, plan.notes)


def ranks_of_chip(platform: str, lnc: int) -> int:
    """Return how many ranks a chip is."""
    cores = int(stacks()["neuronx"]["cores_of_chip"][platform])
    return cores // lnc if cores > 2 else cores


def _is_logic2(world: int, platform: str, lnc: int, tp: int) -> bool:
    rule = stacks()["neuronx"]["logic2"]
    small = lnc == 2 and world < rule["least_world_at_lnc2"]
    return [platform, lnc, tp] in rule["when"] and not small


def _rows(world: int, options: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the ranks of a node by rows of its torus, the last row beside the first."""
    stack = stacks()["neuronx"]
    local = options["local_world"] or stack["local_world"]
    tp = options["tp"]
    if local not in (tp, 2 * tp) or world % local:
        raise Unsupported(
            f"local_world: got {local:,} of {world:,} ranks with tp {tp}; by LOGIC2 a node is one "
            f"tensor group or two, and ranks are whole nodes: neuronx-distributed stops. Use "
            f"local_world={2 * tp} (it is {stack['local_world']} where LOCAL_WORLD_SIZE is not set)"
        )
    rows = np.arange(local).reshape(4, -1)
    return tuple(rows[stack["logic2"]["rows"]].ravel().tolist())


def _across_a_node(world: int, options: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the ranks of a Trainium1 node, those of a tensor group one after another."""
    for name in ("ep", "cp"):
        if options[name] > 1:
            mend = f"use {name} 1 or another tp"
            raise Unsupported(
                f"{name}: got {options[name]} with tp 4 on trn1, which neuronx-distributed "
                f"does not have: {mend}"
            )
    local = options["local_world"] or world
    lanes = local // 4
    if local % 4 or options["dp"] % lanes:
        allowed = f"must be a multiple of 4 such that a quarter of it divides dp, {options['dp']}"
        raise invalid("local_world", local, allowed)
    return tuple(np.arange(local).reshape(4, lanes).T.ravel().tolist())


def neuronx_inference(world: int, options: Mapping[str, Any]) -> Plan:
    """Return the attention groups of neuronx-distributed-inference, tp divided by cp or dp."""
    stack = stacks()["neuronx-inference"]
    cp, dp = options["cp"], options["dp"]
    if cp > 1 and dp > 1:
        raise invalid("dp", dp, "must be 1 beside cp: attention takes one of them")
    axis = "dp" if dp > 1 else "cp"
    degree = max(cp, dp)
    check_divides(axis, degree, world, "world, the tp degree")
    tp = world // degree
    table = stack["table"]
    block: tuple[int, ...] = ()
    note = "ranks are counted up"
    if (degree, tp) == (table["degree"], table["tp"]) and not options["switch_cc"]:
        chips = np.arange(2 * tp).reshape(-1, table["ranks_of_chip"])
        block = tuple(chips[table["chips"]].ravel().tolist())
        note = "the table for 8 x 8: chips 0 + 3 and 1 + 2 of each row"
    view = View(((axis, degree), ("tp", tp)), block)
    axes = {name: partial(Line, view, (name,)) for name in ("tp", axis)}
    return Plan({"attention": view}, axes, ("tp", axis), table["ranks_of_chip"], (note,))
