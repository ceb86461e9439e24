"""What `lint-imports` cannot see: the compiled core is no module of its own to it."""

import ast
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
