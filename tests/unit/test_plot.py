"""Pictures: what is drawn equals the numbers, is legible, and looks as it did.

Each picture is drawn once, when first asked for. References are small grey images, blurred, so that
other fonts and versions of matplotlib pass and other shapes do not:
``python tests/unit/test_plot.py`` makes them.
"""

from __future__ import annotations

import itertools
import re
import runpy
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast import plot
from rainier_fast.plot import style
from rainier_fast.plot.domain import cables

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402 - the backend first
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.image import imread, imsave  # noqa: E402
from matplotlib.text import Text  # noqa: E402

REFERENCES = Path(__file__).parents[1] / "data" / "pictures"
ULTRA = rf.preset("trn2-ultraserver")
TRN2 = rf.preset("trn2")
HURT = ULTRA.with_faults(links=[3], chips=[5], degrade={70: 0.5})
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
SERVICE = rf.Serving("llama-3.1-8b", input=1024, output=256)


@cache
def ring() -> Any:
    return ULTRA.all_reduce("1 GiB", algorithm="ring")


@cache
def step() -> Any:
    return ULTRA.training_step(JOB, rf.Layout(tp=8, pp=4))


@cache
def times() -> Any:
    return TRN2.times("all_reduce", [4**k for k in range(5, 18)])


@cache
def compared() -> Any:
    return rf.compare(["trn2", "h100", "rainier"], "all_reduce", "1 GiB")


@cache
def steps() -> Any:
    return rf.compare(["trn2-ultraserver", "h100"], job=JOB, layout=rf.Layout(tp=8))


@cache
def draws() -> Any:
    return rf.preset("rainier", chips=128).monte_carlo("all_reduce", "1 GiB", draws=40)


@cache
def goodput() -> Any:
    return rf.preset("rainier").goodput("20 s", checkpoint=rf.Checkpoint(blocking="30 s"))


@cache
def priced() -> rf.PricePerformance:
    months = ["2026-01", "2026-07"]
    layouts = [rf.Layout(tp=4), rf.Layout(tp=8)]
    return rf.price_performance(
        ["trn2", "h100"], SERVICE, [{"tpot": "50 ms"}], date=months, layouts=layouts
    )


@cache
def fleet_day() -> rf.FleetDay:
    curve = rf.day_curve(1_500_000, low=500_000, peak_hour=15)
    services = [(SERVICE, rf.Layout(tp=8, ranks_per_chip=4), curve)]
    job = rf.Training("llama-3.1-8b", sequence=8192, batch=1024)
    machine, jobs = rf.preset("rainier", chips=2048), [(job, rf.Layout(tp=16))]
    return rf.Fleet(machine, services=services, jobs=jobs).day()


@cache
def ranking() -> Any:
    return ULTRA.best_layouts(JOB, cp=1, schedule="1f1b", keep=6)


PICTURES: dict[str, Callable[[], Any]] = {
    "torus": lambda: plot.torus(ring()),
    "planes": lambda: plot.planes(ring()),
    "planes with damage": lambda: plot.planes(HURT.all_reduce("1 GiB"), across="x"),
    "two axes": lambda: rf.torus((8, 8), "50 GB/s").link_loads([0, 9], [20, 63], 1e6).plot(),
    "utilisation": lambda: rf.preset("rainier").all_reduce("1 GiB").plot(picture="utilisation"),
    "times": lambda: times().plot(),
    "times beside": lambda: plot.times(times(), beside=["ring", "direct", "runtime"]),
    "roofline": lambda: TRN2.all_reduce("256 MiB").plot(),
    "roofline of a million": lambda: rf.preset("rainier").all_reduce("1 GiB").plot(),
    "chips": lambda: plot.chips(
        rf.preset("rainier", chips=count).all_reduce("1 GiB") for count in (128, 512, 8192)
    ),
    "comparison": lambda: compared().plot(),
    "footprint": lambda: plot.footprint(HURT.all_reduce("1 GiB")),
    "faults": lambda: HURT.faults.plot(),
    "timeline": lambda: step().plot(picture="timeline"),
    "memory": lambda: step().plot(picture="memory"),
    "parts": lambda: step().plot(),
    "step comparison": lambda: steps().plot(),
    "layouts": lambda: ranking().plot(),
    "price-performance": lambda: priced().plot(),
    "day": lambda: fleet_day().plot(),
    "monte carlo": lambda: draws().plot(),
    "goodput": lambda: goodput().plot(),
}
KEPT = ("torus", "planes", "times", "timeline", "day")


@cache
def drawn(name: str) -> Any:
    """Return the axis of a picture, laid out."""
    before = dict(matplotlib.rcParams)
    axes = PICTURES[name]()
    plt.close(axes.figure)  # it is kept, but not in the list of open ones
    axes.figure.set_dpi(80)
    FigureCanvasAgg(axes.figure).draw()
    assert dict(matplotlib.rcParams) == before
    return axes


def written(figure: Any) -> list[tuple[str, Any, Text]]:
    """Return the text of a figure that is seen, with where it is."""
    lines = [
        line
        for axes in figure.axes
        for line in (axes.xaxis, axes.yaxis, *([axes.zaxis] if hasattr(axes, "zaxis") else []))
    ]
    # Ticks outside of the limits are made and not drawn. In space, only looking tells.
    seen = {
        label
        for line in lines
        if line.get_visible() and not hasattr(line.axes, "zaxis")
        for one in line._update_ticks()
        for label in (one.label1, one.label2)
    }
    ticks = [one for line in lines for one in (*line.majorTicks, *line.minorTicks)]
    made = {label for one in ticks for label in (one.label1, one.label2)}
    return [
        (one.get_text(), one.get_window_extent(), one)
        for one in figure.findobj(Text)
        if one.get_visible() and one.get_text().strip() and (one not in made or one in seen)
    ]


@pytest.mark.parametrize("name", PICTURES)
def test_text_is_large_enough_and_inside_and_apart(name: str) -> None:
    figure = drawn(name).figure
    texts = written(figure)
    assert min(one.get_fontsize() for _, _, one in texts) >= 8
    width, height = figure.canvas.get_width_height()
    for text, box, _ in texts:
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y1 <= height + 1, text
    close = []
    for (one, a, _), (other, b, _) in itertools.combinations(texts, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if min(wide, high) >= 1.0:
            close.append((one, other))
    assert close == []


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_say_the_kind_of_number(name: str) -> None:
    said = " ".join(text for text, _, _ in written(drawn(name).figure))
    kinds = r"links alone|as (neuron|nccl|xla) runs it|reckoned, not measured"
    assert re.search(kinds, said) or name == "faults" or name == "memory", said


def grey(axes: Any) -> np.ndarray[Any, Any]:
    """Return a picture as 48 x 64 shares of white."""
    pixels = np.asarray(axes.figure.canvas.buffer_rgba())[..., :3] @ [0.299, 0.587, 0.114] / 255
    rows = np.array_split(np.arange(pixels.shape[0]), 48)
    columns = np.array_split(np.arange(pixels.shape[1]), 64)
    return np.array([[pixels[np.ix_(row, column)].mean() for column in columns] for row in rows])


def alike(axes: Any, name: str) -> float:
    """Return how far a picture is correlated with a reference: 1 where they are the same."""
    reference = imread(REFERENCES / f"{name}.png")[..., 0]
    return float(np.corrcoef(grey(axes).ravel(), reference.ravel())[0, 1])


@pytest.mark.parametrize("name", KEPT)
def test_pictures_look_as_they_did(name: str) -> None:
    # 0.89 to 0.99 by matplotlib 3.9, of which hatches and distances are others; 1.00 by 3.11.
    assert alike(drawn(name), name) > 0.85
    assert max(alike(drawn(name), other) for other in KEPT if other != name) < 0.6


def test_cables_of_an_ultraserver_are_its_links() -> None:
    some = cables(ULTRA, 0)
    assert sorted(some.links.ravel().tolist()) == list(range(ULTRA.num_links))
    for ends, pair, speeds in zip(
        np.stack([some.source, some.target], axis=1), some.links, some.bandwidth, strict=True
    ):
        link = ULTRA.link(int(pair[0]))
        chips = [ULTRA.chip(**dict(zip("xyz", end.tolist(), strict=True))) for end in ends]
        assert chips == [link.source_chip, link.target_chip]
        assert speeds.tolist() == [ULTRA.link(int(one)).bandwidth_Bps for one in pair]


def test_the_torus_has_the_shares_of_its_links() -> None:
    shares = ring().link_loads().bytes / [ULTRA.link(at).bandwidth_Bps for at in range(384)]
    lines = drawn("torus").collections[0]
    assert lines.get_array().max() == pytest.approx(shares.max() / ring().time_s)
    assert len(lines.get_array()) == 192 + 48  # cables that go round have two stubs


def test_utilisation_is_that_of_classes() -> None:
    result = rf.preset("rainier").all_reduce("1 GiB")
    rows = result.link_loads().by_class()
    bars = [bar.get_width() for bar in drawn("utilisation").patches]
    assert bars[: len(rows)] == pytest.approx((rows["time_s"] / result.time_s).tolist())


def test_lines_are_the_times() -> None:
    lines = {line.get_label(): line for line in drawn("times").lines}
    assert lines["auto, links alone"].get_ydata().tolist() == times().time_s.tolist()
    run = TRN2.times("all_reduce", times().size_bytes, algorithm="neuron")
    assert lines["as neuron runs it"].get_ydata().tolist() == run.time_s.tolist()
    assert len(lines["measured (6 rows)"].get_xdata()) == 6
    band = drawn("times").collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() < run.time_s.min() < run.time_s.max() <= band.max()


def test_the_roofline_is_that_of_the_bounds() -> None:
    lines = {line.get_label(): line for line in drawn("roofline").lines}
    sizes = lines["bound: latency"].get_xdata()
    for name, line in lines.items():
        if not name.startswith("bound: "):
            continue
        for size, time in zip(sizes[::4], line.get_ydata()[::4], strict=True):
            rows = {row["bound"]: row["time_s"] for row in TRN2.all_reduce(size).bounds}
            cuts = [rows[one] for one in rows if one not in ("latency", "injection")]
            own = max(cuts) if name == "bound: highest cut" else rows[name[7:]]
            assert time == own


def test_bars_of_steps_and_days_add_up() -> None:
    assert sum(bar.get_width() for bar in drawn("parts").patches) == pytest.approx(step().time_s)
    tops = [bar.get_y() + bar.get_height() for bar in drawn("memory").patches]
    assert max(tops) == max(step().memory["total_bytes"])
    ends = [bar.get_x() + bar.get_width() for bar in drawn("timeline").patches]
    assert max(ends) == pytest.approx(step().timeline()["end_s"].max())
    held = sum(bar.get_height() for bar in drawn("day").patches)
    assert held == 24 * fleet_day().machine.num_ultraservers
    assert sum(bar.get_height() for bar in drawn("monte carlo").patches) == draws().answered
    assert sum(bar.get_width() for bar in drawn("goodput").patches) == pytest.approx(1)
    widths = [bar.get_width() for bar in drawn("comparison").patches]
    assert widths == compared()["time_s"].tolist()


def test_fronts_and_curves_are_those_of_the_answers() -> None:
    front = drawn("layouts").lines[0]
    assert sorted(front.get_ydata()) == sorted(ranking().pareto["time_s"])
    points = [
        (line.get_xdata()[at], line.get_ydata()[at])
        for line in drawn("price-performance").lines
        if line.get_label().startswith(("trn2", "h100"))
        for at in range(len(line.get_xdata()))
    ]
    curve = priced().curve
    assert sorted(points) == sorted(
        zip(curve["tpot_s"], curve["usd_per_million_tokens"], strict=True)
    )


def test_a_footprint_has_the_change_of_links() -> None:
    with_, without = HURT.all_reduce("1 GiB"), ULTRA.all_reduce("1 GiB")
    some = cables(HURT, 0)
    change = some.busy_s(with_.link_loads().bytes) - some.busy_s(without.link_loads().bytes)
    most = drawn("footprint").collections[0].get_array().max()
    assert most == pytest.approx(change[~some.dead].max() / without.link_loads().time_s)


def test_looks_are_apart_without_colour() -> None:
    looks = [style.look(at) for at in range(28)]
    assert len({(one.colour, one.marker, one.line) for one in looks}) == 28
    assert len({one.marker for one in looks[:8]}) == 8
    assert len({one.hatch for one in looks[:9]}) == 9


def test_names_are_no_mathematics() -> None:
    server = rf.UltraServer("$x_1$ <b>", None, (rf.Axis("q", 4, "ring", 1e9),), rf.Nic(1e9, 0))
    machine = rf.Cluster([rf.Site("a", 1, server)])
    axes = rf.compare([machine], "all_reduce", 1e6).plot()
    axes.figure.canvas.draw()
    assert axes.get_yticklabels()[0].get_text() == r"\$x_1\$ <b> (4 chips)"


def test_an_axis_that_is_given_is_used() -> None:
    figure, axes = plt.subplots()
    assert times().plot(axes) is axes
    assert step().plot(figure.add_subplot(), picture="memory").figure is figure
    with pytest.raises(rf.InvalidType, match="projection"):
        plot.torus(ring(), axes)
    with pytest.raises(rf.InvalidType, match=r"^ax: "):
        times().plot("axis")


@pytest.mark.parametrize(
    ("call", "kind", "argument"),
    [
        (lambda: plot.torus(rf.preset("tpu-v5p").link_loads(0, 1, 1e6)), rf.Unsupported, "loads"),
        (lambda: plot.torus(rf.preset("h100").link_loads(0, 1, 1e6)), rf.Unsupported, "loads"),
        (lambda: plot.torus(times()), rf.InvalidType, "loads"),
        (lambda: plot.torus(ring(), ultraserver=1), rf.OutOfRange, "ultraserver"),
        (lambda: plot.torus(ring(), time=0), rf.InvalidArgument, "time"),
        (lambda: plot.planes(ring(), across="w"), rf.UnknownName, "across"),
        (lambda: plot.times([]), rf.InvalidArgument, "times"),
        (lambda: plot.times([ring()]), rf.InvalidType, "times"),
        (lambda: plot.times(times(), beside=["fastest"]), rf.UnknownName, "beside"),
        (lambda: plot.roofline(TRN2.barrier()), rf.Unsupported, "result"),
        (lambda: plot.roofline(ring(), sizes=["1 KiB"]), rf.InvalidArgument, "sizes"),
        (lambda: plot.chips([]), rf.InvalidArgument, "results"),
        (lambda: plot.chips([times()]), rf.InvalidArgument, "results"),
        (lambda: plot.footprint(ring()), rf.InvalidArgument, "result"),
        (lambda: plot.faults(rf.Faults(links=[3])), rf.Unsupported, "found"),
        (lambda: plot.parts([]), rf.InvalidArgument, "steps"),
        (lambda: plot.draw(3), rf.InvalidType, "result"),
        (lambda: ring().plot(picture="pie"), rf.UnknownName, "picture"),
        (lambda: ring().plot(colour="red"), rf.InvalidType, "options"),
        (lambda: priced().plot(time="step_s"), rf.UnknownName, "time"),
    ],
)
def test_bad_input_is_named(
    call: Callable[[], Any], kind: type[rf.RainierError], argument: str
) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.argument == argument


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(rf.RainierError, match=r"rainier_fast\[plot\]"):
        times().plot()


def test_the_page_of_pictures_is_that_of_its_script() -> None:
    script = Path(__file__).parents[2] / "docs" / "pictures" / "make.py"
    made = runpy.run_path(str(script), run_name="made")
    assert made["PAGE"].read_text("utf-8") == made["text"]()
    names = {name for name, *_ in made["SECTIONS"]}
    assert names == {path.stem for path in script.parent.glob("*.png")}


def main() -> None:
    """Make the references again."""
    REFERENCES.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        imsave(REFERENCES / f"{name}.png", grey(drawn(name)), cmap="gray", vmin=0, vmax=1)


if __name__ == "__main__":
    main()
