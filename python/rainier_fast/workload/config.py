"""Configurations of models as Hugging Face's transformers write them, as fields of a shape.

Defaults are those of transformers 4.57's classes. A key that no rule knows is refused, since it may
change the sums; those that cannot are listed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from rainier_fast.definitions.check import as_count, as_flag, as_integer, as_items
from rainier_fast.errors import InvalidArgument, Unsupported, invalid, invalid_type, shown
from rainier_fast.workload.data import read_data
from rainier_fast.workload.parts import MOST_EXPERTS, MOST_LAYERS, MOST_WIDE, Experts, Mla, Window

_MOST_TEXT: Final = 2**22  # letters of a file; real ones have some thousands
_LIKE: Final = "must be a path to a config.json, its text, or the dict that it holds"


class _Keys:
    """The keys of a configuration; it remembers which were read."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys
        self._read: set[str] = {"model_type"}

    def get(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - as JSON has it
        self._read.add(key)
        value = self._keys.get(key)
        return default if value is None else value

    def or_left_out(self, key: str, value: object) -> Any:  # noqa: ANN401 - as JSON has it
        """Return what a key says, null included, or if it is left out what its class says."""
        self._read.add(key)
        return self._keys.get(key, value)

    def count(self, key: str, default: int | None = None, most: int = MOST_WIDE) -> int:
        value = self.get(key, default)
        if value is None:
            raise InvalidArgument(f"config[{key}]: got none, must be given")
        return as_count(f"config[{key}]", value, most)

    def flag(self, key: str, *, default: bool = False) -> bool:
        return as_flag(f"config[{key}]", self.get(key, default))

    def must_be(self, **only: object) -> None:
        """Refuse other values than these, of which no rule is known."""
        for key, value in only.items():
            self.must_be_among(key, value)

    def must_be_among(self, key: str, *allowed: object) -> None:
        """Refuse other values than these; the first is what a key that is left out means."""
        value = self.get(key, allowed[0])
        if value not in allowed:
            words = " or ".join(map(shown, allowed))
            raise Unsupported(
                f"config[{key}]: got {shown(value)}, must be {words}; "
                "describe the model by rf.Transformer(...)"
            )

    def unread(self) -> Iterator[str]:
        """Yield the keys that nothing read and that may matter."""
        for key, value in self._keys.items():
            if key not in self._read | _without_effect() and value not in (None, False):
                yield str(key)


@cache
def _without_effect() -> frozenset[str]:
    """Return the keys of which no sum depends."""
    return frozenset(read_data("config_keys.json")["without_effect"])


def read_config(config: object) -> dict[str, Any]:
    """Return the fields of a `Shape` that a configuration says."""
    document = _document(config)
    kind = document.get("model_type")
    inner = document.get("text_config")
    if kind == "llama4" and isinstance(inner, Mapping) and "vision_config" not in document:
        document = {"model_type": "llama4_text", **inner}
        kind = document["model_type"]
    if kind is None:
        raise InvalidArgument("config[model_type]: got none, must be given")
    if not isinstance(kind, str) or kind not in _TYPES:
        known = ", ".join(_TYPES)
        raise Unsupported(
            f"config[model_type]: got {shown(kind)}, must be one of {known}; describe the model "
            "by rf.Transformer(...), or give the text_config of one that sees images"
        )
    keys = _Keys(document)
    fields = {"name": kind, **_TYPES[kind](keys)}
    for key in keys.unread():
        raise Unsupported(
            f"config[{key}]: got a key not known for {kind}, may change the sums; leave it out if "
            "it does not, or describe the model by rf.Transformer(...)"
        )
    return fields


def _document(config: object) -> Mapping[str, Any]:
    if isinstance(config, Mapping):
        return dict(config)
    if isinstance(config, str) and config.lstrip()[:1] == "{":
        return _parsed(config)
    if not isinstance(config, str | Path):
        raise invalid_type("config", config, _LIKE)
    try:
        path = Path(config)
        if path.stat().st_size > _MOST_TEXT:
            raise invalid("config", str(path), f"must have at most {_MOST_TEXT:,} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidArgument):
            raise
        why = shown(getattr(error, "strerror", None) or error)
        raise invalid("config", shown(config), f"cannot be read as a text file: {why}") from error
    return _parsed(text)


def _parsed(text: str) -> Mapping[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in made if names.count(name) > 1)
            raise invalid("config", twice, "must stand once in its object")
        return made

    if len(text) > _MOST_TEXT:
        raise invalid("config", f"{len(text)} letters", f"must have at most {_MOST_TEXT:,}")
    try:
        document = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidArgument):
            raise
        raise InvalidArgument(f"config: got what is not JSON: {shown(error)}") from error
    if not isinstance(document, dict):
        raise invalid_type("config", document, "must hold an object")
    return document


def _common(keys: _Keys) -> dict[str, Any]:
    return {
        "layers": keys.count("num_hidden_layers", most=MOST_LAYERS),
        "hidden": keys.count("hidden_size"),
        "heads": keys.count("num_attention_heads"),
        "vocab": keys.count("vocab_size", most=2**28),
        "tied": keys.flag("tie_word_embeddings"),
    }


def _grouped(
    keys: _Keys, kv_heads: int | None = None, head_size: int | None = None
) -> dict[str, Any]:
    """Return what they share; the numbers are those of the class where the key is left out."""
    fields = _common(keys)
    kv = keys.or_left_out("num_key_value_heads", kv_heads)
    kv = fields["heads"] if kv is None else kv
    fields["kv_heads"] = as_count("config[num_key_value_heads]", kv, MOST_WIDE)
    size = keys.or_left_out("head_dim", head_size)
    free = size is None and head_size is None
    fields["head_size"] = None if free else as_count("config[head_dim]", size, MOST_WIDE)
    return fields


def _llama(keys: _Keys) -> dict[str, Any]:
    keys.must_be(mlp_bias=False)
    return _grouped(keys) | {
        "ffn": keys.count("intermediate_size"),
        "biases": "attention" if keys.flag("attention_bias") else "none",
    }


def _mistral(keys: _Keys, size: int | None = 4096) -> dict[str, Any]:
    size = keys.or_left_out("sliding_window", size)
    window = None if size is None else Window(size=size)
    return _grouped(keys, kv_heads=8) | {"ffn": keys.count("intermediate_size"), "window": window}


def _qwen(keys: _Keys, kv_heads: int = 32, head_size: int | None = None) -> dict[str, Any]:
    keys.must_be(use_sliding_window=False)
    keys.get("sliding_window")  # without effect then
    fields = _grouped(keys, kv_heads, head_size) | {"ffn": keys.count("intermediate_size")}
    # Layers that are said to slide have no window to look through then, and do not run.
    keys.must_be_among("layer_types", [], ["full_attention"] * fields["layers"])
    return fields


def _qwen2(keys: _Keys) -> dict[str, Any]:
    return _qwen(keys) | {"biases": "qkv"}


def _qwen3(keys: _Keys) -> dict[str, Any]:
    biases = "attention" if keys.flag("attention_bias") else "none"
    return _qwen(keys, head_size=128) | {"qk_norm": True, "biases": biases}


def _qwen3_moe(keys: _Keys) -> dict[str, Any]:
    keys.must_be(qkv_bias=False)
    keys.must_be(use_qk_norm=True)
    keys.must_be(shared_expert_intermediate_size=0)
    given = keys.get("mlp_only_layers", [])
    first = list(as_items("config[mlp_only_layers]", given, "must be a list"))
    keys.must_be_among("mlp_only_layers", [], list(range(len(first))))
    every = keys.count("decoder_sparse_step", 1, MOST_LAYERS)
    biases = "attention" if keys.flag("attention_bias") else "none"
    fields = _qwen(keys, kv_heads=4) | {"qk_norm": True, "biases": biases}
    fields["experts"] = Experts(
        count=keys.count("num_experts", most=MOST_EXPERTS),
        per_token=keys.count("num_experts_per_tok", most=MOST_EXPERTS),
        width=keys.count("moe_intermediate_size"),
        dense_first=len(first),
        every=every,
    )
    return fields | ({"ffn": 0} if every == 1 and not first else {})


def _mixtral(keys: _Keys) -> dict[str, Any]:
    fields = _mistral(keys, None)
    experts = Experts(
        count=keys.count("num_local_experts", 8, MOST_EXPERTS),
        per_token=keys.count("num_experts_per_tok", 2, MOST_EXPERTS),
        width=fields.pop("ffn"),
    )
    return fields | {"experts": experts}


def _deepseek_v3(keys: _Keys) -> dict[str, Any]:
    keys.must_be(moe_layer_freq=1)
    keys.must_be(attention_bias=False)
    keys.get("num_key_value_heads")  # all heads have keys and values of their own
    keys.get("head_dim")  # that of the part with a position
    width = keys.count("moe_intermediate_size")
    rank = keys.or_left_out("q_lora_rank", 1536)
    shared = keys.or_left_out("n_shared_experts", 1) or 0
    dense = keys.or_left_out("first_k_dense_replace", 3) or 0
    return _common(keys) | {
        "ffn": keys.count("intermediate_size"),
        "mtp": as_integer(
            "config[num_nextn_predict_layers]",
            keys.get("num_nextn_predict_layers", 0),
            0,
            MOST_LAYERS,
        ),
        "mla": Mla(
            q_rank=None if rank is None else as_count("config[q_lora_rank]", rank, MOST_WIDE),
            kv_rank=keys.count("kv_lora_rank"),
            nope_size=keys.count("qk_nope_head_dim"),
            rope_size=keys.count("qk_rope_head_dim"),
            value_size=keys.count("v_head_dim"),
        ),
        "experts": Experts(
            count=keys.count("n_routed_experts", most=MOST_EXPERTS),
            per_token=keys.count("num_experts_per_tok", most=MOST_EXPERTS),
            width=width,
            shared_width=width * as_integer("config[n_shared_experts]", shared, 0, 1024),
            dense_first=as_integer("config[first_k_dense_replace]", dense, 0, MOST_LAYERS),
            router_bias=True,
        ),
    }


def _gpt_oss(keys: _Keys) -> dict[str, Any]:
    keys.must_be(attention_bias=True)
    fields = _grouped(keys, kv_heads=8, head_size=64)
    size = as_count("config[sliding_window]", keys.or_left_out("sliding_window", 128), MOST_WIDE)
    experts = Experts(
        count=keys.count("num_local_experts", most=MOST_EXPERTS),
        per_token=keys.count("num_experts_per_tok", most=MOST_EXPERTS),
        width=keys.count("intermediate_size"),
    )
    window = Window(size=size, full_every=_full_every(keys, fields["layers"]))
    return fields | {"experts": experts, "window": window, "biases": "all", "sinks": True}


def _full_every(keys: _Keys, layers: int) -> int:
    """Return which layers look at everything, as a period; by default each second one."""
    kinds = list(as_items("config[layer_types]", keys.get("layer_types", []), "must be a list"))
    if not kinds:
        return 2
    if len(kinds) != layers:
        allowed = f"must name {layers} layers"
        raise invalid("config[layer_types]", f"{len(kinds)} names", allowed)
    full = [at + 1 for at, kind in enumerate(kinds) if kind == "full_attention"]
    every = full[0] if full else 0
    regular = list(range(every, layers + 1, every)) if every else []
    if full != regular or any(
        kind not in ("full_attention", "sliding_attention") for kind in kinds
    ):
        raise Unsupported(
            "config[layer_types]: got another order, must be sliding_attention with full_attention "
            "in each n-th layer; describe others by rf.Transformer(...)"
        )
    return every


def _llama4(keys: _Keys) -> dict[str, Any]:
    keys.must_be(attention_bias=False)
    keys.get("use_qk_norm")  # a norm without numbers
    fields = _grouped(keys, kv_heads=8, head_size=128)
    width = keys.count("intermediate_size")
    every = keys.count("no_rope_layer_interval", 4, MOST_LAYERS)
    experts = Experts(
        count=keys.count("num_local_experts", most=MOST_EXPERTS),
        per_token=keys.count("num_experts_per_tok", most=MOST_EXPERTS),
        width=width,
        shared_width=width,
        every=keys.count("interleave_moe_layer_step", 1, MOST_LAYERS),
    )
    # Files that say the layers one by one must say what these two periods do.
    layers = range(fields["layers"])
    full = [(layer + 1) % every == 0 for layer in layers]
    kinds = ["full_attention" if whole else "chunked_attention" for whole in full]
    keys.must_be_among("no_rope_layers", [], [int(not whole) for whole in full])
    keys.must_be_among("layer_types", [], kinds)
    keys.must_be_among("moe_layers", [], list(layers[experts.every - 1 :: experts.every]))
    chunk = keys.count("attention_chunk_size", 8192, 2**40)
    return fields | {
        "ffn": keys.count("intermediate_size_mlp"),
        "window": Window(size=chunk, chunked=True, full_every=every),
        "experts": experts,
    }


def _gpt2(keys: _Keys) -> dict[str, Any]:
    hidden = keys.count("n_embd")
    return {
        "layers": keys.count("n_layer", most=MOST_LAYERS),
        "hidden": hidden,
        "heads": keys.count("n_head"),
        "vocab": keys.count("vocab_size", most=2**28),
        "ffn": keys.count("n_inner", 4 * hidden),
        "positions": keys.count("n_positions", 1024, 2**40),
        "tied": keys.flag("tie_word_embeddings", default=True),
        "gated": False,
        "norm": "layer",
        "biases": "all",
    }


def _gpt_neox(keys: _Keys) -> dict[str, Any]:
    keys.must_be(attention_bias=True)
    return _common(keys) | {
        "ffn": keys.count("intermediate_size"),
        "gated": False,
        "norm": "layer",
        "biases": "all",
    }


_TYPES: Final[Mapping[str, Callable[[_Keys], dict[str, Any]]]] = {
    "llama": _llama,
    "mistral": _mistral,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
    "mixtral": _mixtral,
    "deepseek_v3": _deepseek_v3,
    "kimi_k2": _deepseek_v3,
    "gpt_oss": _gpt_oss,
    "llama4_text": _llama4,
    "gpt2": _gpt2,
    "gpt_neox": _gpt_neox,
}
