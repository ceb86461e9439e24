"""HTML whose text is escaped where it is put in, so that no name becomes markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from rainier_fast.screen import plain
from rainier_fast.table import Table, TableOfKind
from rainier_fast.units import format_count

_VOID: Final = frozenset({"meta", "br", "hr", "input", "img"})


class Html(str):
    """Text that is markup already. Only this module and what parses markup make it."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str | float | bool | None) -> Html:
    """Return an element; what is inside is escaped unless it is `Html`.

    ``class_`` stands for class; underscores within a name are hyphens; None is left out.
    """
    said = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        said.append(f" {word}" if value is True else f' {word}="{escape(_clean(str(value)))}"')
    head = f"<{name}{''.join(said)}>"
    return Html(head if name in _VOID else f"{head}{joined(inside)}</{name}>")


def joined(parts: Iterable[str]) -> Html:
    """Return parts one after another, escaped unless they are `Html`."""
    return Html("".join(part if isinstance(part, Html) else text(part) for part in parts))


def text(words: str) -> Html:
    """Return words as markup that shows them."""
    return Html(escape(_clean(words), quote=False))


def _clean(words: str) -> str:
    """Return words without the characters that HTML may not hold."""
    return "".join(
        "\ufffd" if (one < " " and one not in "\n\t") or "\ud800" <= one <= "\udfff" else one
        for one in words
    )


def json_text(value: object) -> Html:
    """Return JSON that may stand in a script element: no character of it ends one."""
    written = json.dumps(plain(value), separators=(",", ":"), allow_nan=False)
    for mark in "<>&\u2028\u2029":
        written = written.replace(mark, f"\\u{ord(mark):04x}")
    return Html(written)


def data(value: float, words: str) -> Html:
    """Return a number as read, with its whole value beside it for programs."""
    return tag("data", words, value=repr(float(value)))


def facts(rows: Sequence[tuple[str, str]], caption: str) -> Html:
    """Return names with a line each as a table; a row without a name goes on with the last."""
    body: list[Html] = []
    last = ""
    for name, line in rows:
        last = name or last
        head = tag("th", name, scope="row") if name else tag("th", _unseen(last), scope="row")
        body.append(tag("tr", head, tag("td", line)))
    return _framed(caption, tag("tbody", *body), "facts")


def table(rows: Table, caption: str, most: int = 60, names: Sequence[str] | None = None) -> Html:
    """Return a table; of more rows than `most`, the first, and a line that says how many more."""
    kept = rows if names is None else rows._part(names)
    header, cells, numeric = kept._cells(most)
    values = [column[:most].tolist() for column in kept.columns.values()]
    head = tag(
        "tr",
        *(
            tag("th", name, scope="col", class_="number" if number else None)
            for name, number in zip(header, _numbers(values, numeric), strict=True)
        ),
    )
    body = [_row(row, [column[at] for column in values]) for at, row in enumerate(cells)]
    kind = f" ({rows.kind})" if isinstance(rows, TableOfKind) else ""
    made = _framed(caption + kind, joined([tag("thead", head), tag("tbody", *body)]), "rows")
    left = len(rows) - len(cells)
    if left <= 0:
        return made
    return joined([made, tag("p", f"and {format_count(left)} more rows", class_="small")])


def _numbers(values: list[list[Any]], numeric: list[bool]) -> list[bool]:
    return [
        number or any(_is_number(one) for one in column)
        for column, number in zip(values, numeric, strict=True)
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _row(cells: Sequence[str], values: Sequence[object]) -> Html:
    """Return a row; its first cell names it."""
    out = []
    for at, (words, value) in enumerate(zip(cells, values, strict=True)):
        number = _is_number(value)
        inside = data(value, words) if number and words else text(words)  # type: ignore[arg-type]
        classes = "number" if number else None
        if at == 0:
            out.append(tag("th", inside, scope="row", class_=classes))
        else:
            out.append(tag("td", inside, class_=classes))
    return tag("tr", *out)


def _framed(caption: str, inside: Html, kind: str) -> Html:
    """Return a table in a frame that scrolls by keyboard too, where it is too wide."""
    made = tag("table", tag("caption", caption), inside, class_=kind)
    return tag("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _unseen(words: str) -> Html:
    return tag("span", words, class_="unseen")


def code(words: str, label: str) -> Html:
    """Return text of a program."""
    return tag("pre", tag("code", words), tabindex="0", role="region", aria_label=label)


def bullets(lines: Iterable[str]) -> Html:
    """Return lines as a list."""
    return tag("ul", *(tag("li", line) for line in lines))
