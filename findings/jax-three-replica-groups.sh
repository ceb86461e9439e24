#!/usr/bin/env bash
# The groups of the collectives in one program that jax compiled, as its text says them.
#
# Expected: replica_groups as lists, {{0,1},{2,3}}, or as a count that is cut up, [2,2]<=[4]: the two forms that XLA's
#           documents and readers of its text know.
# Seen:     three forms, and which one depends on who made the collective, not on what it does. The same sum over the same
#           axis of the same mesh is lists where shard_map wrote it. Where a product of split matrices called for it, it is
#           an axis of a mesh that nobody made, 1 x 4 x 2 with the chips in another order, whose axes have lost their names.
#           What is gathered over an axis is a count.
# Cost:     a reader of two forms takes a training step's all-reduces of gradients for ones without groups, that is of all
#           chips, or stops at them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
XLA_FLAGS=--xla_force_host_platform_device_count=8 "$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
import re
from importlib.metadata import version

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

print("jax", version("jax"), "jaxlib", version("jaxlib"))
GROUPS = re.compile(r"= \S+ ([a-z-]+)\(.*replica_groups=(.*?), (?:use_global|dim)")
mesh = jax.make_mesh((2, 4), ("data", "model"), axis_types=(jax.sharding.AxisType.Auto,) * 2)
square = jax.ShapeDtypeStruct((64, 64), jnp.float32)


def placed(*axes):
    return NamedSharding(mesh, PartitionSpec(*axes))


def show(what, program, *operands):
    for name, groups in GROUPS.findall(program.lower(*operands).compile().as_text()):
        print(what, "->", name, groups)


added = jax.shard_map(
    lambda part: jax.lax.psum(part, "model"), mesh=mesh, in_specs=PartitionSpec("model"), out_specs=PartitionSpec()
)
show("sum over model, by shard_map", jax.jit(added), square)
split = jax.jit(jnp.matmul, in_shardings=(placed(None, "model"), placed("model", None)), out_shardings=placed())
show("sum over model, of a product", split, square, square)
whole = jax.jit(lambda part: part * 2, in_shardings=placed(("data", "model")), out_shardings=placed("model"))
show("gather over data", whole, square)
PYTHON
diff - "$folder/seen" <<'SEEN'
jax 0.10.2 jaxlib 0.10.2
sum over model, by shard_map -> all-reduce {{0,1,2,3},{4,5,6,7}}
sum over model, of a product -> all-reduce mesh['axis_0'=1,'axis_1'=4,'axis_2'=2], device_ids=([2,4]T(1,0)) {'axis_1'}
gather over data -> all-gather [4,2]<=[2,4]T(1,0)
SEEN
