#!/usr/bin/env python3
"""Installs a wheel or an sdist where nothing else is, and uses it.

    .ci/bare.py FILE [REQUIREMENT...]

A virtual environment of the Python that runs this, in a temporary folder, with no more of this
environment than a shell and pip need: for a wheel no Rust is on its PATH, for an sdist cargo is.
Requirements are installed with it, such as numpy==1.26.0. Ends with 1 at the first thing that is
not as it should be. Needs git and the clone around it, to know which files must be there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORT_TARGET_S = 0.02
"""CPU seconds that an import may take beyond that of numpy."""
KEPT = re.compile(
    r"PIP_\w+|HOME|TEMP|TMP|TMPDIR|SYSTEMROOT|USERPROFILE|OPENBLAS_\w+", re.IGNORECASE
)
RUST = re.compile(r"CARGO_\w+|RUSTUP_\w+|LIB|INCLUDE|PROGRAMFILES.*|VC\w*", re.IGNORECASE)
USE = """
    import json
    import tomllib
    from importlib.metadata import distribution
    from importlib.resources import files

    import rainier_fast as rf

    root = files("rainier_fast")
    assert rf.build_info()["profile"] == "release", rf.build_info()
    names = sorted(file.name for file in (root / "catalog/machines").iterdir())
    for name in names:
        machine = rf.Machine.load(str(root / "catalog/machines" / name))
        assert machine.num_chips >= 1, name
    schema = json.loads((root / "files/machine.schema.json").read_text(encoding="utf-8"))
    assert schema == rf.machine_schema()
    assert rf.catalog()
    assert rf.assumptions()
    told = distribution("rainier_fast")
    licences = [str(file) for file in told.files or () if "/licenses/" in str(file)]
    assert any(name.endswith("THIRD_PARTY.md") for name in licences), licences
    result = rf.preset("rainier").all_reduce("1 GiB")
    assert 1e-3 < result.time_s < 1, result
    print(f"{len(names)} machines; all_reduce of 1 GiB on Rainier: {result.time_s * 1e3:.2f} ms")
"""


def say(*words: object) -> None:
    """Print at once, between what others print."""
    print("==", *words, flush=True)


class Bare:
    """A virtual environment and the few variables that its processes see."""

    def __init__(self, folder: Path, *, rust: bool) -> None:
        venv.create(folder, with_pip=True)
        self.folder = folder
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        kept = [name for name in os.environ if KEPT.fullmatch(name)]
        path = [str(self.scripts), *(["/usr/bin", "/bin"] if os.name != "nt" else [])]
        if os.name == "nt":
            path.append(str(Path(os.environ["SYSTEMROOT"]) / "System32"))
        if rust:
            cargo = shutil.which("cargo")
            assert cargo, "an sdist needs cargo"
            path.append(str(Path(cargo).parent))
            kept += [name for name in os.environ if RUST.fullmatch(name)]
        self.variables = {name: os.environ[name] for name in kept} | {"PATH": os.pathsep.join(path)}
        if not rust:
            assert not shutil.which("cargo", path=self.variables["PATH"]), "there is a cargo in it"

    def run(self, name: str, *words: str) -> str:
        """Run a program of the environment, away from the clone, and give what it prints."""
        command = [str(self.scripts / name), *words]
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, stdout=-1, stderr=-2, encoding="utf-8"
        )
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\n{' '.join(command)}: ended with {done.returncode}")
        return done.stdout

    def cpu_s(self, code: str, runs: int = 7) -> float:
        """Give the CPU seconds of the quickest of several processes that run this."""
        words = "import time; print(time.process_time())"
        return min(float(self.run("python", "-c", f"{code}; {words}")) for _ in range(runs))


def files_there(bare: Bare) -> int:
    """Compare the files of the installed package with those that git has."""
    code = "import rainier_fast; print(rainier_fast.__path__[0])"
    inside = Path(bare.run("python", "-c", code).strip())
    assert bare.folder.resolve() in inside.resolve().parents, f"{inside} is not the installed one"
    listed = ["git", "ls-files", "-z", "python/rainier_fast"]
    told = subprocess.run(listed, cwd=ROOT, check=True, stdout=-1).stdout.decode().split("\0")
    names = [Path(name).relative_to("python/rainier_fast") for name in told if name]
    lost = [str(name) for name in names if not (inside / name).is_file()]
    if lost:
        sys.exit(f"not in the package: {lost}")
    return len(names)


def main() -> None:
    """Install and use it."""
    file, *requirements = sys.argv[1:]
    wheel = file.endswith(".whl")
    version = re.split(r"-|\.tar\.gz", Path(file).name)[1]
    with tempfile.TemporaryDirectory() as folder:
        bare = Bare(Path(folder).resolve() / "bare", rust=not wheel)
        say(f"{Path(file).name} in a bare environment of Python {sys.version.split()[0]}")
        bare.run("python", "-m", "pip", "install", str(Path(file).resolve()), *requirements)
        say(bare.run("python", "-m", "pip", "check").strip())
        say(", ".join(bare.run("python", "-m", "pip", "list", "--format=freeze").split()))
        said = bare.run("rainier-fast", "--version").strip()
        assert version in said, f"{said!r} is not {version}"
        assert "all-reduce" in bare.run("rainier-fast", "--help")
        assert "all_reduce of 1.00 GiB" in bare.run("python", "-m", "rainier_fast")
        say(said, "with all of", files_there(bare), "files")
        say(bare.run("python", "-c", textwrap.dedent(USE)).strip())
        numpy_s = bare.cpu_s("import numpy")
        ours_s = bare.cpu_s("import rainier_fast")
        used_s = bare.cpu_s("import rainier_fast; rainier_fast.preset('trn2')")
        say(
            f"CPU time: import numpy {numpy_s:.3f} s, import rainier_fast {ours_s:.3f} s,",
            f"with a machine {used_s:.3f} s",
        )
        assert ours_s <= numpy_s + IMPORT_TARGET_S, "the import takes too long"


if __name__ == "__main__":
    main()
