"""What objects say of themselves: pages in text and in a notebook, dicts that JSON takes."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from html.parser import HTMLParser
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
    facts = '<table><tr><th scope="row">a</th><td>&lt;1&gt;</td></tr>'
    assert f"</style><p>&lt;head&gt;</p>{facts}" in html
    assert html.endswith(f"{rf.Table({'x_s': [1.0]})._repr_html_()}</div>")
    assert rf.Table({"n": range(20)})._repr_html_().endswith("<p>... and 5 more rows</p>")


class Markup(HTMLParser):
    """What a page has: names of elements and of attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


EVIL = "<script>alert(1)</script><img src=x onerror='y' a=\"b\"></td></style>&amp;"


def evil() -> list[Any]:
    """Return what has markup in its names."""
    server = rf.UltraServer(EVIL, rf.Chip.from_catalog("trainium2"), (rf.Axis("x", 4),), None)
    machine = rf.Cluster([rf.Site(EVIL, 1, server)])
    job = rf.Training(replace(rf.model("llama-3.1-8b"), name=EVIL), sequence=4096, batch=8)
    step = rf.preset("trn2").training_step(job, rf.Layout(tp=8))
    service = rf.Serving(replace(rf.model("llama-3.1-8b"), name=EVIL), input=64, output=8)
    return [
        machine,
        machine.all_reduce(1e6),
        machine.with_faults(links=[0]).faults,
        rf.compare([machine], "all_reduce", 1e6),
        rf.Table({EVIL: [EVIL]}),
        step,
        rf.preset("trn2").serve(service, rf.Layout(tp=8), concurrency=4),
        rf.preset("trn2").best_layouts(job, cp=1, pp=1, keep=2),
    ]


def test_cards_hold_no_markup_of_names() -> None:
    for one in evil():
        page = Markup(one._repr_html_())
        assert page.names <= {"p", "div", "style", "pre"} | {
            "table", "thead", "tbody", "tr", "th", "td",
        }  # fmt: skip
        assert page.attributes <= {"class", "scope"}
        assert page.open == []


def test_cards_are_small_whatever_is_in_them() -> None:
    long = rf.Table({"what": ["x" * 10**6] * 20})
    assert len(long._repr_html_()) < 20_000
    assert len(rf.preset("rainier").all_reduce("1 GiB")._repr_html_()) < 20_000


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
