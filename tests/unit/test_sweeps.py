"""Sweeps in one process: rows, order, files, and going on with what is there."""

from __future__ import annotations

import errno
import json
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import rainier_fast as rf

TRN2 = rf.preset("trn2")
SPACE = {"a": [1, 2, 3], "b": ["x", "y"]}


def answer(a: int, b: str) -> dict[str, Any]:
    return {"twice": 2 * a, "half": a / 2, "text": f"{a}{b}", "odd": a % 2 == 1, "none": None}


def failing(a: int, b: str) -> dict[str, Any]:
    if (a, b) == (2, "y"):
        raise ValueError("two\n<b>y</b>")
    return {"twice": 2 * a}


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"s.{request.param}"


def swept(path: Path, space: Any = None, fn: Callable[..., Any] = answer, **words: Any) -> Any:
    return rf.sweep(SPACE if space is None else space, fn, "serial", path, **words)


def test_rows_are_in_order_and_read_back(path: Path) -> None:
    found = swept(path)
    assert found.columns[:2] == found.axes == ("a", "b")
    assert list(found.table)[3] == {
        "a": 2, "b": "y", "twice": 4, "half": 1.0, "text": "2y", "odd": False, "none": None,
        "error_type": None, "error": None,
    }  # fmt: skip
    assert rf.read(path) == found
    assert rf.read(path.read_bytes()).table == found.table
    assert len(found) == 6
    assert len(found.errors) == 0
    assert not path.with_name(path.name + ".part").exists()


def test_what_is_done_is_not_asked_again(path: Path) -> None:
    swept(path)
    before = path.read_bytes()

    def never(**_: object) -> None:
        raise AssertionError

    never.__module__, never.__qualname__ = answer.__module__, answer.__qualname__
    swept(path, fn=never)
    assert path.read_bytes() == before


def test_threads_write_the_same_bytes(path: Path) -> None:
    space = {"a": range(50), "b": "xyz"}
    swept(path, space)
    other = path.with_name("t" + path.suffix)
    with ThreadPoolExecutor(2) as pool:
        rf.sweep(space, answer, pool, other, batch=7)
    assert other.read_bytes() == path.read_bytes()


def test_what_a_point_raises_is_a_row(path: Path) -> None:
    found = swept(path, fn=failing)
    assert list(found.errors) == [
        {"a": 2, "b": "y", "error_type": "ValueError", "error": "two <b>y</b>"}
    ]
    assert found["twice"].tolist()[:3] == [2, 2, 4]
    assert "&lt;b&gt;" in found._repr_html_()


def test_other_columns_later_are_errors_with_what_they_said(path: Path) -> None:
    def changing(a: int, b: str) -> dict[str, Any]:
        return {"twice": 1} if a < 3 else {"more": 7}

    found = swept(path, fn=changing)
    assert found.columns == ("a", "b", "twice", "error_type", "error")
    assert found.errors["error_type"].tolist() == ["OtherColumns"] * 2
    assert "lacks twice and has more = 7" in found.errors["error"][0]


@dataclass
class Told:
    b: str
    seconds: float
    table: list[int]


@pytest.mark.parametrize(
    ("result", "columns"),
    [
        (3, {"value": [3]}),
        ({"a": 1, "c": 2}, {"c": [2]}),
        (Told("other", 0.5, [1]), {"result_b": ["other"], "seconds": [0.5]}),
        (TRN2.send_recv(1e6, shift=1), {"operation": ["send_recv"]}),
    ],
)
def test_what_a_function_may_return(result: Any, columns: Any, tmp_path: Path) -> None:
    found = swept(tmp_path / "s.csv", {"a": 1, "b": "x"}, lambda a, b: result)
    assert len(found.errors) == 0, list(found.errors)
    assert {name: found[name].tolist() for name in columns} == columns


@pytest.mark.parametrize("result", [{"a": 9}, {"error": 1}, {1: 2}, {"c": [1]}, [1], object()])
def test_what_it_may_not_return_is_an_error_of_the_row(result: Any, tmp_path: Path) -> None:
    found = swept(tmp_path / "s.csv", {"a": 1, "b": "x"}, lambda a, b: result)
    assert len(found.errors) == 1


def test_points_as_dicts_and_of_a_generator(path: Path) -> None:
    def points() -> Iterator[dict[str, int]]:
        yield from ({"a": a} if a % 2 else {"a": a, "b": a} for a in range(5))

    found = swept(path, points(), lambda a, b=0: a + b)
    assert found["value"].tolist() == [0, 1, 4, 3, 8]
    assert found["b"].tolist() == [0, None, 2, None, 4]
    assert swept(path, points(), lambda a, b=0: a + b) == found


def test_columns_of_mixed_types_are_floats_or_text(path: Path) -> None:
    values = [1, 0.5, 2], ["x", 1, True], [2**70, 1, 2], [float("inf"), 1, 2]
    names = ("a", "b", "c", "d")
    found = swept(
        path,
        {"i": range(3)},
        lambda i: {name: column[i] for name, column in zip(names, values, strict=True)},
    )
    assert found["a"].tolist() == [1.0, 0.5, 2.0]
    assert found["b"].tolist() == ["x", "1", "true"]
    assert found["c"].tolist() == [str(2**70), "1", "2"]
    assert found["d"].tolist() == [float("inf"), 1.0, 2.0]


def test_collectives_are_priced_together_and_equal_single_calls(tmp_path: Path) -> None:
    space = {"size": ["1 KiB", 2**20, "-1"], "algorithm": ["ring", "auto", "no"]}
    found = swept(tmp_path / "s.csv", space, partial(TRN2.all_gather, dtype="bf16"))
    rows = [row for row in found.table if row["error"] is None]
    assert [row["time_s"] for row in rows] == [
        TRN2.all_gather(size, algorithm=algorithm, dtype="bf16").time_s
        for size in ("1 KiB", 2**20)
        for algorithm in ("ring", "auto")
    ]
    assert set(found.errors["error_type"]) == {"InvalidArgument", "UnknownName"}
    assert rows[0]["kind"] == TRN2.all_gather(1).kind
    mesh = TRN2.mesh(dp=4, tp=4)
    both = {"operation": ["all_reduce", "barrier"], "size": [1e6], "axis": ["tp", "dp"]}
    found = swept(tmp_path / "m.csv", both, mesh)
    assert found["time_s"].tolist()[1] == mesh.all_reduce(1e6, axis="dp").time_s
    assert len(found.errors) == 0


@pytest.mark.parametrize(
    ("space", "argument"),
    [
        ({}, "space"),
        ([], "space"),
        (3, "space"),
        ([1], "space[0]"),
        ({"a": [], "b": "x"}, "space['a']"),
        ({"a": {1, 2}, "b": "x"}, "space['a']"),
        ({"a": [1, 1], "b": "x"}, "space['a']"),
        ({"a": [object()], "b": "x"}, "space['a']"),
        ({1: [1]}, "space"),
        ({"error": [1]}, "space"),
        ({"a": [1]}, "space"),
        ({"a": [1], "b": [1], "c": [1]}, "space"),
    ],
)
def test_spaces_that_are_none(space: Any, argument: str, tmp_path: Path) -> None:
    with pytest.raises(rf.RainierError) as raised:
        swept(tmp_path / "s.csv", space)
    assert raised.value.argument == argument
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "argument"),
    [
        ({"fn": 3}, "fn"),
        ({"executor": "dsak"}, "executor"),
        ({"executor": 3}, "executor"),
        ({"into": "s.txt"}, "into"),
        ({"into": "no/such/s.csv"}, "into"),
        ({"into": 3}, "into"),
        ({"progress": 3}, "progress"),
        ({"workers": 0}, "workers"),
        ({"batch": 0}, "batch"),
        ({"extend": 1}, "extend"),
        ({"fn": TRN2}, "space"),
        ({"fn": TRN2.all_reduce}, "space"),
    ],
)
def test_arguments_that_are_none(
    words: dict[str, Any], argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    good: dict[str, Any] = {"fn": answer, "executor": "serial", "into": "s.csv"}
    with pytest.raises(rf.RainierError) as raised:
        rf.sweep(SPACE, **(good | words))
    assert raised.value.argument == argument


def test_another_space_or_function_is_refused_by_what_changed(path: Path) -> None:
    swept(path)
    for space, words in (
        ({"a": [1, 2, 4], "b": ["x", "y"]}, "axis 'a': 3 gone, 4 new"),
        ({"a": [1, 3, 2], "b": ["x", "y"]}, "axis 'a': the order of its values"),
        ({"b": ["x", "y"], "a": [1, 2, 3]}, "the order of the axes"),
        ([{"a": 1, "b": "x"}], "it was a product of axes and is a list of points"),
    ):
        with pytest.raises(rf.InvalidArgument, match=words):
            swept(path, space)
    with pytest.raises(rf.InvalidArgument, match="fn: got"):
        swept(path, fn=failing)


def test_a_space_that_grew_is_extended_when_told(path: Path, tmp_path: Path) -> None:
    def counting(a: int, b: str) -> dict[str, Any]:
        asked.append((a, b))
        return answer(a, b)

    asked: list[tuple[int, str]] = []
    swept(path, fn=counting)
    asked.clear()
    more = {"a": [0, 1, 2, 2.5, 3], "b": ["y", "x"]}
    with pytest.raises(rf.InvalidArgument, match="extend=True"):
        swept(path, more, counting)
    swept(path, more, counting, extend=True)
    assert asked == [(0, "y"), (0, "x"), (2.5, "y"), (2.5, "x")]
    whole = tmp_path / f"w{path.suffix}"
    swept(whole, more, counting)
    assert path.read_bytes() == whole.read_bytes()
    with pytest.raises(rf.InvalidArgument, match="space"):
        swept(path, {"a": [0, 1], "b": ["y", "x"]}, counting, extend=True)


def test_points_that_failed_are_asked_again_when_told(path: Path) -> None:
    broken = True

    def mended(a: int, b: str) -> dict[str, Any]:
        if broken and a == 2:
            raise OSError("no licence")
        asked.append(a)
        return answer(a, b)

    asked: list[int] = []
    swept(path, fn=mended)
    asked.clear()
    broken = False
    assert len(swept(path, fn=mended).errors) == 2
    assert len(swept(path, fn=mended, retry_errors=True).errors) == 0
    assert asked == [2, 2]


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


def test_progress_is_told_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[int, int]] = []
    swept(tmp_path / "s.csv", progress=lambda *counts: seen.append(counts))
    assert seen[0] == (0, 6)
    assert seen[-1] == (6, 6)
    swept(tmp_path / "t.csv", progress=True)
    assert "6 of 6 points, done in" in capsys.readouterr().err


def test_the_header_says_what_was_swept(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    swept(path)
    header = json.loads(path.read_text().partition("\n")[0].removeprefix("# "))
    assert header["function"] == f"{__name__}.answer"
    assert header["space"]["axes"][1]["values"] == ["x", "y"]
