"""What `lint-imports` cannot see: the compiled core is no module of its own to it."""

import ast
import subprocess
import sys
from pathlib import Path

import rainier_fast as rf
from rainier_fast.definitions.known import KNOWN
from rainier_fast.late import MODULES

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


def _modules_after(code: str) -> set[str]:
    """Return what a fresh process has loaded beside what an empty one has."""
    run = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(run, capture_output=True, check=True, text=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_a_bare_import_loads_nothing_but_where_names_are() -> None:
    loaded = _modules_after("import rainier_fast")
    ours = {name for name in loaded if name.startswith("rainier_fast")}
    assert ours == {"rainier_fast", "rainier_fast.late"}
    assert not loaded & {"numpy", "click", "rich", "pandas", "matplotlib", "dataclasses", "inspect"}


def test_names_for_type_checkers_are_those_that_load_late() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    said = {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    late = {name: f"rainier_fast.{at}" for at, names in MODULES.items() for name in names}
    assert said == late
    constants = [n.target.id for n in block.body if isinstance(n, ast.AnnAssign)]  # type: ignore[union-attr]
    assert sorted(constants) == sorted(KNOWN)
    assert sorted([*said, *constants]) == sorted(rf.__all__)


def test_a_room_does_not_hide_the_name_that_it_shares() -> None:
    code = (
        "import rainier_fast.catalog, rainier_fast as rf;"
        "assert rf.catalog()['trainium2'];"
        "import rainier_fast.catalog.prices;"
        "assert rf.catalog()['trainium2'] and rf.__dict__['catalog'] is rf.catalog"
    )
    assert "rainier_fast.catalog.prices" in _modules_after(code)
