"""Floating-point operations of a transformer, and the conventions by which they are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from rainier_fast.definitions.check import as_flag
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.workload.numbers import numbers
from rainier_fast.workload.parts import seen
from rainier_fast.workload.shape import Shape

if TYPE_CHECKING:
    from rainier_fast.table import Table

Mask: TypeAlias = Literal["causal", "full"]
MASKS: Final = ("causal", "full")
Recompute: TypeAlias = Literal["none", "selective", "full"]
RECOMPUTES: Final = ("none", "selective", "full")


class Forward(NamedTuple):
    """FLOPs of the forward pass for one token."""

    matrices: float
    """Of all matrices of the layers that a token visits."""
    scores: float
    """Of attention between tokens: scores, and values weighed by them."""
    head: float
    mtp: float
    """Of layers that predict further tokens, with a head each."""
    mtp_layers: float
    """Of those layers alone, which are computed again as others are."""

    @property
    def layers(self) -> float:
        """FLOPs of all layers."""
        return self.matrices + self.scores


def forward(model: Shape, sequence: int, *, causal: bool) -> Forward:
    """Count the FLOPs of the forward pass for one token of a sequence, averaged over it."""
    n = numbers(model)
    experts = model.experts
    sparse = model.sparse_layers
    visited = 0 if experts is None else n.router + experts.per_token * n.expert + n.shared
    matrices = model.layers * n.attention + sparse * visited + (model.layers - sparse) * n.mlp
    each = 2 * model.heads * _sizes(model)
    full = (sequence + 1) / 2 if causal else float(sequence)
    windowed = model.windowed_layers
    near = 0.0 if model.window is None else seen(model.window, sequence, causal=causal)
    scores = each * (windowed * near + (model.layers - windowed) * full)
    head = 2.0 * model.vocab * model.hidden
    inner = n.mlp if experts is None else visited
    layer = 2 * (n.attention + inner) + each * full
    further = layer + 4 * model.hidden**2 + head
    return Forward(2.0 * matrices, scores, head, model.mtp * further, float(model.mtp * layer))


def _sizes(model: Shape) -> int:
    """Return the numbers of a head in a score, and in a value."""
    if model.mla is None:
        return 2 * numbers(model).head_size
    return model.mla.nope_size + model.mla.rope_size + model.mla.value_size


def per_token(
    model: Shape,
    sequence: int,
    mask: Mask,
    recompute: Recompute,
    *,
    head: bool = True,
    mtp: bool = False,
    backward: bool = True,
) -> float:
    """Count the FLOPs for one token of a sequence: `Transformer.flops_per_token`."""
    again = as_one_of("recompute", recompute, RECOMPUTES)
    once = forward(model, sequence, causal=as_one_of("mask", mask, MASKS) == "causal")
    counted = once.layers + once.head * as_flag("head", head) + once.mtp * as_flag("mtp", mtp)
    if not as_flag("backward", backward):
        if again != "none":
            raise invalid("recompute", again, "must be 'none' without a backward pass")
        return counted
    whole = once.layers + once.mtp_layers * mtp
    return 3 * counted + {"none": 0.0, "selective": once.scores, "full": whole}[again]


class _Convention(NamedTuple):
    mask: Mask
    source: str
    mtp: bool = False
    recompute: Recompute = "none"


_CONVENTIONS: Final = {
    "megatron-bridge": _Convention(
        "causal", "NVIDIA-NeMo/Megatron-Bridge from 25.09, performance summaries", mtp=True
    ),
    "torchtitan": _Convention("full", "pytorch/torchtitan@b5bcd76c, benchmarks"),
    "maxtext": _Convention(
        "causal", "AI-Hypercomputer/maxtext, docs/reference/performance_metrics.md"
    ),
    "maxtext, old": _Convention("full", "AI-Hypercomputer/maxtext before pull request 1988"),
    "megatron 2021": _Convention(
        "full", "arXiv 2104.04473, equation 3: what is computed again counts", recompute="full"
    ),
}


def by_conventions(model: Shape, sequence: int) -> Table:
    """Count the FLOPs of training by each convention."""
    from rainier_fast.table import Table

    rows = _CONVENTIONS.values()
    counted = [per_token(model, sequence, row.mask, row.recompute, mtp=row.mtp) for row in rows]
    return Table(
        {
            "convention": list(_CONVENTIONS),
            "mask": [row.mask for row in rows],
            "mtp": [row.mtp for row in rows],
            "recompute": [row.recompute for row in rows],
            "flops_per_token": counted,
            "source": [row.source for row in rows],
        }
    )
