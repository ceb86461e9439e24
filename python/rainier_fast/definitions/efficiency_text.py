"""What an `Efficiency` says of itself: a line an operator, with its kind, source and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rainier_fast.definitions.operators import AttentionRate, MatmulRate, MemoryRate
from rainier_fast.screen import aligned
from rainier_fast.units import format_bandwidth, format_flops, format_time


class Told(Protocol):
    """What the text reads of it."""

    @property
    def chip(self) -> str:
        """The chip."""

    @property
    def stack(self) -> str:
        """Its software."""

    @property
    def stacks(self) -> tuple[str, ...]:
        """The others that are known."""

    @property
    def attention(self) -> AttentionRate:
        """Of attention."""

    @property
    def memory(self) -> MemoryRate:
        """Of what only moves bytes."""

    def rates(self) -> dict[str, MatmulRate]:
        """Of products, by precision."""


def text(told: Told) -> str:
    """Return it as lines."""
    sources: dict[str, int] = {}

    def cite(source: str) -> str:
        return f"[{sources.setdefault(source, len(sources) + 1)}]"

    attention = told.attention
    share = f"{attention.backward:.1%} of that rate"
    lines = [
        ("operator", "reaches", "kind", "source", ""),
        *(_line(f"matmul {name}", rate, cite) for name, rate in told.rates().items()),
        _line("attention", attention, cite),
        ("  backward", share, attention.backward_kind, cite(attention.backward_source), ""),
        _line("memory", told.memory, cite),
    ]
    others = [name for name in told.stacks if name != told.stack]
    head = f"{told.chip} with {told.stack}" + (f" (or {', '.join(others)})" if others else "")
    return "\n".join(
        [head, *aligned(lines), *(f"[{number}] {source}" for source, number in sources.items())]
    )


def _line(
    name: str, rate: MatmulRate | AttentionRate | MemoryRate, cite: Callable[[str], str]
) -> tuple[str, str, str, str, str]:
    if isinstance(rate, MemoryRate):
        reaches = f"{rate.hbm_ceiling:.1%} of {format_bandwidth(float(rate.bandwidth_Bps))}"
    else:
        reaches = f"{rate.ceiling:.1%} of {format_flops(rate.peak_flops)}"
    reaches += f" after {format_time(float(rate.launch_s))}"
    left = "" if rate.residual is None else str(rate.residual)
    return name, reaches, rate.kind, cite(rate.source), left
