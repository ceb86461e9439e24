"""A job and a layout as the plain rows that the core takes."""

from __future__ import annotations

from typing import Any

from rainier_fast.definitions.check import MAX_COUNT
from rainier_fast.errors import Unsupported, invalid
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


def layout_row(layout: Layout, chips: int) -> dict[str, Any]:
    """Return a layout as the core's `Layout`, in which a rank is a chip."""
    tp, etp, ep = _in_chips(layout)
    ranks = tp * layout.cp * layout.pp * layout.islands
    return {
        "tp": tp,
        "pp": layout.pp,
        "cp": layout.cp,
        "dp": _replicas(layout, ranks, chips),
        "ep": ep,
        "etp": etp,
        "zero": layout.zero,
        "shard": layout.shard or 0,
        "microbatch": layout.microbatch,
        "schedule": layout.runs,
        "virtual_stages": layout.chunks,
        "sequence_parallel": layout.has_sequence_parallel and tp > 1,
        "context": layout.context,
        "order": list(layout.axes),
        "split": list(layout.split or ()),
        "overlap": layout.overlap,
        "islands": layout.islands,
        "outer_every": layout.outer_every,
    }


def _in_chips(layout: Layout) -> tuple[int, int, int]:
    """Return tp, etp and ep as chips: one holds what its ranks hold."""
    ranks = layout.ranks_per_chip
    if ranks == 1:
        return layout.tp, layout.expert_tp, layout.ep
    if layout.tp % ranks or layout.axes[0] != "tp":
        raise Unsupported(
            f"tp: got {layout.tp} in order {'-'.join(layout.axes)} with {ranks} ranks a chip; the "
            f"ranks of a chip must share matrices: use a multiple of {ranks}, tp first, or say the "
            "layout in chips (ranks_per_chip=1)"
        )
    etp, ep, left = layout.expert_tp, layout.ep, ranks
    for name, size in (("etp", etp), ("ep", ep)):
        inside = min(left, size)
        if size % inside or left % inside:
            raise Unsupported(
                f"{name}: got {size} with {ranks} ranks a chip, which no whole chips are; use a "
                f"power of two, or say the layout in chips (ranks_per_chip=1)"
            )
        left //= inside
        etp, ep = (etp // inside, ep) if name == "etp" else (etp, ep // inside)
    return layout.tp // ranks, etp, ep


def _replicas(layout: Layout, ranks: int, chips: int) -> int:
    """Return dp: as said, or what the chips hold."""
    if layout.dp != -1:
        if layout.dp * ranks > MAX_COUNT:
            raise invalid("dp", layout.dp, f"must be 1 to {max(chips // ranks, 1):,}")
        return layout.dp
    if ranks > chips:
        said = "tp x cp x pp" + (" x islands" if layout.islands > 1 else "")
        said += " / ranks_per_chip" if layout.ranks_per_chip > 1 else ""
        largest = max(("tp", "cp", "pp", "islands"), key=lambda name: int(getattr(layout, name)))
        allowed = f"needs {ranks:,} chips ({said}), of which there are {chips:,}"
        raise invalid(largest, getattr(layout, largest), allowed)
    if chips % ranks:
        allowed = f"is no whole number: {chips:,} chips / {ranks:,}; choose sizes that divide"
        raise invalid("dp", layout.dp, allowed)
    return chips // ranks
