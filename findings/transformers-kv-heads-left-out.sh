#!/usr/bin/env bash
# A config.json that does not say num_key_value_heads, as plain multi-head attention may be written.
#
# Expected: as many as num_attention_heads. The documentation of each of these classes says so in one sentence: "If it is
#           not specified, will default to `num_attention_heads`."
# Seen:     only Llama does. Left out, it is 8 in Mistral and Mixtral, 4 in Qwen3-MoE, and 32 in Qwen2 and Qwen3: a model of
#           14 heads has 32 of keys and values, and nothing objects. A null is the number of heads in Llama, Qwen2 and
#           Qwen3, and a type error in the others. The window of Mistral is alike: left out 4,096, null none.
# Cost:     the cache of Qwen2 with 14 heads is 2.3 times what was meant, that of Mistral with 32 a quarter, and a tool that takes "absent" and "null" for the same cannot be right for both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check transformers==5.24.0 huggingface_hub==2.4.0
"$folder/venv/bin/python" - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version

from transformers import AutoConfig

print("transformers", version("transformers"))


def read(kind, key, **given):
    try:
        return getattr(AutoConfig.for_model(kind, hidden_size=896, num_attention_heads=14, **given), key)
    except Exception as error:
        return "TypeError" if "TypeError" in str(error) else type(error).__name__


for kind in ("llama", "mistral", "mixtral", "qwen2", "qwen3", "qwen3_moe"):
    key = "num_key_value_heads"
    said = " ".join(type(AutoConfig.for_model(kind)).__doc__.split())
    promise = "If it is not specified, will default to `num_attention_heads`" in said
    print(kind, "14 heads; left out:", read(kind, key), "null:", read(kind, key, **{key: None}), "promised:", promise)
key = "sliding_window"
print("mistral window; left out:", read("mistral", key), "null:", read("mistral", key, sliding_window=None))
PYTHON
diff - "$folder/seen" <<'SEEN'
transformers 5.24.0
llama 14 heads; left out: 14 null: 14 promised: True
mistral 14 heads; left out: 8 null: TypeError promised: True
mixtral 14 heads; left out: 8 null: TypeError promised: True
qwen2 14 heads; left out: 32 null: 14 promised: True
qwen3 14 heads; left out: 32 null: 14 promised: True
qwen3_moe 14 heads; left out: 4 null: TypeError promised: True
mistral window; left out: 4096 null: None
SEEN
