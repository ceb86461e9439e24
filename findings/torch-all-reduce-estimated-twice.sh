#!/usr/bin/env bash
# The time of collectives as torch.compile estimates it, to decide what to start early and what to merge. No device is
# needed: without one it takes A100s, 8 a host. Installs 7 GB, as torch does.
#
# Expected: an all-reduce of 1 GiB takes twice the time of a reduce-scatter of 1 GiB, since it is one and an all-gather. An
#           exchange of all with all moves as much as the reduce-scatter.
# Seen:     the estimate for a node of the graph takes input and output together as the size. For a reduce-scatter or an
#           all-gather of 8 ranks that is 9/8 of it, for an all-reduce or an exchange the double. The formula behind then
#           takes the exchange for an all-reduce once more. So the all-reduce takes 3.5 times the reduce-scatter, and so does
#           the exchange, which should take the same. The same module's estimate for the scheduler has the input alone.
# Cost:     whoever compares layouts by it finds experts and data parallelism twice as dear against sharded parameters, and
#           whoever fits a bandwidth to it is off by two.
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
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing._internal.distributed.fake_pg import FakeStore

print("torch", version("torch"), comm_analysis.get_gpu_type().name)
dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=8)
WORLD, NUMBERS = dist.group.WORLD, 1 << 29
programs = {
    "reduce_scatter": (lambda part: collectives.reduce_scatter_tensor(part, "sum", 0, WORLD), NUMBERS),
    "all_gather": (lambda part: collectives.all_gather_tensor(part, 0, WORLD), NUMBERS // 8),
    "all_reduce": (lambda part: collectives.all_reduce(part, "sum", WORLD), NUMBERS),
    "all_to_all": (lambda part: collectives.all_to_all_single(part, None, None, WORLD), NUMBERS),
}
for name, (program, numbers) in programs.items():
    with torch.device("meta"):
        part = torch.empty(numbers, dtype=torch.bfloat16)
    graph = make_fx(program, tracing_mode="fake")(part).graph
    (node,) = (one for one in graph.nodes if name in str(one.target))
    size = comm_analysis.estimate_fx_collective_size(node)
    time = comm_analysis.estimate_nccl_collective_runtime_from_fx_node(node)
    kind = comm_analysis.NCCL_COLL[name.upper()]
    alone = comm_analysis.estimate_nccl_collective_runtime_impl(1 << 30, 8, kind)
    print(f"{name:15} of 1 GiB: taken as {size / 2**30:.3f} GiB, {time:.2f} ms; 1 GiB itself {alone:.2f} ms")
PYTHON
diff - "$folder/seen" <<'SEEN'
torch 2.15.0 AMPERE
reduce_scatter  of 1 GiB: taken as 1.125 GiB, 4.44 ms; 1 GiB itself 3.95 ms
all_gather      of 1 GiB: taken as 1.125 GiB, 4.44 ms; 1 GiB itself 3.95 ms
all_reduce      of 1 GiB: taken as 2.000 GiB, 15.71 ms; 1 GiB itself 7.89 ms
all_to_all      of 1 GiB: taken as 2.000 GiB, 15.71 ms; 1 GiB itself 7.89 ms
SEEN
