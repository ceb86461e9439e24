"""Commands of files that other programs write: read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rainier_fast.cli.look import machine_facts
from rainier_fast.cli.options import OUTPUT, output
from rainier_fast.cli.show import Answer, show
from rainier_fast.errors import invalid
from rainier_fast.formats.kept import MeasuredTable
from rainier_fast.machine.machine import Machine
from rainier_fast.screen import plain
from rainier_fast.table import Table, columns_of


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"read": read}


@click.command("read")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--format", "kind", metavar="NAME", help="In place of what the content looks like.")
@click.option("--formats", "listed", is_flag=True, help="List the formats that are known.")
@OUTPUT
def read(file: str | None, kind: str | None, *, listed: bool, **given: Any) -> None:  # noqa: ANN401
    """Say what is in FILE: a measured table, the collectives of a program, and others.

    What it is shows in its content, not in its name.
    """
    from rainier_fast.reading.reader import formats
    from rainier_fast.reading.reader import read as run

    written = output(given)
    if listed:
        table = formats()
        show(Answer([table], table.to_dict, table), **written)
        return
    if file is None:
        raise invalid("FILE", None, "must be the path of a file; --formats lists what is known")
    found = run(Path(file), kind)
    show(Answer([str(found)], lambda: _told(found), _rows(found)), **written)


def _told(found: object) -> Any:  # noqa: ANN401 - whatever JSON takes
    """Return what was found as JSON has it; of what has no such form, its text."""
    if isinstance(found, Machine):
        return machine_facts(found)
    told = plain(found)
    return told if isinstance(told, dict | list) else {"text": str(found)}


def _rows(found: object) -> Table | None:
    """Return what was found as a table, if it has one."""
    if isinstance(found, Table):
        return found
    if isinstance(found, MeasuredTable):
        same = ("op", "time_s", "dtype", "ranks", "nodes", "algorithm")
        columns = columns_of(found.rows, *same, bytes="size_bytes")
        return Table({name: values for name, values in columns.items() if any(values)})
    table = getattr(found, "table", None)
    made = table() if callable(table) else table
    return made if isinstance(made, Table) else None
