"""The validation as one Markdown text: rows, errors by group, and what nobody has published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rainier_fast.catalog import assumptions
from rainier_fast.validation import (
    SOURCES,
    breakdown,
    efficiency,
    makers,
    serving,
    serving_apart,
    training,
)
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row, TableRow, mean_error, worst_error

_COMMAND: Final = "python -m rainier_fast.validate"
_OPENING: Final = f"""\
# Validation

Published figures beside ours. Made by `{_COMMAND} --output docs/validation.md`; do not edit.

An error is ours / published - 1. Measured rows are of real machines; closed forms and other tools
check arithmetic and say nothing of hardware. A group that fits a figure says so, and stands beside
one in which each row is predicted with that row left out of the fit. `kind` says what ours is:
of the links alone, or as a machine's own software runs it; `model` is the model of ours that gave
it. 0 means that only rounding is left."""

_MAKERS: Final = """\
All-reduces as the machines' own software runs them (`rf.compare`, `algorithm="runtime"`), beside
the measured row of as many ranks that is nearest in size, from the tables above. Counts of ranks
are unlike: times of 8 and 16 are not of the same question. At 64 KiB an H100 node is faster than a
B200 node, as measured (18.7 and 29.0 us, as nccl runs it). Of a whole TPU slice nothing is
measured."""

_FITS: Final = """\
What `rf.Efficiency` was fitted to, and mean sizes of its errors: of rows that were fitted, of those
left out (every second size; of tables of fewer than ten rows each row, by a fit to the others), and
of those left out that are as large as training's. Stacks disagree by more: one row may take a
quarter longer by another."""

_SPLIT: Final = """\
Mean errors of the long tables in percent, by operation (all-reduce, all-gather, reduce-scatter,
all-to-all), ranks and size; beside them those of the times that the software's own tables say."""
_LINES: Final = "Ours are {}. Errors in percent by size."

_SERVED: Final = """\
Sizes of errors of `Machine.serve` on measured services of GPUs (measured/data/serving/gpus.json):
half of the rows are fitted, by a hash of their names; all others are predicted. Requests at a rate
are of rates.json: times between tokens of a steady state."""

_UNSERVED: Final = "Measured services that are known and not answered, and why."

_LEFT: Final = "Measured runs that are known and that no row above is of."

_Rows = Mapping[str, Sequence[Row]]


def report(rows: _Rows | None = None) -> str:
    """Return the whole text: the same for every run, on any machine."""
    known = {name: make() for name, make in SOURCES.items()} if rows is None else rows
    parts = [
        _OPENING,
        *(_reference(name, found) for name, found in known.items()),
        "## Machines beside each other",
        _MAKERS,
        _table(makers.NAMES, makers.lines()),
        "## Fits of operators",
        _FITS,
        _table(efficiency.NAMES, efficiency.lines()),
        "## Services of GPUs",
        _SERVED,
        _table(serving.NAMES, serving.lines()),
        "## Services that are not answered",
        _UNSERVED,
        _table(("services", "why"), [*serving.left(), *serving_apart.left()]),
        "## Training runs that are not run",
        _LEFT,
        _table(("run", "why"), [(one.case.title, one.why) for one in training.left()]),
        "## Mean and worst error by group",
        group_table(known),
        _unpublished(),
    ]
    return "\n\n".join(parts) + "\n"


def group_table(rows: _Rows | None = None) -> str:
    """Return mean and worst error of each group, as the report prints them."""
    known = {name: make() for name, make in SOURCES.items()} if rows is None else rows
    lines = []
    for kind in ("measured", "closed form", "other tool"):
        for name, found in known.items():
            for group, members in _by_group(found).items():
                if _kind(name, group) != kind:
                    continue
                errors = (mean_error(members), worst_error(members))
                lines.append((kind, group, str(len(members)), *map(_size, errors)))
    groups = _table(("kind", "group", "rows", "mean error", "worst error"), lines)
    every = [row for found in known.values() for row in found]
    split = _table(*breakdown.by_kind(_by_group(every)))
    return f"{groups}\n\n{_SPLIT}\n\n{split}"


def _reference(name: str, rows: Sequence[Row]) -> str:
    about = read("references")[name]
    sources = list(dict.fromkeys(row.source for row in rows))
    parts = [
        f"## {about['title']}",
        "\n".join([f"- inputs: {about['inputs']}", *(f"- source: {source}" for source in sources)]),
    ]
    if "wrong" in about:
        parts.append(about["wrong"])
    for group, members in _by_group(rows).items():
        lines = [row for row in members if isinstance(row, TableRow)]
        if lines:
            kinds = ", ".join(dict.fromkeys(row.kind for row in lines))
            parts += [f"### {group}", _LINES.format(kinds), _table(*breakdown.line_by_line(lines))]
        else:
            parts += [f"### {group}", _rows_table(members)]
    return "\n\n".join(parts)


def _kind(name: str, group: str) -> str:
    about = read("references")[name]
    return str(about.get("kinds", {}).get(group, about["kind"]))


def _rows_table(rows: Sequence[Row]) -> str:
    names = ("case", "quantity", "published", "ours", "error", "kind", "model", "note")
    cells = [
        (
            row.case,
            row.quantity,
            _figure(row.published, row.unit),
            _figure(row.ours, row.unit),
            _error(row.error),
            row.kind,
            row.model,
            row.note,
        )
        for row in rows
    ]
    return _table(names, cells)


def _unpublished() -> str:
    known, gaps = assumptions(), read("unpublished")
    measured = [(gap["what"], gap["instead"]) for gap in gaps["measurements"]]
    parameters = []
    for gap in gaps["parameters"]:
        taken = [
            f"`{name}` {known[name].text} ({known[name].range_text})" for name in gap["assumptions"]
        ]
        parameters.append((gap["what"], "; ".join(taken) or gap["instead"]))
    return "\n\n".join(
        [
            "## What no public data was found for",
            "Nothing above says how far off we are on these.",
            _table(("measurement", "what there is instead"), measured),
            _table(("parameter", "what we assume, and the range that makes sense"), parameters),
        ]
    )


def _by_group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return groups


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _figure(value: float, unit: str) -> str:
    if unit == "ns":
        return f"{value:,.0f} {unit}"
    return f"{value:.6g} {unit}"


def _error(error: float) -> str:
    sign = "-" if error < 0 else "+"
    return _size(abs(error)) if abs(error) < _SEEN else f"{sign}{_size(abs(error))}"


def _size(error: float) -> str:
    """Write an error; what only rounding makes is 0, so that every machine prints the same."""
    if error < _ROUNDING:
        return "0"
    return "< 0.01 %" if error < _SEEN else f"{error:.2%}".replace("%", " %")


_ROUNDING: Final = 1e-12
_SEEN: Final = 5e-5
