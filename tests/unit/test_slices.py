"""Slices of TPU pods: which there are, which axes wrap, what they bisect, what is refused."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.catalog import catalog
from rainier_fast.definitions.rivals import PODS
from rainier_fast.definitions.slices import rule_of, shape_of
from raising import raises


@pytest.mark.parametrize(
    ("name", "shape", "wraps"),
    [
        ("tpu-v4", (4, 4, 4), (True, True, True)),
        ("tpu-v5p", (4, 4, 8), (True, True, True)),
        ("tpu-v5p", (8, 4, 12), (True, True, True)),
        ("tpu-v5p", (2, 2, 1), (False, False, False)),
        ("tpu-v5p", (2, 2, 4), (False, False, False)),
        ("tpu-ironwood", (2, 4, 4), (False, False, False)),
        ("tpu-v5e", (16, 16), (True, True)),
        ("tpu-v5e", (8, 16), (False, True)),
        ("tpu-v6e", (16, 8), (True, False)),
        ("tpu-v6e", (4, 4), (False, False)),
        ("tpu-v6e", (1, 1), (False, False)),
    ],
)
def test_which_axes_of_a_slice_wrap(
    name: str, shape: tuple[int, ...], wraps: tuple[bool, ...]
) -> None:
    machine = rf.preset(name, shape=shape)
    assert machine.ultraserver.shape == shape
    kinds = tuple(axis.kind for axis in machine.ultraserver.axes)
    assert kinds == tuple("ring" if wrap else "line" for wrap in wraps)
    links = sum(
        2 * math.prod(shape) * (size if wrap else size - 1) // size
        for size, wrap in zip(shape, wraps, strict=True)
    )
    assert machine.num_links == links
    assert eval(repr(machine), {"preset": rf.preset}) == machine
    assert pickle.loads(pickle.dumps(machine)) == machine
    pod = rf.preset(name)
    assert machine.hbm_bytes * pod.num_chips == pod.hbm_bytes * math.prod(shape)
    launch = {"tpu-v5p": "tpu_v5p_launch", "tpu-v5e": "tpu_v5e_launch"}
    of_xla = ["tpu_link_efficiency", "tpu_exposed_launch"]
    own = launch.get(name, "tpu_other_launch")
    assert list(machine.assumptions) == ["ici_hop_latency", own, *of_xla]


@pytest.mark.parametrize("shape", [[4, 4, 8], np.array([4, 4, 8]), (np.int64(4), 4, 8)])
def test_a_shape_may_be_any_sequence(shape: Any) -> None:
    assert rf.preset("tpu-v5p", shape=shape) == rf.preset("tpu-v5p", shape=(4, 4, 8))


def test_the_whole_pod_by_its_shape_is_the_preset() -> None:
    assert rf.preset("tpu-v5p", shape=(16, 20, 28)) == rf.preset("tpu-v5p")
    assert rf.preset("tpu-v5p", shape=(28, 20, 16)) != rf.preset("tpu-v5p")


def bisection(machine: rf.Machine, axis: str) -> float:
    """Bytes/s, one way, from the lower half of an axis to the upper, counted link by link."""
    half = machine.ultraserver.shape[[one.name for one in machine.ultraserver.axes].index(axis)] / 2
    where = machine.coordinates(np.arange(machine.num_chips))[axis]
    total = 0.0
    for at in range(machine.num_links):
        link = machine.link(at)
        assert link.source_chip is not None
        assert link.target_chip is not None
        if where[link.source_chip] < half <= where[link.target_chip]:
            total += link.bandwidth_Bps
    return total


@pytest.mark.parametrize(
    ("name", "shape", "axis", "links", "rate"),
    [
        ("tpu-v5p", (4, 4, 4), "x", 2 * 16, 90e9),  # a ring is cut twice
        ("tpu-v5p", (4, 4, 8), "z", 2 * 16, 90e9),
        ("tpu-v5p", (2, 4, 4), "y", 2 * 4, 90e9),  # a line once
        ("tpu-v4", (4, 4, 4), "z", 2 * 16, 45e9),
        ("tpu-v5e", (16, 16), "x", 2 * 16, 45e9),
        ("tpu-v5e", (8, 16), "x", 16, 45e9),
        ("tpu-v5e", (8, 16), "y", 2 * 8, 45e9),
        ("tpu-v6e", (16, 16), "y", 2 * 16, 90e9),
        ("tpu-ironwood", (4, 8, 8), "z", 2 * 32, 100e9),
    ],
)
def test_bisection_by_hand(
    name: str, shape: tuple[int, ...], axis: str, links: int, rate: float
) -> None:
    assert bisection(rf.preset(name, shape=shape), axis) == pytest.approx(links * rate)


def test_bisection_of_a_v5e_pod_is_what_google_prints() -> None:
    # 1.6 TB/s, at the label of 50 GB/s for each link; the preset counts 45.
    both = bisection(rf.preset("tpu-v5e"), "x") / 45e9 * 50e9
    assert both == pytest.approx(1.6e12)


@pytest.mark.parametrize("shape", [(4, 4, 8), (8, 4, 4), (4, 8, 8), (12, 12, 24), (8, 16, 16)])
def test_a_twisted_slice_is_refused_and_never_ignored(shape: tuple[int, ...]) -> None:
    with raises(rf.Unsupported, None, "twisted", "shape="):
        rf.preset("tpu-v4", shape=shape, twisted=True)
    assert rf.preset("tpu-v4", shape=shape, twisted=False).ultraserver.shape == shape


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 4, 12), (4, 8, 16), (2, 2, 4), (4, 8, 12)])
def test_a_shape_that_cannot_be_twisted_is_named(shape: tuple[int, ...]) -> None:
    with raises(rf.InvalidArgument, "shape"):
        rf.preset("tpu-v5p", shape=shape, twisted=True)


def test_pods_that_cannot_be_twisted() -> None:
    with raises(rf.InvalidArgument, "shape"):
        rf.preset("tpu-v5p", twisted=True)
    with raises(rf.InvalidArgument, "twisted"):
        rf.preset("tpu-v6e", shape=(8, 16), twisted=True)


@pytest.mark.parametrize(
    ("name", "shape", "rule"),
    [
        ("tpu-v5p", (4, 4, 6), "shape"),
        ("tpu-v5p", (1, 1, 4), "shape"),
        ("tpu-v5p", (4, 4, 4, 4), "shape"),
        ("tpu-v4", (16, 16, 20), "shape"),
        ("tpu-v5e", (16, 32), "shape"),
        ("tpu-v5e", (4, 4, 4), "shape"),
    ],
)
def test_shapes_that_there_are_not(name: str, shape: tuple[int, ...], rule: str) -> None:
    with raises(rf.InvalidArgument, rule):
        rf.preset(name, shape=shape)


@pytest.mark.parametrize(
    ("name", "shape", "nearest"),
    [
        ("tpu-v5p", (4, 4, 6), "64 and 128"),
        ("tpu-v5p", (1, 1, 4), "nearest count: 4"),
        ("tpu-v5e", (16, 32), "nearest count: 256"),
        ("tpu-v5e", (4, 6), "16 and 32"),
    ],
)
def test_the_nearest_counts_are_named(name: str, shape: tuple[int, ...], nearest: str) -> None:
    with raises(rf.InvalidArgument, "shape", nearest):
        rf.preset(name, shape=shape)


def test_chips_of_a_pod_are_asked_for_by_shape() -> None:
    with raises(rf.InvalidArgument, "chips", "shape=", "(4, 4, 12)"):
        rf.preset("tpu-v5p", chips=192)
    with raises(rf.InvalidArgument, "chips", "shape=", "64 and 128"):
        rf.preset("tpu-v4", chips=100)
    with raises(rf.InvalidType, "chips"):
        rf.preset("tpu-v4", chips="many")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["tpu-v4", "tpu-v5p", "tpu-v5e", "tpu-v6e", "tpu-ironwood"])
def test_of_each_count_the_shape_that_is_least_long(name: str) -> None:
    entry = catalog()[PODS[name]]
    pod = rf.preset(name).num_chips
    sold = {chips: shape for chips in range(pod + 65) if (shape := shape_of(entry, chips))}
    assert all(f"nearest count: {chips:,}" in rule_of(entry, chips) for chips in sold)
    assert max(sold) == pod
    for chips, shape in sold.items():
        assert math.prod(shape) == chips
    for chips in list(sold)[:40]:
        sides = range(1, chips + 1)
        flat = [
            tuple(sorted(one))
            for one in itertools.product(*[[s for s in sides if chips % s == 0]] * 2)
        ]
        every = {
            tuple(sorted((*one, chips // math.prod(one))))
            for one in flat
            if chips % math.prod(one) == 0
        }
        if "cube_side" not in entry:
            every = {one for one in flat if math.prod(one) == chips}
        good = [one for one in every if _is_sold(name, one)]
        assert max(sold[chips]) == min(max(one) for one in good)


def _is_sold(name: str, shape: tuple[int, ...]) -> bool:
    try:
        rf.preset(name, shape=shape)
    except rf.InvalidArgument:
        return False
    return True
