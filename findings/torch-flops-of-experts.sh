#!/usr/bin/env bash
# Floating-point operations of a mixture of experts, counted by PyTorch's own counter. Installs 7 GB, as torch does.
#
# Expected: the same model counts the same however its experts are run: 2 operations for each number that a token meets.
# Seen:     transformers runs experts by a grouped product of matrices unless told otherwise, and the counter has no rule
#           for that operation: it takes it for free, without a warning. A model of Mixtral's proportions counts 0.19 of
#           what it does, one like Qwen3-30B-A3B 0.57: what is missing are the experts, to the last operation. Run one by
#           one ("eager") or in batches they are counted.
# Cost:     a utilisation of an accelerator or a fit of measured times by this count is wrong by a factor that differs from
#           model to model, and more experts a token cost nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.15.0 transformers==5.24.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

print("torch", version("torch"), "transformers", version("transformers"))
TOKENS = 64
SHAPES = {  # the proportions of Mixtral 8x7B and of Qwen3-30B-A3B, narrower by 16 and two layers deep
    "mixtral": {"hidden_size": 256, "intermediate_size": 896, "num_attention_heads": 4, "num_key_value_heads": 1}
    | {"num_local_experts": 8, "num_experts_per_tok": 2, "head_dim": 64},
    "qwen3_moe": {"hidden_size": 128, "moe_intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 1}
    | {"num_experts": 128, "num_experts_per_tok": 8, "head_dim": 64},
}
for kind, shape in SHAPES.items():
    config = AutoConfig.for_model(kind, num_hidden_layers=2, vocab_size=1000, **shape)
    tokens = torch.zeros(1, TOKENS, dtype=torch.long)
    counts = {}
    for way in (None, "grouped_mm", "batched_mm", "eager"):
        model = AutoModelForCausalLM.from_config(config)
        if way:
            model.set_experts_implementation(way)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(tokens)
        counts[way or "as it comes"] = counter.get_total_flops()
    experts = model.model.layers[0].mlp.experts
    numbers = sum(weights[0].numel() for weights in experts.parameters()) * shape["num_experts_per_tok"]
    print(kind, counts, "of which experts", 2 * 2 * TOKENS * numbers)
    print("  counted as it comes:", round(counts["as it comes"] / counts["eager"], 2))
PYTHON
diff - "$folder/seen" <<'SEEN'
torch 2.15.0 transformers 5.24.0
mixtral {'as it comes': 83623936, 'grouped_mm': 83623936, 'batched_mm': 435945472, 'eager': 435945472} of which experts 352321536
  counted as it comes: 0.19
qwen3_moe {'as it comes': 49938432, 'grouped_mm': 49938432, 'batched_mm': 87687168, 'eager': 87687168} of which experts 37748736
  counted as it comes: 0.57
SEEN
