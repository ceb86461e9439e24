#!/usr/bin/env bash
# What jax's own roofline counts of collectives on the network of a TPU slice: bytes of a chip on each axis of the mesh.
#
# Expected: an axis of extent 1 leads nowhere and carries nothing. A maximum moves what a sum moves. Four pairs in a ring of
#           eight move what pairs move.
# Seen:     over ("x", "y") of a mesh 8 x 1 half of the sum goes over y, where no link is, and the bytes on x are halved; with
#           two such axes it is a third. For the exchange of all with all the axis of one is the narrowest, and doubles. The
#           maximum of 4 MiB is 28 bytes, the same as of one number. axis_index_groups are not looked at: pairs cost what all
#           eight cost, 7 times as much for a gather.
# Cost:     the same program on a flat slice (a mesh that keeps its axis of 1) looks twice as fast, or as slow, as on a mesh
#           that leaves it out; and a softmax across chips is free.
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
PAIRS = [[0, 1], [2, 3], [4, 5], [6, 7]]


def bytes_of(what, shape, collective, axes, numbers=1 << 20, out=None):
    mesh = AbstractMesh(tuple(shape.values()), tuple(shape))
    split = PartitionSpec(axes)
    counted = roofline.roofline(
        lambda shard: collective(shard, axes), mesh=mesh, in_specs=split, out_specs=split if out is None else out
    )
    _, cost = counted(jax.ShapeDtypeStruct((8 * numbers,), jnp.float32))
    print(what, dict(sorted(cost.ici_bytes.items())))


def exchange(shard, axes):
    return jax.lax.all_to_all(shard, axes, 0, 0, tiled=True)


def gather(shard, axes, groups=None):
    return jax.lax.all_gather(shard, axes, axis_index_groups=groups, tiled=True)


whole = PartitionSpec()
bytes_of("sum over x of 8", {"x": 8}, jax.lax.psum, ("x",), out=whole)
bytes_of("sum over x, y of 8 x 1", {"x": 8, "y": 1}, jax.lax.psum, ("x", "y"), out=whole)
bytes_of("sum over x, y, z of 8 x 1 x 1", {"x": 8, "y": 1, "z": 1}, jax.lax.psum, ("x", "y", "z"), out=whole)
bytes_of("exchange over x of 8", {"x": 8}, exchange, ("x",))
bytes_of("exchange over x, y of 8 x 1", {"x": 8, "y": 1}, exchange, ("x", "y"))
bytes_of("maximum over x of 8", {"x": 8}, jax.lax.pmax, ("x",), out=whole)
bytes_of("maximum over x of 8, of one number", {"x": 8}, jax.lax.pmax, ("x",), numbers=1, out=whole)
bytes_of("gather over x of 2", {"x": 2}, gather, ("x",), numbers=1 << 18)
bytes_of("gather over x of 8", {"x": 8}, gather, ("x",))
bytes_of("gather in four pairs of x of 8", {"x": 8}, lambda shard, axes: gather(shard, axes, PAIRS), ("x",))
PYTHON
diff - "$folder/seen" <<'SEEN'
jax 0.10.2
sum over x of 8 {'x': 7340032}
sum over x, y of 8 x 1 {'x': 3670016, 'y': 3670016}
sum over x, y, z of 8 x 1 x 1 {'x': 2446668, 'y': 2446668, 'z': 2446668}
exchange over x of 8 {'x': 8388608}
exchange over x, y of 8 x 1 {'x': 16777216, 'y': 16777216}
maximum over x of 8 {'x': 28}
maximum over x of 8, of one number {'x': 28}
gather over x of 2 {'x': 4194304}
gather over x of 8 {'x': 29360128}
gather in four pairs of x of 8 {'x': 29360128}
SEEN
