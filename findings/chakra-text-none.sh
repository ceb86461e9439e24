#!/usr/bin/env bash
# A layer of a text workload that communicates nothing (NONE), and the time of its optimiser, turned into a Chakra trace.
#
# Expected: no node of communication for NONE; the last column, the update, as time of computing after the gradients.
# Seen:     the converter turns NONE into a collective of type 0, and type 0 is ALL_REDUCE: four of the five columns
#           here that say NONE become all-reduces of 0 bytes, and the next layer waits for them. The update time is read
#           and then in no node: of 5,600 microseconds of work, 5,000 are gone.
# Cost:     a replay starts an all-reduce of all ranks, with its latencies, where the workload has none, and leaves the
#           optimiser's step out. The trace is valid, so that nothing after the converter can tell.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps mlc-chakra==1.0.0 protobuf==7.36.2
cat >"$folder/work.txt" <<'WORK'
HYBRID_DATA_MODEL
2
embedding -1 100 NONE 0 100 NONE 0 100 NONE 0 2500
head -1 100 NONE 0 100 NONE 0 100 REDUCESCATTER 2048 2500
WORK
(cd "$folder" && venv/bin/chakra_converter Text --input work.txt --output trace --num-npus 1 --num-passes 1) 2>/dev/null
"$folder/venv/bin/python" - "$folder/trace.0.et" >"$folder/seen" <<'PYTHON'
import sys
from importlib.metadata import version

from chakra.schema.protobuf.et_def_pb2 import COMM_COLL_NODE, CollectiveCommType, GlobalMetadata, Node
from chakra.src.third_party.utils.protolib import decodeMessage

print("mlc-chakra", version("mlc-chakra"))
total = 0
with open(sys.argv[1], "rb") as trace:
    decodeMessage(trace, GlobalMetadata())
    node = Node()
    while decodeMessage(trace, node):
        total += node.duration_micros
        if node.type == COMM_COLL_NODE:
            says = {field.name: field.int64_val for field in node.attr}
            print(node.name, "is", CollectiveCommType.Name(says["comm_type"]), "of", says["comm_size"], "bytes")
        else:
            print(node.name, node.duration_micros, "us after", list(node.data_deps))
print("sum of durations", total, "us")
PYTHON
diff - "$folder/seen" <<'SEEN'
mlc-chakra 1.0.0
COMP_NODE_embedding_FWD 100 us after []
COMM_COLL_NODE_embedding_NONE is ALL_REDUCE of 0 bytes
COMP_NODE_head_FWD 100 us after [1]
COMM_COLL_NODE_head_NONE is ALL_REDUCE of 0 bytes
COMP_NODE_head_BWD_IG 100 us after [3]
COMM_COLL_NODE_head_IG_COMM__NONE is ALL_REDUCE of 0 bytes
COMP_NODE_head_BWD_WG 100 us after [4]
COMM_COLL_NODE_head_REDUCESCATTER is REDUCE_SCATTER of 2048 bytes
COMP_NODE_embedding_BWD_IG 100 us after [6, 5]
COMP_NODE_embedding_BWD_WG 100 us after [8]
COMM_COLL_NODE_embedding_NONE is ALL_REDUCE of 0 bytes
sum of durations 600 us
SEEN
