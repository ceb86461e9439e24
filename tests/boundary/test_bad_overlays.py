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
    ({"chips": rf.ChipAt(x=4)}, rf.OutOfRange, "chips: x: got 4, must be 0 to 3"),
    ({"chips": [0, rf.ChipAt(site="c")]}, rf.UnknownName, r"chips\[1\]: site.*'a', 'b'"),
    ({"chips": rf.ChipAt(w=1)}, rf.UnknownName, "coordinate: got 'w'.*'ultraserver', 'x', 'y'"),
    ({"chips": rf.ChipAt(site="b", ultraserver=2)}, rf.OutOfRange, "ultraserver.*must be 0 to 1"),
    ({"chips": [320]}, rf.OutOfRange, r"chips\[0\]: got 320, must be 0 to 319"),
    ({"chips": [-1]}, rf.OutOfRange, "must be 0 to 319"),
    ({"chips": [2**70]}, rf.OutOfRange, "must be 0 to 319"),
    ({"chips": [1.0]}, rf.InvalidType, "must be"),
    ({"chips": [1, None]}, rf.InvalidType, r"chips\[1\].*must be chips"),
    ({"chips": "7"}, rf.InvalidType, "chips: got '7'.*must be chips"),
    ({"chips": True}, rf.InvalidType, "chips"),
    ({"chips": np.ones(320, bool)}, rf.InvalidType, "chips"),
    ({"chips": [(0, 0, 1)]}, rf.InvalidArgument, r"must be \(site, ultraserver, x, y, z\)"),
    ({"chips": {"x": [1, 2]}}, rf.InvalidType, "must name one chip"),
    ({"chips": 5.5}, rf.InvalidType, "chips"),
    ({"nics": [320]}, rf.OutOfRange, "nics"),
    ({"links": TWO.num_links}, rf.OutOfRange, "links"),
    ({"links": [rf.LinkAt("w")]}, rf.UnknownName, "must be one of x, y, z, nic, .*wan"),
    ({"links": rf.LinkAt("z", "up")}, rf.UnknownName, 'must be one of "\\+", "-"'),
    ({"links": rf.LinkAt("x", x=9)}, rf.OutOfRange, "links: links: x: got 9|links: x: got 9"),
    ({"links": rf.LinkAt("wan")}, rf.InvalidArgument, "say which site"),
    ({"links": rf.LinkAt("wan", to="c")}, rf.UnknownName, "'a', 'b'"),
    ({"links": rf.LinkAt("x", to=1)}, rf.InvalidArgument, "leave it out"),
    ({"links": {"direction": "+"}}, rf.InvalidType, "must be links"),
    ({"links": 3.0}, rf.InvalidType, "links"),
    ({"ultraservers": [5]}, rf.OutOfRange, "must be 0 to 4"),
    ({"ultraservers": [("b", 2)]}, rf.OutOfRange, "must be 0 to 1"),
    ({"ultraservers": [("c", 0)]}, rf.UnknownName, "'a', 'b'"),
    ({"ultraservers": ("b", 0)}, rf.InvalidType, "must be UltraServers"),
    ({"sites": "c"}, rf.UnknownName, "'a', 'b'"),
    ({"sites": [2]}, rf.OutOfRange, "must be 0 to 1"),
    # Named twice in one call.
    ({"links": [3, 4, 3]}, rf.InvalidArgument, "links: got 3, names this number twice"),
    ({"links": [rf.LinkAt("x"), rf.LinkAt("x", "+")]}, rf.InvalidArgument, "twice"),
    ({"chips": [7, {"x": 3, "y": 1}]}, rf.InvalidArgument, "chips: got 7, names this number twice"),
    ({"nics": [7, 7]}, rf.InvalidArgument, "nics: got 7, names this number twice"),
    ({"ultraservers": [3, ("b", 0)]}, rf.InvalidArgument, "ultraservers: got 3, names .* twice"),
    ({"sites": ["b", 1]}, rf.InvalidArgument, "sites: got 1, names this number twice"),
    ({"degrade": {rf.LinkAt("x"): 0.5, rf.LinkAt("x", "+"): 0.5}}, rf.InvalidArgument, "twice"),
    ({"links": [3], "degrade": {3: 0.5}}, rf.InvalidArgument, "either dead or slower"),
    # Factors.
    *(
        ({"degrade": {3: factor}}, rf.InvalidArgument, "must be above 0 and at most 1")
        for factor in (0, 0.0, 1.5, -0.5, math.nan, math.inf, np.float64("nan"))
    ),
    ({"degrade": {3: "half"}}, rf.InvalidType, "must be a number above 0 and at most 1"),
    ({"degrade": {3: True}}, rf.InvalidType, "must be a number above 0 and at most 1"),
    ({"degrade": {3: None}}, rf.InvalidType, "must be a number above 0 and at most 1"),
    ({"degrade": [3, 4]}, rf.InvalidType, "must be a mapping of links to factors"),
    ({"degrade": ([3, 4], [0.5])}, rf.InvalidArgument, "must have one for each of 2 links"),
    ({"degrade": ([3, 4], [0.5, 2])}, rf.InvalidArgument, "must be above 0 and at most 1"),
    ({"degrade": {TWO.num_links: 0.5}}, rf.OutOfRange, "degrade"),
    # Everything dead.
    ({"sites": ["a", "b"]}, rf.InvalidArgument, "leave at least one chip alive"),
    ({"chips": range(320)}, rf.InvalidArgument, "leave at least one chip alive"),
    ({"ultraservers": [0, 1, 2], "sites": "b"}, rf.InvalidArgument, "leave at least one chip"),
    # Faults of others.
    ({"faults": [3]}, rf.InvalidType, "must be Faults"),
    ({"faults": ULTRA.with_faults(links=[3]).faults}, rf.InvalidArgument, "this is a machine of"),
    ({"faults": rf.Faults(chips=[320])}, rf.OutOfRange, "must be 0 to 319"),
    ({"faults": rf.Faults(links=[2**60])}, rf.OutOfRange, "links"),
    ({"faults": rf.Faults(sites=[2])}, rf.OutOfRange, "sites"),
]


@pytest.mark.parametrize(("words", "error", "message"), BAD)
def test_bad_overlays_are_refused(
    words: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(rf.RainierError, match=message) as caught:
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
    with pytest.raises(rf.UnknownName, match="must be one of x, y"):
        TPU.with_faults(links=rf.LinkAt("nic"))
    line = rf.torus((4,), "50 GB/s", wrap=False)
    with pytest.raises(rf.InvalidArgument, match="axis x has no cable above"):
        line.with_faults(links=rf.LinkAt("x", x=3))
    with pytest.raises(rf.InvalidArgument, match="axis x has no cable below"):
        line.with_faults(links=rf.LinkAt("x", "-"))
    mesh = rf.full_mesh(4, "50 GB/s")
    with pytest.raises(rf.InvalidArgument, match="say which coordinate"):
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
