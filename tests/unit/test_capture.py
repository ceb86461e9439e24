"""Programs recorded without their machine: by torch and jax, where they are, and as kept here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises
from recorded import context, fully_sharded, matmul, reads_a_value, reducer, resharded

DATA = Path(__file__).parents[1] / "data" / "programs"
torch_only = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs torch: pip install rainier_fast[torch]"
)
jax_only = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="needs jax: pip install rainier_fast[jax]"
)
quiet = pytest.mark.filterwarnings("ignore")  # of torch and jax, about themselves


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_what_is_missing_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(rf.Unsupported, match=rf"rainier_fast\[{name}\]"):
        rf.capture.torch(len, world=2) if name == "torch" else rf.capture.jax(len)


@pytest.mark.parametrize(
    ("given", "error", "argument"),
    [
        ({"build": 3}, rf.InvalidType, "build"),
        ({"world": 0}, rf.OutOfRange, "world"),
        ({"rank": 8}, rf.OutOfRange, "rank"),
        ({"mesh": {"dp": 3}}, rf.InvalidArgument, "mesh"),
        ({"mesh": {"dp": -1, "tp": -1}}, rf.InvalidArgument, "mesh"),
        ({"mesh": 3}, rf.InvalidType, "mesh"),
        ({"warmup": -1}, rf.OutOfRange, "warmup"),
        ({"device": "tpu"}, rf.UnknownName, "device"),
    ],
)
def test_bad_arguments_are_named(given: dict[str, Any], error: Any, argument: str) -> None:
    with raises(error, argument):
        rf.capture.torch(**{"build": len, "world": 8, **given})
    with raises(rf.InvalidType, "function"):
        rf.capture.jax(3)  # type: ignore[arg-type]


def test_a_recorded_step_is_as_the_facts_have_it() -> None:
    """What FSDP does to bytes: rows of padding, sums in fp32, a root unit that is gathered once."""
    program = rf.read(DATA / "torch_fsdp_tp_64.json")
    gathers = [one for one in program if one.role == "weights"]
    sums = [one for one in program if one.role == "gradients"]
    assert [one.name for one in gathers if one.phase == "bwd"] == [
        "layers.1: mesh_shard", "layers.0: mesh_shard",
    ]  # fmt: skip
    assert len([one for one in gathers if one.phase == "fwd"]) == 3
    by_unit = {one.name: one for one in gathers}
    for one in sums:
        assert one.dtype == "fp32"
        assert one.bytes_in == 2 * (by_unit[one.name].bytes_out or 0)
    # One layer of 1,024 has 11.8 M numbers by 8 ranks of tp, and two norms that tp does not cut.
    numbers = (2 * 1024**2 + 2 * 1024 * 512 + 3 * 1024 * 2816) // 8 + 2 * 1024
    assert by_unit["layers.0: mesh_shard"].bytes_out == 2 * numbers
    small = [one for one in program if one.op == "all_reduce" and one.bytes_in == 4096]
    assert len(small) == 5  # a norm's weight each, over tp
    assert [one.bytes_in for one in program if one.phase == "clip"] == [84, 84]


def test_flops_of_a_recording_are_those_of_the_model() -> None:
    program = rf.read(DATA / "torch_fsdp_tp_64.json")
    numbers = 2 * (2 * 1024**2 + 2 * 1024 * 512 + 3 * 1024 * 2816) + 1024 * 32000
    attention = 2 * 4 * 2048**2 * 1024  # both layers, whole scores
    wanted = (6 * numbers * 2048 + 3.5 * attention) / 8
    assert sum(one.after_flops or 0 for one in program) == pytest.approx(wanted, rel=1e-12)


def test_traffic_of_a_recording_is_that_of_a_training_step() -> None:
    """By axis, as far as facts explain the rest."""
    program = rf.read(DATA / "torch_fsdp_tp_64.json")
    machine = rf.preset("rainier", chips=64)
    shape = rf.Transformer(
        layers=2, hidden=1024, heads=16, kv_heads=8, ffn=2816, vocab=32000, tied=False
    )
    job = rf.Training(shape, sequence=2048, batch=8)
    step = machine.training_step(job, rf.Layout(tp=8, zero=3, sequence_parallel=True))
    reckoned: dict[tuple[str, str], list[float]] = {}
    for row in step.collectives:
        axis = row["axes"].split(",")[0]
        reckoned.setdefault((row["operation"], axis), []).append(row["bytes"])
    recorded: dict[tuple[str, str], set[int]] = {}
    for one in program:
        axis = {"mesh_tp": "tp", "mesh_shard": "dp"}[one.name.split(": ")[-1]]
        size = max(one.bytes_in or 0, one.bytes_out or 0)
        if one.phase != "clip" and size > 4096:
            recorded.setdefault((one.op, axis), set()).add(size)
    # Not in a step: norms' weights summed over tp (4 KiB each) and clipping. Norms are whole on
    # each rank of tp, 4 KiB of a layer's 2.8 MiB; sums are in fp32 in both, the root is one unit.
    assert recorded.keys() == reckoned.keys()
    for key, sizes in recorded.items():
        assert sorted(sizes) == pytest.approx(sorted(reckoned[key]), rel=2e-3), key


def test_recordings_are_costed_here_and_where_they_are_from() -> None:
    for name, machine in (
        ("torch_fsdp_tp_64.json", rf.preset("rainier", chips=64)),
        ("torch_fsdp_tp_64.json", rf.preset("h100", chips=64)),
        ("jax_v5p_4x4x4.json", rf.preset("tpu-v5p", shape=(4, 4, 4))),
        ("jax_v5p_4x4x4.json", rf.preset("rainier", chips=64)),
        ("jax_cpu_512.json", rf.preset("rainier", chips=512)),
    ):
        cost = machine.cost_of(rf.read(DATA / name), trips=4)
        assert cost.communication_s > 0
        assert not [line for line in cost.missing if "computation" not in line], (
            name,
            cost.missing,
        )
        assert (cost.time_s is None) == name.startswith("jax")


@torch_only
@quiet
def test_a_step_of_torch_is_recorded_and_torch_is_as_before() -> None:
    import torch

    state = torch.get_rng_state()
    program = rf.capture.torch(fully_sharded, world=64, mesh={"shard": -1, "tp": 8})
    known = rf.read(DATA / "torch_fsdp_tp_64.json")
    assert program.collectives == known.collectives
    assert (program.world, program.rank) == (64, 0)
    assert not torch.distributed.is_initialized()
    assert torch.equal(torch.get_rng_state(), state)


@torch_only
@quiet
def test_rank_7_of_a_large_world_has_groups_of_its_own() -> None:
    program = rf.capture.torch(fully_sharded, world=1024, mesh={"shard": 128, "tp": 8}, rank=7)
    lines = {one.groups.line() for one in program if one.groups is not None}
    assert lines == {(0, 1, 8), (7, 8, 128)}


@torch_only
@quiet
def test_shards_that_change_are_all_to_alls() -> None:
    (one,) = rf.capture.torch(resharded, world=8)
    assert (one.op, one.bytes_in, one.bytes_out) == ("all_to_all", 128 * 1024, 128 * 1024)


@torch_only
@quiet
def test_context_parallelism_is_recorded_as_rings() -> None:
    program = rf.capture.torch(context, world=8, mesh={"cp": 8})
    shifts = [one for one in program if one.op == "collective_permute"]
    assert len(shifts) == 8
    assert {one.dtype for one in shifts} == {"fp32"}
    assert {one.role for one in program} == {"context"}


@torch_only
@quiet
@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (reads_a_value, rf.Unsupported, "item"),
        (reducer, rf.Unsupported, "fully_shard"),
        (len, TypeError, ""),
        (id, rf.InvalidType, "build"),
    ],
)
def test_what_cannot_be_recorded_leaves_torch_as_it_was(build: Any, error: Any, words: str) -> None:
    import torch

    with pytest.raises(error, match=words):
        rf.capture.torch(build, world=8)
    assert not torch.distributed.is_initialized()


@jax_only
@quiet
def test_a_function_of_jax_is_compiled_for_more_devices_than_there_are() -> None:
    program = rf.capture.jax(matmul, devices=8)
    assert program.world == 8
    assert [one.op for one in program] == ["all_reduce"]
    assert (program[0].bytes_in, program[0].dtype) == (4 * 64 * 64, "fp32")
