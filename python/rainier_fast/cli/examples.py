"""Questions that the manual answers by commands; what they print is printed anew each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the words of a command, and what its output says."""

    question: str
    words: tuple[str, ...]
    answer: str
    most: int = 99
    """How many lines of its output the manual shows."""


MEASURED: Final = "mine.txt"
"""A file that examples read: what nccom-test printed on one Trn2 instance."""

TABLE: Final = """\
nccom-test -r 64 -b 1mb -e 1gb -f 4 -d bf16 allr
       size(B)    count(elems)    type    time:avg(us)    algbw(GB/s)    busbw(GB/s)
       1048576          524288    bf16            51.9          20.20          39.78
       4194304         2097152    bf16           105.9          39.61          77.98
      16777216         8388608    bf16          262.48          63.92         125.84
      67108864        33554432    bf16          724.41          92.64         182.38
     268435456       134217728    bf16         1795.03         149.54         294.42
    1073741824       536870912    bf16         6440.16         166.73         328.24
"""
"""Times of the public report that `measured/data/trn2_nccom_2026_03.csv` has."""

EXAMPLES: Final = (
    Example(
        "Which axis limits all-to-all in an UltraServer?",
        ("all-to-all", "--preset", "trn2-ultraserver", "--size", "1 GiB"),
        "z: its links are half as fast as those of x and y, and busy for all of the time.",
        10,
    ),
    Example(
        "And if z were as fast as the others?",
        ("compare", "trn2-ultraserver", "--collective", "all_to_all",
         "--with", "ultraserver.axes.z.bandwidth=128 GB/s"),
        "Half the time.",
    ),
    Example(
        "What does a 2:1 fabric cost a 4 GiB all-reduce?",
        ("compare", "rainier:262144", "--size", "4 GiB",
         "--with", "fabric.tiers.all.oversubscription=2"),
        "Next to nothing, here on one site: UltraServers add up inside first, so that a 64th of "
        "the bytes crosses the fabric.",
    ),
    Example(
        "The same as Neuron's runtime runs it?",
        ("compare", "rainier:262144", "--size", "4 GiB", "--algorithm", "runtime",
         "--with", "fabric.tiers.all.oversubscription=2"),
        "Half a per cent.",
    ),
    Example(
        "Where do ring and halving/doubling cross on 1,024 chips?",
        ("all-reduce", "--chips", "1024", "-b", "64M", "-e", "8G", "-f", "2",
         "--algorithm", "ring", "--algorithm", "halving_doubling"),
        "Just below 2 GiB; below that halving and doubling is faster.",
    ),
    Example(
        "How does my nccom-test table compare with the model?",
        ("compare", "trn2", "--measured", MEASURED),
        "Row by row, ours over the measured time less one. (These rows are among those that the "
        "preset is fitted on: yours will be further off.)",
    ),
    Example(
        "And what does a fit of the machine to it say?",
        ("calibrate", MEASURED, "--preset", "trn2"),
        "Parameters beside those before; the rest of it is the rows, each size also predicted by a "
        "fit on the others.",
        9,
    ),
    Example(
        "What would nccom-test print on all of Project Rainier?",
        ("all-reduce", "-b", "1M", "-e", "8G", "-f", "8", "--dtype", "bf16",
         "--algorithm", "runtime"),
        "Its own columns and units, which `calibrate` and `compare --measured` read.",
    ),
)  # fmt: skip
"""In the order of the manual."""
