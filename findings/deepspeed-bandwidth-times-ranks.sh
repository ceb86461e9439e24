#!/usr/bin/env bash
# The bandwidths in DeepSpeed's summary of collectives, of four processes on one machine and of pairs of them. Installs 7 GB,
# as torch does.
#
# Expected: those of nccl-tests, whose document the source names: algbw is the larger of the two buffers over the time; busbw
#           is that times 2 (n-1)/n for an all-reduce and (n-1)/n else, n being the ranks of the group.
# Seen:     algbw of an all-reduce is twice that. A reduce-scatter's whole input is multiplied by the ranks once more, as if it
#           were a shard: 4 times too much here, 512 times on 512 ranks. And n is always the whole job: in a pair a gather is
#           twice too fast, the reduce-scatter still 4 times, and busbw of every kind has the wrong factor besides.
# Cost:     tensor-parallel gathers of 8 ranks in a job of 512 read 64 times too fast, and none of these figures can be held
#           against those of nccl-tests or fitted to a link.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.15.0 numpy==2.4.6 setuptools==84.2.1 wheel
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-build-isolation deepspeed==0.19.8
cat >"$folder/run.py" <<'PYTHON'
import os
import socket
import sys
from importlib.metadata import version

import torch
from torch import multiprocessing

RANKS = 4


def run(rank, port):
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(RANKS), MASTER_ADDR="127.0.0.1")
    os.environ.update(MASTER_PORT=port, DS_ACCELERATOR="cpu")
    import deepspeed
    from deepspeed import comm

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # gloo as it is, nothing to compile
    deepspeed.init_distributed("gloo", verbose=False)
    pairs = [comm.new_group([0, 1]), comm.new_group([2, 3])]
    comm.configure(enabled=True, prof_all=True, verbose=False)
    for group, members, numbers in ((None, RANKS, 1 << 20), (pairs[rank // 2], 2, 1 << 18)):
        whole, shard = torch.ones(numbers), torch.ones(numbers // members)
        comm.all_reduce(whole, group=group)
        comm.all_gather_into_tensor(whole, shard, group=group)
        comm.reduce_scatter_tensor(shard, whole, group=group)
        comm.all_to_all_single(torch.empty(numbers), whole, group=group)
    comm.barrier()
    summary = comm.log_summary(return_dict=True)["summary"]
    if rank:
        return
    for members, numbers in ((RANKS, 1 << 20), (2, 1 << 18)):
        for name in ("all_reduce", "all_gather_into_tensor", "reduce_scatter_tensor", "all_to_all_single"):
            size = 4 * numbers // (members if name == "all_gather_into_tensor" else 1)
            row = summary[name][size]
            right = 4 * numbers * 8 / row["avg_latency_ms"] / 1e6  # gigabits a second
            wire = right * (members - 1) / members * (2 if name == "all_reduce" else 1)
            algbw, busbw = float(row["tput_avg_gbps"] / right), float(row["busbw_avg_gbps"] / wire)
            print(f"seen {name} of {members}: algbw {algbw:.2f} of what it is, busbw {busbw:.2f}", flush=True)


if __name__ == "__main__":
    print("seen deepspeed", version("deepspeed"), "torch", version("torch"), flush=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    multiprocessing.spawn(run, (port,), nprocs=RANKS)
PYTHON
OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore "$folder/run.py" 2>/dev/null | sed -n 's/^seen //p' >"$folder/seen"
diff - "$folder/seen" <<'SEEN'
deepspeed 0.19.8 torch 2.15.0
all_reduce of 4: algbw 2.00 of what it is, busbw 1.00
all_gather_into_tensor of 4: algbw 1.00 of what it is, busbw 1.00
reduce_scatter_tensor of 4: algbw 4.00 of what it is, busbw 4.00
all_to_all_single of 4: algbw 1.00 of what it is, busbw 1.00
all_reduce of 2: algbw 2.00 of what it is, busbw 1.50
all_gather_into_tensor of 2: algbw 2.00 of what it is, busbw 3.00
reduce_scatter_tensor of 2: algbw 4.00 of what it is, busbw 6.00
all_to_all_single of 2: algbw 1.00 of what it is, busbw 1.50
SEEN
