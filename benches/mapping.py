"""What `best_mapping` over four axes of 524,288 chips takes: python benches/mapping.py [chips]."""

import resource
import sys
import time

import rainier_fast as rf

TRAFFIC = {
    "dp": ("all_reduce", "1 GiB"),
    "pp": ("send_recv", "16 MiB", 64),
    "cp": ("all_gather", "32 MiB", 40),
    "tp": ("all_reduce", "64 MiB", 80),
}


def main() -> None:
    """Ask once, in this process, and print the answer with its cost."""
    chips = int(sys.argv[1]) if len(sys.argv) > 1 else 524_288
    machine = rf.preset("rainier", chips=chips)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    ranking = machine.best_mapping({"dp": -1, "pp": 16, "cp": 4, "tp": 16}, TRAFFIC)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(ranking)
    print(
        f"\n{chips:,} chips, built as {rf.build_info()['profile']}: {seconds:.1f} CPU s, peak "
        f"{peak / 1024:.0f} MiB, {(peak - before) / 1024:.0f} MiB above the start"
    )


if __name__ == "__main__":
    main()
