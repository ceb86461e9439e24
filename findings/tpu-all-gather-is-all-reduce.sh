#!/usr/bin/env bash
# An all-gather over a whole TPU slice, as the compiler for that slice writes it; no TPU is needed to compile.
#
# Expected: jax asks for an all-gather, XLA emits an all-gather, and 64 chips differ from 32 in the number of steps.
# Seen:     on v5p 2 x 4 x 4 it is one. On 4 x 4 x 4 each chip writes its shard into zeros of the whole size, and an
#           all-reduce adds up the 64: every chip sends about 2 x 63/64 of the result instead of 63/64. On v5e 8 x 8 the
#           same program is an all-reduce at 16 MiB and an all-gather at 128 MiB.
# Cost:     a model that takes the traffic from the program (or from StableHLO) predicts half of the bytes, and a count of
#           operations in the compiled text finds no all-gather. The memory holds a second result full of zeros.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 libtpu==0.0.52 numpy==2.4.6
TPU_SKIP_MDS_QUERY=1 "$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
import re
from importlib.metadata import version

import jax
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec

print("jax", version("jax"), "libtpu", version("libtpu"))
ASKED = re.compile(r"stablehlo\.(all_gather|all_reduce)")
DONE = re.compile(r"= \S+ (all-gather|all-reduce|dynamic-update-slice)\(")
for slice_name in ("v5p:2x4x4", "v5p:4x4x4", "v5e:8x8"):
    chips = np.array(topologies.get_topology_desc(slice_name, platform="tpu").devices)
    mesh = Mesh(chips, ("chips",))

    def gather(shard):
        return jax.lax.all_gather(shard, "chips", axis=0, tiled=True)

    for mebibytes in (16, 128):
        whole = jax.ShapeDtypeStruct(
            (mebibytes * 2048, 128), np.float32, sharding=NamedSharding(mesh, PartitionSpec("chips"))
        )
        program = jax.jit(
            jax.shard_map(gather, mesh=mesh, in_specs=PartitionSpec("chips"), out_specs=PartitionSpec(), check_vma=False)
        ).lower(whole)
        text = program.compile().as_text()
        asked, done = set(ASKED.findall(program.as_text())), DONE.findall(text)
        print(slice_name, len(chips), "chips,", mebibytes, "MiB:", *asked, "->", *done)
PYTHON
diff - "$folder/seen" <<'SEEN'
jax 0.10.2 libtpu 0.0.52
v5p:2x4x4 32 chips, 16 MiB: all_gather -> all-gather
v5p:2x4x4 32 chips, 128 MiB: all_gather -> all-gather
v5p:4x4x4 64 chips, 16 MiB: all_gather -> dynamic-update-slice all-reduce
v5p:4x4x4 64 chips, 128 MiB: all_gather -> dynamic-update-slice all-reduce
v5e:8x8 64 chips, 16 MiB: all_gather -> dynamic-update-slice all-reduce
v5e:8x8 64 chips, 128 MiB: all_gather -> all-gather
SEEN
