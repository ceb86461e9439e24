"""Monte Carlo gives the same numbers however it is spread; progress, Ctrl-C and errors reach it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.studies import sampling
from raising import raises

MACHINE = rf.preset("rainier", chips=8192, sites=3)
WORDS: dict[str, Any] = {"rates": "llama3", "hours": 50.0, "draws": 70, "seed": 11}


@pytest.fixture(scope="module")
def alone() -> rf.MonteCarlo:
    return MACHINE.monte_carlo("all_reduce", "1 GiB", n_threads=1, **WORDS)


def test_threads_give_the_same(alone: rf.MonteCarlo) -> None:
    assert len(set(alone.times_s.tolist())) > 5
    for threads in (2, 3, None):
        assert MACHINE.monte_carlo("all_reduce", "1 GiB", n_threads=threads, **WORDS) == alone


def test_fewer_draws_are_the_first_ones(alone: rf.MonteCarlo) -> None:
    few = MACHINE.monte_carlo("all_reduce", "1 GiB", **{**WORDS, "draws": 9})
    assert few.times_s.tolist() == alone.times_s[:9].tolist()


def test_a_pool_of_threads_gives_the_same(alone: rf.MonteCarlo) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert MACHINE.monte_carlo("all_reduce", "1 GiB", executor=pool, **WORDS) == alone


def test_spawned_processes_give_the_same(alone: rf.MonteCarlo) -> None:
    context = multiprocessing.get_context("spawn")
    seen: list[tuple[int, int]] = []
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = MACHINE.monte_carlo(
            "all_reduce",
            "1 GiB",
            executor=pool,
            progress=lambda done, total: seen.append((done, total)),
            **WORDS,
        )
    assert found == alone
    assert seen[-1] == (70, 70)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.timeout(120)
def test_a_dask_cluster_of_two_workers_gives_the_same(alone: rf.MonteCarlo) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        pids = set(client.run(os.getpid).values())
        assert len(pids) == 2
        assert os.getpid() not in pids
        with client.get_executor() as executor:
            found = MACHINE.monte_carlo("all_reduce", "1 GiB", executor=executor, **WORDS)
    assert found == alone


def test_work_pickles_small() -> None:
    hurt = rf.preset("rainier").with_faults(links=[3], chips=[7])
    sent: list[bytes] = []

    class Recording(Executor):
        def submit(self, fn: Any, /, *arguments: Any, **words: Any) -> Future[Any]:
            sent.append(pickle.dumps((fn, arguments, words)))
            again, copied, _ = pickle.loads(sent[-1])
            future: Future[Any] = Future()
            future.set_result(again(*copied))
            return future

    words = {**WORDS, "draws": 2, "hours": 0.1}
    found = hurt.monte_carlo("all_reduce", "1 GiB", executor=Recording(), **words)
    assert len(sent) == 2
    assert max(map(len, sent)) < 20_000
    assert found == hurt.monte_carlo("all_reduce", "1 GiB", **words)


def test_an_error_in_a_worker_stops_all() -> None:
    # Halving does not run on the odd number of UltraServers that a draw leaves.
    words = {
        **WORDS,
        "rates": rf.FailureRates(ultraserver_per_hour=1e-3),
        "algorithm": ["bucket", "halving_doubling", "mesh"],
    }
    with ThreadPoolExecutor(1) as pool:
        with raises(rf.Unsupported, None, "draw ", "halving_doubling"):
            MACHINE.monte_carlo("all_reduce", "1 GiB", executor=pool, **words)
        with raises(rf.Unsupported, None, "draw ", "halving_doubling"):
            MACHINE.monte_carlo("all_reduce", "1 GiB", **words)


def test_progress_counts_up_and_may_stop_it() -> None:
    seen: list[tuple[int, int]] = []
    MACHINE.monte_carlo(
        "all_reduce", "1 GiB", progress=lambda *counts: seen.append(counts), **WORDS
    )
    assert seen[-1] == (70, 70)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        MACHINE.monte_carlo("all_reduce", "1 GiB", progress=stop, **{**WORDS, "draws": 5000})
    with ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        with pytest.raises(Enough):
            MACHINE.monte_carlo(
                "all_reduce", "1 GiB", progress=stop, executor=pool, **{**WORDS, "draws": 5000}
            )
        assert time.monotonic() - begun < 30


@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_stops_it_soon() -> None:
    program = textwrap.dedent(
        """
        import time
        import rainier_fast as rf
        machine = rf.preset("rainier", chips=8192, sites=3)
        print("go", flush=True)
        try:
            machine.monte_carlo("all_reduce", "1 GiB", hours=50.0, draws=10_000_000)
        except KeyboardInterrupt:
            print("stopped", flush=True)
        """
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "go\n"
        time.sleep(1.0)
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "stopped\n"
        assert time.monotonic() - begun < 5.0


def test_the_worker_function_is_at_module_level() -> None:
    assert pickle.loads(pickle.dumps(sampling.run_draws)) is sampling.run_draws
