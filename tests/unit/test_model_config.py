"""Configurations as Hugging Face's transformers write them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 16384,
    "num_hidden_layers": 126, "num_attention_heads": 128, "num_key_value_heads": 8,
    "intermediate_size": 53248, "vocab_size": 128256, "tie_word_embeddings": False,
    "rope_scaling": {"rope_type": "llama3"}, "attention_bias": False, "mlp_bias": False,
}  # fmt: skip
QWEN_MOE = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "head_dim": 128,
    "num_attention_heads": 32, "num_key_value_heads": 4, "intermediate_size": 6144,
    "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8,
    "decoder_sparse_step": 1, "mlp_only_layers": [], "vocab_size": 151936,
    "use_sliding_window": False, "sliding_window": None, "max_window_layers": 48,
}  # fmt: skip
DEEPSEEK = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "vocab_size": 129280,
    "num_attention_heads": 128, "num_key_value_heads": 128, "intermediate_size": 18432,
    "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
    "num_experts_per_tok": 8, "first_k_dense_replace": 3, "moe_layer_freq": 1, "q_lora_rank": 1536,
    "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
    "num_nextn_predict_layers": 1, "topk_method": "noaux_tc", "n_group": 8, "topk_group": 4,
    "quantization_config": {"quant_method": "fp8"}, "rope_scaling": {"type": "yarn"},
}  # fmt: skip
GPT_OSS = {
    "model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 36, "head_dim": 64,
    "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 2880,
    "num_local_experts": 128, "num_experts_per_tok": 4, "experts_per_token": 4,
    "sliding_window": 128, "layer_types": ["sliding_attention", "full_attention"] * 18,
    "attention_bias": True, "vocab_size": 201088, "swiglu_limit": 7.0,
}  # fmt: skip
LLAMA4 = {
    "model_type": "llama4",
    "text_config": {
        "model_type": "llama4_text", "hidden_size": 5120, "num_hidden_layers": 48, "head_dim": 128,
        "num_attention_heads": 40, "num_key_value_heads": 8, "intermediate_size": 8192,
        "intermediate_size_mlp": 16384, "num_local_experts": 128, "num_experts_per_tok": 1,
        "interleave_moe_layer_step": 2, "attention_chunk_size": 8192, "vocab_size": 202048,
        "no_rope_layers": [1, 1, 1, 0] * 12,
    },
}  # fmt: skip
CASES: dict[str, dict[str, Any]] = {
    "llama-3.1-405b": LLAMA,
    "qwen3-30b-a3b": QWEN_MOE,
    "deepseek-v3": DEEPSEEK,
    "gpt-oss-120b": GPT_OSS,
    "llama-4-maverick": LLAMA4,
    "qwen3-8b": {
        "model_type": "qwen3", "hidden_size": 4096, "num_hidden_layers": 36, "vocab_size": 151936,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 12288,
        "tie_word_embeddings": False,
    },
    "mixtral-8x7b": {
        "model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 32000,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
        "num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": None,
    },
    "mistral-7b": {
        "model_type": "mistral", "hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 32768,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
        "sliding_window": None,
    },
    "gpt-2": {
        "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024,
        "n_ctx": 1024, "vocab_size": 50257, "activation_function": "gelu_new",
    },
    "gpt-neox-20b": {
        "model_type": "gpt_neox", "hidden_size": 6144, "num_hidden_layers": 44, "rotary_pct": 0.25,
        "num_attention_heads": 64, "intermediate_size": 24576, "vocab_size": 50432,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_configuration_is_the_model_of_that_name(name: str, tmp_path: Path) -> None:
    known, text = rf.model(name), json.dumps(CASES[name])
    file = tmp_path / "config.json"
    file.write_text(text)
    for config in (CASES[name], text, str(file), file):
        read = rf.Transformer.from_config(config, name=name)
        written = {"head_size", "kv_heads"}  # given or by default
        for field in dataclasses.fields(known):
            if field.name not in written:
                assert getattr(read, field.name) == getattr(known, field.name), field.name
        assert (read.parameters, read.kv_bytes(1000)) == (known.parameters, known.kv_bytes(1000))


def test_qwen2_has_biases_of_queries_keys_and_values() -> None:
    config = {
        "model_type": "qwen2", "hidden_size": 896, "num_hidden_layers": 24, "vocab_size": 151936,
        "num_attention_heads": 14, "num_key_value_heads": 2, "intermediate_size": 4864,
        "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": 32768,
    }  # fmt: skip
    # Qwen/Qwen2.5-0.5B: the size of its safetensors file.
    assert rf.Transformer.from_config(config).parameters == 494_032_768


@pytest.mark.parametrize(
    ("config", "error", "word"),
    [
        ({**LLAMA, "model_type": "mamba"}, rf.Unsupported, "model_type"),
        ({**LLAMA, "conv_kernel": 4}, rf.Unsupported, "conv_kernel"),
        ({**LLAMA, "mlp_bias": True}, rf.Unsupported, "mlp_bias"),
        ({**LLAMA, "num_hidden_layers": 10**9}, rf.InvalidArgument, "num_hidden_layers"),
        ({**LLAMA, "hidden_size": float("nan")}, rf.InvalidType, "hidden_size"),
        ({**LLAMA, "hidden_size": None}, rf.InvalidArgument, "hidden_size"),
        ({**LLAMA, "vocab_size": -1}, rf.InvalidArgument, "vocab_size"),
        ({**QWEN_MOE, "use_sliding_window": True}, rf.Unsupported, "use_sliding_window"),
        ({**QWEN_MOE, "mlp_only_layers": [5]}, rf.Unsupported, "mlp_only_layers"),
        ({**DEEPSEEK, "moe_layer_freq": 2}, rf.Unsupported, "moe_layer_freq"),
        ({**DEEPSEEK, "n_routed_experts": 4}, rf.InvalidArgument, "per_token"),
        ({**QWEN_MOE, "layer_types": ["sliding_attention"] * 4}, rf.Unsupported, "layer_types"),
        ({**QWEN_MOE, "num_local_experts": 8}, rf.Unsupported, "num_local_experts"),
        ({**GPT_OSS, "layer_types": ["full_attention"]}, rf.InvalidArgument, "layer_types"),
        ({**GPT_OSS, "sliding_window": None}, rf.InvalidType, "sliding_window"),
        ({**LLAMA4, "vision_config": {"depth": 34}}, rf.Unsupported, "model_type"),
        ({"hidden_size": 8}, rf.InvalidArgument, "model_type"),
        (json.dumps(LLAMA)[:200], rf.InvalidArgument, "JSON"),
        ('{"model_type": "llama", "model_type": "gpt2"}', rf.InvalidArgument, "model_type"),
        ("[" * 100_000, rf.InvalidArgument, "config"),
        ('{"a": ' * 100_000, rf.InvalidArgument, "config"),
        ("no such file", rf.InvalidArgument, "config"),
        (7, rf.InvalidType, "config"),
    ],
)
def test_what_is_no_known_configuration_is_refused_by_name(
    config: object, error: type[rf.RainierError], word: str
) -> None:
    with pytest.raises(error) as raised:
        rf.Transformer.from_config(config)
    assert word in str(raised.value)


# What the configuration classes of transformers 4.57.3 and 5.24.0 hold without these keys.
LEFT_OUT = {
    "llama": (64, 64), "mistral": (8, 64), "mixtral": (8, 64), "qwen2": (32, 64),
    "qwen3": (32, 128), "qwen3_moe": (4, 64), "gpt_oss": (8, 64), "llama4_text": (8, 128),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_heads_that_are_left_out_are_those_of_the_class(kind: str) -> None:
    config = {
        "model_type": kind, "hidden_size": 4096, "num_hidden_layers": 2, "vocab_size": 9,
        "num_attention_heads": 64, "intermediate_size": 64,
    }  # fmt: skip
    more = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2}
    config |= more if kind in {"mixtral", "qwen3_moe", "gpt_oss", "llama4_text"} else {}
    config |= {"moe_intermediate_size": 8} if kind == "qwen3_moe" else {}
    config |= {"intermediate_size_mlp": 8} if kind == "llama4_text" else {}
    if "num_experts" in config:  # each type knows one of the two names
        del config["num_local_experts" if kind == "qwen3_moe" else "num_experts"]
    heads, size = LEFT_OUT[kind]
    read = rf.Transformer.from_config(config)
    said = rf.Transformer.from_config({**config, "num_key_value_heads": heads, "head_dim": size})
    assert (read.kv_heads, read.parameters) == (heads, said.parameters)
    assert rf.Transformer.from_config({**config, "num_key_value_heads": None}).kv_heads == 64


def test_a_window_that_is_left_out_is_not_a_window_that_is_null() -> None:
    mistral = {key: value for key, value in CASES["mistral-7b"].items() if key != "sliding_window"}
    window = rf.Transformer.from_config(mistral).window
    assert window is not None
    assert window.size == 4096
    assert rf.Transformer.from_config({**mistral, "sliding_window": None}).window is None
    mixtral = {
        key: value for key, value in CASES["mixtral-8x7b"].items() if key != "sliding_window"
    }
    assert rf.Transformer.from_config(mixtral).window is None


def test_deepseek_has_its_shared_expert_and_dense_layers_where_they_are_left_out() -> None:
    names = {"n_shared_experts", "first_k_dense_replace", "q_lora_rank"}
    config = {key: value for key, value in DEEPSEEK.items() if key not in names}
    full = rf.Transformer.from_config(DEEPSEEK)
    assert rf.Transformer.from_config(config).parameters == full.parameters
    assert rf.Transformer.from_config({**DEEPSEEK, "q_lora_rank": None}).mla.q_rank is None


def test_qwen_layers_that_all_look_at_everything_may_say_so() -> None:
    kinds = ["full_attention"] * QWEN_MOE["num_hidden_layers"]  # type: ignore[operator]
    said = rf.Transformer.from_config({**QWEN_MOE, "layer_types": kinds})
    assert said == rf.Transformer.from_config(QWEN_MOE)


def test_layers_in_no_period_are_refused() -> None:
    kinds = ["full_attention", *GPT_OSS["layer_types"][1:]]  # type: ignore[misc]
    with raises(rf.Unsupported, "config[layer_types]"):
        rf.Transformer.from_config({**GPT_OSS, "layer_types": kinds})
    with raises(rf.Unsupported, "config[no_rope_layers]"):
        text = {**LLAMA4["text_config"], "no_rope_layers": [1, 0] * 24}  # type: ignore[dict-item]
        rf.Transformer.from_config(text)


def test_mutated_text_answers_or_is_refused() -> None:
    chance = random.Random(1)
    texts = [json.dumps(config) for config in CASES.values()]
    for _ in range(500):
        letters = list(chance.choice(texts))
        for _ in range(chance.randint(1, 4)):
            letters[chance.randrange(len(letters))] = chance.choice('{}[]",:0918e-.truefalsn \n')
        with contextlib.suppress(rf.RainierError):
            rf.Transformer.from_config("".join(letters)).flops_per_token(4096)
