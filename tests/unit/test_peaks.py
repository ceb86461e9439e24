"""Memory follows the question: peaks of calls in processes of their own, and what results keep."""

from __future__ import annotations

import subprocess
import sys

import pytest

MIB = 1 << 20

_PROGRAM = """
import resource
import rainier_fast as rf

def peak():
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if {darwin} else most * 1024

small = rf.preset("rainier", chips=4096)
small.all_reduce("1 GiB")
rf.torus((4, 4, 4), bandwidth="50 GB/s").all_reduce("1 GiB")
before = peak()
{question}
print(peak() - before)
"""

_AXES = {"dp": -1, "pp": 16, "cp": 4, "tp": 16}
_TRAFFIC = {
    "dp": ("all_reduce", "1 GiB"),
    "pp": ("send_recv", "16 MiB", 64),
    "cp": ("all_gather", "32 MiB", 40),
    "tp": ("all_reduce", "64 MiB", 80),
}


def peak_of(question: str) -> int:
    """Bytes that a question takes above what small machines take."""
    program = _PROGRAM.format(question=question, darwin=sys.platform == "darwin")
    # A process starts with the peak of the one that made it: that is one that has nothing yet.
    between = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"
    command = [sys.executable, "-c", between, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return int(done.stdout)


@pytest.mark.parametrize(
    ("question", "most"),
    [
        # Every link of a torus is like all others along its axis.
        ("rf.torus((32, 32, 32), bandwidth='50 GB/s').all_reduce('1 GiB')", 36 * MIB),
        # Not a power of two: some chips wait while others fold in, and links are unlike.
        ("rf.torus((24, 24, 24), bandwidth='50 GB/s').all_reduce('1 GiB')", 36 * MIB),
        # Places and prices of axes; of 243,074 layouts few are kept.
        (f"rf.preset('rainier', chips=65_536).best_mapping({_AXES}, {_TRAFFIC})", 24 * MIB),
        ("rf.preset('rainier', chips=1_048_576).all_reduce('1 GiB')", 4 * MIB),
        ("rf.preset('rainier', chips=1_048_576).all_to_all('1 GiB')", 4 * MIB),
        # Trees load the NICs of UltraServers differently, but alike at every power of two.
        ("rf.preset('rainier', chips=1_048_576).broadcast('1 GiB')", 4 * MIB),
        ("rf.preset('rainier', chips=1_048_576).scatter('1 GiB')", 4 * MIB),
    ],
)
def test_a_question_takes_memory_for_what_is_unlike(question: str, most: int) -> None:
    assert peak_of(question) <= most


def test_results_are_small() -> None:
    calls = "'all_reduce', 'all_gather', 'reduce_scatter', 'all_to_all', 'broadcast'"
    keep = f"""
torus = rf.torus((16, 16, 16), bandwidth="50 GB/s", latency="1 us")
for call in [{calls}]:
    getattr(torus, call)("2 MiB"), getattr(small, call)("2 MiB")
before = peak()
kept = [
    getattr(machine, call)(1 << at, algorithm=name)
    for machine, name in ((torus, "direct"), (small, "hierarchical"))
    for call in [{calls}]
    for at in range(12)
    for _ in range(4)
]
"""
    count = 2 * 5 * 12 * 4
    assert peak_of(keep) <= 4096 * count + MIB
