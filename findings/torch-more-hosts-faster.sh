#!/usr/bin/env bash
# The time of an all-reduce as torch.compile estimates it, by the number of ranks and by where they are. No device is needed:
# without one it takes A100s, 8 a host. Installs 7 GB, as torch does.
#
# Expected: a group of 8 ranks on 8 hosts goes over the network, one of 8 on one host over NVLink. More ranks never make the
#           same all-reduce faster.
# Seen:     the estimate knows the number of ranks and not which: 8 ranks on 8 hosts take what 8 on one host take. Two hosts
#           are the slowest of all: 16 ranks take 2.2 times what 64 take, and 2.0 times what 4,096 take.
# Cost:     the data-parallel axis of a mesh (8, 512) looks as fast as NVLink, and the scheduler hides too little under it. A
#           study of scaling by it finds that a job on 2 hosts should move to 8 for its network alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.15.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as collectives
from torch._inductor import comm_analysis
from torch.distributed.device_mesh import init_device_mesh
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing._internal.distributed.fake_pg import FakeStore

print("torch", version("torch"), comm_analysis.get_gpu_type().name)
dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=4096)


def estimate(what, group):
    with torch.device("meta"):
        part = torch.empty(1 << 29, dtype=torch.bfloat16)
    graph = make_fx(lambda whole: collectives.all_reduce(whole, "sum", group), tracing_mode="fake")(part).graph
    (node,) = (one for one in graph.nodes if "all_reduce" in str(one.target))
    ranks = dist.get_process_group_ranks(group)
    hosts = len({rank // 8 for rank in ranks})
    time = comm_analysis.estimate_nccl_collective_runtime_from_fx_node(node)
    print(f"{what}: {len(ranks)} ranks {ranks[0]}, {ranks[1]}, ... on {hosts} hosts: {time:.1f} ms")


mesh = init_device_mesh("cpu", (8, 512), mesh_dim_names=("data", "model"))
estimate("data of (8, 512)", mesh["data"].get_group())
for size in (8, 16, 32, 64, 512, 4096):
    estimate("first ranks", dist.new_group(list(range(size))))
PYTHON
diff - "$folder/seen" <<'SEEN'
torch 2.15.0 AMPERE
data of (8, 512): 8 ranks 0, 512, ... on 8 hosts: 15.7 ms
first ranks: 8 ranks 0, 1, ... on 1 hosts: 15.7 ms
first ranks: 16 ranks 0, 1, ... on 2 hosts: 200.7 ms
first ranks: 32 ranks 0, 1, ... on 4 hosts: 101.4 ms
first ranks: 64 ranks 0, 1, ... on 8 hosts: 89.8 ms
first ranks: 512 ranks 0, 1, ... on 64 hosts: 95.3 ms
first ranks: 4096 ranks 0, 1, ... on 512 hosts: 98.9 ms
SEEN
