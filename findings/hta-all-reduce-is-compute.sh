#!/usr/bin/env bash
# The share of communication hidden behind compute, in a trace whose all-reduces are kernels of their own (PyTorch's
# symmetric memory, vLLM's custom all-reduce) and not NCCL's.
#
# Expected: the analysis tells communication from compute by what a kernel does, or says that it does not know a name.
# Seen:     communication is what starts with "nccl", everything else computes. The same 100 microseconds of all-reduce, half
#           of it under a product of matrices, are 50 percent overlapped under NCCL's name; under the two others they are
#           compute, of a step that does not communicate: the overlap is not a number and 250 microseconds compute.
# Cost:     a step that waits for its all-reduce reads as one that is all compute, and the faster all-reduce looks as
#           though it had removed communication.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check HolisticTraceAnalysis==0.5.0 pandas==3.1.1 numpy==2.4.6
cat >"$folder/run.py" <<'PYTHON'
import json
import logging
import sys
from importlib.metadata import version
from pathlib import Path

from hta.trace_analysis import TraceAnalysis

logging.disable(logging.CRITICAL)
folder = Path(sys.argv[1])
print("HolisticTraceAnalysis", version("HolisticTraceAnalysis"))


def kernel(name, start, length, stream):
    about = {"stream": stream, "correlation": start, "device": 0}
    common = {"ph": "X", "name": name, "pid": 0, "tid": stream}
    return {**common, "cat": "kernel", "ts": start, "dur": length, "args": about}


def launch(of):
    about = {"correlation": of["args"]["correlation"]}
    common = {"ph": "X", "name": "cudaLaunchKernel", "pid": 1, "tid": 1}
    return {**common, "cat": "cuda_runtime", "ts": of["ts"] - 5, "dur": 2, "args": about}


step = {"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#1", "pid": 1, "tid": 1, "ts": 0, "dur": 1000, "args": {}}
for name in (
    "ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096ul>)",
    "void (anonymous namespace)::two_shot_all_reduce_kernel<c10::BFloat16, 16, 8>(c10::BFloat16**, unsigned long)",
    "void vllm::cross_device_reduce_2stage<__nv_bfloat16, 8>(vllm::RankData*, vllm::RankSignals)",
):
    kernels = [kernel(name, 100, 100, 20), kernel("gemm", 150, 100, 7), kernel("gemm", 400, 100, 7)]
    where = folder / "rank0.json"
    events = [step, *kernels, *map(launch, kernels)]
    rank = {"backend": "nccl", "rank": 0, "world_size": 2}
    where.write_text(json.dumps({"schemaVersion": 1, "distributedInfo": rank, "traceEvents": events}))
    analysis = TraceAnalysis(trace_files={0: str(where)}, trace_dir=str(folder))
    overlap = analysis.get_comm_comp_overlap(visualize=False)["comp_comm_overlap_pctg"][0]
    kinds, _ = analysis.get_gpu_kernel_breakdown(visualize=False)
    print(name.split("(")[0] if name.startswith("nccl") else name.split("::")[1].split("<")[0])
    print("  overlap", overlap, "of 100;", dict(zip(kinds["kernel_type"], map(int, kinds["sum"]), strict=True)))
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder" 2>/dev/null | grep -v '^Parsed\|^Overall\|^leaving\|^There' >"$folder/seen"
diff - "$folder/seen" <<'SEEN'
HolisticTraceAnalysis 0.5.0
ncclDevKernel_AllReduce_Sum_bf16_RING_LL
  overlap 50.0 of 100; {'COMPUTATION': 150, 'COMMUNICATION': 50, 'COMPUTATION overlapping COMMUNICATION': 50}
two_shot_all_reduce_kernel
  overlap nan of 100; {'COMPUTATION': 250}
cross_device_reduce_2stage
  overlap nan of 100; {'COMPUTATION': 250}
SEEN
