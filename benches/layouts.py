"""What `best_layouts` of 405B on 65,536 and 524,288 chips takes: benches/layouts.py [chips].

Each in a process of its own, on one thread: CPU seconds, layouts a second, and the peak of memory.
"""

import resource
import subprocess
import sys
import time

import numpy as np

import rainier_fast as rf
from gates import Gate, at_least


def searched(machine: rf.Machine, batch: int) -> rf.LayoutRanking:
    """The ranking of all layouts of Llama 3.1 405B, on one thread."""
    job = rf.Training("llama-3.1-405b", sequence=8192, batch=batch)
    return machine.best_layouts(job, n_threads=1)


def layout_search() -> Gate:
    """All 225,196 layouts of 405B on 65,536 chips against sorts of ten million numbers."""
    values = np.random.default_rng(0).random(10_000_000)
    machine = rf.preset("rainier", chips=65_536)
    return at_least(
        "best_layouts of 405B, 3 stable sorts of 1e7 / ours",
        # Seen: 2.0; a sort is 1.1 CPU s, our search 1.6 on the same busy machine.
        1,
        lambda: searched(machine, 2048),
        lambda: [np.sort(values, kind="stable") for _ in range(3)],
    )


def peak() -> float:
    """MiB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ask(chips: int) -> None:
    """Ask once, in this process, and print the answer with its cost."""
    machine = rf.preset("rainier", chips=chips)
    batch = 2048 if chips <= 65_536 else 4096
    machine.training_step(
        rf.Training("llama-3.1-405b", sequence=8192, batch=batch), rf.Layout(tp=16, pp=16)
    )
    before, start = peak(), time.process_time()
    ranking = searched(machine, batch)
    seconds, most = time.process_time() - start, peak()
    print(
        f"405B, batch {batch:,}, on {chips:,} chips, built as {rf.build_info()['profile']}: "
        f"{ranking.searched:,} layouts in {seconds:.2f} CPU s, {ranking.searched / seconds:,.0f} a "
        f"second; peak {most:.0f} MiB, {most - before:.0f} MiB above the start\n{ranking}\n"
    )


def main() -> None:
    """Ask in a process for each size."""
    for chips in sys.argv[1:] or ("65536", "524288"):
        subprocess.run([sys.executable, __file__, "one", chips], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        ask(int(sys.argv[2]))
    else:
        main()
