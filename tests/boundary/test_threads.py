"""Calls from several Python threads at once, and how many threads of its own a call takes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from raising import raises

VARIABLE = "RAINIER_NUM_THREADS"
TORUS = rf.torus((16, 16, 8), 50e9, "1 us")
RNG = np.random.default_rng(5)
SRC, DST = RNG.integers(0, TORUS.num_chips, (2, 400_000))
SIZES = 10.0 ** RNG.uniform(-15, 15, SRC.size)


def bits(loads: rf.LinkLoads) -> Any:
    return np.ascontiguousarray(loads.bytes).view(np.uint64)


def test_calls_at_once_give_the_bits_of_one_by_one() -> None:
    cluster = rf.preset("rainier", chips=4096, sites=3)
    jobs = [
        lambda: bits(TORUS.link_loads(SRC, DST, SIZES)),
        lambda: bits(TORUS.link_loads(SRC[:3000], DST[:3000], SIZES[:3000], "adaptive")),
        lambda: bits(TORUS.traffic("uniform", 1e9)),
        lambda: bits(cluster.all_reduce("1 GiB").link_loads()),
        lambda: bits(cluster.mesh(dp=-1, tp=64).all_gather("1 MiB", axis="tp").link_loads()),
        lambda: bits(TORUS.link_loads(SRC, DST, 3, n_threads=7)),
    ]
    expected = [job() for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            for found, right in zip(pool.map(lambda job: job(), jobs), expected, strict=True):
                assert np.array_equal(found, right)


def test_the_gil_is_free_during_a_call() -> None:
    ticks, stop = [0], threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks[0] += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    started = time.monotonic()
    while time.monotonic() - started < 0.3:
        TORUS.link_loads(np.tile(SRC, 20), np.tile(DST, 20), 8, n_threads=1)
    stop.set()
    ticker.join()
    assert ticks[0] >= 20


@pytest.mark.parametrize("threads", [1, 2, 3, 7, 64, 1024, np.int64(2), np.uint8(3)])
def test_any_number_of_threads_gives_the_same_bits(threads: Any) -> None:
    one = bits(TORUS.link_loads(SRC, DST, SIZES, n_threads=1))
    assert np.array_equal(bits(TORUS.link_loads(SRC, DST, SIZES, n_threads=threads)), one)
    assert TORUS.traffic("tornado", 8, n_threads=threads) == TORUS.traffic("tornado", 8)


@pytest.mark.parametrize("threads", [0, -1, 1025, 2**70, 1.0, "2", True, [2], np.float64(2)])
def test_bad_numbers_of_threads(threads: Any) -> None:
    for call in (
        lambda: TORUS.link_loads(0, 1, 8, n_threads=threads),
        lambda: TORUS.traffic("tornado", 8, n_threads=threads),
        lambda: TORUS.traffic("uniform", 8, n_threads=threads),
    ):
        with raises(rf.RainierError, "n_threads") as caught:
            call()
        assert isinstance(caught.value, ValueError | TypeError)


@pytest.mark.parametrize("text", ["0", "-1", "many", "2.0", "1025", "1e3", "9" * 30, "²", "1 2"])
def test_bad_variables(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with raises(rf.InvalidArgument, VARIABLE):
        TORUS.link_loads(0, 1, 8)
    assert TORUS.link_loads(0, 1, 8, n_threads=2).total_hop_bytes == 8  # the argument wins


@pytest.mark.parametrize("text", ["", "1", "2", "7", " 3 ", "1024", "0007"])
def test_good_variables(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = bits(TORUS.link_loads(SRC, DST, SIZES, n_threads=1))
    monkeypatch.setenv(VARIABLE, text)
    assert np.array_equal(bits(TORUS.link_loads(SRC, DST, SIZES)), right)


WATCH = """
import os, sys, threading, time
import numpy as np
import rainier_fast as rf

machine = rf.torus((16, 16, 16), 50e9)
src, dst = np.random.default_rng(1).integers(0, 4096, (2, 10_000_000), dtype=np.int32)
most, stop = 0, threading.Event()

def watch():
    global most
    while not stop.is_set():
        most = max(most, len(os.listdir("/proc/self/task")))
        time.sleep(0.002)

watcher = threading.Thread(target=watch)
watcher.start()
arguments = {} if sys.argv[1] == "-" else {"n_threads": int(sys.argv[1])}
machine.link_loads(src, dst, 8, **arguments)
stop.set()
watcher.join()
print(most)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
@pytest.mark.parametrize(("argument", "variable", "workers"), [("5", "2", 5), ("-", "4", 4)])
def test_a_call_takes_as_many_threads_as_it_is_told(
    argument: str, variable: str, workers: int
) -> None:
    def most(given: str, text: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", WATCH, given],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=os.environ | {VARIABLE: text, "OPENBLAS_NUM_THREADS": "1"},
        )
        return int(done.stdout)

    # Beside the workers: the main thread, the watcher, and the thread that a job runs on.
    assert most(argument, variable) - most("1", "") in (workers - 1, workers)


def test_collectives_run_on_threads_with_small_stacks() -> None:
    # They compute on the thread of their caller, of which programs with many threads cut the stack.
    cluster, cube = rf.preset("rainier", chips=4096, sites=3), rf.torus((8, 8, 8), 50e9)
    trn2 = rf.preset("trn2")
    hurt = trn2.with_faults(chips=[3])
    jobs = [
        lambda: cluster.all_reduce("1 GiB").time_s,
        lambda: cube.all_to_all("1 GiB").time_s,
        lambda: hurt.all_gather("1 MiB").time_s,
        lambda: trn2.all_reduce("1 MiB", model="fluid").time_s,
        lambda: trn2.all_gather("1 MiB", algorithm="synthesized").time_s,
        lambda: cluster.times("all_reduce", [1e3, 1e6, 1e9]).time_s.tolist(),
    ]
    found: list[Any] = []
    before = threading.stack_size(256 * 1024)
    try:
        worker = threading.Thread(target=lambda: found.extend(job() for job in jobs))
        worker.start()
    finally:
        threading.stack_size(before)
    worker.join()
    assert found == [job() for job in jobs]
