"""No answer of the package shows a time without its kind: links alone, or as software runs it.

Every public object and what every public callable gives is written out, as text and for a
notebook, with its tables. What machines are made of has times too, which are no answers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from good_calls import calls
from good_instances import instances

import rainier_fast as rf
from rainier_fast.catalog.entry import Listed
from rainier_fast.measure.calibration import Fitted
from rainier_fast.screen import Report, one_screen
from rainier_fast.table import Table, TableOfKind
from rainier_fast.topology.base import Base
from said import FIGURE, first_line, untold

PARTS = (Base, Listed, rf.Link, Fitted, rf.Efficiency, rf.EfficiencyFit, rf.ColdStart)
"""What has times that are given, fitted or assumed: machines, links, parameters, chips, starts."""

MADE = instances()


def answers() -> Iterator[tuple[str, Any]]:
    """Yield objects and what calls give, each with a name."""
    for kind, one in MADE.items():
        yield kind.__name__, one
    for call in calls(MADE):
        try:
            yield call.label, call.run({})
        except rf.RainierError:
            continue  # `good_arguments` names a good column for the plain table alone


def with_tables(name: str, one: Any) -> Iterator[tuple[str, Any]]:
    """Yield an answer, and the reports and tables that it holds."""
    yield name, one
    if not texts(one):
        return
    for attribute in dir(one):
        held = None
        with contextlib.suppress(rf.RainierError):  # such as what nobody has measured
            held = None if attribute[0] == "_" else getattr(one, attribute)
        if isinstance(held, Report | Table):
            yield f"{name}.{attribute}", held


def texts(one: Any) -> list[str]:
    """Return an answer as it reads: in a terminal, and in a notebook."""
    if isinstance(one, str | bytes) or not type(one).__module__.startswith("rainier_fast"):
        return []
    page = getattr(one, "_repr_html_", None)
    return [repr(one), str(one), *([] if page is None else [page()])]


def faults(name: str, one: Any) -> list[str]:
    """Return what is wrong with the times that an answer shows."""
    if isinstance(one, PARTS):
        return []
    found = [f"{name}: {time}" for text in texts(one) for time in untold(text)]
    if isinstance(one, Table):
        times = any(column.endswith("_s") and column != "latency_s" for column in one.columns)
        kinds = "kind" in one.columns or hasattr(one, "kind")
        found += [f"{name}: columns without a kind"] if times and not kinds else []
    if isinstance(one, Report | Table) and "kind" not in getattr(one, "columns", ()):
        found += [
            f"{name}: not on the first line"
            for text in texts(one)
            if FIGURE.search(text) and untold(f"1 s {first_line(text)}")
        ]
    return found


def test_every_answer_says_the_kind_of_its_times() -> None:
    every = [pair for name, one in answers() for pair in with_tables(name, one)]
    assert [fault for name, one in every for fault in faults(name, one)] == []
    shown = {name for name, one in every for text in texts(one) if FIGURE.search(text)}
    assert len(shown) > 40
    assert {"CollectiveResult.phases", "Route", "LinkLoads.top", "Calibration.residuals"} <= shown


def test_only_what_has_times_is_left_out() -> None:
    fitted = MADE[rf.Calibration].parameters.values()
    every = [*(one for _, one in answers()), *fitted, rf.assumptions()]
    for part in PARTS:
        alike = [one for one in every if isinstance(one, part)]
        assert any(FIGURE.search(text) for one in alike for text in texts(one)), part


@one_screen
class MadeUp(Report):
    """An answer of lines."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def _page(self) -> list[Any]:
        return list(self.lines)

    def __repr__(self) -> str:
        return str(self)


MadeUp.__module__ = "rainier_fast.made_up"


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (MadeUp("14 us, links alone"), ""),
        (MadeUp("ring, as nccl runs it", "14 us"), ""),
        (MadeUp("14 chips"), ""),
        (MadeUp("14 us"), "14 us"),
        (MadeUp("ring in 1.5 ms"), "1.5 ms"),
        (MadeUp("14 us", "links alone"), "not on the first line"),
        (rf.Table({"time_s": [1e-6]}), "1.00 us"),
        (rf.Table({"time_s": [float("nan")]}), "columns without a kind"),
        (rf.Table({"kind": ["links alone"], "time_s": [1e-6]}), ""),
        (TableOfKind({"time_s": [1e-6]}, "links alone"), ""),
        (TableOfKind({"time_s": [1e-6]}, "of some kind"), "1.00 us"),
    ],
)
def test_it_finds_what_is_made_up(one: object, fault: str) -> None:
    found = faults("made up", one)
    assert any(fault in line for line in found) if fault else found == []
