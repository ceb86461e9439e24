"""docs/validation.md and tables quoted of it are what the command prints now; nobody edits them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import rainier_fast as rf
from rainier_fast import validate
from rainier_fast.validate import main
from rainier_fast.validation import SOURCES, Row, mean_error
from rainier_fast.validation.data import read
from rainier_fast.validation.report import group_table
from rainier_fast.validation.row import TableRow

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "validation.md"
QUOTED = re.compile(r"<!-- group table -->\n(.*?)\n<!-- end of table -->", re.DOTALL)


def test_the_document_is_fresh(validation: str) -> None:
    assert DOCUMENT.read_bytes() == validation.encode()


def test_the_table_of_groups_is_quoted(published: dict[str, list[Row]], validation: str) -> None:
    table = group_table(published)
    quoted = QUOTED.search((ROOT / "docs" / "accuracy.md").read_text("utf-8"))
    assert quoted is not None
    assert quoted[1] == table
    assert table in validation
    readme = (ROOT / "README.md").read_text("utf-8").partition("## How accurate it is")[2]
    rows = re.findall(r"^\| (?:measured|closed form|other tool) \|.*$", readme, re.MULTILINE)
    assert len(rows) > 5
    assert [row for row in rows if row not in table.splitlines()] == []


def test_a_stale_document_is_told_from_a_fresh_one(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    validation: str,
) -> None:
    # What the report says is compared here, not made again for each of the stale documents.
    monkeypatch.setattr(validate, "report", lambda: validation)
    path = tmp_path / "validation.md"
    assert main(["--output", str(path)]) == 0
    assert path.read_bytes() == validation.encode()
    assert main(["--check", str(path)]) == 0
    fresh = path.read_bytes()
    lines = fresh.splitlines(keepends=True)
    middle = len(lines) // 2
    for stale in (
        fresh.replace(lines[middle], b"another line\n"),
        fresh.replace(b"\n", b"\r\n"),
        b"".join(lines[:-1]),
        fresh + b"\n",
        b"",
    ):
        path.write_bytes(stale)
        assert main(["--check", str(path)]) == 1
        assert "is stale from line" in capsys.readouterr().err
    assert main(["--check", str(tmp_path / "none.md")]) == 2
    assert main(["--output", str(tmp_path / "none" / "at" / "all.md")]) == 2


def test_the_command_prints_the_document() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rainier_fast.validate"], capture_output=True, timeout=60, check=True
    )
    assert done.stdout.replace(b"\r\n", b"\n") == DOCUMENT.read_bytes()
    # How long it took is no part of the document.
    assert re.fullmatch(rb"calculated in [0-9.]+ s\s*", done.stderr)


def test_the_table_of_groups_by_itself(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    published: dict[str, list[Row]],
) -> None:
    made = {name: lambda rows=rows: rows for name, rows in published.items()}
    monkeypatch.setattr("rainier_fast.validation.report.SOURCES", made)
    assert main(["--groups"]) == 0
    assert capsys.readouterr().out == group_table(published) + "\n"
    with pytest.raises(SystemExit):
        main(["--groups", "--check", str(DOCUMENT)])


def test_every_source_and_group_stands_in_the_document(
    published: dict[str, list[Row]], validation: str
) -> None:
    assert set(read("references")) == set(SOURCES)
    for name, rows in published.items():
        assert f"## {read('references')[name]['title']}\n" in validation
        for row in rows:
            assert f"### {row.group}\n" in validation
            assert row.source in validation
            if not isinstance(row, TableRow):
                assert row.case in validation


def test_long_tables_have_a_line_for_each_operation_and_count(
    published: dict[str, list[Row]], validation: str
) -> None:
    for rows in published.values():
        groups: dict[str, list[TableRow]] = {}
        for row in rows:
            if isinstance(row, TableRow):
                groups.setdefault(row.group, []).append(row)
        for group, members in groups.items():
            part = validation.split(f"### {group}\n")[1].split("\n#")[0]
            errors = re.findall(r"(?<= )[+-][0-9]+(?= \|)", part)
            assert [int(error) for error in errors] == [
                int(f"{100 * row.error:+.0f}") for row in members
            ]
            assert f"| {group} | {100 * mean_error(members):.1f} | " in validation


def test_what_nobody_has_published_is_named(validation: str) -> None:
    listed = {name for gap in read("unpublished")["parameters"] for name in gap["assumptions"]}
    known = rf.assumptions()
    assert listed <= set(known)
    silent = {name for name, figure in known.items() if "no public figure" in figure.source}
    assert silent <= listed
    for name in listed:
        assert f"`{name}` {known[name].text}" in validation
