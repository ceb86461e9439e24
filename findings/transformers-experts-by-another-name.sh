#!/usr/bin/env bash
# The number of experts in a config.json: num_local_experts in Mixtral and GPT-OSS, num_experts in Qwen3-MoE, and
# n_routed_experts in DeepSeek-V3 and GLM-4-MoE.
#
# Expected: each class reads its own key, an unknown one is kept aside and changes nothing, and two releases of a library
#           make the same model of one file.
# Seen:     4.57 does so. 5.24 takes the other names for the same: num_experts in a Mixtral and num_local_experts
#           in a Qwen3, DeepSeek or GLM set the number. Where a file has both, the foreign name beats the class's own,
#           in either order, and what is saved has that number only. Qwen2-MoE has no such rule.
# Cost:     a Mixtral whose file also says "num_experts": 16 has 8 experts or 16 by the release: 46.7e9 parameters or 91.8e9.
#           A reader that follows either rule is wrong for the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/read.py" <<'PYTHON'
import json
import sys
from importlib.metadata import version
from pathlib import Path

from transformers import AutoConfig

print("transformers", version("transformers"))
OWN = {"mixtral": "num_local_experts", "gpt_oss": "num_local_experts", "qwen3_moe": "num_experts", "qwen2_moe": "num_experts"}
OWN |= {"deepseek_v3": "n_routed_experts", "glm4_moe": "n_routed_experts"}
folder = Path(sys.argv[1], "model")
folder.mkdir(exist_ok=True)
for kind, own in OWN.items():
    other = "num_experts" if own == "num_local_experts" else "num_local_experts"
    read = []
    for keys in ({other: 16}, {own: 8, other: 16}, {other: 16, own: 8}):
        (folder / "config.json").write_text(json.dumps({"model_type": kind, **keys}))
        read.append(getattr(AutoConfig.from_pretrained(folder), own))
    print(f"{kind}: {own} left out with {other} 16: {read[0]}; 8 and 16: {read[1]}; 16 and 8: {read[2]}")
PYTHON
for release in "transformers==4.57.3" "transformers==5.24.0 huggingface_hub==2.4.0"; do
    python3 -m venv --clear "$folder/venv"
    # shellcheck disable=SC2086 # two packages
    "$folder/venv/bin/pip" install -q --disable-pip-version-check $release
    "$folder/venv/bin/python" "$folder/read.py" "$folder" 2>/dev/null
done >"$folder/seen"
diff - "$folder/seen" <<'SEEN'
transformers 4.57.3
mixtral: num_local_experts left out with num_experts 16: 8; 8 and 16: 8; 16 and 8: 8
gpt_oss: num_local_experts left out with num_experts 16: 128; 8 and 16: 8; 16 and 8: 8
qwen3_moe: num_experts left out with num_local_experts 16: 128; 8 and 16: 8; 16 and 8: 8
qwen2_moe: num_experts left out with num_local_experts 16: 60; 8 and 16: 8; 16 and 8: 8
deepseek_v3: n_routed_experts left out with num_local_experts 16: 256; 8 and 16: 8; 16 and 8: 8
glm4_moe: n_routed_experts left out with num_local_experts 16: 128; 8 and 16: 8; 16 and 8: 8
transformers 5.24.0
mixtral: num_local_experts left out with num_experts 16: 16; 8 and 16: 16; 16 and 8: 16
gpt_oss: num_local_experts left out with num_experts 16: 16; 8 and 16: 16; 16 and 8: 16
qwen3_moe: num_experts left out with num_local_experts 16: 16; 8 and 16: 16; 16 and 8: 16
qwen2_moe: num_experts left out with num_local_experts 16: 60; 8 and 16: 8; 16 and 8: 8
deepseek_v3: n_routed_experts left out with num_local_experts 16: 16; 8 and 16: 16; 16 and 8: 16
glm4_moe: n_routed_experts left out with num_local_experts 16: 16; 8 and 16: 16; 16 and 8: 16
SEEN
