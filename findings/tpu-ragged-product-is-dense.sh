#!/usr/bin/env bash
# jax.lax.ragged_dot, the product of tokens that are sorted by expert with the weights of each expert, compiled for TPUs.
#
# Expected: a token meets one expert: 2 x tokens x width x width operations, however many experts there are. That is what
#           the operation is for, and newer chips have it if older ones do.
# Seen:     on v5p it is so, by a kernel. On v5e, v6e and TPU7x the compiler writes a dense product of all tokens with all
#           experts: 128 times the operations for 128 experts, 8 for 8, without a warning. It is no matter of
#           counting: the compiled text has one convolution with a result of experts x tokens x width. (A CPU does as v5e.)
# Cost:     a time fitted on v5p tells nothing of v6e, a count of active parameters is short by the number of experts, and
#           a program that is right and tested on one TPU is two orders of magnitude slower on the next.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.52 numpy==2.4.6
TPU_SKIP_MDS_QUERY=1 "$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
import re
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec

print("jax", version("jax"), "libtpu", version("libtpu"))
SHAPES = {"Qwen3 30B-A3B": (32768, 2048, 768, 128), "Mixtral 8x7B": (8192, 4096, 14336, 8)}  # rows, widths, experts
for chip in ("v5p:2x2x1", "v5e:2x2", "v6e:2x2", "tpu7x:2x2x1"):
    one = np.array(topologies.get_topology_desc(chip, platform="tpu").devices[:1])
    place = NamedSharding(Mesh(one, ("chip",)), PartitionSpec())
    for model, (rows, width, inner, experts) in SHAPES.items():
        tokens = jax.ShapeDtypeStruct((rows, width), jnp.bfloat16, sharding=place)
        weights = jax.ShapeDtypeStruct((experts, width, inner), jnp.bfloat16, sharding=place)
        sizes = jax.ShapeDtypeStruct((experts,), jnp.int32, sharding=place)
        compiled = jax.jit(jax.lax.ragged_dot).lower(tokens, weights, sizes).compile()
        text, needed = compiled.as_text(), 2 * rows * width * inner
        how = re.findall(r"= (\w+\[[\d,]+\])\S* convolution\(", text) or sorted(set(re.findall(r'_target="(\w+)"', text)))
        print(chip, model, experts, "experts: operations", round(compiled.cost_analysis()["flops"] / needed, 1), "x by", *how)
PYTHON
diff - "$folder/seen" <<'SEEN'
jax 0.10.2 libtpu 0.0.52
v5p:2x2x1 Qwen3 30B-A3B 128 experts: operations 1.0 x by tpu_custom_call
v5p:2x2x1 Mixtral 8x7B 8 experts: operations 1.0 x by tpu_custom_call
v5e:2x2 Qwen3 30B-A3B 128 experts: operations 128.1 x by bf16[128,32768,768]
v5e:2x2 Mixtral 8x7B 8 experts: operations 8.0 x by bf16[8,8192,14336]
v6e:2x2 Qwen3 30B-A3B 128 experts: operations 128.1 x by bf16[128,32768,768]
v6e:2x2 Mixtral 8x7B 8 experts: operations 8.0 x by bf16[8,8192,14336]
tpu7x:2x2x1 Qwen3 30B-A3B 128 experts: operations 128.1 x by bf16[128,32768,768]
tpu7x:2x2x1 Mixtral 8x7B 8 experts: operations 8.0 x by bf16[8,8192,14336]
SEEN
