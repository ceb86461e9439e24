"""Laws of training steps: more work, slower links and damage never help; nothing beats the peak."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from typing import Literal

import pytest

import rainier_fast as rf

CASES = 30
SERVER = rf.preset("trn2-ultraserver")
PAIR = rf.preset("rainier", chips=256)
DENSE = rf.Transformer(layers=12, hidden=2048, heads=16, kv_heads=8, ffn=8192, vocab=32_000)
SPARSE = dataclasses.replace(
    DENSE, ffn=0, experts=rf.Experts(count=16, per_token=2, width=2048, shared_width=2048)
)


def cases() -> Iterator[tuple[rf.Training, rf.Layout]]:
    """Yield jobs and layouts that fit each other, drawn with a seed."""
    rng, found = random.Random(13), 0
    while found < CASES:
        model = rng.choice([DENSE, SPARSE])
        pp = rng.choice([1, 2, 4])
        schedule = rng.choice(["1f1b", "gpipe", "zb-h1", "interleaved", "dualpipe", "zb-v"])
        layout = rf.Layout(
            tp=rng.choice([1, 2, 4, 8]),
            cp=rng.choice([1, 2]),
            pp=pp,
            ep=rng.choice([1, 4]) if model.experts else 1,
            zero=rng.choice([0, 1, 2, 3]),
            schedule=schedule if pp > 1 else "1f1b",
            virtual=3 if schedule == "interleaved" and pp > 1 else 1,
            context=rng.choice(["ring", "all_gather"]),
            overlap=rng.random() < 0.7,
        )
        if layout.model_ranks > 64:
            continue
        job = rf.Training(
            model,
            sequence=rng.choice([2048, 8192]),
            batch=64 // layout.model_ranks * 4 * pp,
            recompute=rng.choice(["none", "selective", "full"]),
            attention=rng.choice(["fused", "unfused"]),
        )
        found += 1
        yield job, layout


EVERY = pytest.mark.parametrize(("job", "layout"), list(cases()))


@EVERY
def test_parts_sum_and_nothing_beats_the_peak(job: rf.Training, layout: rf.Layout) -> None:
    step = SERVER.training_step(job, layout)
    assert sum(step.parts.values()) == step.time_s
    assert min(step.parts.values()) >= 0
    assert 0 < step.mfu <= step.hfu < 1
    # No layout beats the FLOPs at the tensor engines' peak.
    assert step.time_s >= job.flops / SERVER.peak_flops("bf16", tensor_only=True)
    assert (step.memory["total_bytes"] > 0).all()


@EVERY
def test_more_tokens_never_take_less(job: rf.Training, layout: rf.Layout) -> None:
    step = SERVER.training_step(job, layout)
    assert SERVER.training_step(job.with_(batch=2 * job.batch), layout).time_s > step.time_s
    assert SERVER.training_step(job.with_(sequence=2 * job.sequence), layout).time_s > step.time_s


@EVERY
def test_recomputing_takes_time_and_saves_memory(job: rf.Training, layout: rf.Layout) -> None:
    none, full = (
        SERVER.training_step(job.with_(recompute=again), layout) for again in ("none", "full")
    )
    assert full.time_s > none.time_s
    assert (full.memory["activations_bytes"] <= none.memory["activations_bytes"]).all()


def slower(machine: rf.Machine, factor: float) -> rf.Machine:
    """Return a machine whose links of all kinds have less of their bandwidth."""
    server = machine.ultraserver
    axes = tuple(
        dataclasses.replace(axis, bandwidth=axis.bandwidth * factor) for axis in server.axes
    )
    nic = server.nic
    assert nic is not None
    nic = dataclasses.replace(nic, bandwidth=nic.bandwidth_Bps * factor)
    made = dataclasses.replace(server, axes=axes, nic=nic)
    sites = [dataclasses.replace(site, ultraserver=made) for site in machine.sites]
    return rf.Cluster(sites, machine.wan)


@EVERY
def test_slower_links_never_help(job: rf.Training, layout: rf.Layout) -> None:
    job = job.with_(batch=4 * job.batch)
    before = PAIR.training_step(job, layout, algorithm="auto").time_s
    for factor in (0.5, 0.1):
        now = slower(PAIR, factor).training_step(job, layout, algorithm="auto").time_s
        assert now >= before * (1 - 1e-12)
        before = now


@pytest.mark.parametrize("algorithm", ["auto", "runtime"])
@EVERY
def test_a_fault_never_helps(
    job: rf.Training, layout: rf.Layout, algorithm: Literal["auto", "runtime"]
) -> None:
    whole = SERVER.training_step(job, layout, algorithm=algorithm).time_s
    for fault in (
        SERVER.with_faults(links=rf.LinkAt("x")),
        SERVER.with_faults(degrade=dict.fromkeys(range(0, SERVER.num_links, 3), 0.25)),
    ):
        hurt = fault.training_step(job, layout, algorithm=algorithm)
        assert hurt.time_s >= whole * (1 - 1e-9)


def test_the_same_every_time() -> None:
    job, layout = next(cases())
    steps = [SERVER.training_step(job, layout) for _ in range(3)]
    assert len({step.time_s for step in steps}) == 1
    assert steps[0] == steps[2]
