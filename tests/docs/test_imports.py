"""What `lint-imports` cannot see: the compiled core is no module of its own to it."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "python" / "rainier_fast"


def _from_the_root(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "rainier_fast":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name == "rainier_fast"}
    return names


def test_modules_import_the_root_for_its_core_only() -> None:
    found = {path.name: _from_the_root(path) for path in PACKAGE.rglob("*.py")}
    assert {name for names in found.values() for name in names} == {"_core"}


def test_a_bare_import_loads_no_answers() -> None:
    code = "import sys, rainier_fast; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    late = ("results", "table", "formats", "measured", "measure", "validation", "ask.schedule")
    early = {f"rainier_fast.{name}" for name in late} & set(done.stdout.split())
    assert early == set()
