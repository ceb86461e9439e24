"""Makes docs/pictures.md and the pictures beside this file: ``python docs/pictures/make.py``.

A picture is what its block leaves in ``ax``. ``--text`` writes the page alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "pictures.md"

HEAD = """# Pictures

`pip install 'rainier_fast[plot]'` brings matplotlib. Every function of `rainier_fast.plot` takes a result and, if you like, an axis
(`ax=`), and returns the axis; `result.plot()` draws the picture that tells most, `result.plot(picture="memory")` another one, and
`plot.pictures(result)` says which there are. Nothing calls `plt.show`, and global settings stay as they are.

Colours are those of Okabe and Ito, which the colour-blind tell apart, and none stands alone: lines have markers and dashes,
bars have hatches, shades of loads grow darker, so that grey print reads. Axes say the unit and what kind of number it is: "links
alone", or "as neuron runs it". Arrays that are too large to be drawn chip by chip are refused with what to draw instead;
`plot.utilisation` pools links by class and draws a million chips as it draws sixteen.

This page and its pictures are made by `docs/pictures/make.py`, and its blocks are run by the tests.

```python
import matplotlib

matplotlib.use("Agg")  # for scripts without a screen; in a notebook leave it out
import rainier_fast as rf
from rainier_fast import plot

ultra, trn2, rainier = (rf.preset(name) for name in ("trn2-ultraserver", "trn2", "rainier"))
```
"""

# Name of the picture, its heading, what it shows, and the code.
SECTIONS = (
    ("torus", "Link loads in space", "How busy the cables of an UltraServer are; those that close a ring are stubs at both ends. "
     "A flat ring leaves most of the torus idle.",
     'ring = ultra.all_reduce("1 GiB", algorithm="ring")\nax = ring.plot(picture="torus")'),
    ("planes", "Link loads by plane", "The same, flat; a square is the cable to the next plane.",
     "ax = plot.planes(ring)"),
    ("utilisation", "Utilisation by tier", "All 4,195,398 links of Rainier, by class: the busiest, and the mean.",
     'ax = rainier.all_reduce("1 GiB").plot(picture="utilisation")'),
    ("times", "Time over size", "Algorithms and the machine's own software, with the measured rows that there are. The band is where "
     "the line would be if we were as far off as on those rows.",
     'sizes = [4**power for power in range(5, 18)]\nax = plot.times(trn2.times("all_reduce", sizes), beside=["ring", "runtime"])'),
    ("roofline", "The roofline of a collective", "Latency, injection and the highest cut bound it from below.",
     'ax = trn2.all_reduce("256 MiB").plot()'),
    ("chips", "Time over chips", "Results of one kind, operation and size are a line.",
     'counts = (128, 512, 2048, 8192)\nresults = [rf.preset("rainier", chips=count).all_reduce("1 GiB") for count in counts]\n'
     "ax = plot.chips([*results, *(one.as_run for one in results)])"),
    ("comparison", "Machines side by side", "", 'ax = rf.compare(["trn2", "h100", "tpu-v5e", "rainier"], "all_reduce", "1 GiB").plot()'),
    ("faults", "Faults", "Where an UltraServer is broken.",
     'hurt = ultra.with_faults(links=[3], chips=[5], degrade={70: 0.5})\nax = hurt.faults.plot()'),
    ("footprint", "A fault's footprint", "Which links are busier, or less busy, than on the same machine without faults.",
     'ax = hurt.all_reduce("1 GiB").plot(picture="footprint")'),
    ("monte-carlo", "Faults drawn at random", "", 'ax = rf.preset("rainier", chips=128).monte_carlo("all_reduce", "1 GiB", draws=100).plot()'),
    ("parts", "A step by part", "Of one step, of several, or of `rf.compare(..., job=job)`.",
     'job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)\n'
     'ax = rf.compare(["trn2-ultraserver", "h100"], job=job, layout=rf.Layout(tp=8)).plot()'),
    ("timeline", "A step's timeline", "What each stage of the pipeline does when; numbers are microbatches.",
     'step = ultra.training_step(job, rf.Layout(tp=8, pp=4))\nax = step.plot(picture="timeline")'),
    ("memory", "A step's memory by stage", "", 'ax = step.plot(picture="memory")'),
    ("layouts", "The front of layouts", "Time against memory, of `best_layouts`.", 'ax = ultra.best_layouts(job, cp=1, keep=10).plot()'),
    ("price-performance", "Price-performance over the objective", "What a million tokens cost when a token may take so long.",
     'service = rf.Serving("llama-3.1-8b", input=1024, output=256)\nlayouts = [rf.Layout(tp=4), rf.Layout(tp=8)]\n'
     'ax = rf.price_performance(["trn2", "h100"], service, slo=[{"tpot": "50 ms"}], layouts=layouts).plot()'),
    ("day", "A fleet's day", "What UltraServers do by hour, over the tokens that are asked for and served.",
     "curve = rf.day_curve(1_500_000, low=500_000, peak_hour=15)\n"
     "services = [(service, rf.Layout(tp=8, ranks_per_chip=4), curve)]\n"
     'jobs = [(rf.Training("llama-3.1-8b", sequence=8192, batch=1024), rf.Layout(tp=16))]\n'
     'ax = rf.Fleet(rf.preset("rainier", chips=2048), services=services, jobs=jobs).day().plot()'),
    ("goodput", "Goodput", "What each cause takes, one after another.",
     'ax = rainier.goodput("20 s", checkpoint=rf.Checkpoint(blocking="30 s")).plot()'),
)


def text() -> str:
    """Return the page."""
    parts = [HEAD]
    for name, heading, words, code in SECTIONS:
        said = f"{words}\n\n" if words else ""
        parts.append(f"## {heading}\n\n{said}```python\n{code}\n```\n\n![{heading}](pictures/{name}.png)\n")
    return "\n".join(parts)


def draw() -> None:
    """Draw the picture of each block, in few colours."""
    import matplotlib.pyplot as plt
    from PIL import Image

    space: dict[str, Any] = {"__name__": "example"}
    exec(HEAD.split("```python\n")[1].split("```")[0], space)
    for name, _, _, code in SECTIONS:
        exec(code, space)
        path = HERE / f"{name}.png"
        space["ax"].figure.savefig(path, dpi=90)
        plt.close("all")
        with Image.open(path) as drawn:
            drawn.convert("RGB").quantize(48, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
    if "--text" not in sys.argv:
        draw()
