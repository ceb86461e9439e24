"""A search of layouts over executors, under Ctrl-C, and with a callback that stops it."""

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
from rainier_fast.workload import layout_search

MACHINE = rf.preset("rainier", chips=256)
JOB = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
WORDS: dict[str, Any] = {"cp": [1, 2], "schedule": ["1f1b", "zb-h1"], "keep": 9}


@pytest.fixture(scope="module")
def alone() -> rf.LayoutRanking:
    return MACHINE.best_layouts(JOB, **WORDS)


def same(found: rf.LayoutRanking, alone: rf.LayoutRanking) -> bool:
    both = (found, found.layouts, found.pareto, found.pruned)
    return both == (alone, alone.layouts, alone.pareto, alone.pruned)


def test_a_pool_of_threads_gives_the_same(alone: rf.LayoutRanking) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert same(MACHINE.best_layouts(JOB, executor=pool, **WORDS), alone)


def test_spawned_processes_give_the_same(alone: rf.LayoutRanking) -> None:
    context = multiprocessing.get_context("spawn")
    seen: list[tuple[int, int]] = []
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = MACHINE.best_layouts(
            JOB, executor=pool, progress=lambda *counts: seen.append(counts), **WORDS
        )
    assert same(found, alone)
    assert seen[-1][0] == seen[-1][1] > 1


@pytest.mark.timeout(120)
def test_a_dask_cluster_of_two_workers_gives_the_same(alone: rf.LayoutRanking) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        pids = set(client.run(os.getpid).values())
        assert len(pids) == 2
        assert os.getpid() not in pids
        with client.get_executor() as executor:
            found = MACHINE.best_layouts(JOB, executor=executor, **WORDS)
    assert same(found, alone)


def test_work_pickles_small() -> None:
    hurt = rf.preset("rainier", chips=256).with_faults(links=[3])
    sent: list[bytes] = []

    class Recording(Executor):
        def submit(self, fn: Any, /, *arguments: Any, **words: Any) -> Future[Any]:
            sent.append(pickle.dumps((fn, arguments, words)))
            again, copied, _ = pickle.loads(sent[-1])
            future: Future[Any] = Future()
            future.set_result(again(*copied))
            return future

    words = {**WORDS, "tp": [8, 16], "algorithm": "auto"}
    found = hurt.best_layouts(JOB, executor=Recording(), **words)
    assert len(sent) > 2
    assert max(map(len, sent)) < 20_000
    assert same(found, hurt.best_layouts(JOB, **words))


def test_a_callback_may_stop_it() -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        MACHINE.best_layouts(JOB, progress=stop, **WORDS)
    with ThreadPoolExecutor(1) as pool, pytest.raises(Enough):
        MACHINE.best_layouts(JOB, progress=stop, executor=pool, **WORDS)


@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_stops_it_soon() -> None:
    program = textwrap.dedent(
        """
        import time
        import rainier_fast as rf
        machine = rf.preset("rainier")
        job = rf.Training("deepseek-v3", sequence=4096, batch=15360)
        print("go", flush=True)
        try:
            machine.best_layouts(job)
        except KeyboardInterrupt:
            print("stopped", flush=True)
        """
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "go\n"
        time.sleep(1.5)
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "stopped\n"
        # Seen: below 0.2 s on an idle machine.
        assert time.monotonic() - begun < 5.0


def test_the_worker_function_is_at_module_level() -> None:
    assert pickle.loads(pickle.dumps(layout_search.weigh)) is layout_search.weigh
