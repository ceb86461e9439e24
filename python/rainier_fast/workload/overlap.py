"""What a machine's software hides behind what it computes, by its own rules."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from rainier_fast.workload.data import read_data
from rainier_fast.workload.layout import Layout

_BEHIND: Final = {
    "tensor": "products of the same half of a layer",
    "regather": "gradients of inputs",
    "context": "attention to the keys that have come",
    "data": "layers before and after",
}
_WHAT: Final = {
    "tensor": "tp: rows before and after products",
    "regather": "tp: rows again, for gradients of weights",
    "context": "cp: keys and values on a ring",
    "data": "dp: weights and gradients of replicas",
}
_DUAL: Final = "arXiv 2412.19437, section 3.2.1: one direction's experts while the other computes"
_PLAIN: Final = "Megatron Core: tokens are sent before experts compute, and come back after"


@cache
def rules(runtime: str | None) -> dict[str, Any]:
    """Return the rules of a machine's software; of None those that are assumed."""
    known = read_data("overlap.json")
    found: dict[str, Any] = known[runtime or ""]
    return found


def overlap_row(runtime: str | None) -> dict[str, Any]:
    """Return the rules as the core's `Overlap`."""
    known = rules(runtime)
    row: dict[str, Any] = {name: known[name]["hidden"] for name in _WHAT}
    return row | {"early": float(known["data"]["early"]), "late": float(known["data"]["late"])}


def overlap_columns(runtime: str | None, layout: Layout) -> dict[str, list[Any]]:
    """Return the columns of `TrainingStep.overlaps`: only collectives that the layout has."""
    known = rules(runtime)
    has = {
        "tensor": layout.tp > 1,
        "regather": layout.has_sequence_parallel,
        "context": layout.cp > 1 and layout.context == "ring",
        "data": True,
    }
    rows = []
    for name in (name for name in _WHAT if has[name]):
        rule = known[name]
        hides = bool(rule["hidden"]) and layout.overlap
        source = str(rule["source"]) if layout.overlap else "overlap=False"
        behind = _BEHIND[name]
        if name == "regather" and known["tensor"]["hidden"]:
            behind = "gradients of weights"
        rows.append((_WHAT[name], hides, behind if hides else "", source))
    if layout.ep > 1:
        dual = layout.schedule == "dualpipe"
        behind = "computation of the other direction" if dual else ""
        rows.append(("ep: tokens to experts and back", dual, behind, _DUAL if dual else _PLAIN))
    names = ("collectives", "hidden", "behind", "source")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def overlap_guesses(runtime: str | None, layout: Layout) -> list[str]:
    """Return which of the rules that matter rest on nothing published."""
    if not layout.overlap:
        return []
    known, found = rules(runtime), []
    has = {"tensor": layout.tp > 1, "regather": layout.has_sequence_parallel}
    has |= {"context": layout.cp > 1 and layout.context == "ring", "data": True}
    for name in (name for name, matters in has.items() if matters and known[name].get("guess")):
        hidden = "hidden" if known[name]["hidden"] else "not hidden"
        found.append(f"{_WHAT[name]}: {hidden}, {known[name]['source']}")
    return found
