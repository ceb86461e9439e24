"""Sweeps that stop: Ctrl-C, full disks, cut journals, executors that die; and going on."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf
from small_sweeps import answer, swept


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"s.{request.param}"


class Stop(KeyboardInterrupt):
    pass


def stopped(path: Path, after: int, space: Any, **words: Any) -> list[int]:
    """Sweep until Ctrl-C comes at a point, and return the points that were asked."""
    asked: list[int] = []

    def fn(a: int) -> int:
        if len(asked) == after:
            raise Stop
        asked.append(a)
        return a * a

    with pytest.raises(Stop) as raised:
        swept(path, space, fn, **words)
    assert f"{after:,} of {len(space['a'])}" in raised.value.__notes__[0]
    return asked


def test_after_ctrl_c_each_point_is_asked_once(path: Path) -> None:
    space = {"a": range(40)}
    first = stopped(path, 17, space)
    asked: list[int] = []

    def fn(a: int) -> int:
        asked.append(a)
        return a * a

    fn.__qualname__ = "stopped.<locals>.fn"
    with pytest.raises(rf.InvalidArgument, match="17 of 40"):
        rf.read(path.with_name(path.name + ".part"))
    found = swept(path, space, fn)
    assert first + asked == list(range(40))
    assert found["value"].tolist() == [a * a for a in range(40)]


def test_a_journal_cut_at_any_byte_goes_on_to_the_same_file(tmp_path: Path) -> None:
    space, path = {"a": range(30)}, tmp_path / "s.csv"
    part = tmp_path / "s.csv.part"
    stopped(path, 25, space, batch=3)
    journal = part.read_bytes()
    header = journal.index(b"\n") + 1

    def fn(a: int) -> int:
        return a * a

    fn.__qualname__ = "stopped.<locals>.fn"
    whole = None
    chosen = random.Random(3)
    for _ in range(40):
        cut = chosen.randrange(header, len(journal) + 1)
        part.write_bytes(journal[:cut] + chosen.randbytes(chosen.choice([0, 0, 9])))
        path.unlink(missing_ok=True)
        swept(path, space, fn)
        whole = whole or path.read_bytes()
        assert path.read_bytes() == whole
    hurt = bytearray(journal)
    hurt[header + 20] ^= 1
    part.write_bytes(hurt)
    path.unlink()
    with pytest.raises(rf.InvalidArgument, match="damaged at line 2"):
        swept(path, space, fn)
    assert part.read_bytes() == hurt


def test_files_of_others_are_left_alone(path: Path) -> None:
    for content in (b"a,b\n1,2\n", b"", b"PAR1" + bytes(40), b"\xff\xfe", b"{}"):
        path.write_bytes(content)
        with pytest.raises(rf.InvalidArgument, match="into"):
            swept(path)
        assert path.read_bytes() == content
    path.unlink()
    part = path.with_name(path.name + ".part")
    part.write_bytes(b"mine\n")
    with pytest.raises(rf.InvalidArgument, match="into"):
        swept(path)
    assert part.read_bytes() == b"mine\n"


def test_a_file_that_is_cut_short_is_refused(path: Path) -> None:
    swept(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4].rpartition(b"\n")[0])
    with pytest.raises(rf.InvalidArgument):
        _ = rf.read(path).table
    with pytest.raises(rf.InvalidArgument):
        rf.read(path.read_bytes(), "sweep")


def test_a_full_disk_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, write = 1500, os.write

    def full(file: int, data: Any) -> int:
        nonlocal left
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        n = write(file, bytes(data)[:left])
        left -= n
        return n

    space = {"a": range(60), "b": ["x"]}
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(rf.SweepStopped, match="No space left") as raised:
            swept(path, space, batch=2)
    assert "the same call goes on" in str(raised.value)
    found = swept(path, space)
    assert found["twice"].tolist() == [2 * a for a in range(60)]


def test_no_other_sweep_writes_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"

    def inner(a: int, b: str) -> int:
        if a == 3 and b == "y":
            with pytest.raises(rf.InvalidArgument, match="another sweep"):
                swept(path, fn=inner)
        return a

    assert len(swept(path, fn=inner).errors) == 0


class Dying(Executor):
    """Answers some batches, then breaks, in one way or another."""

    def __init__(self, answers: int, way: str) -> None:
        self.left, self.way = answers, way

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.left -= 1
        future: Future[Any] = Future()
        if self.left >= 0:
            future.set_result(fn(*args, **kwargs))
        elif self.way == "submit":
            raise RuntimeError("cannot schedule new futures after shutdown")
        elif self.way == "cancel":
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(BrokenExecutor("gone") if self.way == "break" else OSError("net"))
        return future


@pytest.mark.parametrize("way", ["submit", "cancel", "break", "fail"])
def test_an_executor_that_dies_loses_nothing(way: str, path: Path) -> None:
    space = {"a": range(30), "b": ["x"]}
    with pytest.raises(rf.SweepStopped, match="6 of 30 points are kept"):
        rf.sweep(space, answer, Dying(3, way), path, batch=2)
    found = swept(path, space)
    assert found["twice"].tolist() == [2 * a for a in range(30)]


def test_a_function_edited_between_calls_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    stopped(path, 5, {"a": range(9)})

    def fn(a: int) -> dict[str, int]:
        return {"other": a}

    fn.__qualname__ = "stopped.<locals>.fn"
    with pytest.raises(rf.SweepStopped, match="got columns other"):
        swept(path, {"a": range(9)}, fn)
