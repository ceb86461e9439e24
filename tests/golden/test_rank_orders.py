"""Groups of ranks beside those that the stacks themselves made, group by group."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.workload.orders.rank_groups import plan_of

DATA = json.loads(Path(__file__).with_name("data").joinpath("rank_orders.json").read_text("utf-8"))
ROWS = DATA["configurations"]
MADE = [row for row in ROWS if not row.get("refused")]
REFUSED = [row for row in ROWS if row.get("refused")]


def named(row: dict[str, Any]) -> str:
    return f"{row['stack']} {row['name']}"


def asked(row: dict[str, Any]) -> rf.RankGroups:
    return rf.rank_groups(row["stack"], row["world"], **row["given"])


def digest(groups: rf.Groups) -> str:
    text = json.dumps(groups.to_array().tolist(), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_all_configurations_are_here() -> None:
    assert len(ROWS) == 70
    assert len(REFUSED) == 3


@pytest.mark.parametrize("row", MADE, ids=named)
def test_every_group_is_the_stacks_own(row: dict[str, Any]) -> None:
    found = asked(row)
    for axis, (ranks, count, first, second, whole) in row["axes"].items():
        groups = found.axes[axis]
        assert (groups.ranks, groups.count, found.sizes[axis]) == (ranks, count, ranks)
        assert groups.members(0)[:8].tolist() == first, axis
        if second:
            assert groups.members(1)[:8].tolist() == second, axis
        assert digest(groups) == whole, axis


@pytest.mark.parametrize("row", REFUSED, ids=named)
def test_what_the_stack_refuses_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises((rf.Unsupported, rf.InvalidArgument)) as caught:
        asked(row)
    assert caught.value.argument in ("axis_order", "ep")


@pytest.mark.parametrize("row", MADE, ids=named)
def test_a_digit_is_the_groups_it_stands_for(row: dict[str, Any]) -> None:
    plan = plan_of(row["stack"], row["world"], asked(row).given)
    for name, axis in plan.axes().items():
        table = axis.groups().to_array()
        assert axis.size == table.shape[1]
        assert axis.count == table.shape[0]
        assert axis.first(5) == table[0, :5].tolist(), name
        digit = axis.digit()
        if digit is None:
            continue
        size, step = digit
        plain = rf.Groups(row["world"], size, step).to_array()
        assert np.array_equal(table[np.argsort(table[:, 0])], plain), name
