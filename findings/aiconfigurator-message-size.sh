#!/usr/bin/env bash
# The measured collectives that AIConfigurator ships: columns num_gpus, message_size, latency, as nccl-tests print them.
#
# Expected: message_size is in bytes, as in nccl-tests and MPI's tables.
# Seen:     it is in elements. Large gathers and all-to-alls of "half" at n last as long as those of "int8" at 2 n, to 1
#           percent, and nearly twice as long as those of int8 at n. (All-reduces of half are faster than their bytes say.)
#           The tables of a framework's own all-reduce have one type only, so that nothing in them tells. Read as bytes, 8
#           H100 reduce at 223 GB/s of bus bandwidth, which looks likely enough; it is 445 GB/s.
# Cost:     a network model fitted to these rows as bytes gets half of the bandwidth, and thresholds at half of the size.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps aiconfigurator-core==0.12.0 pyarrow==26.0.1
"$folder/venv/bin/python" - >"$folder/seen" <<'PYTHON'
from importlib.metadata import files, version

import pyarrow.parquet

print("aiconfigurator-core", version("aiconfigurator-core"))


def rows(end):
    (path,) = [file for file in files("aiconfigurator-core") if str(file).endswith(end)]
    return pyarrow.parquet.read_table(path.locate(), partitioning=None).to_pylist()


table = rows("data/h100_sxm/comm/nccl/2.29.2/nccl_perf.parquet")
milliseconds = {
    (row["op_name"], row["nccl_dtype"], row["message_size"]): row["latency"] for row in table if row["num_gpus"] == 8
}
for name in ("all_reduce", "all_gather", "reduce_scatter", "alltoall"):
    for size in (2**26, 2**27, 2**28):
        half, same, double = (milliseconds[name, *key] for key in (("half", size), ("int8", size), ("int8", 2 * size)))
        print(name, size, f"half/int8 {half / same:.2f}, half/int8 of twice {half / double:.2f}")
size, time = 2**28, milliseconds["all_reduce", "half", 2**28] / 1e3
for unit, width in (("bytes", 1), ("elements", 2)):
    print("bus bandwidth if these are", unit, round(size * width * 2 * 7 / 8 / time / 1e9), "GB/s")
own = rows("data/h100_sxm/comm/trtllm/1.3.0rc20/custom_allreduce_perf.parquet")
print("types in the framework's own table:", sorted({row["allreduce_dtype"] for row in own}))
PYTHON
diff - "$folder/seen" <<'SEEN'
aiconfigurator-core 0.12.0
all_reduce 67108864 half/int8 1.55, half/int8 of twice 0.80
all_reduce 134217728 half/int8 1.51, half/int8 of twice 0.79
all_reduce 268435456 half/int8 1.53, half/int8 of twice 0.79
all_gather 67108864 half/int8 1.89, half/int8 of twice 0.99
all_gather 134217728 half/int8 1.84, half/int8 of twice 1.00
all_gather 268435456 half/int8 1.92, half/int8 of twice 1.00
reduce_scatter 67108864 half/int8 1.83, half/int8 of twice 0.96
reduce_scatter 134217728 half/int8 1.81, half/int8 of twice 0.97
reduce_scatter 268435456 half/int8 1.88, half/int8 of twice 0.98
alltoall 67108864 half/int8 1.83, half/int8 of twice 1.01
alltoall 134217728 half/int8 1.91, half/int8 of twice 1.00
alltoall 268435456 half/int8 1.95, half/int8 of twice 1.00
bus bandwidth if these are bytes 223 GB/s
bus bandwidth if these are elements 445 GB/s
types in the framework's own table: ['bfloat16']
SEEN
