"""Notebooks in `examples/` are those of their sources; their cells run, without Jupyter."""

from __future__ import annotations

import ast
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from said import shown_without_kind

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_notebooks", EXAMPLES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_notebooks_are_fresh(make: ModuleType) -> None:
    """Made anew by: python examples/make.py."""
    assert [path.stem for path in make.sources()] == [path.stem for path in NOTEBOOKS]
    assert len(NOTEBOOKS) == 5
    for path in NOTEBOOKS:
        source = path.with_suffix(".py").read_text("utf-8")
        assert path.read_text("utf-8") == make.notebook(source), path.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"__name__": "notebook"}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            code = "".join(cell["source"])
            assert shown_without_kind(code) == []
            tree = ast.parse(code)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            name = f"{path.name} {cell['id']}"
            exec(compile(tree, name, "exec"), space)
            if isinstance(last, ast.Expr):  # what Jupyter would show
                shown = eval(compile(ast.Expression(last.value), name, "eval"), space)
                assert shown is None or str(shown)
