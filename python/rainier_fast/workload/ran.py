"""What the core says of a training step, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

PARTS: Final = (
    "matmul",
    "attention",
    "memory_bound",
    "recompute",
    "tp",
    "cp",
    "ep",
    "pp_bubble",
    "dp",
    "optimizer",
    "outer",
    "host",
)
"""What the seconds of a step are spent on."""

AXES_OF_PARTS: Final = {
    "tp": ("tp",),
    "cp": ("cp",),
    "ep": ("ep", "etp"),
    "pp_bubble": ("pp",),
    "dp": ("dp", "copies", "expert_dp"),
    "outer": ("islands",),
}
"""Axes whose collectives each part waits for."""

KEPT: Final = ("weights", "gradients", "optimizer", "activations", "working", "gathered")
"""What takes memory."""


class Priced(NamedTuple):
    """One collective of a step, alone."""

    operation: str
    axes: str
    ranks: int
    size: float
    seconds: float
    algorithm: str
    bottleneck: str
    """The class of links that bounds it; empty for none."""

    def is_by_links(self, algorithm: str) -> bool:
        """Return whether links alone say what it takes.

        So it is where they were asked for, and where the machine's software has no model of it.
        """
        return algorithm == "auto" or self.algorithm.partition("(")[0] != algorithm

    @property
    def is_inside_chips(self) -> bool:
        """Whether it is among the ranks of each chip, over no link."""
        return self.bottleneck == "inside a chip"


@dataclass(frozen=True, slots=True)
class Ran:
    """A step as the core ran it."""

    parts: tuple[float, ...]
    stage: int
    microbatches: int
    memory: tuple[tuple[float, ...], ...]
    chunks: tuple[tuple[float, ...], ...]
    transfer: float
    layers: tuple[int, ...]
    collectives: tuple[Priced, ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Ran:
        """Read the core's dict."""
        parts = dict(told["parts"])
        return cls(
            parts=tuple(float(parts[name]) for name in PARTS),
            stage=int(told["stage"]),
            microbatches=int(told["microbatches"]),
            memory=tuple(tuple(row) for row in told["memory"]),
            chunks=tuple(tuple(chunk) for chunk in told["chunks"]),
            transfer=float(told["transfer"]),
            layers=tuple(told["layers"]),
            collectives=tuple(Priced(*one) for one in told["collectives"]),
        )
