"""`rainier-fast sweep`: questions of files at all combinations of their axes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rainier_fast as rf
from rainier_fast.cli.program import main

NICS = """
question = "all-reduce"
machine = "rainier:128"
into = "nics.csv"
[given]
dtype = "bf16"
[axes]
size = ["1 MiB", "1 GiB"]
machine.ultraserver.nic.bandwidth = ["25 GB/s", "50 GB/s"]
"""
STEP = """
question: training_step
machine: trn2
into: step.jsonl
given: {job.model: llama-3.1-8b, job.sequence: 4096, job.batch: 8}
axes: {layout.tp: [8, 3]}
"""
SERVE = """
question: serve
machine: trn2
given:
  service: {model: llama-3.1-8b, input: 1024, output: 256}
  layout.tp: 8
axes: {concurrency: [1, 4]}
"""


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ran(text: str, *words: str) -> int:
    Path("asked").write_text(text)
    return main(["sweep", "asked", *words])


def test_a_collective_on_changed_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(NICS, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["points"], said["errors"], said["path"]) == (4, 0, "nics.csv")
    slow = rf.preset("rainier", chips=128).all_reduce("1 GiB", dtype="bf16").time_s
    assert said["rows"]["time_s"][2] == slow > said["rows"]["time_s"][3]
    assert ran(NICS.replace('"1 GiB"', '"1 GiB", "2 GiB"')) == 2
    assert "extend" in capsys.readouterr().err
    assert ran(NICS.replace('"1 GiB"', '"1 GiB", "2 GiB"'), "--extend", "--csv") == 0
    assert len(capsys.readouterr().out.splitlines()) == 7


def test_a_step_and_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(STEP, "--executor", "serial") == 0
    out, err = capsys.readouterr()
    assert "1 of 2 points have an error" in err
    job = rf.Training("llama-3.1-8b", sequence=4096, batch=8)
    step = rf.preset("trn2").training_step(job, rf.Layout(tp=8))
    assert rf.read("step.jsonl")["time_s"][0] == step.time_s
    assert out.startswith("sweep of 2 points over layout.tp: training_step")
    assert ran(SERVE, "--executor", "serial", "--into", "s.csv") == 0
    assert rf.read("s.csv")["concurrency"].tolist() == [1, 4]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("all-reduce", "all_redcue", "line 2, question: got 'all_redcue'"),
        ("rainier:128", "rainer:128", "rainer"),
        ("size =", "sise =", "line 8, axes.sise"),
        ("ultraserver.nic.bandwidth", "ultraserver.nic.bandwith", "line 7, axes: set"),
        ("machine.ultra", "job.ultra", "path: got 'job.ultraserver"),
        ("[given]", "[gven]", "line 5, gven"),
        ("dtype", "size", "is among given too"),
        ('["1 MiB", "1 GiB"]', "[]", "must have a value at least"),
        ('into = "nics.csv"', "", "into: got None"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(
    old: str, new: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(NICS.replace(old, new)) == 2
    assert words in capsys.readouterr().err


def test_all_points_in_error_is_a_failure() -> None:
    assert ran(STEP.replace("[8, 3]", "[3]"), "--executor", "serial") == 1
