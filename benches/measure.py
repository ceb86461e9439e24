"""How the gates measure: interleaved ratios, memory of a fresh process, counted instructions.

Machines are shared and noisy, so no gate reads a clock on its own: two variants run in turn in one
process with the order rotated, and the ratio of their best runs counts, printed beside the same
ratio of a variant with itself. Instructions are counted by callgrind.
"""

import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ratio:
    """How often `ours` fits into `theirs`, by CPU time; how much one variant differs from itself;
    and the CPU seconds of the best run of each."""

    times_faster: float
    self_ratio: float
    seconds: float
    their_seconds: float


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of all threads of this process during one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def interleaved(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Ratio:
    """Run both in turn, order rotated, after one warm-up each; compare the best runs."""
    ours()
    theirs()
    first, second, other = [], [], []
    for turn in range(rounds):
        variants = [(ours, first), (theirs, other), (ours, second)]
        for work, into in variants[turn % 3 :] + variants[: turn % 3]:
            into.append(cpu_seconds(work))
    best = min(first + second)
    return Ratio(min(other) / best, max(min(first), min(second)) / best, best, min(other))


def few(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Ratio:
    """The same of works that take a second: a quarter of the rounds, and no warm-up."""
    best, other, again = math.inf, math.inf, []
    for _ in range(max(rounds // 4, 1)):
        again.append(cpu_seconds(ours))
        best, other = min(best, again[-1]), min(other, cpu_seconds(theirs))
    return Ratio(other / best, max(again) / best, best, other)


def memory_missing() -> str | None:
    """Say what is missing to measure peak memory, or None."""
    return None if Path("/proc/self/clear_refs").exists() else "only Linux can reset a peak"


def peak_growth_bytes(setup: str, work: str, *, threads: int = 2) -> int:
    """Growth of a fresh process's peak memory while `work` runs after `setup`; both are Python
    source.

    The peak of the setup is forgotten before the work starts, so that it cannot hide the work's.
    """
    code = f"""
import pathlib
def status(name):
    text = pathlib.Path("/proc/self/status").read_text()
    return int(text.split(name + ":")[1].split()[0]) * 1024
{setup}
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
{work}
print(status("VmHWM") - before)
"""
    environment = os.environ | {"RAINIER_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    return int(done.stdout.split()[-1])


def callgrind_missing() -> str | None:
    """Say what is missing to count instructions, or None."""
    for tool in ("valgrind", "cargo"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None


# The binding stands beside the program for its share in what dependencies are built with, so that
# the core that the package's build left in the same folder is taken as it is.
BUILD = "cargo build --release --locked -q -p rainier-counts -p rainier-py --bins"


def counted_program(source: Path = ROOT) -> Path:
    """Build the program whose instructions are counted, in release mode."""
    subprocess.run(BUILD.split(), check=True, cwd=source)
    target = Path(os.environ.get("CARGO_TARGET_DIR", source / "target"))
    return target / "release" / "counts"


def instructions(program: Path, *arguments: str) -> int:
    """Instructions of one single-threaded run, the same at every run of the same program."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                f"--callgrind-out-file={folder}/out",
                str(program),
                *arguments,
            ],
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError(f"callgrind printed no count: {done.stderr[-500:]}")
    return int(found.group(1))
