"""Random calls on odd machines with little memory: they answer or refuse, and no process ends.

    python benches/fuzz_memory.py --calls 20000 --seed 1

Batches of calls run in processes of their own whose address space is limited. What a call does
depends on the seed and its number alone: ``--first N --calls 1`` runs one again. A call that takes
long is interrupted as Ctrl-C does; it must stop soon. Prints how many calls answered, were refused
by which error, or were interrupted; ends with 1 if a process died, a call did not stop, or an
error was not one of this package.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fuzz_questions import QUESTIONS, Draw
from interrupts import attempt

ADDRESSES = 2_000_000 << 10
"""Bytes of address space of a process, as ``ulimit -v 2000000``."""
BATCH = 250
STOPS_WITHIN_S = 5.0
"""CPU seconds within which an interrupted call must stop."""
SILENT_S = 120.0
"""Seconds after which a process that says nothing, not even by CPU time, hangs."""
REPORT_EVERY = 2000


def child(seed: int, first: int, calls: int, long_s: float) -> None:
    """Run calls and print a line before and after each."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    import numpy as np

    import rainier_fast as rf

    for number in range(first, first + calls):
        draw = Draw(seed, number, rf, np)
        question = draw.one_of(*QUESTIONS)
        print(json.dumps({"begins": number, "asks": question.__name__}), flush=True)
        # A few may take longer, so that lists have the time to grow.
        alarm = long_s * (10 if draw.rng.random() < 0.05 else 1)
        seen = attempt(lambda draw=draw, ask=question: ask(draw), alarm, rf)
        said = {"ends": number, "as": seen.kind, "late": seen.late, "s": seen.seconds}
        print(json.dumps(said | {"text": seen.text[:300]}), flush=True)


class Tally:
    """What the processes said."""

    def __init__(self, *, verbose: bool) -> None:
        self.verbose = verbose
        self.kinds: collections.Counter[str] = collections.Counter()
        self.bad: list[str] = []
        self.latest = (0.0, "no call")
        self.seconds: collections.Counter[str] = collections.Counter()

    def note(self, asks: str, said: dict[str, Any]) -> None:
        kind = said["as"]
        self.kinds[kind] += 1
        self.seconds[asks] += said["s"]
        if self.verbose:
            times = f"{said['s']:.2f} {said['late']:.2f}"
            print(said["ends"], asks, kind, times, said["text"], flush=True)
        self.latest = max(self.latest, (said["late"], f"call {said['ends']} ({asks})"))
        if kind.startswith("raw"):
            self.fail(f"call {said['ends']} ({asks}): {kind}: {said['text']}")
        if said["late"] > STOPS_WITHIN_S:
            self.fail(f"call {said['ends']} ({asks}) stopped {said['late']:.1f} CPU s late")
        if sum(self.kinds.values()) % REPORT_EVERY == 0:
            self.report()

    def fail(self, what: str) -> None:
        self.bad.append(what)
        print("FAILED:", what, flush=True)

    def report(self) -> None:
        print(f"{sum(self.kinds.values())} calls, {sum(self.seconds.values()):.0f} CPU s:")
        for kind, count in self.kinds.most_common():
            print(f"{count:7}  {kind}")
        print("latest stop after an interrupt: {:.2f} CPU s, {}".format(*self.latest), flush=True)


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def batch(tally: Tally, arguments: argparse.Namespace, first: int, calls: int) -> int:
    """Run calls in a process of their own; return the number of the one that comes next."""
    shared = ["--seed", str(arguments.seed), "--long", str(arguments.long), "--child"]
    command = [sys.executable, __file__, "--first", str(first), "--calls", str(calls), *shared]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        os.set_blocking(process.stdout.fileno(), False)
        current, asks, begun, pending, killed = first - 1, "import", 0.0, b"", False
        heard = time.monotonic()
        while True:
            ready, _, _ = select.select([process.stdout], [], [], 1.0)
            read = os.read(process.stdout.fileno(), 1 << 16) if ready else None
            if read == b"":
                break
            heard = time.monotonic() if ready else heard
            *lines, pending = (pending + (read or b"")).split(b"\n")
            for line in lines:
                said = json.loads(line)
                if "begins" in said:
                    current, asks = said["begins"], said["asks"]
                    begun = cpu_seconds(process.pid)
                else:
                    tally.note(asks, said)
            if not killed and not ready:
                spent = cpu_seconds(process.pid) - begun
                silent = time.monotonic() - heard > SILENT_S and spent < 1.0
                if silent or spent > 10 * arguments.long + 2 * STOPS_WITHIN_S:
                    process.kill()
                    killed = True
        said_first = process.stderr.read().decode(errors="replace").strip()[:1200]
    if process.returncode == 0:
        return first + calls
    why = "did not stop" if killed else f"ended its process with {process.returncode}"
    tally.kinds["hang" if killed else "abort"] += 1
    tally.fail(f"call {current} ({asks}) {why}: {said_first}")
    return current + 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--long", type=float, default=0.5, help="CPU s before an interrupt")
    parser.add_argument("--verbose", action="store_true", help="a line for each call")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.seed, arguments.first, arguments.calls, arguments.long)
        return 0
    tally, end = Tally(verbose=arguments.verbose), arguments.first + arguments.calls
    at = arguments.first
    while at < end:
        at = batch(tally, arguments, at, min(BATCH, end - at))
    tally.report()
    for asks, seconds in tally.seconds.most_common():
        print(f"{seconds:7.1f} CPU s  {asks}")
    for line in tally.bad:
        print(line)
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
