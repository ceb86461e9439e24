"""Makes the notebooks of the sources beside it: `python examples/make.py`.

A source is Python in cells: what follows `# %%` is code, what follows `# %% [markdown]` is text in
comments. `tests/docs/test_notebooks.py` asks whether notebooks are fresh, and runs their cells.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
MARK = re.compile(r"^# %%(?P<text> \[markdown\])?$", re.MULTILINE)


def sources() -> list[Path]:
    """Return the sources, in the order of their names."""
    return sorted(path for path in HERE.glob("*.py") if path.name != Path(__file__).name)


def cells(source: str) -> list[tuple[str, str]]:
    """Return kind and content of each cell."""
    marks = list(MARK.finditer(source))
    ends = [mark.start() for mark in marks[1:]] + [len(source)]
    found = []
    for mark, end in zip(marks, ends, strict=True):
        body = source[mark.end() : end].strip("\n")
        if mark["text"]:
            found.append(("markdown", re.sub(r"^# ?", "", body, flags=re.MULTILINE)))
        else:
            found.append(("code", body))
    return found


def notebook(source: str) -> str:
    """Return a source as a notebook, without outputs."""
    made: list[dict[str, object]] = []
    for number, (kind, body) in enumerate(cells(source)):
        cell: dict[str, object] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        made.append(cell | {"source": body.splitlines(keepends=True)})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    head = {"metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps({"cells": made} | head, indent=1) + "\n"


if __name__ == "__main__":
    for path in sources():
        path.with_suffix(".ipynb").write_text(notebook(path.read_text("utf-8")), "utf-8")
