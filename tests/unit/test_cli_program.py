"""The program as a whole: help, exit codes, errors on one line, pipes, completion, the manual."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rainier_fast.cli.app import app
from rainier_fast.cli.examples import MEASURED, TABLE
from rainier_fast.cli.manual import text
from rainier_fast.cli.names import CODES, COMMANDS
from rainier_fast.cli.program import main

ROOT = Path(__file__).parents[2]


def ran(*words: str, code: int = 0, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    assert main(words) == code
    caught = capsys.readouterr()
    return caught.out, caught.err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = ran("--help", capsys=capsys)
    for name, named in COMMANDS.items():
        assert f"  {name} " in out
        assert named.line in " ".join(out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = ran(name, "--help", capsys=capsys)
    assert out.startswith(f"Usage: rainier-fast {name}")
    options = app.get_command(app.make_context("rainier-fast", [], resilient_parsing=True), name)
    assert options is not None
    assert all(one.help for one in options.params if isinstance(one, click.Option))


def test_a_command_may_be_written_as_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = ran("all_reduce", "--preset", "trn2", "--size", "1 MiB", capsys=capsys)
    assert out.startswith("all_reduce of 1.00 MiB over 16 chips")


def test_click_runs_it_too() -> None:
    done = CliRunner().invoke(app, ["presets"])
    assert done.exit_code == 0
    assert "rainier" in done.output


WRONG = [
    (["all-reduc"], "all-reduce"),
    (["describe", "--preset", "trn9"], "preset"),
    (["describe", "--chipz", "3"], "--chipz"),
    (["describe", "--set", "ultraserver.nic.bandwith=3"], "'bandwidth'"),
    (["describe", "--set", "ultraserver.nic.bandwidth=99 parsec"], "bandwidth"),
    (["describe", "--set", "ultraserver.axes.w.size=4"], "'z'"),
    (["describe", "--set", "nic.bandwidth=3"], "ultraserver"),
    (["describe", "--set", "ultraserver.nic=3"], "latency"),
    (["describe", "--set", "ultraserver"], "path=value"),
    (["describe", "--set", "wan.latency=[1"], "wan.latency"),
    (["all-reduce", "--dtype", "fp4"], "fp8"),
    (["all-reduce", "--dtype", "fp64", "--table", "nccom"], "nccom-test"),
    (["describe", "--preset", "trn2", "--set", "wan.latency=1 ms"], "wan"),
    (["describe", "--faults", "links=many"], "faults"),
    (["describe", "--faults", "cables=3"], "cables"),
    (["describe", "--faults", "no-such-file"], "faults"),
    (["route", "0", "zero"], "TO"),
    (["route", "0", "16", "--preset", "trn2"], "dst"),
    (["all-reduce", "--algorithm", "rings"], "ring"),
    (["all-reduce", "--size", "1 parsec"], "size"),
    (["all-reduce", "-b", "1 parsec"], "begbytes"),
    (["all-reduce", "-b", "2K", "-e", "1K"], "endbytes"),
    (["all-reduce", "-f", "1"], "stepfactor"),
    (["all-reduce", "-b", "0", "-e", "1K"], "begbytes"),
    (["all-reduce", "-b", "1", "-e", "8G", "-i", "1"], "stepbytes"),
    (["all-reduce", "--size", "1K", "--table", "nccl"], "table"),
    (["all-reduce", "--table", "nccl", "--json"], "table"),
    (["all-reduce", "--axis", "tp"], "mesh"),
    (["all-reduce", "--mesh", "dp=-1,tp=64"], "axis"),
    (["all-reduce", "--mesh", "dp:4", "--axis", "dp"], "mesh"),
    (["all-reduce", "--mesh", "dp=-1", "--axis", "dp", "--group", "0-3"], "group"),
    (["all-reduce", "--group", "0-x"], "group"),
    (["broadcast", "--table", "nccom"], "plain"),
    (["--preset", "trn2", "describe"], "after the command"),
    (["compare", "trn2", "trn1", "--measured", __file__], "measured"),
    (["compare", "--measured", "no-such-file"], "no-such-file"),
    (["mapping", "dp=-1,tp=16", "tp:all_reduce"], "traffic"),
    (["faults", "--preset", "trn2"], "faults"),
    (["train", "llama-9", "--batch", "4"], "llama"),
    (["serve", "llama-3.1-8b", "--input", "8", "--output", "8", "--rate", "1"], "rate"),
    (["goodput"], "step"),
    (["goodput", "--tp", "4"], "tp"),
    (["goodput", "llama-3.1-8b", "--batch", "4"], "tp"),
    (["cost", "--date", "1999-01"], "date"),
    (["calibrate", __file__, "--preset", "trn2"], "table"),
    (["read"], "FILE"),
    (["completion", "csh"], "bash"),
]


@pytest.mark.parametrize(("words", "named"), WRONG, ids=lambda one: " ".join(one)[:60])
def test_an_error_is_one_line(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = ran(*words, code=2, capsys=capsys)
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("rainier-fast: ")
    assert named in err


def test_what_cannot_be_written_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = str(tmp_path / "none" / "faults.json")
    _, err = ran(
        "faults", "--preset", "trn2", "--faults", "links=3", "--save", target, code=1, capsys=capsys
    )
    assert target.rpartition("/")[0] in err
    assert len(err.splitlines()) == 1


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    import rainier_fast as rf

    assert ran("--version", capsys=capsys)[0] == f"rainier-fast {rf.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = ran("completion", shell, capsys=capsys)
    assert "_RAINIER_FAST_COMPLETE" in out


def start(*words: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rainier_fast", *words]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def test_a_shell_completes_presets() -> None:
    asked = {"COMP_WORDS": "rainier-fast describe --preset tpu-v5", "COMP_CWORD": "3"}
    asked["_RAINIER_FAST_COMPLETE"] = "bash_complete"
    out, err = start(env={**os.environ, **asked}).communicate(timeout=60)
    assert err == ""
    assert {line.partition(",")[2] for line in out.split()} == {"tpu-v5e", "tpu-v5p"}


def test_a_closed_pipe_is_no_error() -> None:
    process = start("all-reduce", "--preset", "trn2", "-b", "1", "-e", "50K", "-i", "1")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_ctrl_c_ends_with_130() -> None:
    process = start("train", "llama-3.1-405b", "--batch", "2048")
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    # By the signal itself where it came while Python made a dataclass: to a shell the same.
    assert process.returncode in (130, -signal.SIGINT)
    assert (out, err) == ("", "rainier-fast: stopped\n")


def test_the_manual_is_of_this_program() -> None:
    """Made anew by: rainier-fast manual > docs/cli.md."""
    # Where lines are broken is click's, and another version's may be another.
    assert (ROOT / "docs" / "cli.md").read_text("utf-8").split() == text().split()


def test_the_readme_has_commands_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(MEASURED).write_text(TABLE)
    section = (ROOT / "README.md").read_text("utf-8").partition("## From a shell")[2]
    lines = section.partition("```\n")[2].partition("```")[0].splitlines()
    assert len(lines) == 5
    for line in lines:
        for command in line.partition("#")[0].partition(">")[0].split("&&"):
            name, *words = shlex.split(command)
            assert name == "rainier-fast"
            ran(*words, capsys=capsys)


def test_the_manual_has_all_codes() -> None:
    assert sorted(CODES) == [0, 1, 2, 130, 141]


def test_help_loads_no_numbers() -> None:
    code = (
        "import sys\nfrom rainier_fast.cli.program import main\nmain(['--help'])\n"
        "rooms = ('numpy', 'rich', 'rainier_fast')\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in rooms), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = ["", ".cli", ".cli.app", ".cli.names", ".cli.program", ".late"]
    assert done.stderr.strip() == str([f"rainier_fast{name}" for name in ours])


def test_the_program_is_installed_by_its_name() -> None:
    made = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert made["scripts"] == {"rainier-fast": f"{main.__module__}:{main.__name__}"}
    assert {word.partition(">")[0] for word in made["dependencies"]} >= {"click", "numpy", "rich"}


def test_cost_of_a_file_that_is_a_program_names_the_command_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "step.hlo.txt"
    file.write_text("HloModule step\n")
    _, err = ran("cost", str(file), code=2, capsys=capsys)
    assert "rainier-fast read FILE --cost" in err


def test_a_list_of_formats_reads_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "step.hlo.txt"
    file.write_text("HloModule step\n")
    _, err = ran("read", "--formats", str(file), code=2, capsys=capsys)
    assert "--formats" in err
