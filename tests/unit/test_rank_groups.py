"""Ranks of real stacks: what is refused and how, digits of layouts, text; beside slow counting."""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.workload.orders.layout_axes import AXES, layout_axes
from rainier_fast.workload.orders.options import known_options, stacks
from raising import raises

REFUSED: list[tuple[str, int, dict[str, Any], type[rf.RainierError], str]] = [
    ("megatron", 64, {"tp": 3}, rf.InvalidArgument, "world"),
    ("megatron", 64, {"tp": 4, "dp": 8}, rf.InvalidArgument, "dp"),
    ("megatron", 64, {"tp": 4, "ep": 3}, rf.InvalidArgument, "ep"),
    ("megatron", 64, {"tp": 4, "etp": 3}, rf.InvalidArgument, "etp"),
    ("megatron", 64, {"dp_shard": 4}, rf.InvalidType, "megatron"),
    ("megatron", 64, {"axis_order": "tp-xp-pp"}, rf.UnknownName, "axis_order"),
    ("megatron", 64, {"axis_order": "tp-tp-dp-pp"}, rf.InvalidArgument, "axis_order"),
    ("megatron", 64, {"axis_order": "tp-dp-pp", "cp": 2}, rf.InvalidArgument, "axis_order"),
    (
        "megatron",
        64,
        {"use_tp_pp_dp_mapping": True, "axis_order": "tp-dp-pp"},
        rf.InvalidArgument,
        "axis_order",
    ),
    (
        "megatron",
        64,
        {"use_tp_pp_dp_mapping": True, "pp": 2, "cp": 2},
        rf.Unsupported,
        "axis_order",
    ),
    (
        "megatron",
        64,
        {"axis_order": "tp-cp-ep-pp-dp", "pp": 2, "ep": 4},
        rf.Unsupported,
        "axis_order",
    ),
    ("megatron", 64, {"cp": 4, "hierarchical_cp": [2, 4]}, rf.InvalidArgument, "hierarchical_cp"),
    ("megatron", 64, {"optimizer_instances": 3}, rf.InvalidArgument, "optimizer_instances"),
    (
        "megatron",
        64,
        {"gtp_remat": 2, "optimizer_instances": 2},
        rf.InvalidArgument,
        "optimizer_instances",
    ),
    ("torchtitan", 64, {"dp": 8}, rf.InvalidType, "torchtitan"),
    ("torchtitan", 64, {"dp_shard": 4}, rf.InvalidArgument, "dp_shard"),
    ("torchtitan", 64, {"spmd_backend": "none"}, rf.UnknownName, "spmd_backend"),
    ("deepspeed", 64, {"tp": 4, "ep": 32, "experts": "mpu"}, rf.InvalidArgument, "ep"),
    ("deepspeed", 64, {"tp": 2, "sp": 2}, rf.Unsupported, "sp"),
    ("deepspeed", 64, {"tp": 2, "experts": "autoep"}, rf.InvalidArgument, "ep"),
    ("deepspeed", 64, {"hpz": 5}, rf.InvalidArgument, "hpz"),
    (
        "deepspeed",
        64,
        {"tp": 2, "ep": 2, "data_before_expert": True},
        rf.InvalidArgument,
        "data_before_expert",
    ),
    ("neuronx", 64, {"etp": 4}, rf.InvalidType, "neuronx"),
    ("neuronx", 64, {"tp": 32, "lnc": 2, "local_world": 128}, rf.Unsupported, "local_world"),
    ("neuronx", 64, {"tp": 4, "ep": 2, "platform": "trn1"}, rf.Unsupported, "ep"),
    ("neuronx", 64, {"tp": 4, "cp": 2, "platform": "trn1"}, rf.Unsupported, "cp"),
    ("neuronx", 64, {"tp": 4, "pp": 2, "platform": "trn1"}, rf.InvalidArgument, "local_world"),
    ("neuronx", 64, {"lnc": 3}, rf.OutOfRange, "lnc"),
    ("neuronx", 64, {"tp": 64, "ep": 2}, rf.InvalidArgument, "ep"),
    ("neuronx-inference", 64, {"cp": 2, "dp": 2}, rf.InvalidArgument, "dp"),
    ("vllm", 32, {"tp": 8, "dcp": 3}, rf.InvalidArgument, "dcp"),
    ("sglang", 16, {"tp": 8}, rf.InvalidArgument, "tp"),
    ("sglang", 16, {"ep": 16, "moe_dp": 2}, rf.InvalidArgument, "moe_dp"),
    ("accelerate", 16, {"tp": 4}, rf.InvalidArgument, "world"),
    ("accelerate", 16, {"dp_shard": 4, "sp": 4}, rf.Unsupported, "sp"),
    ("accelerate", 16, {"tp": 4, "dp_replicate": 4}, rf.InvalidArgument, "dp_replicate"),
    ("maxtext", 64, {"slices": 3}, rf.InvalidArgument, "slices"),
    ("maxtext", 64, {"ici_tensor": 3}, rf.InvalidArgument, "world"),
    ("maxtext", 64, {"ici_tensor": -1}, rf.InvalidArgument, "ici_tensor"),
    ("maxtext", 64, {"ici_model": 4}, rf.InvalidType, "maxtext"),
    ("horovod", 64, {}, rf.UnknownName, "order"),
    ("megatron", 0, {}, rf.OutOfRange, "world"),
    ("megatron", 64, {"tp": 0}, rf.OutOfRange, "tp"),
    ("megatron", 64, {"tp": True}, rf.InvalidType, "tp"),
    ("megatron", 64, {"dp": 0}, rf.InvalidArgument, "dp"),
]


@pytest.mark.parametrize(("order", "world", "given", "kind", "argument"), REFUSED)
def test_what_does_not_work_is_refused(
    order: str, world: int, given: dict[str, Any], kind: type[rf.RainierError], argument: str
) -> None:
    with raises(kind, argument):
        rf.rank_groups(order, world, **given)


def test_unknown_keywords_come_with_the_list() -> None:
    with raises(rf.InvalidType, "torchtitan", "dp_replicate", "dp_shard"):
        rf.rank_groups("torchtitan", 64, dp=8)


def coordinates(world: int, axes: Mapping[str, int]) -> list[dict[str, int]]:
    """Count ranks out, the first axis fastest."""
    found = []
    for rank in range(world):
        at, left = {}, rank
        for name, size in axes.items():
            left, at[name] = divmod(left, size)
        found.append(at)
    return found


def counted(world: int, axes: Mapping[str, int], along: set[str]) -> list[list[int]]:
    """Return groups of ranks that differ along some axes alone, by the first rank of each."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for rank, at in enumerate(coordinates(world, axes)):
        key = tuple(place for name, place in at.items() if name not in along)
        groups.setdefault(key, []).append(rank)
    return sorted(groups.values())


def test_megatron_beside_counting() -> None:
    draw = random.Random(4)
    tried = 0
    while tried < 60:
        sizes = {name: draw.choice([1, 1, 2, 3, 4]) for name in ("tp", "cp", "dp", "pp")}
        order = ["tp", "cp", "dp"]
        draw.shuffle(order)
        order.append("pp")
        world = sizes["tp"] * sizes["cp"] * sizes["dp"] * sizes["pp"]
        if world > 96:
            continue
        tried += 1
        asked = {name: sizes[name] for name in ("tp", "cp", "pp")}
        made = rf.rank_groups("megatron", world, **asked, axis_order="-".join(order))
        axes = {name: sizes[name] for name in order}
        for name, along in (("tp", {"tp"}), ("dp_cp", {"dp", "cp"}), ("tp_pp", {"tp", "pp"})):
            assert made.axes[name].to_array().tolist() == counted(world, axes, along)


def test_every_axis_holds_every_rank_once() -> None:
    for order, world, given in (
        ("neuronx", 256, {"tp": 32, "lnc": 2, "pp": 2, "cp": 2, "ep": 2}),
        ("neuronx", 128, {"tp": 64, "local_world": 128}),
        ("deepspeed", 64, {"tp": 4, "pp": 2, "ep": 16}),
        ("vllm", 64, {"tp": 4, "pcp": 2, "pp": 2, "dp": 2}),
        ("maxtext", 64, {"slices": 2, "ici_tensor": 4, "dcn_fsdp": 2}),
    ):
        made = rf.rank_groups(order, world, **given)
        for name, groups in made.axes.items():
            assert np.array_equal(np.sort(groups.to_array(), axis=None), np.arange(world)), name


def test_logic2_takes_effect_as_the_library_has_it() -> None:
    first = [*range(16), *range(48, 64)]
    assert rf.rank_groups("neuronx", 64, tp=32, lnc=2).axes["tp"].members(0).tolist() == first
    # lnc is 1 in the library where a job does not pass it.
    assert rf.rank_groups("neuronx", 64, tp=32).axes["tp"].members(0).tolist() == list(range(32))
    # LOCAL_WORLD_SIZE is 64 where it is not set, also of 128 ranks.
    unset = rf.rank_groups("neuronx", 128, tp=64)
    there = rf.rank_groups("neuronx", 128, tp=64, local_world=128)
    assert unset.axes["tp"].members(0).tolist() == [*first, *range(16, 48)]
    assert there.axes["tp"].members(0).tolist() == [*range(32), *range(96, 128)]
    assert (unset.ranks_per_chip, unset.unit) == (8, "logical core")
    for platform in ("trn3", "trn1"):
        plain = rf.rank_groups("neuronx", 64, tp=32, lnc=2, platform=platform)
        assert plain.axes["tp"].stride == 1


def test_the_groups_go_into_collectives() -> None:
    made = rf.rank_groups("megatron", 16, tp=4, cp=2)
    tensor = rf.preset("trn2").all_reduce("1 MiB", group=made.axes["tp"])
    mesh = rf.preset("trn2").mesh(dp=2, cp=2, tp=4)
    assert tensor.time_s == mesh.all_reduce("1 MiB", axis="tp").time_s
    both = rf.preset("trn2").all_reduce("1 MiB", group=made.axes["tp_dp"])
    assert both.time_s > 0


LAYOUTS = [
    ("megatron", 64, {"tp": 4, "cp": 2, "pp": 2, "dp": -1, "ep": 4, "etp": None}, {}),
    ("megatron", 64, {"tp": 4, "cp": 2, "pp": 2, "ep": 8, "etp": 1}, {}),
    ("torchtitan", 64, {"tp": 4, "cp": 2, "pp": 2, "ep": 4}, {}),
    ("deepspeed", 64, {"tp": 4, "pp": 2, "ep": 4}, {"experts": "autoep"}),
    ("neuronx", 256, {"tp": 32, "cp": 2, "pp": 2}, {}),
    ("neuronx", 64, {"tp": 4, "cp": 2, "pp": 2, "ep": 4, "etp": 4}, {}),
    ("vllm", 64, {"tp": 4, "cp": 2, "pp": 2, "dp": 4, "ep": 32}, {}),
    ("sglang", 64, {"tp": 4, "dp": 8, "pp": 2, "ep": 8}, {}),
    ("accelerate", 64, {"tp": 4, "cp": 2, "dp": 8}, {}),
    ("deepspeed", 64, {"tp": 4, "pp": 2, "dp": 8, "ep": 4, "etp": 4}, {"experts": "mpu"}),
    ("maxtext", 64, {"tp": 4, "cp": 2, "dp": 8, "ep": 4}, {}),
    ("maxtext", 64, {"tp": 4, "cp": 2, "dp": -1, "ep": 2}, {"slices": 2}),
]


@pytest.mark.parametrize(("order", "world", "sizes", "options"), LAYOUTS)
def test_axes_of_layouts_are_digits_or_groups(
    order: str, world: int, sizes: dict[str, int | None], options: dict[str, Any]
) -> None:
    found = layout_axes(order, world, sizes, **options)
    assert tuple(found) == AXES
    wide = {}
    for name, axis in found.items():
        ranks = axis.ranks if isinstance(axis, rf.Groups) else axis[0]
        wide[name] = ranks
        if not isinstance(axis, rf.Groups):
            assert world % (axis[0] * axis[1]) == 0
        if sizes.get(name) and sizes[name] != -1:
            assert ranks == sizes[name]
    assert wide["dp_cp"] == wide["dp"] * wide["cp"]
    assert wide["tp"] * wide["cp"] * wide["dp"] * wide["pp"] == world
    if wide["ep"] > 1:
        whole = wide["ep"] * wide["etp"] * wide["edp"]
        # DeepSpeed's own experts take every rank of a stage, torchtitan's and AutoEP's, too.
        assert whole == wide["tp"] * wide["dp_cp"]


@pytest.mark.parametrize("order", [name for name in stacks() if "layout" in stacks()[name]])
def test_what_is_left_goes_to_dp(order: str) -> None:
    cp = 1 if order == "deepspeed" else 2  # it has no grid of both
    for more in ({}, {"dp": -1}, {"dp": 16 // cp}):
        sizes = {"tp": 4, "cp": cp, **more}
        found = layout_axes(order, 64, sizes)
        assert (found["tp"], found["dp"]) == ((4, 1), (16 // cp, 4 * cp)), sizes
        assert found == layout_axes(
            order, 64, {**sizes, "dp": None} if "dp" not in sizes else sizes
        )


def test_options_of_the_stack_count() -> None:
    levels = layout_axes(
        "megatron", 64, {"cp": 4}, hierarchical_cp=[2, 2], axis_order="cp-tp-dp-pp"
    )
    assert levels["cp"] == (4, 1)
    assert layout_axes("neuronx", 64, {"tp": 32}, lnc=1)["tp"] == (32, 1)
    assert isinstance(layout_axes("neuronx", 64, {"tp": 32})["tp"], rf.Groups)


def test_layouts_name_what_a_stack_does_not_have() -> None:
    for order, sizes, argument in (
        ("torchtitan", {"tp": 4, "etp": 4}, "etp"),
        ("neuronx", {"tp": 4, "etp": 1}, "etp"),
        ("accelerate", {"dp": 16, "pp": 4}, "pp"),
        ("vllm", {"tp": 4, "ep": 4}, "ep"),
        ("megatron", {"sp": 2}, "sizes"),
        ("maxtext", {"dp": 6, "ep": 4}, "dp"),
        ("deepspeed", {"tp": 4, "ep": 4, "etp": 4}, "etp"),
    ):
        with raises(rf.RainierError, argument):
            layout_axes(order, 64, sizes)
    with raises(rf.UnknownName, "order"):
        layout_axes("neuronx-inference", 64, {})


def test_a_million_ranks_take_no_memory() -> None:
    made = rf.rank_groups("megatron", 2**31, tp=8, cp=2, pp=16, ep=64)
    assert made.axes["dp_cp"].stride == 8
    assert "2,147,483,648 ranks" in str(made)
    axes = layout_axes("megatron", 2**31, {"tp": 8, "pp": 16})
    assert axes["pp"] == (16, 2**27)


@pytest.mark.parametrize("order", list(stacks()))
def test_each_stack_says_what_it_is(order: str) -> None:
    given = {"accelerate": {"dp_shard": 16}}.get(order, {})
    made = rf.rank_groups(order, 16, **given)
    assert made.version.split()[0] in str(made)
    assert made.source in str(made)
    assert len(str(made).splitlines()) <= 24
    assert eval(repr(made), {"rank_groups": rf.rank_groups}) == made
    assert pickle.loads(pickle.dumps(made)) == made
    assert set(made.to_dict()["sizes"]) == set(made.axes)
    assert known_options(order)
