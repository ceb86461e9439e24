"""Models: their numbers against published totals, their FLOPs against published throughputs."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

TOTALS = {  # numbers of the published weights: sizes of the safetensors files, model cards
    "gpt-2": 124_439_808,
    "gpt-neox-20b": 20_554_567_680,
    "gpt-oss-20b": 20_914_757_184,
    "gpt-oss-120b": 116_829_156_672,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-70b": 70_553_706_496,
    "llama-3.3-70b": 70_553_706_496,
    "llama-3.1-405b": 405_853_388_800,
    "mistral-7b": 7_248_023_552,
    "mixtral-8x7b": 46_702_792_704,
    "qwen3-8b": 8_190_735_360,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen3-32b": 32_762_123_264,
}
BILLIONS = {  # published to fewer digits: all, and those of one token
    "deepseek-v3": (671.03, 37.55),
    "deepseek-r1": (671.03, 37.55),
    "kimi-k2": (1026.41, 32.86),
    "llama-4-maverick": (400.71, 17.18),
    "llama-4-scout": (107.77, 17.17),
    "megatron-22b": (22.07, 22.07),
    "megatron-175b": (174.62, 174.62),
    "megatron-530b": (529.60, 529.60),
    "megatron-1t": (1008.04, 1008.04),
    "mixtral-8x22b": (140.62, 39.15),
    "qwen3-235b-a22b": (235.09, 22.19),
    "qwen3-coder-480b-a35b": (480.15, 35.47),
}


def test_every_model_has_its_published_size() -> None:
    assert TOTALS.keys() | BILLIONS.keys() == rf.models().keys()
    for name, total in TOTALS.items():
        assert rf.model(name).parameters == total, name
    for name, (total, active) in BILLIONS.items():
        shape = rf.model(name)
        assert shape.parameters / 1e9 == pytest.approx(total, rel=2e-4), name
        assert shape.active_parameters / 1e9 == pytest.approx(active, rel=2e-3), name


def _listed(shape: rf.Transformer) -> int:
    """Count the numbers matrix by matrix, layer by layer."""
    h, count = shape.hidden, 0
    size = shape.head_size or h // shape.heads
    for layer in range(shape.layers):
        count += 2 * h  # norms
        if shape.mla is None:
            for heads in (
                shape.heads,
                shape.kv_heads or shape.heads,
                shape.kv_heads or shape.heads,
            ):
                count += h * heads * size
            count += shape.heads * size * h
        else:
            mla = shape.mla
            assert mla.q_rank is not None
            count += h * mla.q_rank + mla.q_rank  # down, and its norm
            count += mla.q_rank * shape.heads * mla.nope_size
            count += mla.q_rank * shape.heads * mla.rope_size
            count += h * mla.kv_rank + mla.kv_rank + h * mla.rope_size
            count += mla.kv_rank * shape.heads * mla.nope_size
            count += mla.kv_rank * shape.heads * mla.value_size
            count += shape.heads * mla.value_size * h
        experts = shape.experts
        if experts and layer >= experts.dense_first and (layer + 1) % experts.every == 0:
            count += sum(3 * h * experts.width for _ in range(experts.count))
            count += h * experts.count + experts.count * experts.router_bias
            count += 3 * h * experts.shared_width
        else:
            count += 3 * h * shape.ffn
    return count + h + shape.vocab * h * (1 if shape.tied else 2)


def test_numbers_are_those_of_the_matrices_listed() -> None:
    mla = rf.Mla(q_rank=24, kv_rank=16, nope_size=8, rope_size=4, value_size=6)
    for layers, first, every, kv, latent, tied in itertools.product(
        (1, 5, 6), (0, 1, 4), (1, 2, 3), (2, 8), (None, mla), (False, True)
    ):
        experts = rf.Experts(
            count=6, per_token=2, width=20, shared_width=12, dense_first=first, every=every
        )
        if not any((layer + 1) % every == 0 for layer in range(first, layers)):
            continue
        shape = rf.Transformer(
            layers=layers, hidden=64, heads=8, kv_heads=kv, head_size=10, ffn=100, vocab=999,
            mla=latent, experts=experts, tied=tied,
        )  # fmt: skip
        assert shape.parameters == _listed(shape)
        visited = dataclasses.replace(experts, count=2)
        active = _listed(dataclasses.replace(shape, experts=visited))
        assert shape.active_parameters == active + shape.sparse_layers * 4 * 64


@pytest.mark.parametrize(
    ("name", "sequence", "mask", "mtp", "flops_per_chip", "tokens_per_s"),
    [  # what the source prints: FLOP/s and tokens/s of a chip
        ("deepseek-v3", 4096, "causal", True, 1280e12, 4928),  # Megatron-Bridge 26.06.01
        ("qwen3-30b-a3b", 4096, "causal", True, 936e12, 40706),  # Megatron-Bridge 26.06
        ("kimi-k2", 4096, "causal", True, 1099e12, 5372),  # Megatron-Bridge 26.06
        ("qwen3-235b-a22b", 4096, "causal", False, 276e12, 1861.8),  # Megatron-MoE-ModelZoo
        ("llama-3.1-8b", 8192, "full", False, 0.337 * 989e12, 5762),  # torchtitan@b5bcd76c
        ("llama-3.1-8b", 8192, "full", False, 413.433e12, 7138.890),  # MaxText log, v6e-8
    ],
)
def test_conventions_are_those_of_the_sources(
    name: str, sequence: int, mask: Any, mtp: Any, flops_per_chip: float, tokens_per_s: float
) -> None:
    counted = rf.model(name).flops_per_token(sequence, mask=mask, mtp=mtp)
    assert counted == pytest.approx(flops_per_chip / tokens_per_s, rel=7e-3)


def test_megatron_papers_formula() -> None:
    # arXiv 2104.04473, equation 3, with and without what is computed again.
    for name in ("megatron-22b", "megatron-175b", "megatron-530b", "megatron-1t"):
        m, s = rf.model(name), 2048
        layers = 24 * m.layers * m.hidden**2 * (1 + s / (6 * m.hidden))
        head = 2 * m.hidden * m.vocab
        once = m.flops_per_token(s, mask="full")
        assert once == pytest.approx(3 * (layers + head), rel=1e-12)
        again = m.flops_per_token(s, mask="full", recompute="full")
        assert again == pytest.approx(4 * layers + 3 * head, rel=1e-12)
        scores = m.flops_per_token(s, mask="full", recompute="selective") - once
        assert scores == pytest.approx(4 * m.layers * m.hidden * s, rel=1e-9)


@pytest.mark.parametrize("window", [None, (4, False), (4, True), (5, True), (100, False)])
def test_scores_are_those_counted_one_by_one(window: tuple[int, bool] | None) -> None:
    sequence = 17
    seen = {"causal": 0, "full": 0}
    for at, other in itertools.product(range(sequence), repeat=2):
        if window is None:
            near = True
        elif window[1]:
            near = at // window[0] == other // window[0]
        else:
            near = at - window[0] < other
        seen["causal"] += near and other <= at
    made = None if window is None else rf.Window(size=window[0], chunked=window[1])
    shape = rf.Transformer(layers=1, hidden=8, heads=2, ffn=8, vocab=8, window=made)
    none = dataclasses.replace(shape, window=rf.Window(size=1)).flops_per_token(sequence)
    got = shape.flops_per_token(sequence) - none
    # Scores and values, forward and twice back: 12 for each number of a head and token seen.
    assert got == pytest.approx(12 * 8 * (seen["causal"] / sequence - 1), abs=1e-9)


def test_caches_keep_what_windows_leave() -> None:
    assert rf.model("llama-3.1-405b").kv_bytes() == 516_096
    assert rf.model("deepseek-v3").kv_bytes() == 70_272
    assert rf.model("qwen3-8b").kv_bytes(1000, 1) == 73_728_000
    oss = rf.model("gpt-oss-120b")
    assert oss.kv_bytes(128) == 128 * oss.kv_bytes()
    assert oss.kv_bytes(1128) - oss.kv_bytes(128) == 500 * oss.kv_bytes()


def test_flops_rise_with_all_that_counts() -> None:
    m = rf.model("deepseek-v3")
    for shorter, longer in itertools.pairwise([1, 2, 100, 4096, 2**20]):
        assert m.flops_per_token(shorter) < m.flops_per_token(longer)
    base = m.flops_per_token(4096)
    assert m.flops_per_token(4096, backward=False) == pytest.approx(base / 3, rel=1e-12)
    assert m.flops_per_token(4096, head=False) < base < m.flops_per_token(4096, mtp=True)
    assert len(m.conventions(4096)) == 5


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({"layers": 0}, "layers"),
        ({"layers": 10**9}, "layers"),
        ({"hidden": 65}, "heads"),
        ({"kv_heads": 3}, "kv_heads"),
        ({"ffn": 0}, "ffn"),
        ({"norm": "batch"}, "norm"),
        ({"biases": "some"}, "biases"),
        ({"experts": 8}, "experts"),
        ({"tied": 1}, "tied"),
        ({"vocab": float("nan")}, "vocab"),
        ({"experts": rf.Experts(count=2, per_token=1, width=8, dense_first=9)}, "experts"),
    ],
)
def test_shapes_that_are_none_are_refused(fields: dict[str, Any], argument: str) -> None:
    usual = {"layers": 2, "hidden": 64, "heads": 4, "ffn": 256, "vocab": 1000}
    with raises(rf.RainierError, argument):
        rf.Transformer(**usual | fields)


def test_arguments_of_flops_are_checked() -> None:
    m = rf.model("qwen3-8b")
    for argument, call in {
        "sequence": {"sequence": 0},
        "mask": {"sequence": 8, "mask": "none"},
        "recompute": {"sequence": 8, "backward": False, "recompute": "full"},
        "head": {"sequence": 8, "head": 1},
    }.items():
        with raises(rf.RainierError, argument):
            m.flops_per_token(**call)  # type: ignore[arg-type]
    with raises(rf.UnknownName, "name"):
        rf.model("llama-9")
    with raises(rf.InvalidArgument, "per_token"):
        rf.Experts(count=2, per_token=3, width=8)
