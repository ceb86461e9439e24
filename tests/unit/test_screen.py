"""What objects say of themselves: pages in text and in a notebook, dicts that JSON takes."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.screen import Report, Told, aligned, html_table, plain


@dataclass(frozen=True)
class Part(Told):
    link_class: str
    seconds: float
    machine: str = "left out"
    _inward: int = 0

    _also = ("double", "triple")

    @property
    def double(self) -> float:
        return 2 * self.seconds

    def triple(self) -> float:
        return 3 * self.seconds


def test_dicts_have_fields_properties_and_what_methods_give() -> None:
    assert Part("<x>", 1.5).to_dict() == {
        "class": "<x>",
        "seconds": 1.5,
        "double": 3.0,
        "triple": 4.5,
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (math.inf, None),
        (np.float64("nan"), None),
        (np.int64(3), 3),
        (np.array([1.0, math.inf]), [1.0, None]),
        ((1, ("a", None)), [1, ["a", None]]),
        ({7: math.nan}, {"7": None}),
        (Part("x", math.inf), {"class": "x", "seconds": None, "double": None, "triple": None}),
        (rf.Tier(2, 1.0, 0.5), {"group": 2, "oversubscription": 1.0, "latency": 0.5}),
        (True, True),
    ],
)
def test_values_become_what_json_has(value: Any, told: Any) -> None:
    assert plain(value) == told
    assert not isinstance(plain(value), np.generic)


class Page(Report):
    def _page(self) -> list[Any]:
        return ["<head>", [("a", "<1>"), ("long", "2")], "", rf.Table({"x_s": [1.0]})]


def test_pages_are_text_and_html() -> None:
    assert str(Page()) == "<head>\n  a     <1>\n  long  2\n\nx_s\n1.00 s"
    html = Page()._repr_html_()
    assert html.startswith("<p>&lt;head&gt;</p><table><tr><th>a</th><td>&lt;1&gt;</td></tr>")
    assert html.endswith(rf.Table({"x_s": [1.0]})._repr_html_())


def test_long_pages_fit_a_screen() -> None:
    class Long(Report):
        def _page(self) -> list[str]:
            return ["line"] * 100

    assert str(Long()).splitlines()[-1] == "... and 77 more lines"


def test_rows_are_aligned_and_escaped() -> None:
    assert aligned([("a", "b"), ("cc", "10")], (False, True)) == ["a    b", "cc  10"]
    assert aligned([("a", "b"), ("cc", "10")]) == ["a   b", "cc  10"]
    assert "<td>&lt;i&gt;</td>" in html_table(["h"], [["<i>"]])


def test_what_does_not_change_needs_no_copy() -> None:
    machine = rf.preset("trn2")
    for one in (machine, machine.with_faults(chips=[3]).faults, machine.mesh(dp=4, tp=4)):
        assert copy.copy(one) is copy.deepcopy(one) is one


def test_machines_of_one_definition_are_equal_whatever_their_class() -> None:
    server = rf.UltraServer("pair", None, (rf.Axis("x", 2, "line", 1e9),), rf.Nic(1e9, 0))
    cluster = rf.Cluster([rf.Site("a", 2, server)])
    assert cluster == type(cluster.healthy())([rf.Site("a", 2, server)])
    assert cluster != rf.Cluster([rf.Site("b", 2, server)])
    assert cluster.mesh(dp=2, tp=2) == cluster.mesh(dp=2, tp=2) != cluster.mesh(tp=2, dp=2)
    assert hash(cluster.route(0, 1)) == hash(cluster.route(0, 1))
    assert cluster.route(0, 1) != cluster.route(1, 0)
