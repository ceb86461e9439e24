"""How many numbers each part of a transformer keeps."""

from __future__ import annotations

from typing import NamedTuple

from rainier_fast.workload.shape import Shape


class Numbers(NamedTuple):
    """Numbers of one layer's parts, and of what stands before and after the layers."""

    head_size: int
    attention: int
    """Matrices of attention."""
    mlp: int
    """Matrices of the MLP of a layer without experts."""
    router: int
    expert: int
    """Matrices of one expert."""
    shared: int
    """Matrices of the MLP beside the experts."""
    every: int
    """All that a layer has beside matrices, whatever its MLP: norms, biases, sinks."""
    mlp_biases: int
    expert_biases: int
    """Of one expert."""
    router_biases: int
    embedding: int
    """Embedding and learned positions."""
    head: int
    """0 where it is the embedding."""
    last_norm: int

    def sparse(self, experts: int) -> int:
        """Return the numbers of a layer with so many experts (of those that it has)."""
        visited = experts * (self.expert + self.expert_biases)
        rest = self.router + self.router_biases + self.shared
        return self.attention + self.every + visited + rest

    @property
    def dense(self) -> int:
        """Numbers of a layer without experts."""
        return self.attention + self.every + self.mlp + self.mlp_biases

    def ends(self) -> int:
        """Return the numbers before and after the layers."""
        return self.embedding + self.head + self.last_norm

    def total(self, model: Shape) -> int:
        """Return all numbers."""
        return self._with(model, 0 if model.experts is None else model.experts.count)

    def active(self, model: Shape) -> int:
        """Return the numbers that one token uses."""
        return self._with(model, 0 if model.experts is None else model.experts.per_token)

    def further(self, model: Shape) -> int:
        """Return the numbers of the layers that predict further tokens.

        Each is a layer, two norms of its inputs and one of its output, and a matrix that halves
        the two rows: DeepSeek-V3 technical report (arXiv 2412.19437), section 2.2.
        """
        layer = self.dense if model.experts is None else self.sparse(model.experts.count)
        return model.mtp * (layer + 2 * model.hidden**2 + 3 * model.hidden)

    def _with(self, model: Shape, experts: int) -> int:
        sparse = model.sparse_layers
        layers = sparse * self.sparse(experts) + (model.layers - sparse) * self.dense
        return layers + self.ends()


def numbers(model: Shape) -> Numbers:
    """Count the numbers of each part."""
    h, a, kv = model.hidden, model.heads, model.shared_heads
    size = model.head_size or h // a
    matrices = 3 if model.gated else 2
    norm = h if model.norm == "rms" else 2 * h
    all_biases = model.biases == "all"
    mla, experts = model.mla, model.experts
    if mla is None:
        attention = h * size * (2 * a + 2 * kv)
        inner = 2 * size * model.qk_norm
    else:
        attention = _latent(model)
        inner = (mla.q_rank or 0) + mla.kv_rank
    biases = 0
    if model.biases != "none":
        biases += size * (a + 2 * kv)
        biases += h * (model.biases != "qkv")
    width = 0 if experts is None else experts.width
    count = 0 if experts is None else experts.count
    return Numbers(
        head_size=size,
        attention=attention,
        mlp=matrices * h * model.ffn,
        router=h * count,
        expert=matrices * h * width,
        shared=0 if experts is None else matrices * h * experts.shared_width,
        every=model.norms * norm + inner + biases + a * model.sinks,
        mlp_biases=all_biases * ((matrices - 1) * model.ffn + h),
        expert_biases=all_biases * ((matrices - 1) * width + h),
        router_biases=count * (all_biases or (experts is not None and experts.router_bias)),
        embedding=(model.vocab + model.positions) * h,
        head=0 if model.tied else model.vocab * h,
        last_norm=norm,
    )


def _latent(model: Shape) -> int:
    """Count the matrices of latent attention: down to the latent rows, and up to all heads."""
    mla, h, a = model.mla, model.hidden, model.heads
    assert mla is not None
    key = mla.nope_size + mla.rope_size
    queries = h * a * key if mla.q_rank is None else mla.q_rank * (h + a * key)
    down = h * (mla.kv_rank + mla.rope_size)
    return (
        queries + down + mla.kv_rank * a * (mla.nope_size + mla.value_size) + h * a * mla.value_size
    )
