#!/usr/bin/env bash
# The room that Vidur finds for keys and values beside Llama 3 8B on one A100, and the utilisation that it reports.
#
# Expected: 8.03e9 parameters, as its own table of models says (with 128,256 words), at 2 bytes in the memory; and 100
#           percent where the chip does its 312e12 operations in every second.
# Seen:     6.98e9: the embedding and the output layer, 1.05e9, are in no sum, neither for memory nor for operations. The
#           operations per second of the data sheet are multiplied by 2 to the 40th, so that 312 is 343: a chip at its peak
#           is 90.9 percent utilised, and 100 is out of reach.
# Cost:     2.1 GB of room that is not there, 16,000 tokens of context on this chip; for models of few layers and many words
#           it is half of the model. Utilisations are a tenth lower than others report for the same run.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps vidur==0.0.26 numpy==2.4.6 pandas==3.1.1 \
    python-dateutil==2.9.0.post0 six==1.17.0
"$folder/venv/bin/python" -W ignore - >"$folder/seen" 2>/dev/null <<'PYTHON'
from importlib.metadata import version
from types import SimpleNamespace

from vidur.config import CacheConfig, ReplicaConfig
from vidur.utils.memory_planner import MemoryPlanner
from vidur.utils.mfu_calculator import MFUCalculator
from vidur.utils.param_counter import ParamCounter

print("vidur", version("vidur"))
asked = {"num_pipeline_stages": 1, "tensor_parallel_size": 1, "device": "a100", "network_device": "a100_dgx"}
replica = ReplicaConfig(model_name="meta-llama/Llama-3-8B", **asked)
model, chip = replica.model_config, replica.device_config
counted = ParamCounter(replica).get_num_parameters_per_device()
ends = 2 * model.vocab_size * model.embedding_dim
print("vocabulary", model.vocab_size, "counted", counted, "embedding and output layer", ends, "sum", counted + ends)

tokens = int(MemoryPlanner(replica, CacheConfig(memory_margin_fraction=0.1)).get_max_kv_cache_size_in_tokens())
each = 2 * 2 * model.num_layers * model.num_kv_heads * (model.embedding_dim // model.num_q_heads)
room = 0.9 * chip.total_memory_gb * 2**30
print("tokens", tokens, "with all parameters", int((room - 2 * (counted + ends)) // each))

work = 2 * 4096 * counted
at_peak = SimpleNamespace(num_q_tokens=[4096], num_kv_tokens=[0], requests=[None], execution_time=work / 312e12)
print("peak", chip.fp16_tflops, "utilised at its peak", round(MFUCalculator(replica).get_mfu(at_peak), 2), "percent")
PYTHON
diff - "$folder/seen" <<'SEEN'
vidur 0.0.26
vocabulary 128256 counted 6979321856 embedding and output layer 1050673152 sum 8029995008
tokens 483328 with all parameters 467296
peak 312 utilised at its peak 90.95 percent
SEEN
