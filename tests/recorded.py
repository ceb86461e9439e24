"""Steps that tests record: a transformer as FSDP and tensor parallelism run it, and small ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LAYERS, WIDTH, HEADS, KV_HEADS, INNER, WORDS, TOKENS = 2, 1024, 16, 8, 2816, 32000, 2048


def transformer() -> Any:
    """Return the model, without memory."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.size = WIDTH // HEADS
            self.q = nn.Linear(WIDTH, WIDTH, bias=False)
            self.k = nn.Linear(WIDTH, KV_HEADS * self.size, bias=False)
            self.v = nn.Linear(WIDTH, KV_HEADS * self.size, bias=False)
            self.o = nn.Linear(WIDTH, WIDTH, bias=False)

        def forward(self, x: Any) -> Any:
            rows = x.shape[:2]
            q, k, v = (
                one(x).view(*rows, -1, self.size).transpose(1, 2)
                for one in (self.q, self.k, self.v)
            )
            k, v = (one.repeat_interleave(HEADS // KV_HEADS, 1) for one in (k, v))
            out = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.o(out.transpose(1, 2).reshape(*rows, -1))

    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.gate = (nn.Linear(WIDTH, INNER, bias=False) for _ in range(2))
            self.down = nn.Linear(INNER, WIDTH, bias=False)

        def forward(self, x: Any) -> Any:
            return self.down(functional.silu(self.up(x)) * self.gate(x))

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.between = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
            self.attention, self.inner = Attention(), Inner()

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.before(x))
            return x + self.inner(self.between(x))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(WORDS, WIDTH)
            self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
            self.norm, self.head = nn.RMSNorm(WIDTH), nn.Linear(WIDTH, WORDS, bias=False)

        def forward(self, tokens: Any) -> Any:
            x = self.words(tokens)
            for layer in self.layers:
                x = layer(x)
            return self.head(self.norm(x))

    with torch.device("meta"):
        return Model()


def spread(model: Any, mesh: Any) -> None:
    """Cut the model over ranks: matrices over tp with rows in parallel, the rest over shard."""
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
    from torch.distributed.tensor import Replicate, Shard
    from torch.distributed.tensor.parallel import (
        ColwiseParallel,
        PrepareModuleInput,
        RowwiseParallel,
        SequenceParallel,
        parallelize_module,
    )

    tp, whole = mesh["tp"], PrepareModuleInput(
        input_layouts=(Shard(1),), desired_input_layouts=(Replicate(),)
    )  # fmt: skip
    out = RowwiseParallel(output_layouts=Shard(1))
    words = RowwiseParallel(input_layouts=Replicate(), output_layouts=Shard(1))
    head = ColwiseParallel(input_layouts=Shard(1), output_layouts=Shard(-1), use_local_output=False)
    parallelize_module(model, tp, {"words": words, "norm": SequenceParallel(), "head": head})
    plan = {"before": SequenceParallel(), "between": SequenceParallel()}
    plan |= {"attention": whole, "inner": whole, "attention.o": out, "inner.down": out}
    for name in ("attention.q", "attention.k", "attention.v", "inner.up", "inner.gate"):
        plan[name] = ColwiseParallel()
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    for layer in model.layers:
        parallelize_module(layer, tp, plan)
        fully_shard(layer, mesh=mesh["shard"], mp_policy=policy)
    fully_shard(model, mesh=mesh["shard"], mp_policy=policy)


def fully_sharded(mesh: Any) -> Callable[[], None]:
    """Return a training step with loss over tp and clipped gradients."""
    import torch
    from torch.distributed.tensor import DTensor
    from torch.distributed.tensor.parallel import loss_parallel
    from torch.nn import functional

    model = transformer()
    spread(model, mesh)
    model.to_empty(device=mesh.device_type)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, foreach=True)

    def step() -> None:
        tokens = torch.zeros(1, TOKENS, dtype=torch.int64, device=mesh.device_type)
        labels = tokens.clone()
        with loss_parallel():
            rows = model(tokens).flatten(0, 1).float()
            functional.cross_entropy(rows, labels.flatten(0, 1)).backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if isinstance(norm, DTensor):
            norm.full_tensor()
        optimizer.step()
        optimizer.zero_grad()

    return step


def resharded(mesh: Any) -> Callable[[], None]:
    """Return a step that cuts rows, then columns."""
    import torch
    from torch.distributed.tensor import DTensor, Shard

    def step() -> None:
        rows = torch.zeros(64, 512, device=mesh.device_type)
        DTensor.from_local(rows, mesh, [Shard(0)]).redistribute(placements=[Shard(1)])

    return step


def context(mesh: Any) -> Callable[[], None]:
    """Return attention over keys of all ranks, forward and backward."""
    import torch
    from torch.distributed.tensor.experimental import context_parallel
    from torch.nn import functional

    weights = torch.zeros(1024, 3 * 1024, device="meta")
    weights = torch.nn.Parameter(torch.empty_like(weights, device=mesh.device_type))

    def step() -> None:
        x = torch.zeros(1, 4096, 1024, device=mesh.device_type)
        with context_parallel(mesh, buffers=[x], buffer_seq_dims=[1]):
            q, k, v = (x @ weights).view(1, -1, 3, 16, 64).permute(2, 0, 3, 1, 4)
            functional.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()

    return step


def reads_a_value(mesh: Any) -> Callable[[], None]:
    """Return a step that cannot know what it asks."""
    import torch

    return lambda: torch.zeros(3, device=mesh.device_type).sum().item()


def reducer(mesh: Any) -> Callable[[], None]:
    """Return nothing: a fake process group has no such all-reduce."""
    import torch

    torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 4).to(mesh.device_type))
    raise AssertionError("it was to be refused")


def matmul(devices: list[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return a product over a sum that is cut over devices."""
    import jax
    import numpy as np
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    mesh = Mesh(np.array(devices), ("x",))

    def of(*spec: str | None) -> Any:
        sharding = NamedSharding(mesh, PartitionSpec(*spec))
        return jax.ShapeDtypeStruct((64, 64), np.float32, sharding=sharding)

    whole = NamedSharding(mesh, PartitionSpec(None, None))
    return jax.jit(lambda a, b: a @ b, out_shardings=whole), (of(None, "x"), of("x", None))
