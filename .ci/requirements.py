#!/usr/bin/env python3
"""Prints what pyproject.toml asks of others, all extras for users included.

    .ci/requirements.py newest    as it is written, for pip to take the newest
    .ci/requirements.py lowest    each at its lower bound

A requirement without a lower bound ends it with 1, because nobody can have tested its lowest.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = {"test", "bench", "docs"}
"""Extras of who works on this package; of these the newest is taken."""
APART = {"torch", "jax", "ray"}
"""Extras that are too large for one environment with the rest; tried alone (CONTRIBUTING.md)."""


def requirements() -> list[str]:
    """List what the package and its extras for users ask for, each once."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    found = list(project["dependencies"])
    for name, asked in extras.items():
        if name not in OURS | APART:
            found += asked
    return sorted({each for each in found if not each.startswith("rainier")})


def lowest(requirement: str) -> str:
    """Pin a requirement to its lower bound.

    >>> lowest("click>=8.2,<9")
    'click==8.2'
    """
    told = re.match(r"([\w.\-]+)(\[[\w,]+\])?\s*>=\s*([\w.]+)", requirement)
    if told is None:
        sys.exit(f"{requirement}: no lower bound")
    return f"{told[1]}{told[2] or ''}=={told[3]}"


def main() -> None:
    """Print them."""
    which = sys.argv[1] if len(sys.argv) == 2 else ""
    if which not in {"newest", "lowest"}:
        sys.exit(__doc__)
    rows = requirements()
    print("\n".join(rows if which == "newest" else map(lowest, rows)))


if __name__ == "__main__":
    main()
