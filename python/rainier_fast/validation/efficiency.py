"""Measured operators of single chips beside what `Efficiency` says, and what its fits left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.efficiency_data import data
from rainier_fast.definitions.operators import AttentionRate, MatmulRate, MemoryRate, Residual
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

SOURCE: Final = "efficiency"
"""The name of the reference."""

KIND: Final = "as one chip runs it"
"""What kind of number these times are: of one operator, on a chip or a core that does no other."""

NAMES: Final = ("chip", "stack", "operator", "rows fitted", "their error", "left out", "large ones")
"""The columns of `lines`."""

_CHIPS: Final = {
    "trainium2": "Trainium2",
    "tpu-ironwood": "Ironwood",
    "a100": "A100",
    "h100": "H100",
    "h200": "H200",
    "b200": "B200",
    "b300": "B300",
    "gb200": "GB200",
    "gb300": "GB300",
}
_Case = Mapping[str, Any]


def rows() -> list[Row]:
    """Return each measurement beside ours."""
    found = []
    for table in read("efficiency")["tables"]:
        whole = Efficiency.of(table["chip"], table["stack"])
        part = whole.part(table["parts"])
        found += [_row(table, case, part) for case in table["rows"]]
    return found


def lines() -> list[Sequence[str]]:
    """Return a line for each operator that was fitted to a table: errors of both halves."""
    found: list[Sequence[str]] = []
    for chip, name in _CHIPS.items():
        for stack in data()["chips"][chip]["stacks"]:
            known = Efficiency.of(chip, stack)
            rates: list[tuple[str, MatmulRate | AttentionRate | MemoryRate]] = [
                *((f"matmul {precision}", rate) for precision, rate in known.rates().items()),
                ("attention", known.attention),
                ("memory", known.memory),
            ]
            found += [
                _fit(name, stack, operator, rate.residual)
                for operator, rate in rates
                if rate.residual is not None
            ]
    return found


def _fit(chip: str, stack: str, operator: str, left: Residual) -> Sequence[str]:
    errors = (left.fitted, left.held_out, left.large)
    cells = ["" if error is None else f"{100 * error:.1f} %" for error in errors]
    return chip, stack, operator, f"{left.rows:,}", *cells


def _row(table: _Case, case: _Case, part: Efficiency) -> Row:
    call = float(part.call_s)
    name = _CHIPS[table["chip"]]
    stack = "" if len(part.stacks) == 1 else f", {table['stack']}"
    if "m" in case:
        precision = case.get("precision", "bf16")
        sizes = case["m"], case["k"], case["n"]
        seconds = part.matmul_s(*sizes, precision=precision) + call
        group = f"{name} products{stack}"
        words = f"{precision}, {sizes[0]} x {sizes[1]} by {sizes[1]} x {sizes[2]}"
        flops = 2.0 * sizes[0] * sizes[1] * sizes[2]
        measured = case["us"] if "us" in case else flops / case["tflops"] / 1e6
    else:
        shape = {key: case[key] for key in ("sequence", "heads", "head_size", "kv_heads", "batch")}
        seconds = part.attention_s(**shape) + call
        group = f"{name} attention{stack}"
        words = "{batch} x {sequence}, {heads} and {kv_heads} heads of {head_size}".format(**case)
        measured = case["us"]
    ours = seconds * 1e6
    return Row(
        group,
        words,
        "time",
        "us",
        measured,
        ours,
        KIND,
        "efficiency",
        table["source"],
        _note(table, case),
    )


def _note(table: _Case, case: _Case) -> str:
    if case.get("alone"):
        return "one core of four busy; ours is of all at once"
    return "left out of the fit" if "free" not in table else "fitted"
