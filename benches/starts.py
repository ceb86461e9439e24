"""What a start takes, beside the import of numpy: each in a process of its own, in turn."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence

from gates import Gate, at_most

from measure import Ratio

NUMPY = ("-c", "import numpy")


def starts() -> list[Gate]:
    """A bare import, the help of the command line, and nccom-test's table of all of Rainier."""
    table = ("-m", "rainier_fast", "all-reduce", "-b", "1", "-e", "8G", "-f", "2")
    return [
        # Seen: 0.2, where importing all that it names took 1.9.
        _beside_numpy("import rainier_fast", 0.5, ("-c", "import rainier_fast")),
        # Seen: 0.45; with the modules of its commands it would be 1.7.
        _beside_numpy("rainier-fast --help", 1.0, ("-m", "rainier_fast", "--help")),
        # Seen: 2.2.
        _beside_numpy("34 sizes of an all-reduce over 524,288 chips", 4.0, table),
    ]


def _beside_numpy(name: str, factor: float, words: Sequence[str]) -> Gate:
    return at_most(f"{name} / import numpy", factor, lambda: words, lambda: NUMPY, of_processes)


def of_processes(ours: object, theirs: object, rounds: int) -> Ratio:
    """Compare the best runs of two processes, whose words the works give."""
    assert callable(ours)
    assert callable(theirs)
    first, second, other = [], [], []
    for _ in range(rounds + 1):
        for work, into in ((ours, first), (theirs, other), (ours, second)):
            into.append(_cpu_seconds(work()))
    best = min(first + second)
    return Ratio(min(other) / best, max(min(first), min(second)) / best, best, min(other))


def _cpu_seconds(words: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
