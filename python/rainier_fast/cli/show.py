"""Answers on standard output: text, tables in colour where a terminal looks, JSON or CSV."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import click

from rainier_fast.screen import aligned, plain
from rainier_fast.table import Table, TableOfKind

_PIECE: Final = 4096  # what a pipe takes whole, POSIX's PIPE_BUF on Linux


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found: text and tables for a reader, a dict for programs, rows for CSV."""

    parts: Sequence[str | Table]
    data: Callable[[], Any]
    rows: Table | None = None


def show(answer: Answer, *, as_json: bool = False, as_csv: bool = False) -> None:
    """Write an answer."""
    if as_json and as_csv:
        raise click.UsageError("--csv: --json was asked for too; choose one of them")
    if as_json:
        write(json.dumps(plain(answer.data()), indent=2, allow_nan=False))
    elif as_csv:
        if answer.rows is None:
            raise click.UsageError("--csv: this answer is no table; use --json")
        write(answer.rows.to_csv().rstrip("\n"))
    elif _looks():
        _in_colour(answer.parts)
    else:
        write(
            "\n\n".join(part if isinstance(part, str) else text_of(part) for part in answer.parts)
        )


def _looks() -> bool:
    """Tell whether a terminal shows what is written."""
    return sys.stdout.isatty()


def write(text: str) -> None:
    """Write lines as they are."""
    whole = text + "\n"
    # By pieces: of unbuffered streams (python -u) a write may take a part and say nothing.
    for start in range(0, len(whole), _PIECE):
        sys.stdout.write(whole[start : start + _PIECE])
    sys.stdout.flush()


def text_of(table: Table) -> str:
    """Return all rows of a table, its columns set off by spaces."""
    header, rows, numeric = table._cells(len(table))
    return "\n".join([*_kind(table), *aligned([header, *rows], numeric)])


def _kind(table: Table) -> list[str]:
    return [table.kind] if isinstance(table, TableOfKind) else []


def _in_colour(parts: Sequence[str | Table]) -> None:
    from rich.console import Console

    plain_words: dict[str, Any] = {
        "highlight": False,
        "markup": False,
        "emoji": False,
        "soft_wrap": True,
    }
    console = Console(**plain_words)
    for at, part in enumerate(parts):
        if at:
            console.print()
        if isinstance(part, str):
            console.print(part)
            continue
        for line in _kind(part):
            console.print(line, style="italic")
        # What is wider than the screen is kept whole: its lines wrap, and its cells do not.
        width = max(map(len, text_of(part).split("\n"))) + 2
        Console(**plain_words, width=max(console.width, width)).print(_rich(part))


def _rich(table: Table) -> Any:  # noqa: ANN401 - rich's table, which is loaded late
    from rich.table import Table as Drawn
    from rich.text import Text

    header, rows, numeric = table._cells(len(table))
    drawn = Drawn(box=None, header_style="bold cyan", pad_edge=False, padding=(0, 2, 0, 0))
    for name, is_number in zip(header, numeric, strict=True):
        drawn.add_column(Text(name), justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*map(Text, row))
    return drawn


def in_percent(table: Table) -> Table:
    """Return a table whose columns of errors are in per cent, for readers."""
    shown: dict[str, Any] = dict(table.columns)
    for name in shown:
        if name.endswith("error"):
            shown[name] = [f"{value:+.1%}" for value in table[name].tolist()]
    made = Table(shown)
    return made._of_kind(table.kind) if isinstance(table, TableOfKind) else made


def note(text: str) -> None:
    """Write a line beside the answer, on standard error."""
    print(" ".join(text.split()), file=sys.stderr)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], object] | None]:
    """Show how far a long call is on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)
