"""The performance gates can fail: what a miss is, and how often it is measured again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`benches/gates.py`, which is no part of the package."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benches")
    import gates

    return gates


def _measured(gates: ModuleType, *seen: float) -> tuple[Callable[..., Any], list[int]]:
    """A measurement that finds ours so many times faster, one after the other."""
    rounds: list[int] = []

    def measure(ours: object, theirs: object, count: int) -> object:
        rounds.append(count)
        return gates.Ratio(seen[len(rounds) - 1], 1.0, 1.0, seen[len(rounds) - 1])

    return measure, rounds


def _nothing() -> None: ...


@pytest.mark.parametrize(
    ("seen", "full", "quick"), [(2.0, "ok", "ok"), (1.9, "MISS", "NEAR"), (1.1, "MISS", "MISS")]
)
def test_ratios_have_slack_in_the_quick_gate_alone(
    gates: ModuleType, seen: float, full: str, quick: str
) -> None:
    measure, _ = _measured(gates, *3 * [seen])
    gate = gates.at_least("sort / ours", 2, _nothing, _nothing, measure)
    assert (gate.verdict(1.0), gate.verdict(gates.SLACK)) == (full, quick)
    measure, _ = _measured(gates, *3 * [seen / 4])
    gate = gates.at_most("ours / sort", 2, _nothing, _nothing, measure)
    assert (gate.verdict(1.0), gate.verdict(gates.SLACK)) == (full, quick)
    assert gate.line(gates.SLACK).startswith(quick)


def test_counts_have_no_slack(gates: ModuleType) -> None:
    gate = gates.Gate("instructions", 101, "<= 100", passed=False)
    assert gate.verdict(gates.SLACK) == "MISS"


def test_a_miss_is_measured_again_and_the_best_counts(gates: ModuleType) -> None:
    measure, rounds = _measured(gates, 1.0, 1.5, 1.2)
    assert gates.at_least("sort / ours", 2, _nothing, _nothing, measure).seen == 1.5
    assert rounds == sorted(set(gates.ROUNDS))
    measure, rounds = _measured(gates, 1.0, 2.5)
    assert gates.at_least("sort / ours", 2, _nothing, _nothing, measure).passed
    assert len(rounds) == 2
