"""A job and a layout as the plain rows that the core takes."""

from __future__ import annotations

import math
from typing import Any, Final

from rainier_fast.errors import invalid
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.numbers import numbers
from rainier_fast.workload.parts import Experts, Window, seen
from rainier_fast.workload.shape import Shape
from rainier_fast.workload.training import Training


def training_row(training: Training) -> dict[str, Any]:
    """Return a job as the core's `Job`."""
    kept = training.stored
    return {
        "model": model_row(training.transformer),
        "sequence": training.sequence,
        "batch": training.batch,
        "attended": attended(training),
        "activation_bytes": kept.activation,
        "dispatch_bytes": kept.dispatch,
        "weight_bytes": kept.weight,
        "gradient_bytes": kept.gradient,
        "optimizer_bytes": kept.optimizer,
        "recompute": training.recompute,
        "fused_attention": training.attention == "fused",
        "dropout": training.dropout,
        "imbalance": training.imbalance,
        "host": training.host,
    }


def model_row(model: Shape) -> dict[str, Any]:
    """Return a model as the core's `Model`."""
    n = numbers(model)
    mla, experts = model.mla, model.experts
    # The norm after the last layer stands with the head; one that is the embedding is with that.
    embedding_norm, head_norm = (n.last_norm, 0) if n.head == 0 else (0, n.last_norm)
    return {
        "hidden": model.hidden,
        "vocab": model.vocab,
        "heads": model.heads,
        "kv_heads": model.shared_heads,
        "head_size": n.head_size,
        "latent": mla
        and {
            "q_rank": mla.q_rank,
            "kv_rank": mla.kv_rank,
            "nope": mla.nope_size,
            "rope": mla.rope_size,
            "value": mla.value_size,
        },
        "ffn": model.ffn,
        "gated": model.gated,
        "experts": experts
        and {
            "count": experts.count,
            "per_token": experts.per_token,
            "width": experts.width,
            "shared_width": experts.shared_width,
        },
        "norms": model.norms,
        "rope": model.positions == 0,
        "sparse": [is_sparse(experts, layer) for layer in range(model.layers)],
        "windowed": [is_windowed(model.window, layer) for layer in range(model.layers)],
        "mtp": model.mtp,
        "numbers": {
            "attention": n.attention,
            "every": n.every,
            "mlp": n.mlp + n.mlp_biases,
            "router": n.router + n.router_biases,
            "expert": n.expert + n.expert_biases,
            "shared": n.shared,
            "embedding": n.embedding + embedding_norm,
            "head": n.head + head_norm,
            "mtp_extra": 2 * model.hidden**2 + 3 * model.hidden,
        },
    }


def is_sparse(experts: Experts | None, layer: int) -> bool:
    """Return whether a layer has experts."""
    if experts is None:
        return False
    return layer >= experts.dense_first and (layer + 1) % experts.every == 0


def is_windowed(window: Window | None, layer: int) -> bool:
    """Return whether a layer looks through the window."""
    if window is None:
        return False
    return window.full_every == 0 or (layer + 1) % window.full_every != 0


def attended(training: Training) -> tuple[float, float]:
    """Return to how many tokens one attends in full and in windowed layers, as a kernel runs it.

    A fused kernel leaves out what is masked; an unfused one computes all scores.
    """
    sequence, window = training.sequence, training.transformer.window
    if training.attention == "unfused":
        return float(sequence), float(sequence)
    causal = training.mask == "causal"
    full = (sequence + 1) / 2 if causal else float(sequence)
    near = full if window is None else seen(window, sequence, causal=causal)
    return full, near


def layout_row(layout: Layout, ranks: int) -> dict[str, Any]:
    """Return a layout on so many ranks as the core's `Layout`."""
    return {
        "tp": layout.tp,
        "pp": layout.pp,
        "cp": layout.cp,
        "dp": _replicas(layout, ranks),
        "ep": layout.ep,
        "etp": layout.expert_tp,
        "zero": layout.zero,
        "shard": layout.shard or 0,
        "microbatch": layout.microbatch,
        "schedule": layout.runs,
        "virtual_stages": layout.chunks,
        "sequence_parallel": layout.has_sequence_parallel,
        "context": layout.context,
        "order": list(layout.axes),
        "split": list(layout.split or ()),
        "overlap": layout.overlap,
        "islands": layout.islands,
        "outer_every": layout.outer_every,
    }


_SHARES: Final = ("tp", "cp", "pp", "islands")
"""Sizes of a layout that dp multiplies."""


def _replicas(layout: Layout, ranks: int) -> int:
    """Return dp: as said, or what the ranks hold."""
    each = layout.model_ranks
    needed = each * max(layout.dp, 1)
    if needed > ranks:
        names = _SHARES if layout.dp == -1 else (*_SHARES, "dp")
        largest = max(names, key=lambda name: int(getattr(layout, name)))
        said = " x ".join(name for name in names if name != "islands" or layout.islands > 1)
        allowed = f"needs {needed:,} ranks ({said}), of which there are {ranks:,}"
        raise invalid(largest, getattr(layout, largest), allowed)
    if layout.dp != -1:
        return layout.dp
    for name in _SHARES:
        size = int(getattr(layout, name))
        if ranks % size:
            small = [one for one in range(1, math.isqrt(ranks) + 1) if ranks % one == 0]
            divisors = (*small, *(ranks // one for one in small))
            nearest = min(divisors, key=lambda other: abs(other - size))
            raise invalid(name, size, f"must divide the {ranks:,} ranks: {nearest:,} does")
    if ranks % each:
        allowed = f"is no whole number: {ranks:,} ranks / {each:,}; choose sizes that divide"
        raise invalid("dp", layout.dp, allowed)
    return ranks // each
