#!/usr/bin/env bash
# What jax's own roofline counts of a model whose layers are a loop: operations, memory and bytes on the network of a chip.
#
# Expected: 32 layers are 32 layers, whether written out, as a scan (which knows its length) or as a loop to a condition;
#           or an error that says that loops are not counted.
# Seen:     a scan counts once, whatever its length: a thirty-second of the operations, of the memory and of the bytes on
#           each axis. A fori_loop with fixed bounds is such a scan. One with a condition, and a cond, count nothing at all.
# Cost:     a transformer keeps its layers in a scan, so that the roofline of the model is the roofline of a layer; a
#           pipeline or a ring of permutes in a loop moves one shard. Compute and network shrink alike, so that the ratio of
#           the two looks sound.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 absl-py==2.5.1
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version

import jax
import jax.numpy as jnp
from jax.experimental import roofline
from jax.sharding import AbstractMesh, PartitionSpec

print("jax", version("jax"))
LAYERS, WIDTH = 32, 1024
mesh = AbstractMesh((8,), ("model",))


def layer(tokens, weights):
    return tokens + jax.lax.psum(tokens @ weights, "model")


def written_out(tokens, weights):
    for _ in range(LAYERS):
        tokens = layer(tokens, weights)
    return tokens


def as_scan(tokens, weights):
    return jax.lax.scan(lambda carried, _: (layer(carried, weights), None), tokens, None, length=LAYERS)[0]


def as_fori(tokens, weights):
    return jax.lax.fori_loop(0, LAYERS, lambda _, carried: layer(carried, weights), tokens)


def as_while(tokens, weights):
    def body(state):
        return state[0] + 1, layer(state[1], weights)

    return jax.lax.while_loop(lambda state: state[0] < LAYERS, body, (0, tokens))[1]


def as_cond(tokens, weights):
    return jax.lax.cond(tokens[0, 0] > 0, written_out, written_out, tokens, weights)


def one(tokens, weights):
    return layer(tokens, weights)


split = PartitionSpec(None, "model")
operands = [
    jax.ShapeDtypeStruct((512, 8 * WIDTH), jnp.bfloat16),
    jax.ShapeDtypeStruct((WIDTH, WIDTH), jnp.bfloat16),
]
for program in (one, written_out, as_scan, as_fori, as_while, as_cond):
    counted = roofline.roofline(program, mesh=mesh, in_specs=(split, PartitionSpec()), out_specs=split)
    _, cost = counted(*operands)
    print(program.__name__, cost.flops, "products", cost.unfused_hbm_bytes, "memory", cost.ici_bytes.get("model", 0), "network")
PYTHON
diff - "$folder/seen" <<'SEEN'
jax 0.10.2
one 1073741824 products 7340032 memory 1835008 network
written_out 34359738368 products 234881024 memory 58720256 network
as_scan 1073741824 products 7340032 memory 1835008 network
as_fori 1073741824 products 7340032 memory 1835008 network
as_while 0 products 0 memory 0 network
as_cond 0 products 5 memory 0 network
SEEN
