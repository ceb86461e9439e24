"""A page in a real browser: no error, no request, the result's numbers, a torus that turns."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import browser as browsers
import rainier_fast as rf
from rainier_fast.screen import plain

PROGRAM = browsers.found()
if PROGRAM is None:
    pytest.skip(
        f"no browser is installed: one of {', '.join(browsers.NAMES)}", allow_module_level=True
    )
pytest.importorskip("plotly", reason="the extra report is not installed")
pytest.importorskip("matplotlib", reason="the extra report is not installed")

pytestmark = pytest.mark.timeout(300)  # machines without a graphics processor draw slowly
PLOT = "document.getElementById('view-0-plot')"


@pytest.fixture(scope="module")
def step() -> Any:
    job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
    return rf.preset("trn2-ultraserver").training_step(job, rf.Layout(tp=8, pp=4))


@pytest.fixture(scope="module")
def opened(step: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("page")
    step.report(folder / "x.html")
    assert PROGRAM is not None
    one = browsers.Browser(PROGRAM, folder / "profile")
    try:
        one.ask("Page.navigate", url=(folder / "x.html").as_uri())
        browsers.wait(lambda: one.js("document.readyState") == "complete", "page")
        browsers.wait(lambda: one.js(READY), "pictures", 200)
        one.js("document.getElementById('view-0').scrollIntoView()")
        yield one
    finally:
        one.close()


READY = """(() => {
  const left = [...document.querySelectorAll(".view")].filter((one) => !one.dataset.ready);
  if (left.length) left[0].scrollIntoView();
  return !left.length;
})()"""


def test_it_opens_without_error_or_request(opened: Any) -> None:
    asked = [one["request"]["url"] for one in opened.named("Network.requestWillBeSent")]
    assert len(asked) == 1, asked
    assert asked[0].startswith("file:")
    assert opened.named("Runtime.exceptionThrown") == []
    logged = [one["entry"] for one in opened.named("Log.entryAdded")]
    assert [one for one in logged if one["level"] == "error"] == []
    assert opened.js("fetch('https://example.com').then(() => 'got', () => 'refused')") == "refused"


def test_numbers_are_those_of_the_result(opened: Any, step: Any) -> None:
    told = json.loads(opened.js("document.getElementById('result').textContent"))
    assert told == plain(step.to_dict())
    shown = opened.js("[...document.querySelectorAll('dl data')].map((one) => Number(one.value))")
    assert shown == [step.time_s, step.tokens_per_s, step.tokens_per_s_per_chip, step.mfu]
    bars = opened.js("document.getElementById('view-1-plot').data.map((one) => one.x.length)")
    assert sum(bars) == len(step.timeline())


def eye(opened: Any) -> list[float]:
    look = opened.js(f"{PLOT}._fullLayout.scene._scene.getCamera().eye")
    return [look[axis] for axis in "xyz"]


def turned(opened: Any, before: list[float]) -> None:
    browsers.wait(
        lambda: max(abs(a - b) for a, b in zip(eye(opened), before, strict=True)) > 0.05, "turn"
    )


def test_the_torus_turns_by_keyboard_and_mouse(opened: Any) -> None:
    opened.js(f"{PLOT}.focus()")
    before = eye(opened)
    opened.key("ArrowLeft")
    turned(opened, before)
    before = eye(opened)
    box = opened.js(
        f"(({{x, y, width, height}}) => [x, y, width, height])({PLOT}.getBoundingClientRect())"
    )
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    opened.mouse("mouseMoved", x, y)
    opened.mouse("mousePressed", x, y, held=True)
    for far in range(10, 130, 20):
        opened.mouse("mouseMoved", x + far, y + far / 3, held=True)
        time.sleep(0.02)
    opened.mouse("mouseReleased", x + 120, y + 40, held=True)
    turned(opened, before)


def test_the_torus_says_what_cables_carry(opened: Any) -> None:
    opened.js(f"{PLOT}.focus()")
    opened.key("n")
    said = "document.getElementById('view-0-said').textContent"
    browsers.wait(lambda: "busy" in opened.js(said), "word")
    assert opened.js(said).startswith("1 of 192: ")
    box = opened.js(
        f"(({{x, y, width, height}}) => [x, y, width, height])({PLOT}.getBoundingClientRect())"
    )
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    shown = "document.getElementById('view-0').dataset.shown ?? ''"
    for at in range(400):
        opened.mouse("mouseMoved", x + 7 * (at % 20 - 10), y + 7 * (at // 20 - 10))
        if "busy" in opened.js(shown):
            break
    assert "GB/s, busy" in opened.js(shown)


def test_bars_say_themselves(opened: Any) -> None:
    opened.js("document.querySelector('#view-1 [data-do=next]').click()")
    said = "document.getElementById('view-1-said').textContent"
    browsers.wait(lambda: "stage 0" in opened.js(said), "word")


def test_still_pictures_stand_in_print(opened: Any) -> None:
    seen = "getComputedStyle(document.querySelector('#view-0 .still')).display"
    assert opened.js(seen) == "none"
    opened.ask("Emulation.setEmulatedMedia", media="print")
    assert opened.js(seen) == "block"
    assert opened.js("getComputedStyle(document.querySelector('.plot')).display") == "none"
    opened.ask("Emulation.setEmulatedMedia", media="screen")


def test_without_scripts_it_reads_as_well(opened: Any, tmp_path: Path, step: Any) -> None:
    step.report(tmp_path / "y.html")
    opened.ask("Emulation.setScriptExecutionDisabled", value=True)
    opened.events.clear()
    opened.ask("Page.navigate", url=(tmp_path / "y.html").as_uri())
    browsers.wait(lambda: opened.js("document.readyState") == "complete", "page")
    assert opened.js("document.querySelectorAll('.still svg').length") == 4
    assert opened.js("document.querySelectorAll('.drawn').length") == 0
    assert opened.js("[...document.querySelectorAll('button')].every((b) => !b.checkVisibility())")
    opened.ask("Emulation.setScriptExecutionDisabled", value=False)
