"""No document and no docstring shows a time of an answer without its kind.

A table, a block of output or a paragraph is one text, and a docstring is. Times of this package
itself are CPU time, and say so; those of machines are inputs and assumptions, and stand in lines
that say so.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rainier_fast as rf
from said import FIGURE, KIND, first_line, reads_a_time, shown_without_kind, untold

ROOT = Path(__file__).parents[2]
PARTS = {"catalogue.md"}
"""Documents whose times are all of parts of machines."""

DOCUMENTS = [
    ROOT / "README.md",
    *(one for one in sorted((ROOT / "docs").rglob("*.md")) if one.name not in PARTS),
]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```[^\n]*\n.*?^```", re.MULTILINE | re.DOTALL)
OTHER = re.compile(r"CPU\s(?:time|second)|- inputs: |what we assume")
"""What says that times are no answers."""

MACHINES = {
    "rainier_fast.catalog.entry.Assumptions",
    "rainier_fast.catalog.load.assumptions",
    "rainier_fast.definitions.gpu.Gpu",
    "rainier_fast.flows.places.Places.link",
    "rainier_fast.measure.calibration.Fitted",
    "rainier_fast.measure.refit.refit",
    "rainier_fast.results.link.Link",
}
"""Docstrings whose times are of parts of machines."""

PLAIN = {f"rainier_fast.table.Table{name}" for name in ("", ".to_csv", ".to_dict", ".to_json")}
"""Docstrings of tables of anything."""


def texts(document: str) -> list[str]:
    """Return the texts of a document: each fenced block that is no code, paragraph and table."""
    plain = PYTHON.sub("", document)
    return [*FENCED.findall(plain), *re.split(r"\n\s*\n", FENCED.sub("", plain))]


def without_kind(document: str) -> list[str]:
    """Return the texts of a document with a time whose kind they do not say."""
    return [text for text in texts(document) if untold(text) and not OTHER.search(text)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_say_kinds(path: Path) -> None:
    document = path.read_text("utf-8")
    assert without_kind(document) == []
    assert [one for code in PYTHON.findall(document) for one in shown_without_kind(code)] == []


def docstrings() -> Iterator[doctest.DocTest]:
    """Yield the docstrings of the package with their examples."""
    finder = doctest.DocTestFinder()
    for module in pkgutil.walk_packages(rf.__path__, "rainier_fast."):
        if not module.name.endswith("__main__"):
            yield from finder.find(importlib.import_module(module.name))


def faults(told: doctest.DocTest) -> list[str]:
    """Return the times in a docstring that does not say their kind."""
    text = told.docstring or ""
    if KIND.search(text):
        return []
    found = [
        example.source.strip()
        for example in told.examples
        if re.search(r"\d", example.want) and reads_a_time(ast.parse(example.source))
    ]
    for example in told.examples:
        text = text.replace(example.source.strip(), "")  # sizes and latencies that are given
    return found + FIGURE.findall(re.sub(r'"[^"]*"', "", text))


def test_docstrings_say_kinds() -> None:
    wrong = {told.name: found for told in docstrings() if (found := faults(told))}
    assert set(wrong) == MACHINES | PLAIN, wrong


def test_groups_of_the_validation_say_kinds() -> None:
    document = (ROOT / "docs" / "validation.md").read_text("utf-8")
    groups = re.split(r"^### ", document.split("\n## Mean and worst")[0], flags=re.MULTILINE)[1:]
    assert len(groups) > 40
    for group in groups:
        name, _, rest = group.partition("\n")
        lines = rest.split("\n## ")[0].strip().splitlines()
        if " | kind | " in lines[0]:
            at = [cell.strip() for cell in lines[0].split("|")].index("kind")
            rows = [re.split(r"(?<!\\)\|", line) for line in lines[2:]]
            assert all(KIND.fullmatch(row[at].strip()) for row in rows), name
        else:
            assert KIND.search(first_line(lines[0])), name


def docstring(text: str) -> doctest.DocTest:
    return doctest.DocTestParser().get_doctest(text, {}, "made up", None, 0)


def test_it_finds_what_is_made_up() -> None:
    assert without_kind("It takes 14 us.\n\nlinks alone") == ["It takes 14 us."]
    assert without_kind("| time |\n| 14 us |\n\n14 us of CPU time") == ["| time |\n| 14 us |"]
    assert len(without_kind("```\nring: 14 us\n```\n\nlinks alone")) == 1
    assert not without_kind("```\nring: 14 us\n\nlinks alone\n```\n\n4 chips, `sizes`, 5 steps")
    assert shown_without_kind("r = f()\nprint(r.time_s, r.algorithm)") == [
        "print(r.time_s, r.algorithm)"
    ]
    assert shown_without_kind("print(f\"{row['time_s']:.3g} s\")")
    assert not shown_without_kind("print(r.time_s, r.kind)\nprint(route.latency_s)\nr.time_s")
    assert faults(docstring("All.\n\n>>> r.time_s\n0.1\n")) == ["r.time_s"]
    assert faults(docstring("All takes 14 us.")) == ["14 us"]
    assert not faults(docstring("Of the links alone.\n\n>>> r.time_s\n0.1\n"))
    assert not faults(docstring('All.\n\n>>> f("14 us") < r.time_s\nTrue\n'))
