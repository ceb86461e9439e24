"""Programs and their groups: what they keep, say and save."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from raising import raises

P = rf.ProgramGroups
ALL = [
    P.of_lists([[0, 1], [2, 3]]),
    P.of_lists([[0, 1], [2]], world=3),
    P.of_iota(2, 4, (4, 2), (1, 0)),
    P.of_iota(2, 4, world=8),
    P.own([0, 8, 16]),
    P.own([3, 1], world=4),
    P.own(start=0, stride=8, size=65_536),
    P.pairs([(0, 1), (1, 2)]),
    P.everyone(524_288),
]


@pytest.mark.parametrize("groups", ALL, ids=str)
def test_groups_survive_pickles_and_files(groups: Any, tmp_path: Path) -> None:
    assert pickle.loads(pickle.dumps(groups)) == groups
    step = rf.Program((rf.ProgramCollective("a", "all_reduce", groups=groups),), source="x")
    step.save(tmp_path / "a.json")
    back = rf.read(tmp_path / "a.json")
    assert back == step
    assert hash(back[0].groups) == hash(groups)
    assert back[0].groups.kind == groups.kind


def test_pairs_of_a_permute_are_lists_too() -> None:
    one = rf.ProgramCollective("a", "collective_permute", groups=P.pairs([(0, 1), (2, 0)]))
    assert one.pairs == [(0, 1), (2, 0)]
    assert one.groups.to_lists() == [[0, 1], [2, 0]]
    assert rf.ProgramCollective("b", "all_reduce", groups=P.own([0, 1])).pairs is None
    assert rf.ProgramCollective("c", "collective_permute").pairs is None


def test_groups_by_rule_are_kept_small() -> None:
    assert len(pickle.dumps(P.own(start=0, stride=8, size=65_536))) < 300
    assert len(pickle.dumps(P.own(list(range(0, 2**17, 2))))) < 300


def test_a_rule_and_its_lists_are_equal() -> None:
    lists = P.of_lists([[0, 2, 4, 6], [1, 3, 5, 7]])
    assert P.of_iota(2, 4, (4, 2), (1, 0)) == lists
    assert hash(P.of_iota(2, 4, (4, 2), (1, 0))) == hash(lists)
    assert P.of_iota(2, 4) != lists


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: P.of_lists([]), "lists"),
        (lambda: P.of_lists([[0, 1], [1]]), "lists"),
        (lambda: P.of_lists([[0, 4]], world=4), "lists[0]"),
        (lambda: P.own([0, 0]), "members"),
        (lambda: P.own(start=0, size=2), "start, stride, size"),
        (lambda: P.own(start=0, stride=2, size=4, world=6), "size"),
        (lambda: P.of_iota(2, 4, (3, 2)), "dims"),
        (lambda: P.of_iota(2, 4, (4, 2), (0, 0)), "perm"),
        (lambda: P.pairs([(0, 1), (0, 2)]), "pairs (sources)"),
        (lambda: P.pairs([3]), "pairs[0]"),
        (lambda: P.everyone(0), "world"),
        (lambda: rf.ProgramCollective("a", "all_reduced"), "op"),
        (lambda: rf.ProgramCollective("a", "barrier", bytes_in=-1), "bytes_in"),
        (lambda: rf.ProgramCollective("a", "barrier", in_splits=(1, None)), "in_splits[1]"),
        (lambda: rf.Program((), world=4, rank=4), "rank"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, argument: str) -> None:
    with raises(rf.RainierError, argument):
        make()


def _told(**changes: Any) -> bytes:
    told = rf.Program((rf.ProgramCollective("a", "all_reduce", groups=ALL[0]),)).to_dict()
    return json.dumps(told | changes).encode()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"version": 2}, "version"),
        ({"colour": 1}, "colour"),
        ({"collectives": 3}, "collectives"),
        ({"collectives": [{"name": "a", "op": "walk"}]}, "collectives[0].op"),
        ({"collectives": [{"op": "barrier"}]}, "collectives[0].name"),
        ({"collectives": [{"name": "a", "op": "barrier", "groups": 1}]}, "collectives[0].groups"),
        ({"groups": [{"kind": "all groups", "lists": [[0, 0]]}]}, "groups[0].lists"),
        ({"groups": [{"kind": "all groups", "list": []}]}, "groups[0].keys"),
        ({"world": "8"}, "world"),
    ],
)
def test_broken_files_of_programs_name_the_key(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(rf.RainierError) as caught:
        rf.read(_told(**changes))
    assert word in str(caught.value)


def test_totals() -> None:
    rows = [
        rf.ProgramCollective("a", "all_reduce", 8, 8, "fp32", ALL[0], count=3),
        rf.ProgramCollective("b", "all_reduce", 2, 2, "fp32", ALL[0]),
        rf.ProgramCollective("c", "all_gather", None, 2, None, None),
    ]
    step = rf.Program(tuple(rows))
    assert step.by_op()["bytes_in"].tolist() == [26, None]
    assert step.by_groups()["runs"].tolist() == [4, 1]
    assert "1 without bytes" in str(step)
    assert len(str(step).splitlines()) <= 24
