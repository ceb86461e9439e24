#!/usr/bin/env bash
# The config.json of a model, read by llm-analysis by the name of the model, which may be
# its folder: it asks transformers for it.
#
# Expected: the model of the file. The tool knows ffn_embed_dim, moe_num_experts and moe_top_k.
# Seen:     the width of the feed-forward layers and the experts are not read, and nothing is said: the width becomes four
#           times the hidden size, in two matrices where these have three, with one expert; heads are as wide as hidden size
#           by heads, and the output layer is the embedding once more. Mixtral 8x7B has 5.8e9 parameters instead of 46.7e9,
#           Llama 3 8B 6.2e9 instead of 8.0e9. For Llama 2 7B the errors nearly cancel, so that a first try looks right.
# Cost:     memory, time and cost of a mixture are those of a dense model of an eighth, and fit on one device.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check transformers==4.57.3
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps llm-analysis==0.2.2 fire==0.5.0 termcolor==3.1.0 six==1.17.0
cd "$folder"
"$folder/venv/bin/python" -W ignore - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version

from llm_analysis.analysis import LLMAnalysis
from llm_analysis.config import ParallelismConfig, get_dtype_config_by_name, get_gpu_config_by_name, get_model_config_by_name
from transformers import AutoConfig

print("llm-analysis", version("llm-analysis"), "transformers", version("transformers"))
WIDE = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "max_position_embeddings": 4096}
MODELS = {
    "llama-2-7b": ("llama", {"intermediate_size": 11008, "num_key_value_heads": 32, "vocab_size": 32000}),
    "llama-3-8b": ("llama", {"intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 128256}),
    "mixtral-8x7b": ("mixtral", {"intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 32000}),
}
for name, (kind, shape) in MODELS.items():
    config = AutoConfig.for_model(kind, **WIDE, **shape)
    config.save_pretrained(name)
    read = get_model_config_by_name(name)
    count = LLMAnalysis(
        read, get_gpu_config_by_name("a100-sxm-80gb"), get_dtype_config_by_name("w16a16e16"), ParallelismConfig()
    ).get_num_params_total()
    experts = getattr(config, "num_local_experts", 1)
    layer = 2 * 4096 * 4096 + 2 * 4096 * 128 * config.num_key_value_heads + 2 * 4096
    layer += experts * 3 * 4096 * config.intermediate_size + (4096 * experts if experts > 1 else 0)
    true = 32 * layer + 2 * 4096 * config.vocab_size + 4096
    print(name, "width", config.intermediate_size, "read", read.ffn_embed_dim, "experts", experts, "read", read.moe_num_experts)
    print("  parameters", true, "counted", int(count), f"{count / true:.2f}")
PYTHON
diff - "$folder/seen" <<'SEEN'
llm-analysis 0.2.2 transformers 4.57.3
llama-2-7b width 11008 read 16384 experts 1 read 1
  parameters 6738415616 counted 6573789184 0.98
llama-3-8b width 14336 read 16384 experts 1 read 1
  parameters 8030261248 counted 6162747392 0.77
mixtral-8x7b width 14336 read 16384 experts 8 read 1
  parameters 46702792704 counted 5768482816 0.12
SEEN
