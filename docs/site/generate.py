"""Writes the pages of the site that are made of data: `python docs/site/generate.py`.

`docs/catalogue.md` is the catalogue with its assumptions; the tables of `docs/errors.md` are the
groups of `docs/validation.md`, the worst first. `tests/docs/test_site.py` asks whether both are
fresh.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import rainier_fast as rf
from rainier_fast.catalog.figure import CONFIDENCE, Figure

DOCS = Path(__file__).parents[1]
CATALOGUE = DOCS / "catalogue.md"
ERRORS = DOCS / "errors.md"
GROUPS = re.compile(
    r"^\| (measured|closed form|other tool) \| (.+) \| (\d+) \| (.+) \| (.+) \|$", re.M
)
MADE = re.compile(r"(?<=<!-- made of docs/validation.md -->\n).*?(?=<!-- end -->)", re.DOTALL)

HEAD = """# The catalogue

Every published figure that presets stand on, and every number that is assumed because nobody
publishes it. Made by `docs/site/generate.py` of `rf.catalog()` and `rf.assumptions()`; do not edit.
In Python:

```python
import rainier_fast as rf

print(rf.catalog()["trainium2"]["hbm_bandwidth"])
print(rf.assumptions()["wan_bandwidth"])
```

Bandwidths are one way unless the note says otherwise. Trust is {trust}.
Where sources disagree, the figures that were not taken stand under the one that was.

**Scope and limits.** A figure is what its source prints, not what a machine reaches:
[Validation](validation.md) compares times with measurements. Nothing here was measured by us.
Prices are in `rf.prices()`, with contract, region and months.
"""
ASSUMED = """## Assumptions

What the models need and nobody publishes: what we assume, why, and the range that makes sense.
`machine.assumptions` has those that a machine uses, `result.assumptions` those of an answer; give
a number of your own where you have one.
"""


def cell(text: str) -> str:
    """Return text as a cell of a table, in which nothing is markup."""
    return re.sub(r"([\\|*_<>`\[\]$])", r"\\\1", " ".join(text.split()))


def table(figures: Mapping[str, Figure], first: str) -> Iterable[str]:
    """Yield the lines of a table of figures."""
    yield f"| {first} | value | trust | source and remarks |"
    yield "| --- | --- | --- | --- |"
    for name, figure in figures.items():
        remarks = "; ".join(cell(one) for one in [figure.source, *figure.remarks()])
        yield f"| `{name}` | {cell(figure.text)} | {figure.confidence} | {remarks} |"


def catalogue() -> str:
    """Return the page of the catalogue."""
    trust = ", ".join(
        f"{code} ({meaning})" if code != meaning else code for code, meaning in CONFIDENCE.items()
    )
    lines = [HEAD.format(trust=trust), ASSUMED, *table(rf.assumptions(), "assumption"), ""]
    entries = rf.catalog()
    for kind in dict.fromkeys(entry.kind for entry in entries.values()):
        lines += [f"## {kind.capitalize()}", ""]
        for entry in entries.values():
            if entry.kind == kind:
                lines += [f"### {entry.name}: {cell(entry.title)}", ""]
                lines += [*table(entry.figures, "figure"), ""]
    return "\n".join(lines)


def groups(validation: str) -> str:
    """Return the groups of the validation by kind, the worst mean error first."""
    rows = [match.groups() for match in GROUPS.finditer(validation)]
    lines: list[str] = []
    for kind, title in (
        ("measured", "Against measurements"),
        ("other tool", "Against other tools"),
        ("closed form", "Against closed forms"),
    ):
        here = sorted((row for row in rows if row[0] == kind), key=lambda row: -share(row[3]))
        lines += [f"### {title}: {len(here)} groups, {sum(int(row[2]) for row in here):,} rows", ""]
        lines += ["| group | rows | mean error | worst error |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {name} | {count} | {mean} | {worst} |" for _, name, count, mean, worst in here
        ]
        lines += [""]
    return "\n".join(["", *lines, ""])


def share(text: str) -> float:
    """Return the number of a share as the validation prints it."""
    return float(text.strip("<% ").strip())


def errors() -> str:
    """Return the page of errors with its tables made anew."""
    made = groups((DOCS / "validation.md").read_text("utf-8"))
    return MADE.sub(lambda _: made, ERRORS.read_text("utf-8"))


if __name__ == "__main__":
    CATALOGUE.write_text(catalogue(), "utf-8")
    ERRORS.write_text(errors(), "utf-8")
