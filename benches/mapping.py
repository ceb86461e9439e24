"""What `best_mapping` over two, three and four axes takes: python benches/mapping.py [chips].

Each in a process of its own: CPU seconds of all threads, and the peak above that of the start.
"""

import resource
import subprocess
import sys
import time

import rainier_fast as rf

AXES = {"dp": -1, "tp": 16, "pp": 16, "cp": 4, "ep": 4}
TRAFFIC = {
    "dp": ("all_reduce", "1 GiB"),
    "tp": ("all_reduce", "64 MiB", 80),
    "pp": ("send_recv", "16 MiB", 64),
    "cp": ("all_gather", "32 MiB", 40),
    "ep": ("all_to_all", "64 MiB", 60),
}


def mapped(machine: rf.Machine, count: int) -> object:
    """The ranking of so many axes."""
    names = [name for name in ("dp", "pp", "ep", "cp", "tp") if name in list(AXES)[:count]]
    axes = {name: AXES[name] for name in names}
    return machine.best_mapping(axes, {name: TRAFFIC[name] for name in names})


def peak() -> float:
    """MiB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ask(count: int, chips: int) -> None:
    """Ask once, in this process, and print the answer with its cost."""
    machine = rf.preset("rainier", chips=chips)
    before, start = peak(), time.process_time()
    ranking = mapped(machine, count)
    seconds, most = time.process_time() - start, peak()
    print(
        f"{count} axes over {chips:,} chips, built as {rf.build_info()['profile']}: {seconds:.2f} "
        f"CPU s, peak {most:.0f} MiB, {most - before:.0f} MiB above the start\n{ranking}\n"
    )


def main() -> None:
    """Ask in a process for each number of axes."""
    chips = sys.argv[1] if len(sys.argv) > 1 else "524288"
    for count in (2, 3, 4):
        subprocess.run([sys.executable, __file__, chips, str(count)], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        ask(int(sys.argv[2]), int(sys.argv[1]))
    else:
        main()
