"""Commands give what the calls of the library give; tables are read back as they were printed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rainier_fast as rf
from rainier_fast.cli.collectives import sizes_of, tool_bytes
from rainier_fast.cli.examples import TABLE
from rainier_fast.cli.machines import group_of, mesh_of, numbers
from rainier_fast.cli.program import main
from rainier_fast.cli.setting import changed
from rainier_fast.formats.read import read
from raising import raises

TRN2 = rf.preset("trn2")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def _run(*words: str) -> str:
        assert main(words) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return _run


# ------------------------------------------------------------------ tables of other tools


@pytest.mark.parametrize(("preset", "table"), [("trn2", "nccom"), ("h100", "nccl")])
@pytest.mark.parametrize("command", ["all-reduce", "all-gather", "reduce-scatter", "all-to-all"])
def test_a_table_is_read_back(preset: str, table: str, command: str, run: Any) -> None:
    words = ("--preset", preset, "--algorithm", "runtime", "--dtype", "bf16")
    out = run(command, *words, "-b", "64K", "-e", "64M", "--table", table)
    machine = rf.preset(preset)
    operation: Any = command.replace("-", "_")
    sizes = [65536 * 4**power for power in range(6)]
    times = machine.times(operation, sizes, algorithm="runtime", dtype="bf16")
    found = read(out)
    assert [row.size_bytes for row in found.rows] == sizes
    assert {row.op for row in found.rows} == {operation}
    assert {row.dtype for row in found.rows} == {"bf16"}
    # As far as printed digits go: a hundredth of a microsecond, seven digits of a large number.
    assert np.allclose([row.time_s for row in found.rows], times.time_s, rtol=1e-6, atol=5.1e-9)
    each = machine.ultraserver.ranks_per_chip if table == "nccom" else 1
    assert found.ranks == {machine.num_chips * (each or 1)}
    assert found.cores == (table == "nccom")


def test_a_machine_prints_the_table_of_its_own_software(run: Any) -> None:
    assert "time:avg(us)" in run("all-reduce", "--preset", "trn2", "-b", "1M")
    assert "out-of-place" in run("all-reduce", "--preset", "h100", "-b", "1M")
    assert "time_s" in run("all-reduce", "--preset", "tpu-v5e", "-b", "1M")
    assert "time_s" in run("gather", "--preset", "trn2", "-b", "1M")
    assert "time_s" in run("all-reduce", "--preset", "trn2", "-b", "1M", "--dtype", "fp64")


def test_the_form_of_nccom_test(run: Any) -> None:
    lines = run("all-reduce", "--preset", "trn2", "-b", "1K", "-e", "1M", "-f", "32").splitlines()
    assert lines[2].split() == TABLE.splitlines()[1].split()
    # Columns end where those of the program end: each as wide as its widest cell, four spaces.
    ends = {
        tuple(
            at
            for at in range(len(line))
            if line[at : at + 1] != " " and line[at + 1 : at + 2] in (" ", "")
        )
        for line in lines[2:-1]
    }
    assert len(ends) == 1
    assert lines[-1].startswith("Avg bus bandwidth:\t")


def test_fitting_a_machine_to_its_own_table_finds_it_again(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "ours.txt"
    words = ("--preset", "trn2", "--algorithm", "runtime", "--dtype", "bf16")
    path.write_text(run("all-reduce", *words, "-b", "64K", "-e", "1G", "-f", "2"))
    data = json.loads(run("calibrate", str(path), "--preset", "trn2", "--json"))
    assert data["worst_error"] < 1e-3
    for parameter in data["parameters"].values():
        assert parameter["value"] == pytest.approx(parameter["start"], rel=5e-3)


def test_a_table_of_all_of_rainier_is_read_back(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "rainier.txt"
    words = ("--algorithm", "runtime", "--dtype", "bf16", "-b", "1", "-e", "8G", "-f", "2")
    path.write_text(run("all-reduce", *words))
    data = json.loads(run("compare", "rainier", "--measured", str(path), "--json"))
    # Sizes below two bytes have no whole number of bf16.
    assert data["rows"]["bytes"] == [2.0**power for power in range(1, 34)]
    assert data["worst_error"] < 1e-6


def test_sizes_are_rounded_as_programs_round_them(run: Any) -> None:
    rows = read(run("all-gather", "--preset", "h100", "-b", "1", "-e", "1K", "-f", "3")).rows
    assert [row.size_bytes for row in rows] == [8, 24, 80, 240, 728]


# ------------------------------------------------------------------ options


def test_sizes_as_tools_read_them() -> None:
    for text, size in (
        ("8", 8),
        ("64K", 65536),
        ("1kb", 1024),
        ("1.5M", 3 << 19),
        ("1GB", 1 << 30),
    ):
        assert tool_bytes("begbytes", text) == size
    assert sizes_of("1", "16", "2", None).tolist() == [1, 2, 4, 8, 16]
    assert sizes_of("8", "16", None, "4").tolist() == [8, 12, 16]
    assert sizes_of("32M", None, None, None).tolist() == [2**25]


def test_groups_and_meshes_as_words() -> None:
    assert numbers("group", "0-3,8,16-24:4") == [0, 1, 2, 3, 8, 16, 20, 24]
    assert group_of("0,1;2,3") == [[0, 1], [2, 3]]
    assert group_of("{{0,1},{2,3}}") == "{{0,1},{2,3}}"
    assert mesh_of("dp=-1, tp=64") == {"dp": -1, "tp": 64}
    with raises(rf.InvalidArgument, "group"):
        numbers("group", "0-99999999999")


def test_a_group_and_a_mesh_are_those_of_the_library(run: Any) -> None:
    base = ("--preset", "trn2", "--size", "1 MiB", "--json")
    some = json.loads(run("all-gather", *base, "--group", "0-7"))
    assert some["time_s"] == TRN2.all_gather("1 MiB", group=range(8)).time_s
    meshed = json.loads(run("all-gather", *base, "--mesh", "dp=-1,tp=4", "--axis", "tp"))
    assert meshed["time_s"] == TRN2.mesh(dp=4, tp=4).all_gather("1 MiB", axis="tp").time_s
    hurt = json.loads(run("all-gather", *base, "--faults", "links=3;degrade=5:0.5"))
    damaged = TRN2.with_faults(links=[3], degrade={5: 0.5})
    assert hurt["time_s"] == damaged.all_gather("1 MiB").time_s


def test_settings_change_the_machine() -> None:
    rainier = rf.preset("rainier", chips=1024)
    made = changed(
        rainier, ["ultraserver.nic.bandwidth=50 GB/s", "ultraserver.axes.z.bandwidth=1e9"]
    )
    assert made.ultraserver.nic is not None
    assert made.ultraserver.nic.bandwidth_Bps == 50e9
    assert [axis.bandwidth_Bps for axis in made.ultraserver.axes] == [128e9, 128e9, 1e9]
    tiers = changed(rainier, ["fabric.tiers.1.oversubscription=4"]).sites[0].tiers
    assert [tier.oversubscription for tier in tiers] == [1, 4]
    both = changed(rainier, ["fabric.tiers.all.oversubscription=2"]).sites[0].tiers
    assert [tier.oversubscription for tier in both] == [2, 2]
    assert changed(rainier, ["sites.indiana.ultraservers=8"]).num_chips == 512
    assert changed(rainier, ["ultraserver.nic.overhead=2 us"]) != rainier
    assert changed(rainier, ["ultraserver.neuron=none"]).runtime is None
    wan = changed(rf.preset("rainier"), ["wan.bandwidth=1 Tbps"]).wan
    assert wan is not None
    assert wan.bandwidth == 125e9
    far = changed(rf.preset("rainier", 128, sites=2), ['wan.latency=[[0, "6 ms"], ["7 ms", 0]]'])
    assert far.wan is not None
    assert far.wan.latency == ((0, 0.006), (0.007, 0))


def test_a_machine_is_saved_and_read(run: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "mine.toml")
    run(
        "describe",
        "--preset",
        "trn2",
        "--set",
        "ultraserver.axes.x.bandwidth=99 GB/s",
        "--save",
        path,
    )
    ours = changed(TRN2, ["ultraserver.axes.x.bandwidth=99 GB/s"])
    assert rf.Machine.load(path) == ours
    told = json.loads(run("all-gather", "--machine", path, "--size", "1 MiB", "--json"))
    assert told["time_s"] == ours.all_gather("1 MiB").time_s
    assert json.loads(run("compare", "trn2", path, "--json"))["chips"] == [16, 16]
    fit = str(tmp_path / "fit.yaml")
    (tmp_path / "mine.txt").write_text(TABLE)
    run("calibrate", str(tmp_path / "mine.txt"), "--preset", "trn2", "--save", fit)
    assert rf.Machine.load(fit) == rf.calibrate(TRN2, TABLE).machine
    for name in ("--preset", "--chips"):
        assert main(("describe", "--machine", path, name, "trn2")) == 2


# ------------------------------------------------------------------ answers


def test_json_and_csv_have_all_digits(run: Any) -> None:
    words = ("all-reduce", "--preset", "trn2", "-b", "1K", "-e", "1G")
    times = TRN2.times("all_reduce", [1024 * 4**power for power in range(11)])
    data = json.loads(run(*words, "--json"))
    assert data["table"]["time_s"] == times.time_s.tolist()
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv"))))
    assert [float(row["time_s"]) for row in rows] == times.time_s.tolist()


def test_where_algorithms_cross_they_take_the_same(run: Any) -> None:
    words = ("--chips", "1024", "-b", "64M", "-e", "8G", "--algorithm", "ring")
    out = run("all-reduce", *words, "--algorithm", "halving_doubling")
    size = int(out.splitlines()[-1].partition("(")[2].partition(" bytes")[0].replace(",", ""))
    machine = rf.preset("rainier", chips=1024)
    ring, halving = (
        machine.all_reduce(size, algorithm=name).time_s for name in ("ring", "halving_doubling")
    )
    assert ring == pytest.approx(halving, rel=1e-5)


def test_a_changed_machine_beside_itself(run: Any) -> None:
    word = "fabric.tiers.all.oversubscription=2"
    data = json.loads(run("compare", "rainier:1024", "--size", "4 GiB", "--with", word, "--json"))
    assert data["chips"] == [1024, 1024]
    assert data["relative"][0] == 1
    assert data["time_s"][1] >= data["time_s"][0]
    assert word in data["machine"][1]


def test_faults_are_drawn_saved_and_read(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    words = ("faults", "--chips", "4096", "--sample", "24", "--seed", "3")
    assert "chip" in run(*words, "--save", str(path))
    machine = rf.preset("rainier", chips=4096)
    assert rf.Faults.load(path) == machine.sample_faults("llama3", 24, 3).faults
    out = run("faults", "--preset", "trn2-ultraserver", "--faults", "links=3", "--size", "1 GiB")
    assert "detour" in out
    assert "links alone" in out


def test_commands_of_machines(run: Any) -> None:
    assert len(run("presets").splitlines()) == len(rf.presets()) + 1
    assert "16 x trainium2" in run("describe", "--preset", "trn2")
    told = json.loads(run("describe", "--preset", "trn2", "--json"))
    assert told["chips"] == 16
    route = json.loads(run("route", "0", "5", "--preset", "trn2", "--size", "1 MiB", "--json"))
    assert route["time_s"] == TRN2.route(0, 5).time_s("1 MiB")
    assert "tornado" in run("traffic", "tornado", "--preset", "trn2", "--top", "2")
    assert "best: " in run(
        "mapping", "dp=-1,tp=4", "tp:all_reduce:1MiB:2", "dp:all_reduce:1MiB", "--preset", "trn2"
    )


def test_commands_of_jobs(run: Any) -> None:
    layout = ("--tp", "4", "--pp", "2", "--preset", "trn2-ultraserver")
    job = ("llama-3.1-8b", "--sequence", "8192", "--batch", "64")
    step = rf.preset("trn2-ultraserver").training_step(
        rf.Training("llama-3.1-8b", sequence=8192, batch=64), rf.Layout(tp=4, pp=2)
    )
    assert json.loads(run("train", *job, *layout, "--json"))["time_s"] == step.time_s
    assert json.loads(run("goodput", *job, *layout, "--json"))["chips"] == 64
    assert "USD per million tokens" in run("cost", *job, *layout)
    assert json.loads(run("cost", "--preset", "h100", "--json"))["usd_per_hour"] == 37.76
    service = ("llama-3.1-8b", "--input", "1024", "--output", "128")
    served = json.loads(
        run("serve", *service, "--tp", "16", "--ranks-per-chip", "4", "--preset", "trn2",
            "--concurrency", "8", "--json")
    )  # fmt: skip
    assert served["concurrency"] == 8


def test_files_of_other_programs(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "anything"
    path.write_text(TABLE)
    assert "nccom-test" in run("read", str(path))
    assert "csv" in run("read", "--formats")
    assert len(json.loads(run("read", str(path), "--json"))["rows"]) == 6
    rows = rf.read(run("read", str(path), "--csv").encode()).rows
    assert [row.time_s for row in rows] == [row.time_s for row in rf.read(path).rows]
    machine = str(tmp_path / "mine.toml")
    TRN2.save(machine)
    assert json.loads(run("read", machine, "--json"))["chips"] == 16
    data = json.loads(run("compare", "trn2", "--measured", str(path), "--json"))
    assert len(data["rows"]["error"]) == 6
    assert data["mean_error"] < 0.05


def test_a_terminal_has_colours(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run("presets")
    monkeypatch.setattr("rainier_fast.cli.show._looks", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    drawn = run("presets")
    assert "\x1b[" in drawn
    assert "\x1b[" not in plain
    assert all(name in drawn for name in rf.presets())


def test_a_program_is_costed(run: Any, tmp_path: Path) -> None:
    groups = rf.ProgramGroups.own(start=0, stride=1, size=16)
    one = rf.ProgramCollective("a", "all_reduce", 2**20, 2**20, "bf16", groups)
    path = str(tmp_path / "step.json")
    rf.Program((one,), 128, 0).save(path)
    told = json.loads(run("read", path, "--cost", "--json"))
    wanted = rf.preset("rainier", chips=128).cost_of(rf.Program((one,), 128, 0))
    assert told["communication_s"] == wanted.communication_s
    assert "links alone" in run("read", path, "--cost", "--algorithm", "auto")
    assert main(["read", path, "--cost", "--chips", "64"]) == 2
    assert main(["read", path, "--chips", "64"]) == 2
    other = str(tmp_path / "other.json")
    rf.Program((rf.ProgramCollective("a", "all_reduce", 8, 8),), 16, 0).save(other)
    mesh = ("--mesh", "dp=4,tp=4", "--axis", "all_reduce=tp", "--trips", "2")
    assert "all_reduce" in run("read", other, "--cost", "--preset", "trn2", *mesh)
