#!/usr/bin/env bash
# One token each of 64 sequences through Mixtral's layers in GenZ, as decoding does, and the same 64 tokens as one prompt.
#
# Expected: 64 tokens that choose 2 of 8 experts each meet all 8, so that decoding them reads the weights of all 8, as the
#           prompt does; and a prompt of 3 tokens takes at least the time of reading the experts that they chose.
# Seen:     decoding reads the weights of 2 experts for the whole batch, whatever its size: a quarter of the prompt's time
#           in the same layers at 64 tokens, and 256 sequences still read 2. The other 6 are "unused weights". In a prompt
#           each expert has floor(tokens x 2 / 8) tokens: with 3 tokens that is none, and the experts take a microsecond,
#           5,000 times less than in decoding one token; with 4 tokens they take 42 ms. A dense model has neither.
# Cost:     the throughput of served mixtures is four times too high just where batches are large, more for more experts, and
#           the best batch or the break-even with a dense model is in the wrong place.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check genz-llm==0.0.16 numpy==2.4.6 pandas==3.1.1
"$folder/venv/bin/python" -W ignore - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version

from GenZ.LLM_inference import decode_moddeling, prefill_moddeling

print("genz-llm", version("genz-llm"))
CHIP = {"Flops": 312, "Memory_size": 8000, "Memory_BW": 2000, "ICN": 300, "real_values": True}


def experts(answer):
    return f"{answer['Runtime_breakdown'].FFN:.3f} ms"


for model in ("mixtral_8x7b", "llama3_8b"):
    asked = {"model": model, "system_name": CHIP, "bits": "bf16"}
    for batch in (1, 8, 64):
        answer = decode_moddeling(batch_size=batch, Bb=1, input_tokens=128, output_tokens=1, **asked)
        print(model, "feed-forward layers, decoding", batch, "sequences:", experts(answer))
        if model.startswith("mixtral"):
            table = answer["summary_table"].iloc[0]
            print("  weights", int(table["Total Weights (MB)"]), "MB, unused", int(table["Unused Weights (MB)"]), "MB")
    for tokens in (3, 4, 64):
        print(model, "feed-forward layers, a prompt of", tokens, "tokens:", experts(prefill_moddeling(batch_size=1, input_tokens=tokens, **asked)))
PYTHON
diff - "$folder/seen" <<'SEEN'
genz-llm 0.0.16
mixtral_8x7b feed-forward layers, decoding 1 sequences: 10.501 ms
  weights 88828 MB, unused 64512 MB
mixtral_8x7b feed-forward layers, decoding 8 sequences: 10.504 ms
  weights 88828 MB, unused 64512 MB
mixtral_8x7b feed-forward layers, decoding 64 sequences: 10.529 ms
  weights 88828 MB, unused 64512 MB
mixtral_8x7b feed-forward layers, a prompt of 3 tokens: 0.001 ms
mixtral_8x7b feed-forward layers, a prompt of 4 tokens: 42.012 ms
mixtral_8x7b feed-forward layers, a prompt of 64 tokens: 42.177 ms
llama3_8b feed-forward layers, decoding 1 sequences: 5.250 ms
llama3_8b feed-forward layers, decoding 8 sequences: 5.251 ms
llama3_8b feed-forward layers, decoding 64 sequences: 5.261 ms
llama3_8b feed-forward layers, a prompt of 3 tokens: 5.255 ms
llama3_8b feed-forward layers, a prompt of 4 tokens: 5.256 ms
llama3_8b feed-forward layers, a prompt of 64 tokens: 5.348 ms
SEEN
