"""Serving stacks: vLLM and SGLang."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rainier_fast.workload.orders.options import check_divides, stacks
from rainier_fast.workload.orders.plan import Plan, grids, planned


def vllm(world: int, options: Mapping[str, Any]) -> Plan:
    """Return vLLM's groups: pipelines inside each copy, experts over all copies of a stage."""
    stack = stacks()["vllm"]
    tp, dcp = options["tp"], options["dcp"]
    check_divides("dcp", dcp, tp, f"tp of {world:,} ranks")
    views = grids(stack, {**options, "tp_dcp": tp // dcp})
    return planned(stack, views, notes=["ep is there for models with experts alone"])


def sglang(world: int, options: Mapping[str, Any]) -> Plan:
    """Return SGLang's groups: attention and experts divide tp, each in its own way."""
    stack = stacks()["sglang"]
    tp = options["tp"]
    attention = options["attn_dp"] * options["attn_cp"]
    experts = options["ep"] * options["moe_dp"]
    check_divides("attn_dp", options["attn_dp"], tp, f"tp of {world:,} ranks")
    check_divides("attn_cp", options["attn_cp"], tp // options["attn_dp"], "tp / attn_dp")
    check_divides("ep", options["ep"], tp, "tp")
    check_divides("moe_dp", options["moe_dp"], tp // options["ep"], "tp / ep")
    sizes = {
        **options,
        "attn_tp": tp // attention,
        "moe_tp": tp // experts,
        "moe_ep": options["ep"],
    }
    return planned(stack, grids(stack, sizes))
