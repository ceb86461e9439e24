#!/usr/bin/env python3
"""Writes THIRD_PARTY.md, what others wrote that is in a wheel, and looks at all licences.

    .ci/third_party.py            writes the file
    .ci/third_party.py --check    ends with 1 where it is not up to date

Either ends with 1 where deny.toml does not allow a licence or a source of a crate, or the package
has a file of an unknown kind. Reads what cargo says and the sources it has; the network only where
those are still missing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "THIRD_PARTY.md"
ROOF = "rainier-py"
OURS = {".py", ".pyi", ".csv", ".json", ".toml", ".typed"}
"""Kinds of file that the package has of its own; its data are figures that cite their sources."""
PAGES = {"report/page.css", "report/page.js"}
"""Parts of pages that we wrote: any other script or style is someone else's until it is named."""
INTRODUCTION = """# What others wrote

Made by `.ci/third_party.py`; not to be edited by hand. rainier_fast itself is under the MIT
licence (`LICENSE`).

A wheel has one compiled file, into which the crates of the first table are linked, some only on
platforms that need them, with Rust's standard library (MIT OR Apache-2.0, copyright The Rust
Project contributors; here under MIT, in the words of `LICENSE`). An sdist has none of their
sources: cargo gets them. Python packages that ours needs are not in it either; pip gets them. Data
files are ours: they hold figures, with the source of each.
"""


@dataclass(frozen=True, order=True)
class Crate:
    """A crate of the lock file."""

    name: str
    version: str
    licence: str
    folder: Path
    source: str | None

    @property
    def text(self) -> str:
        """Its licence in full: MIT's where there is a choice, else the only one that it has."""
        files = [self.folder / name for name in ("LICENSE-MIT", "LICENSE", "LICENSE.md")]
        found = next((file for file in files if file.exists()), None)
        if found is None:
            raise SystemExit(f"{self.name} {self.version} has no licence in {self.folder}")
        return found.read_text(encoding="utf-8").strip()


def metadata() -> dict[str, Any]:
    """Ask cargo about all crates, for every platform."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    return dict(json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=-1).stdout))


def linked(told: dict[str, Any]) -> set[str]:
    """Ids of what is linked into the extension: no build scripts, no macros, no tests."""
    packages = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    waiting = [each for each, package in packages.items() if package["name"] == ROOF]
    found: set[str] = set()
    while waiting:
        here = waiting.pop()
        macro = any("proc-macro" in target["kind"] for target in packages[here]["targets"])
        if here in found or macro:
            continue
        found.add(here)
        waiting.extend(
            needs["pkg"]
            for needs in nodes[here]["deps"]
            if any(kind["kind"] is None for kind in needs["dep_kinds"])
        )
    return found


def crates(told: dict[str, Any]) -> tuple[list[Crate], list[Crate]]:
    """Those that are linked into a wheel, and all others; none of ours."""
    inside = linked(told)
    lists: tuple[list[Crate], list[Crate]] = ([], [])
    for package in told["packages"]:
        if package["source"] is not None:
            folder = Path(package["manifest_path"]).parent
            licence = (package["license"] or "none").replace("/", " OR ")
            crate = Crate(package["name"], package["version"], licence, folder, package["source"])
            lists[package["id"] not in inside].append(crate)
    return sorted(lists[0]), sorted(lists[1])


def written(inside: list[Crate], others: list[Crate]) -> str:
    """Write the whole file."""

    def table(rows: list[Crate]) -> list[str]:
        head = ["| crate | version | licence |", "|---|---|---|"]
        return head + [f"| {row.name} | {row.version} | {row.licence} |" for row in rows]

    texts: dict[str, list[Crate]] = {}
    for crate in inside:
        texts.setdefault(crate.text, []).append(crate)
    lines = [INTRODUCTION, "## In a wheel", "", *table(inside), ""]
    lines += ["## Only to build and to test", "", *table(others), ""]
    lines += ["## Licences of what is in a wheel", ""]
    for text, those in texts.items():
        # Blanks at ends of lines and the form feeds of old files say nothing.
        plain = "\n".join(line.rstrip() for line in text.replace("\f", "").splitlines())
        lines += ["### " + ", ".join(each.name for each in those), "", "```text", plain, "```", ""]
    return "\n".join(lines)


def allowed(licence: str, those: set[str]) -> bool:
    """Whether an SPDX expression can be met by these licences.

    >>> allowed("(MIT OR GPL-3.0) AND Unicode-3.0", {"MIT", "Unicode-3.0"})
    True
    """
    words = re.findall(r"\(|\)|AND|OR|[^\s()]+(?: WITH [^\s()]+)?", licence)
    signs = {"(": "(", ")": ")", "AND": "and", "OR": "or"}
    return bool(eval(" ".join(signs.get(word, str(word in those)) for word in words), {}))


def faults_of(told: list[Crate]) -> list[str]:
    """Find what deny.toml does not allow, and files of the package that nobody has looked at."""
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    licences = set(rules["licenses"]["allow"])
    sources = {f"registry+{url}" for url in rules["sources"]["allow-registry"]}
    found = [
        f"{crate.name}: licence {crate.licence}"
        for crate in told
        if not allowed(crate.licence, licences)
    ]
    found += [
        f"{crate.name}: source {crate.source}" for crate in told if crate.source not in sources
    ]
    listed = ["git", "ls-files", "-z", "python"]
    files = subprocess.run(listed, cwd=ROOT, check=True, stdout=-1).stdout.decode().split("\0")
    looked_at = {f"python/rainier_fast/{name}" for name in PAGES} | {""}
    strange = [file for file in files if file not in looked_at and Path(file).suffix not in OURS]
    return found + [f"{file}: whose is it? Say so in {Path(__file__).name}" for file in strange]


def main() -> int:
    """Write or look."""
    inside, others = crates(metadata())
    text = written(inside, others)
    faults = faults_of(inside + others)
    if "--check" not in sys.argv[1:]:
        WRITTEN.write_text(text, encoding="utf-8")
    elif not WRITTEN.exists() or WRITTEN.read_text(encoding="utf-8") != text:
        faults.append("THIRD_PARTY.md is not what .ci/third_party.py writes: run it")
    well = f"{len(inside)} crates in a wheel, {len(others)} others: all allowed"
    print("\n".join(faults) or well)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
