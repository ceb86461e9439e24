#!/usr/bin/env bash
# A reduce-scatter over the four chips of a TPU slice, in the number types that gradients are kept in or squeezed to; no TPU
# is needed to compile.
#
# Expected: the type changes the bytes and nothing else: 16-bit halves them, 8-bit quarters them.
# Seen:     only float32 and bfloat16 are scattered. In float16, in both 8-bit floats and in every integer it is an all-reduce
#           of the whole, of which each chip keeps its part: 2 x 3/4 of the operand instead of 3/4. Types below 32 bits
#           travel as u32 that hold two, four or eight numbers, which the sum unpacks, adds and packs again.
# Cost:     by the least that an algorithm sends, gradients in 8 bits move as much as in bfloat16, float16 twice as much. A reader
#           of the text meets a sum of u32 where the program adds floats, and finds no reduce-scatter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.52 numpy==2.4.6
ALLOW_MULTIPLE_LIBTPU_LOAD=1 TPU_SKIP_MDS_QUERY=1 "$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
import re
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec

print("jax", version("jax"), "libtpu", version("libtpu"))
DONE = re.compile(r"= (\w+\[[\d,]+\])\S* (all-reduce|reduce-scatter)\((%\S+?)\)")
SHAPE = re.compile(r"[a-z]+(\d+)\w*\[([\d,]+)\]")
chips = np.array(topologies.get_topology_desc("v5p:2x2x1", platform="tpu").devices)
mesh = Mesh(chips, ("chips",))
split = PartitionSpec("chips")


def scatter(shard):
    return jax.lax.psum_scatter(shard, "chips", tiled=True)


program = jax.jit(jax.shard_map(scatter, mesh=mesh, in_specs=split, out_specs=split))
for name in ("float32", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "int32", "int16", "int8", "int4"):
    whole = jax.ShapeDtypeStruct((8192, 1024), getattr(jnp, name), sharding=NamedSharding(mesh, split))
    lowered = program.lower(whole)
    assert "stablehlo.reduce_scatter" in lowered.as_text()
    ((shape, done, _),) = DONE.findall(lowered.compile().as_text())
    bits, extents = SHAPE.match(shape).groups()
    result = int(bits) // 8 * int(np.prod([int(extent) for extent in extents.split(",")]))
    sent = result * 3 if done == "reduce-scatter" else result * 2 * 3 // 4
    print(f"{name:14} {done:15} {shape:16} sent by a chip: {sent / 2**20:.2f} MiB")
PYTHON
diff - "$folder/seen" <<'SEEN'
jax 0.10.2 libtpu 0.0.52
float32        reduce-scatter  f32[512,1024]    sent by a chip: 6.00 MiB
bfloat16       reduce-scatter  bf16[512,1024]   sent by a chip: 3.00 MiB
float16        all-reduce      u32[4,262144]    sent by a chip: 6.00 MiB
float8_e4m3fn  all-reduce      u32[2,262144]    sent by a chip: 3.00 MiB
float8_e5m2    all-reduce      u32[2,262144]    sent by a chip: 3.00 MiB
int32          all-reduce      s32[2048,1024]   sent by a chip: 12.00 MiB
int16          all-reduce      u32[4,262144]    sent by a chip: 6.00 MiB
int8           all-reduce      u32[2,262144]    sent by a chip: 3.00 MiB
int4           all-reduce      u32[1,262144]    sent by a chip: 1.50 MiB
SEEN
