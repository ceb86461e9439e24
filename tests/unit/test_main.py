"""The command line."""

from __future__ import annotations

import json
import runpy
import sys

import pytest

from rainier_fast.__main__ import main


def test_the_default_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 50
    for words in (
        "524,288",
        "all_reduce of 1.00 GiB",
        "lower bound",
        "bounded by",
        "calculated in",
    ):
        assert words in text


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["--preset", "trn2", "--size", "1 MiB", "--collective", "all_gather", "--json"]) == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert answer["operation"] == "all_gather"
    assert answer["size_bytes"] == 2**20
    assert answer["machine"]["chips"] == 16


def test_a_cluster_of_another_maker(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "gb200-nvl72", "--chips", "144"]) == 0
    text = capsys.readouterr().out
    assert "144 x gb200 in 2 x gb200-nvl72" in text
    assert "nvlink_port_latency" in text
    assert "rdma_nic_latency" in text


def test_a_slice_by_its_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--preset", "tpu-v5p", "--shape", "4x4x8"]) == 0
    assert "128 x tpu-v5p" in capsys.readouterr().out


@pytest.mark.parametrize("collective", ["barrier", "send_recv", "broadcast"])
def test_other_collectives(collective: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chips", "128", "--collective", collective]) == 0
    assert collective in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--preset", "trn9"], "preset"),
        (["--chips", "63"], "chips"),
        (["--chips", "-64"], "chips"),
        (["--chips", "many"], "chips"),
        (["--chips", "99999999999999999999999"], "chips"),
        (["--preset", "trn2", "--chips", "16"], "chips"),
        (["--preset", "h100", "--chips", "12"], "chips"),
        (["--preset", "tpu-v5p", "--chips", "64"], "shape"),
        (["--preset", "tpu-v5p", "--shape", "4x4"], "shape"),
        (["--preset", "tpu-v5p", "--shape", "4x4x-4"], "shape"),
        (["--preset", "tpu-v5p", "--shape", ""], "shape"),
        (["--preset", "trn2", "--shape", "4x4"], "shape"),
        (["--size", "1 parsec"], "size"),
        (["--collective", "allreduce"], "collective"),
    ],
)
def test_an_error_is_one_line(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert len(caught.err.splitlines()) == 1
    assert named in caught.err


def test_it_runs_as_a_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["rainier_fast", "--preset", "trn1"])
    monkeypatch.delitem(sys.modules, "rainier_fast.__main__")
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("rainier_fast", run_name="__main__")
    assert caught.value.code == 0
    assert "trainium1" in capsys.readouterr().out
