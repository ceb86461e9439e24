"""Text that fits a screen: 24 lines, of 100 columns or, for wide tables, of 200; and HTML of it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

LINES: Final = 24
_COLUMNS: Final = 100
# Tables of results have up to 140 columns. They are kept whole: their last columns matter most.
_WIDEST: Final = 200

_Class = TypeVar("_Class", bound=type)

Facts: TypeAlias = list[tuple[str, str]]
"""What is worth knowing of something, as pairs of a name and a line."""


def cut(text: str) -> str:
    """Return text that fits a screen as it is, where its lines may wrap, and else its beginning."""
    lines = text.split("\n")
    if len(lines) == 1:
        kept = LINES // 2 * _COLUMNS
        if len(text) <= 2 * kept:
            return text
        return f"{text[:kept].rstrip()} ... and {len(text) - kept:,} more characters"
    if sum(-(-len(line) // _WIDEST) or 1 for line in lines) <= LINES:
        return text
    shown = [line if len(line) <= _WIDEST else f"{line[: _WIDEST - 3]}..." for line in lines]
    if len(shown) > LINES:
        shown[LINES - 1 :] = [f"... and {len(shown) - LINES + 1:,} more lines"]
    return "\n".join(shown)


def one_screen(cls: _Class) -> _Class:
    """Cut what ``repr`` and ``str`` of a class give to a screen."""
    for name in ("__repr__", "__str__"):
        if name in vars(cls):
            setattr(cls, name, _cutting(vars(cls)[name]))
    return cls


def _cutting(method: Callable[[Any], str]) -> Callable[[Any], str]:
    @wraps(method)
    def text(self: Any) -> str:  # noqa: ANN401 - an instance of any class
        return cut(method(self))

    return text


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool] = ()) -> list[str]:
    """Return rows of cells as lines; some columns may be aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = right or [False] * len(widths)
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, sides, strict=True)
        ).rstrip()
        for row in rows
    ]


_CELL: Final = 400
"""Characters that a cell of a page shows."""
_LINE: Final = 2000

# Colours are those of the notebook, light or dark; nothing of it is run.
_STYLE: Final = (
    ".rf-card{border:1px solid #8888;border-radius:6px;padding:.6em .9em;margin:.2em 0;"
    "display:inline-block;max-width:100%;box-sizing:border-box;overflow-x:auto;line-height:1.35;font-size:13px}"
    ".rf-card p{margin:.3em 0}.rf-card>p:first-of-type{font-weight:600;margin-top:0}"
    ".rf-card table{border-collapse:collapse;margin:.4em 0;font-size:inherit}"
    ".rf-card th,.rf-card td{padding:.12em .7em .12em 0;text-align:left;vertical-align:top;"
    "border:0;background:none;white-space:normal}"
    ".rf-card th{font-weight:500;opacity:.8;white-space:nowrap}"
    ".rf-card thead th{border-bottom:1px solid #8888}"
    ".rf-card .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".rf-card pre{margin:.2em 0;white-space:pre-wrap}"
)


def card(inside: str) -> str:
    """Return HTML, whose text is escaped already, as a compact card of a notebook."""
    return f'<div class="rf-card"><style>{_STYLE}</style>{inside}</div>'


def escaped(text: str, most: int = _CELL) -> str:
    """Return text as HTML shows it, not too long."""
    from html import escape  # needed only in a notebook

    return escape(text if len(text) <= most else f"{text[: most - 3]}...")


def html_table(
    header: Iterable[str], rows: Iterable[Iterable[str]], right: Sequence[bool] = ()
) -> str:
    """Return rows of cells below a header as a table of HTML; some columns may be numbers."""
    names = list(header)
    sides = right or [False] * len(names)
    marks = [" class=n" if number else "" for number in sides]
    pairs = list(zip(names, marks, strict=True))
    head = "".join(f'<th scope="col"{mark}>{escaped(cell)}</th>' for cell, mark in pairs)
    body = "".join(
        "<tr>"
        + "".join(f"<td{mark}>{escaped(cell)}</td>" for cell, mark in zip(row, marks, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def preformatted(self: object) -> str:
    """Return the text of an object as HTML: a ``_repr_html_`` of what has no tables."""
    return card(f"<pre>{escaped(str(self), 10 * _LINE)}</pre>")


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever results hold
    """Return a value as JSON takes it; a number that JSON does not have is None."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(type(value), "to_dict"):
        return value.to_dict()
    if hasattr(type(value), "tolist"):
        return plain(value.tolist())
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


class Told:
    """What says itself as a dict."""

    __slots__ = ()

    _also: ClassVar[tuple[str, ...]] = ()
    """What dicts say beside the fields of a dataclass: attributes, and what methods give."""

    _untold: ClassVar[tuple[str, ...]] = ("machine", "request")
    """Fields that dicts leave out, and those with an underscore."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a dict that JSON takes; numbers that are not finite become None.

        Returns
        -------
        dict
            Attributes and properties by name, in their units. Of links ``class`` stands for
            ``link_class``, ``from`` for ``source`` and ``to`` for ``target``.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((4,), "1 GB/s").link(0).to_dict()["from"]
        'chip 0'
        """
        own: list[str] = [one.name for one in fields(self)] if is_dataclass(self) else []
        names = [name for name in own if name[0] != "_" and name not in self._untold]
        told = {name: getattr(self, name) for name in (*names, *self._also)}
        return {
            _IN_DICTS.get(name, name): plain(value() if callable(value) else value)
            for name, value in told.items()
        }


_IN_DICTS: Final = {
    "link_class": "class",
    "source": "from",
    "target": "to",
    "source_chip": "from_chip",
    "target_chip": "to_chip",
}


class Report:
    """What reads as a page: lines, facts and tables, in text and in a notebook."""

    __slots__ = ()

    def _page(self) -> Iterable[Any]:
        """Return the parts in order: text, `Facts`, or what has a ``_repr_html_`` of its own."""
        raise NotImplementedError

    def __str__(self) -> str:
        return cut("\n".join(_as_text(part) for part in self._page()))

    def _repr_html_(self) -> str:
        return card("".join(_as_html(part) for part in self._page()))


def _as_text(part: Any) -> str:  # noqa: ANN401 - a part of a page
    if not isinstance(part, list):
        return str(part)
    width = max(len(name) for name, _ in part)
    return "\n".join(f"  {name.ljust(width)}  {line}" for name, line in part)


def _as_html(part: Any) -> str:  # noqa: ANN401 - a part of a page
    if isinstance(part, str):
        return f"<p>{escaped(part, _LINE)}</p>" if part else ""
    if not isinstance(part, list):
        return str(part._repr_html_())
    rows = (
        f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(line, _LINE)}</td></tr>'
        for name, line in part
    )
    return f"<table>{''.join(rows)}</table>"


class Pictured:
    """What has pictures."""

    __slots__ = ()

    def plot(self, ax: Any = None, picture: str | None = None, **options: Any) -> Any:  # noqa: ANN401
        """Draw it with matplotlib (extra ``plot``), by the picture that tells most.

        Parameters
        ----------
        ax
            A matplotlib axis to draw on; None makes a new figure.
        picture
            Another one, by its name in `rainier_fast.plot`; ``plot.pictures(result)`` lists them.
        **options
            Those of the function of that name.

        Returns
        -------
        matplotlib.axes.Axes
            That axis; ``ax.figure.savefig("x.png")`` keeps it.

        Raises
        ------
        RainierError
            If matplotlib is missing, there is no such picture, or an option is not usable.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> some = preset("trn2").times("all_reduce", ["1 KiB", "1 MiB", "1 GiB"])
        >>> some.plot().get_xlabel()
        'size (bytes, as the operation defines them)'
        """
        from importlib import (
            import_module,
        )  # pictures stand above results, which know nothing of them

        return import_module("rainier_fast.plot").draw(self, ax, picture, **options)


class Paged:
    """What has a page of HTML."""

    __slots__ = ()

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str | None = None,
        interactive: bool = True,
    ) -> None:
        """Write a page of HTML about it, one file that needs no network (extra ``report``).

        It has the machine, the prediction and its kind, bounds, assumptions with ranges, pictures,
        the nearest measured rows and the code that makes the result again.

        Parameters
        ----------
        path
            The file; one that is there is replaced.
        title
            Its heading; what it is of, if left out.
        interactive
            Whether pictures can be turned and pointed at. Without it the page has no script, and
            plotly is not needed.

        Raises
        ------
        InvalidArgument, InvalidType
            If an argument is not usable.
        RainierError
            If plotly or matplotlib is not installed.
        OSError
            If it cannot be written; what was there is still there.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from rainier_fast import preset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "x.html"
        ...     preset("trn2").all_reduce("1 GiB").report(path, interactive=False)
        ...     path.read_text().splitlines()[0]
        '<!DOCTYPE html>'
        """
        from importlib import import_module  # pages stand above results, as pictures do

        write = import_module("rainier_fast.report").write
        write(self, path, title=title, interactive=interactive)
