#!/usr/bin/env bash
# Of how many forward passes the first and the last rank keep the activations at once, in PyTorch's interleaved schedule of 8 ranks
# with two stages each, by the order of work that it writes out. Installs 7 GB, as torch does.
#
# Expected: what the usual formula says once there are enough microbatches, 2 x 7 + 8 + 1 = 23 at the first rank, and never
#           more for fewer microbatches.
# Seen:     23 for 16, 24 and 32 microbatches, but 30 for 15: with 8 to 15 there is one round, which is as long as there are
#           microbatches, and the first rank keeps every one of them for both of its stages, as if it waited for them all;
#           the last rank keeps 16 instead of 9. 17, 25 and 26 microbatches are refused, 27 are not. (The rounds are
#           documented, what they keep is not.) Interleaved zero bubble is alike; the V-shaped one keeps 16 at most.
# Cost:     a job that fits with 16 microbatches runs out of memory with 15, and a search that takes memory for a number
#           of the schedule alone, or for one that grows with the microbatches, is wrong for most of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.15.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version
from types import SimpleNamespace

import torch
from torch.distributed.pipelining import schedules

print("torch", version("torch"))
RANKS = 8
KIND = schedules._ComputationType
DONE = (KIND.FULL_BACKWARD, KIND.BACKWARD_WEIGHT)


class Stage(SimpleNamespace):
    def __getattr__(self, name):
        return None


def stages(*indices):
    module = torch.nn.Linear(1, 1)
    shared = {"group_rank": 0, "group_size": RANKS, "num_stages": 2 * RANKS, "has_backward": True, "submod": module}
    return [Stage(stage_index=index, stage_index_to_group_rank={}, **shared) for index in indices]


def kept(actions):
    now = most = 0
    for action in filter(None, actions):
        for part in action.sub_actions or (action,):
            now += (part.computation_type == KIND.FORWARD) - (part.computation_type in DONE)
            most = max(most, now)
    return most


for name, second in (("Interleaved1F1B", 8), ("InterleavedZeroBubble", 8), ("ZBVZeroBubble", 15)):
    seen = []
    for count in (8, 9, 12, 15, 16, 17, 24, 25, 26, 27, 32):
        try:
            order = schedules.get_schedule_class(name)(stages(0, second), count).pipeline_order
            seen.append(f"{count}: {kept(order[0])}, {kept(order[RANKS - 1])}")
        except ValueError:
            seen.append(f"{count}: refused")
    print(name, "|", " | ".join(seen))
PYTHON
diff - "$folder/seen" <<'SEEN'
torch 2.15.0
Interleaved1F1B | 8: 16, 9 | 9: 18, 10 | 12: 24, 13 | 15: 30, 16 | 16: 23, 9 | 17: refused | 24: 23, 9 | 25: refused | 26: refused | 27: 24, 10 | 32: 23, 9
InterleavedZeroBubble | 8: 16, 16 | 9: 17, 17 | 12: 20, 20 | 15: 23, 23 | 16: 16, 16 | 17: refused | 24: 16, 16 | 25: refused | 26: refused | 27: 17, 17 | 32: 16, 16
ZBVZeroBubble | 8: 9, 16 | 9: 10, 16 | 12: 13, 16 | 15: 16, 16 | 16: 16, 16 | 17: 16, 16 | 24: 16, 16 | 25: 16, 16 | 26: 16, 16 | 27: 16, 16 | 32: 16, 16
SEEN
