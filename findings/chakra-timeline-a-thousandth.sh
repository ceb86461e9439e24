#!/usr/bin/env bash
# The timeline that Chakra's own tool makes of a simulation's log, for a viewer of traces.
#
# Expected: ts and dur in microseconds, as the format of trace events has them. At 1000 MHz 5,000,000 cycles are 5 ms: 5000.
# Seen:     they are in milliseconds, and so is the argument beside them, which says so: dur 5.0, ms 5.0. Every viewer and
#           every reader of the format takes them for microseconds.
# Cost:     a step of 12 ms is drawn as 12 us. Beside a trace of a real run, which is in microseconds, the simulated machine
#           is a thousand times faster.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps mlc-chakra==1.0.0
cat >"$folder/log.txt" <<'LOG'
issue,npu=0,cycle=0,node=1,name=COMP_NODE_gemm
callback,npu=0,cycle=5000000,node=1,name=COMP_NODE_gemm
issue,npu=0,cycle=5000000,node=2,name=COMM_COLL_NODE_all_reduce
callback,npu=0,cycle=12000000,node=2,name=COMM_COLL_NODE_all_reduce
LOG
(cd "$folder" && venv/bin/chakra_timeline_visualizer --input_filename log.txt --output_filename trace.json \
    --num_npus 1 --npu_frequency 1000)
"$folder/venv/bin/python" - "$folder/trace.json" >"$folder/seen" <<'PYTHON'
import json
import sys
from importlib.metadata import version

print("mlc-chakra", version("mlc-chakra"))
for event in json.load(open(sys.argv[1]))["traceEvents"]:
    print(event["ph"], event["name"], "ts", event["ts"], "dur", event["dur"], event["args"])
PYTHON
diff - "$folder/seen" <<'SEEN'
mlc-chakra 1.0.0
X COMP_NODE_gemm ts 0.0 dur 5.0 {'ms': 5.0}
X COMM_COLL_NODE_all_reduce ts 5.0 dur 7.0 {'ms': 7.0}
SEEN
