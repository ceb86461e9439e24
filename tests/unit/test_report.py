"""Pages say what results say, hold no markup of others, ask for nothing, and stay small.

A browser turns the torus in `test_report_in_browser.py`, where one is installed.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast import report
from rainier_fast.cli.program import main
from rainier_fast.report import again, library, markup
from rainier_fast.report.page import MOST_BYTES
from rainier_fast.screen import plain
from rainier_fast.units import format_time
from raising import raises

pytest.importorskip("matplotlib", reason="the extra report is not installed")

ULTRA = rf.preset("trn2-ultraserver")
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256, engine="vllm")


@cache
def results() -> dict[str, Any]:
    return {
        "collective": ULTRA.all_reduce("1 GiB"),
        "step": ULTRA.training_step(JOB, rf.Layout(tp=8, pp=4)),
        "service": rf.preset("h100").serve(SERVICE, rf.Layout(tp=8), concurrency=16),
        "comparison": rf.compare(["trn2", "h100"], "all_reduce", "1 GiB"),
        "steps": rf.compare(["trn2", "h100"], job=JOB, layout=rf.Layout(tp=8)),
    }


KINDS = ("collective", "step", "service", "comparison", "steps")


@cache
def still(name: str) -> str:
    return report.page(results()[name], interactive=False)


class Read(HTMLParser):
    """What a page holds: elements with attributes, and text by element."""

    VOID = frozenset({"meta", "br", "input", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: dict[str, list[str]] = {}
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@cache
def read(name: str) -> Read:
    return Read(still(name))


# ------------------------------------------------------------------ numbers


@pytest.mark.parametrize("name", KINDS)
def test_numbers_are_those_of_the_result(name: str) -> None:
    page, result = still(name), results()[name]
    found = re.search(r'<script type="application/json" id="result">(.*?)</script>', page, re.S)
    assert found is not None
    assert json.loads(found[1]) == plain(result.to_dict())
    shown = {float(one["value"] or "nan") for one in read(name).of("data")}
    wanted = {
        "collective": lambda: [result.time_s, result.lower_bound_s, *result.bounds["time_s"]],
        "step": lambda: [result.time_s, result.mfu, *result.parts.values()],
        "service": lambda: [result.ttft_s, result.tpot_s, *result.parts.values()],
        "comparison": lambda: [*result["time_s"], *result["busbw_Bps"]],
        "steps": lambda: [*result["time_s"], *result["mfu"]],
    }[name]()
    assert {float(one) for one in wanted} <= shown


def test_a_torus_shows_what_links_carry() -> None:
    result = ULTRA.all_to_all("64 MiB")
    from rainier_fast.report.torus import view

    loads = result.link_loads()
    figure = view(result, loads, "x").figure
    marks = figure["data"][figure["cables"]]
    assert len(marks["x"]) == len(figure["words"]) == 192
    busy = np.array(marks["marker"]["color"])
    worst = loads.time_s / result.time_s
    assert abs(busy.max() - worst) < 1e-4
    first = figure["words"][figure["order"][0]]
    number = int(re.search(r"link ([\d,]+):", first)[1].replace(",", ""))  # type: ignore[index]
    share = loads.bytes[number] / ULTRA.link(number).bandwidth_Bps / result.time_s
    assert f"busy {share:.1%}" in first


def test_the_longest_collective_of_a_step_is_asked_again() -> None:
    from rainier_fast.report.step import _torus

    step = results()["step"]
    longest = max(step.collectives, key=lambda row: row["time_s"])
    assert longest["operation"] in _torus(step).caption


def test_the_band_is_that_of_the_step() -> None:
    job = rf.Training("llama-3.1-70b", sequence=8192, batch=256, precision="fp8")
    step = rf.preset("h100", chips=64).training_step(job, rf.Layout(tp=4, pp=8))
    low, high = map(format_time, step.band_s)
    assert f"would take {low} to {high}:" in report.page(step, interactive=False)


# ------------------------------------------------------------------ the code that makes it again


@pytest.mark.parametrize("name", KINDS)
def test_code_makes_it_again(name: str) -> None:
    source = again.source(results()[name])
    assert source is not None
    assert markup.text(source) in still(name)
    made: dict[str, Any] = {}
    exec(source, made)
    assert made["result"].to_dict() == results()[name].to_dict()


@pytest.mark.parametrize(
    "result",
    [
        ULTRA.with_faults(links=[3]).broadcast(1000, root=5, algorithm="ring", dtype="bf16"),
        rf.preset("rainier", chips=256).send_recv("1 MiB", shift=3, routing="shortest"),
        rf.preset("trn2").barrier(algorithm="runtime"),
        rf.compare(["trn2", "h100"], "all_gather", "3 MiB", algorithm="runtime"),
        ULTRA.training_step(JOB, rf.Layout(tp=16, pp=2), algorithm="auto"),
    ],
    ids=lambda result: type(result).__name__,
)
def test_code_of_options_makes_it_again(result: Any) -> None:
    source = again.source(result)
    assert source is not None
    made: dict[str, Any] = {}
    exec(source, made)
    assert made["result"].to_dict() == result.to_dict()


def test_a_machine_of_ones_own_has_a_file() -> None:
    result = rf.torus((4, 4), "50 GB/s").all_reduce("1 MiB", group=[0, 1, 2])
    assert again.source(result) is None
    kept = again.saved(result)
    assert kept is not None
    from rainier_fast.files import kinds

    assert kinds.from_dict(json.loads(kept), "collective").to_dict() == result.to_dict()


# ------------------------------------------------------------------ nothing of others gets in

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&<!--"


def test_names_with_markup_stay_text() -> None:
    machine = rf.Cluster(sites=list(ULTRA.sites), name=EVIL)
    result = machine.all_reduce("1 MiB")
    page = Read(text := report.page(result, title=EVIL, interactive=False))
    assert "<script>alert" not in text
    assert not page.of("img")
    assert [one.get("id") for one in page.of("script")] == ["result"]
    assert not [name for _, some in page.elements for name in some if name.startswith("on")]
    assert "".join(page.text["h1"]) == EVIL
    told = json.loads("".join(page.text["script"]))
    assert EVIL in told["machine"] or told == plain(result.to_dict())


def test_models_with_markup_stay_text() -> None:
    model = replace(rf.model("llama-3.1-8b"), name=EVIL)
    step = ULTRA.training_step(rf.Training(model, sequence=8192, batch=32), rf.Layout(tp=8, pp=4))
    page = Read(report.page(step, interactive=False))
    assert EVIL in "".join(page.text["h1"])
    assert not page.of("img")
    assert len(page.of("script")) == 1


@pytest.mark.parametrize("words", ["a\0b", "\x1b[0m", "\ud800"])
def test_characters_that_pages_may_not_hold_are_replaced(words: str) -> None:
    assert "\ufffd" in markup.text(words)
    markup.text(words).encode()


# ------------------------------------------------------------------ whole, small, for everybody


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_asked_for(name: str) -> None:
    page = read(name)
    policy = next(one for one in page.of("meta") if one.get("http-equiv"))["content"] or ""
    assert policy.startswith("default-src 'none'; script-src 'none'")
    for tag, some in page.elements:
        assert tag not in ("link", "iframe", "img", "image", "object", "embed", "base")
        for key in ("src", "href", "action"):
            assert (some.get(key) or "#").startswith("#"), (tag, some)
    assert "@import" not in still(name)
    assert not re.search(r"url\((?!#)", still(name))


@pytest.mark.parametrize("name", KINDS)
def test_everybody_can_read_it(name: str) -> None:
    page = read(name)
    assert [one["lang"] for one in page.of("html")] == ["en"]
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert len(page.of(landmark)) == 1, landmark
    ids = [some["id"] for _, some in page.elements if "id" in some]
    assert len(ids) == len(set(ids))
    for _, some in page.elements:
        for key in ("aria-labelledby", "aria-describedby"):
            assert (some.get(key) or ids[0]) in ids
        if (some.get("href") or "").startswith("#"):
            assert (some["href"] or "")[1:] in ids
    for one in page.of("svg"):
        assert one["role"] == "img"
        assert one["aria-label"]
    assert len(page.of("table")) == len(page.of("caption")) > 4
    assert all(one["scope"] in ("row", "col") for one in page.of("th"))


def test_a_page_is_the_same_twice() -> None:
    result = results()["collective"]
    assert report.page(result, interactive=False) == still("collective")


@pytest.mark.parametrize("name", ["collective", "step"])
def test_the_library_is_in_the_page(name: str) -> None:
    offline = pytest.importorskip("plotly.offline", reason="the extra report is not installed")
    page = report.page(results()[name])
    assert len(page.encode()) < MOST_BYTES
    assert "Left out" not in page
    used = library.library()
    assert used.packed in page
    assert unpacked(used.packed, used.size) == offline.get_plotlyjs()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    own = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(own) == 1
    for script in (own[0], offline.get_plotlyjs()):
        assert library.source_hash(script) in policy[1].replace("&#x27;", "'")
    views = re.search(r'id="views" data-size="(\d+)">([^<]*)<', page)
    assert views is not None
    figures = json.loads(unpacked(views[2], int(views[1])))
    assert [one["layout"]["height"] for one in figures]


def unpacked(packed: str, size: int) -> str:
    digits = np.array([library.ALPHABET.index(one) for one in packed], np.int64).reshape(-1, 5)
    words = digits @ (85 ** np.arange(4, -1, -1))
    return gzip.decompress(words.astype(">u4").tobytes()[:size]).decode()


# ------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize("what", [ULTRA, None, "x", rf.Table({"a": [1]}), ULTRA.route(0, 1)])
def test_others_have_no_page(what: Any) -> None:
    with pytest.raises(rf.Unsupported, match="result"):
        report.page(what)


@pytest.mark.parametrize(
    ("argument", "value"), [("title", 5), ("title", ""), ("interactive", 1), ("path", None)]
)
def test_bad_arguments_are_named(argument: str, value: Any, tmp_path: Path) -> None:
    given: dict[str, Any] = {"path": tmp_path / "x.html", "interactive": False, argument: value}
    with raises(rf.RainierError, argument):
        results()["collective"].report(**given)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    library.library.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(rf.RainierError, match=r"rainier_fast\[report\]"):
        report.page(results()["collective"])


# ------------------------------------------------------------------ the command


def test_the_command_writes_the_same_page(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "x.html"
    words = ["all_reduce", "--preset", "trn2-ultraserver", "--size", "1 GiB", "--still"]
    assert main(["report", *words, "-o", str(out)]) == 0
    assert out.read_text() == still("collective")
    assert str(out) in capsys.readouterr().out


def test_the_command_reads_answers(tmp_path: Path, capsys: Any) -> None:
    kept, out = tmp_path / "step.json", tmp_path / "x.html"
    results()["step"].save(kept)
    assert main(["report", str(kept), "--still", "-o", str(out)]) == 0
    assert out.read_text() == still("step")
    assert main(["report", str(kept), "--preset", "trn2", "-o", str(out)]) == 2
    assert "preset" in capsys.readouterr().err
