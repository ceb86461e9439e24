"""What a page says, whatever it is of: its parts, and those that all pages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rainier_fast.catalog import Figure
from rainier_fast.catalog.figure import CONFIDENCE
from rainier_fast.errors import RainierError
from rainier_fast.faults.damaged import Damaged
from rainier_fast.machine.text import facts as machine_facts
from rainier_fast.report import markup
from rainier_fast.report.markup import Html, joined, tag
from rainier_fast.report.view import View
from rainier_fast.table import Table


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading of its own."""

    name: str
    title: str
    body: Html


@dataclass(frozen=True)
class Content:
    """What a page says."""

    title: str
    lede: str
    kind: str
    prediction: Html
    machine: Html
    bounds: Html
    assumptions: Html
    measured: Html
    views: tuple[View, ...]
    notes: tuple[str, ...]
    """Why a picture is not there."""
    stills: tuple[str, ...]
    """Names of pictures of `plot`, as of the result itself."""
    result: Any
    told: Any
    """The result as a dict."""


def key_numbers(rows: Iterable[tuple[str, float, str]]) -> Html:
    """Return the numbers that matter most: name, value, and how it reads."""
    return tag(
        "dl",
        *(
            tag("div", tag("dt", name), tag("dd", markup.data(value, words)))
            for name, value, words in rows
        ),
        class_="key",
    )


def page_parts(parts: Iterable[Any], caption: str) -> Html:
    """Return the parts of a `Report` after its first line: lines, facts and tables."""
    out: list[Html] = []
    for part in parts:
        if isinstance(part, Table):
            out.append(markup.table(part, caption))
        elif isinstance(part, list):
            out.append(markup.facts(part, "what is worth knowing"))
        elif part:
            out.append(tag("p", str(part)))
    return joined(out)


def machine(one: Damaged, caption: str = "") -> Html:
    """Return what is worth knowing of a machine."""
    label = caption or one.name or one.ultraserver.name
    return markup.facts(machine_facts(one), f"the machine: {label}")


def assumptions(known: Mapping[str, Figure], guesses: Iterable[str] = ()) -> Html:
    """Return what an answer assumes, with ranges and sources, and what of it is a guess."""
    parts: list[Html] = []
    if known:
        rows = {
            "assumption": list(known),
            "value": [one.text for one in known.values()],
            "range": [one.range_text or "not known" for one in known.values()],
            "confidence": [CONFIDENCE[one.confidence] for one in known.values()],
            "source": [one.source for one in known.values()],
        }
        parts.append(_whole(rows, "figures of the catalogue that the machine stands on"))
    else:
        words = "The machine stands on no assumption of the catalogue: every number was given."
        parts.append(tag("p", words))
    lines = list(guesses)
    if lines:
        parts.append(tag("p", "What rests on no measurement and no published rule:"))
        parts.append(markup.bullets(lines))
    return joined(parts)


def _whole(columns: Mapping[str, list[str]], caption: str) -> Html:
    """Return a table of text whose cells are not cut."""
    head = tag("tr", *(tag("th", name, scope="col") for name in columns))
    body = (
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in zip(*columns.values(), strict=True)
    )
    inside = joined([tag("thead", head), tag("tbody", *body)])
    return markup._framed(caption, inside, "rows")


def measured(nearest: Callable[[], Table], caption: str) -> Html:
    """Return the nearest measured rows with our error, or why there are none."""
    try:
        rows = nearest()
    except RainierError as error:
        return tag("p", f"None: {error}.")
    return markup.table(_in_percent(rows), caption)


def _in_percent(rows: Table) -> Table:
    """Return a table whose errors are in per cent."""
    columns: dict[str, Any] = dict(rows.columns)
    for name in columns:
        if name.endswith("error"):
            columns[name] = [
                f"{value:+.1%}" if value == value else "" for value in rows[name].tolist()
            ]
    made = Table(columns)
    kind = getattr(rows, "kind", None)
    return made if kind is None else made._of_kind(kind)


def tried(make: Callable[[], View], notes: list[str], what: str) -> View | None:
    """Return a view, or None with a line that says why there is none."""
    try:
        return make()
    except RainierError as error:
        notes.append(f"{what}: {error}")
        return None
