"""Laws of `rf.Efficiency`: more work takes longer, nothing is above its peak, parts add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rainier_fast as rf
from rainier_fast.definitions.efficiency_data import data

EVERY = [
    rf.Efficiency.of(chip, stack)
    for chip in sorted(data()["chips"])
    for stack in rf.Efficiency.of(chip).stacks
]
known = st.sampled_from(EVERY)
sizes = st.integers(1, 2**20)


@given(known, st.sampled_from(["bf16", "fp8", "fp32"]), sizes, sizes, sizes, st.data())
def test_products(one: rf.Efficiency, name: str, m: int, k: int, n: int, draw: Any) -> None:
    if name not in one.rates():
        return
    rate, time = one.rate(name), one.matmul_s(m, k, n, precision=name)
    assert time > 2 * m * k * n / (rate.peak_flops * rate.ceiling)
    moved = rate.operand_B * k * (m + n) + rate.output_B * m * n
    assert time >= moved / float(rate.bandwidth_Bps)
    assert time >= float(rate.launch_s)
    more = {
        name: size + draw.draw(st.integers(0, 1000))
        for name, size in zip("mkn", (m, k, n), strict=True)
    }
    assert one.matmul_s(**more, precision=name) >= time * (1 - 1e-12)


@given(known, st.integers(1, 2**18), st.integers(1, 64), st.sampled_from([64, 128, 256]), st.data())
def test_attention(one: rf.Efficiency, s: int, heads: int, size: int, draw: Any) -> None:
    kv = draw.draw(st.sampled_from([one for one in range(1, heads + 1) if heads % one == 0]))
    time = one.attention_s(s, heads, size, kv_heads=kv)
    flops = 2 * s * (s + 1) * heads * size
    assert time > flops / (one.attention.peak_flops * one.attention.ceiling)
    assert one.attention_s(s + draw.draw(st.integers(0, 999)), heads, size, kv_heads=kv) >= time
    assert one.attention_s(s, 2 * heads, size, kv_heads=kv) >= time
    assert one.attention_s(s, heads, size, kv_heads=kv, backward=True) > time
    assert one.attention_s(s, heads, size, kv_heads=kv, causal=False) >= time
    window = draw.draw(st.integers(1, 2**18))
    assert one.attention_s(s, heads, size, kv_heads=kv, window=window) <= time * (1 + 1e-12)


@given(known, st.floats(0, 1e15), st.floats(1, 100))
def test_memory(one: rf.Efficiency, size: float, more: float) -> None:
    time = one.memory_s(size)
    assert time >= size / float(one.memory.bandwidth_Bps)
    assert one.memory_s(size * more) >= time


@given(known, sizes, sizes, sizes, st.integers(2, 64))
def test_a_part_is_slower_and_never_below_its_share(
    one: rf.Efficiency, m: int, k: int, n: int, parts: int
) -> None:
    whole, part = one.matmul_s(m, k, n), one.part(parts).matmul_s(m, k, n)
    assert whole <= part <= parts * whole * (1 + 1e-12)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: f"{one.chip}-{one.stack}")
def test_faster_chips_of_the_same_shares_are_faster(one: rf.Efficiency) -> None:
    chip = rf.Chip.from_catalog(one.chip)
    rates = [(name, 2 * rate) for name, rate in dict(chip.peak_flops).items()]
    faster = rf.Chip(chip.name, tuple(rates), (), chip.hbm_bytes, chip.hbm_bandwidth_Bps)
    other = rf.Efficiency.of(faster, one.stack)
    assert other.matmul_s(8192, 8192, 8192) < one.matmul_s(8192, 8192, 8192)
