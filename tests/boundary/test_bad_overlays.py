"""Overlays that make no sense raise an error that says what is wrong and what exists."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

ULTRA = rf.preset("trn2-ultraserver")
TWO = rf.Cluster(
    [rf.Site("a", 3, rf.TRN2_ULTRASERVER), rf.Site("b", 2, rf.TRN2_ULTRASERVER)],
    wan=rf.Wan("10 Tbps", "6 ms"),
)
TPU = rf.torus((4, 4), "50 GB/s")

BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    # Unknown coordinates: the message names what exists.
    ({"chips": rf.ChipAt(x=4)}, rf.OutOfRange, "chips: x"),
    ({"chips": [0, rf.ChipAt(site="c")]}, rf.UnknownName, "chips[1]: site"),
    ({"chips": rf.ChipAt(w=1)}, rf.UnknownName, "chips: coordinate"),
    ({"chips": rf.ChipAt(site="b", ultraserver=2)}, rf.OutOfRange, "chips: ultraserver"),
    ({"chips": [320]}, rf.OutOfRange, "chips[0]"),
    ({"chips": [-1]}, rf.OutOfRange, "chips[0]"),
    ({"chips": [2**70]}, rf.OutOfRange, "chips[0]"),
    ({"chips": [1.0]}, rf.InvalidType, "chips[0]"),
    ({"chips": [1, None]}, rf.InvalidType, "chips[1]"),
    ({"chips": "7"}, rf.InvalidType, "chips"),
    ({"chips": True}, rf.InvalidType, "chips"),
    ({"chips": np.ones(320, bool)}, rf.InvalidType, "chips"),
    ({"chips": [(0, 0, 1)]}, rf.InvalidArgument, "chips[0]"),
    ({"chips": {"x": [1, 2]}}, rf.InvalidType, "chips"),
    ({"chips": 5.5}, rf.InvalidType, "chips"),
    ({"nics": [320]}, rf.OutOfRange, "nics[0]"),
    ({"links": TWO.num_links}, rf.OutOfRange, "links"),
    ({"links": [rf.LinkAt("w")]}, rf.UnknownName, "links[0]: axis"),
    ({"links": rf.LinkAt("z", "up")}, rf.UnknownName, "links: direction"),
    ({"links": rf.LinkAt("x", x=9)}, rf.OutOfRange, "links: x"),
    ({"links": rf.LinkAt("wan")}, rf.InvalidArgument, "links: to"),
    ({"links": rf.LinkAt("wan", to="c")}, rf.UnknownName, "links: to"),
    ({"links": rf.LinkAt("x", to=1)}, rf.InvalidArgument, "links: to"),
    ({"links": {"direction": "+"}}, rf.InvalidType, "links"),
    ({"links": 3.0}, rf.InvalidType, "links"),
    ({"ultraservers": [5]}, rf.OutOfRange, "ultraservers[0]"),
    ({"ultraservers": [("b", 2)]}, rf.OutOfRange, "ultraservers[0][1]"),
    ({"ultraservers": [("c", 0)]}, rf.UnknownName, "ultraservers[0][0]"),
    ({"ultraservers": ("b", 0)}, rf.InvalidType, "ultraservers[0]"),
    ({"sites": "c"}, rf.UnknownName, "sites"),
    ({"sites": [2]}, rf.OutOfRange, "sites[0]"),
    # Named twice in one call.
    ({"links": [3, 4, 3]}, rf.InvalidArgument, "links"),
    ({"links": [rf.LinkAt("x"), rf.LinkAt("x", "+")]}, rf.InvalidArgument, "links"),
    ({"chips": [7, {"x": 3, "y": 1}]}, rf.InvalidArgument, "chips"),
    ({"nics": [7, 7]}, rf.InvalidArgument, "nics"),
    ({"ultraservers": [3, ("b", 0)]}, rf.InvalidArgument, "ultraservers"),
    ({"sites": ["b", 1]}, rf.InvalidArgument, "sites"),
    ({"degrade": {rf.LinkAt("x"): 0.5, rf.LinkAt("x", "+"): 0.5}}, rf.InvalidArgument, "degrade"),
    ({"links": [3], "degrade": {3: 0.5}}, rf.InvalidArgument, "degrade[3]"),
    # Factors.
    *(
        ({"degrade": {3: factor}}, rf.InvalidArgument, "degrade[3]")
        for factor in (0, 0.0, 1.5, -0.5, math.nan, math.inf, np.float64("nan"))
    ),
    ({"degrade": {3: "half"}}, rf.InvalidType, "degrade[3]"),
    ({"degrade": {3: True}}, rf.InvalidType, "degrade[3]"),
    ({"degrade": {3: None}}, rf.InvalidType, "degrade[3]"),
    ({"degrade": [3, 4]}, rf.InvalidType, "degrade"),
    ({"degrade": ([3, 4], [0.5])}, rf.InvalidArgument, "degrade[1]"),
    ({"degrade": ([3, 4], [0.5, 2])}, rf.InvalidArgument, "degrade[1][1]"),
    ({"degrade": {TWO.num_links: 0.5}}, rf.OutOfRange, "degrade key"),
    # Everything dead.
    ({"sites": ["a", "b"]}, rf.InvalidArgument, "faults"),
    ({"chips": range(320)}, rf.InvalidArgument, "faults"),
    ({"ultraservers": [0, 1, 2], "sites": "b"}, rf.InvalidArgument, "faults"),
    # Faults of others.
    ({"faults": [3]}, rf.InvalidType, "faults"),
    ({"faults": ULTRA.with_faults(links=[3]).faults}, rf.InvalidArgument, "faults"),
    ({"faults": rf.Faults(chips=[320])}, rf.OutOfRange, "chips"),
    ({"faults": rf.Faults(links=[2**60])}, rf.OutOfRange, "links"),
    ({"faults": rf.Faults(sites=[2])}, rf.OutOfRange, "sites"),
]


@pytest.mark.parametrize(("words", "error", "argument"), BAD)
def test_bad_overlays_are_refused(
    words: dict[str, Any], error: type[Exception], argument: str
) -> None:
    with raises(rf.RainierError, argument) as caught:
        TWO.with_faults(**words)
    assert isinstance(caught.value, error)
    assert len(str(caught.value)) < 400


def test_everything_dead_over_two_calls_is_refused() -> None:
    half = TWO.with_faults(sites="a")
    with raises(rf.InvalidArgument, "faults"):
        half.with_faults(sites="b")
    with raises(rf.InvalidArgument, "faults"):
        half.with_faults(chips=range(192, 320))


def test_what_a_machine_does_not_have() -> None:
    with raises(rf.InvalidArgument, "nics"):
        TPU.with_faults(nics=[3])
    with raises(rf.UnknownName, "links: axis"):
        TPU.with_faults(links=rf.LinkAt("nic"))
    line = rf.torus((4,), "50 GB/s", wrap=False)
    with raises(rf.InvalidArgument, "links: x"):
        line.with_faults(links=rf.LinkAt("x", x=3))
    with raises(rf.InvalidArgument, "links: x"):
        line.with_faults(links=rf.LinkAt("x", "-"))
    mesh = rf.full_mesh(4, "50 GB/s")
    with raises(rf.InvalidArgument, "links: to"):
        mesh.with_faults(links=rf.LinkAt("x", x=1))
    assert len(mesh.with_faults(links=rf.LinkAt("x", x=1, to=2)).faults) == 2


def test_only_keywords() -> None:
    with pytest.raises(TypeError):
        TWO.with_faults([3])  # type: ignore[misc]
    with pytest.raises(TypeError):
        TWO.with_faults(cables=[3])  # type: ignore[call-arg]


def test_faults_made_by_hand_are_checked() -> None:
    for words in (
        {"links": [-1]},
        {"links": [2**63]},
        {"chips": [2**32]},
        {"degraded": {3: 10**400}},
        {"links": [1, 1]},
        {"links": [0.5]},
        {"links": "3"},
        {"chips": [True]},
        {"degraded": {3: 0}},
        {"degraded": {3: 1.5}},
        {"degraded": {3: math.nan}},
        {"degraded": {3: "x"}},
        {"degraded": [3]},
        {"degraded": {-3: 0.5}},
        {"links": [3], "degraded": {3: 0.5}},
    ):
        with pytest.raises(rf.RainierError):
            rf.Faults(**words)  # type: ignore[arg-type]
    with pytest.raises(rf.InvalidType):
        rf.Faults().merged(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        rf.Faults() | 3
