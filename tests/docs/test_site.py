"""The site's pages are fresh, complete and joined; `.ci/docs` builds them with Sphinx."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import rainier_fast as rf

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
FENCED = re.compile(r"^(`{3,})[^\n]*\n.*?^\1\s*$", re.MULTILINE | re.DOTALL)
RST = re.compile(r"^```\{eval-rst\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "site" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_catalogue_is_fresh(generate: ModuleType) -> None:
    """Made anew by: python docs/site/generate.py."""
    page = (DOCS / "catalogue.md").read_text("utf-8")
    assert page == generate.catalogue()
    assert all(f"### {name}: " in page for name in rf.catalog())


def test_errors_by_group_are_those_of_the_validation(generate: ModuleType) -> None:
    page = (DOCS / "errors.md").read_text("utf-8")
    assert page == generate.errors()
    table = (DOCS / "validation.md").read_text("utf-8").split("\n## Mean and worst")[1]
    rows = re.findall(r"^\| (?:measured|closed form|other tool) (\| .+)$", table, re.MULTILINE)
    assert len(rows) > 100
    assert [row for row in rows if f"\n{row}\n" not in page] == []


def test_the_reference_has_each_public_name_once() -> None:
    blocks = "".join(RST.findall((DOCS / "api.md").read_text("utf-8")))
    names = re.findall(r"^   (\w+)$", blocks, re.MULTILINE)
    assert sorted(names) == sorted(set(rf.__all__) - {"__version__"})


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = {
        (index.parent / name).relative_to(DOCS).as_posix()
        for index in (DOCS / "index.md", *DOCS.glob("*/index.md"))
        for tree in TREE.findall(index.read_text("utf-8"))
        for name in tree.split()
        if not name.startswith(":") and name[0].islower()
    }
    there = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES} - {"index"}
    assert there <= listed, there - listed


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", FENCED.sub("", page.read_text("utf-8")))
    targets = [one for one in LINK.findall(text) if not re.match(r"\w+:", one)]
    assert [one for one in targets if not (page.parent / one).exists()] == []
