#!/usr/bin/env bash
# use_sliding_window, sliding_window and max_window_layers, the three keys of Qwen's configurations, in four of its classes.
#
# Expected: what the documentation of Qwen2, Qwen3 and Qwen2-MoE says in one sentence: the first max_window_layers layers look
#           at everything, those above through the window.
# Seen:     Qwen2 and Qwen3 do. Qwen2-MoE, with that same sentence, has windows in every other one of the first layers and
#           none above. Qwen3-MoE has no kinds of layers: its model looks through the window in all of them, and
#           max_window_layers is taken without a word. An older transformers gives Qwen2-MoE no kinds either.
# Cost:     the cache and the operations of long contexts of 8 layers are those of 5, 2 or 8 windows, by class and version of
#           the library, from files that say the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/read.py" <<'PYTHON'
from importlib.metadata import version

from transformers import AutoConfig

print("transformers", version("transformers"))
for kind in ("qwen2", "qwen3", "qwen2_moe", "qwen3_moe"):
    config = AutoConfig.for_model(kind, num_hidden_layers=8, use_sliding_window=True, sliding_window=128, max_window_layers=3)
    said = " ".join(type(config).__doc__.split())
    promise = "The first `max_window_layers` layers will use full attention" in said
    kinds = getattr(config, "layer_types", None) or []
    layers = "".join("w" if name == "sliding_attention" else "f" for name in kinds) or "no kinds"
    print(kind, "window", config.sliding_window, "layers", layers, "promised:", promise)
PYTHON
for release in "transformers==5.24.0 huggingface_hub==2.4.0" "transformers==4.57.3"; do
    python3 -m venv --clear "$folder/venv"
    # shellcheck disable=SC2086 # two packages
    "$folder/venv/bin/pip" install -q --disable-pip-version-check $release
    "$folder/venv/bin/python" "$folder/read.py" 2>/dev/null
done >"$folder/seen"
diff - "$folder/seen" <<'SEEN'
transformers 5.24.0
qwen2 window 128 layers fffwwwww promised: True
qwen3 window 128 layers fffwwwww promised: True
qwen2_moe window 128 layers wfwfffff promised: True
qwen3_moe window 128 layers no kinds promised: False
transformers 4.57.3
qwen2 window 128 layers fffwwwww promised: True
qwen3 window 128 layers fffwwwww promised: True
qwen2_moe window 128 layers no kinds promised: True
qwen3_moe window 128 layers no kinds promised: False
SEEN
