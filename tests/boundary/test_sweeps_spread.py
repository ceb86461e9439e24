"""Sweeps over processes, Dask and Ray, killed and stopped at any moment: always the same file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import pytest

import rainier_fast as rf
from rainier_fast.sweeps.journal import unframed

SPACE = {"a": range(60), "b": ["x", "y"]}


def answer(a: int, b: str) -> dict[str, Any]:
    time.sleep(0.005)
    return {"twice": 2 * a, "text": f"{a}{b}"}


def ending(a: int, b: str) -> int:
    if (a, b) == (2, "y"):
        os._exit(7)
    return a


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "s.csv"
    rf.sweep(SPACE, answer, "serial", path)
    return path.read_bytes()


def test_a_point_that_ends_its_process_is_a_row(tmp_path: Path) -> None:
    space = {"a": [1, 2, 3], "b": ["x", "y"]}
    found = rf.sweep(space, ending, None, tmp_path / "s.csv", workers=1, batch=2)
    assert found["value"].tolist() == [1, 1, 2, None, 3, 3]
    assert next(iter(found.errors))["error_type"] == "ProcessDied"


def test_what_other_processes_cannot_have_is_named(tmp_path: Path) -> None:
    lock = Lock()

    def holding(a: int, b: str) -> bool:
        return lock.locked()

    with pytest.raises(rf.InvalidType) as raised:
        rf.sweep(SPACE, holding, None, tmp_path / "s.csv")
    assert raised.value.argument == "fn"


SCRIPT = f"""
    import sys, time
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    import rainier_fast as rf
    from test_sweeps_spread import SPACE, answer
    if __name__ == "__main__":
        print("begun", flush=True)
        rf.sweep(SPACE, answer, sys.argv[2], sys.argv[1], workers=2, batch=1)
"""


def begun(path: Path, executor: str) -> subprocess.Popen[str]:
    script = path.with_suffix(".py")
    script.write_text(textwrap.dedent(SCRIPT))
    run = [sys.executable, str(script), str(path), executor]
    process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def kept(path: Path) -> set[int]:
    """Return the points that a journal has, each of which is there once."""
    part = path.with_name(path.name + ".part")
    found: list[int] = []
    for line in part.read_bytes().splitlines(keepends=True) if part.exists() else []:
        record = unframed(line)
        if record is not None and "first" in record:
            found += range(record["first"], record["first"] + record["n"])
    assert len(set(found)) == len(found)
    return set(found)


def wait_for(path: Path, points: int) -> None:
    end = time.monotonic() + 60
    while len(kept(path)) < points:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_killed_and_resumed_it_is_the_same_file(tmp_path: Path, whole: bytes) -> None:
    path, before = tmp_path / "s.csv", set[int]()
    for executor in ("processes", "serial"):
        process = begun(path, executor)
        wait_for(path, len(before) + 20)
        process.kill()
        process.communicate()
        now = kept(path)
        assert before < now
        before = now
    rf.sweep(SPACE, answer, "serial", path)
    assert path.read_bytes() == whole


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGINT")
@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_ctrl_c_keeps_what_came_back(executor: str, tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "s.csv"
    process = begun(path, executor)
    wait_for(path, 20)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert said.rstrip().splitlines()[-1].endswith("the same call goes on from there")
    assert f"{len(kept(path))} of 120 points" in said
    rf.sweep(SPACE, answer, "serial", path)
    assert path.read_bytes() == whole


@pytest.mark.timeout(120)
def test_dask_gives_the_same_file_when_a_worker_is_killed(tmp_path: Path, whole: bytes) -> None:
    distributed = pytest.importorskip("distributed")
    path = tmp_path / "s.csv"
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        if sys.platform != "win32":
            Timer(0.2, lambda: os.kill(victim, signal.SIGKILL)).start()
        with pytest.raises(rf.InvalidType, match="get_executor"):
            rf.sweep(SPACE, answer, client, path)
        rf.sweep(SPACE, answer, client.get_executor(), path, batch=3)
    assert path.read_bytes() == whole


@pytest.mark.timeout(120)
def test_ray_gives_the_same_file(tmp_path: Path, whole: bytes) -> None:
    pytest.importorskip("ray")
    path = tmp_path / "s.csv"
    rf.sweep(SPACE, answer, "ray", path)
    assert path.read_bytes() == whole
