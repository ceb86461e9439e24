"""Commands of files that other programs write: read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rainier_fast.cli.look import machine_facts
from rainier_fast.cli.machines import machine_of, mesh_of, whole
from rainier_fast.cli.options import MACHINE, OUTPUT, output
from rainier_fast.cli.show import Answer, show
from rainier_fast.errors import invalid
from rainier_fast.formats.kept import MeasuredTable
from rainier_fast.machine.machine import Machine
from rainier_fast.screen import plain
from rainier_fast.table import Table, columns_of

if TYPE_CHECKING:
    from rainier_fast.program.cost import ProgramCost


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"read": read}


@click.command("read")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--format", "kind", metavar="NAME", help="In place of what the content looks like.")
@click.option("--formats", "listed", is_flag=True, help="List the formats that are known.")
@click.option("--cost", is_flag=True,
              help="Of a program: what its collectives take on a machine, the one that options "
              "name; rainier of as many chips as it has ranks where nothing is said.")  # fmt: skip
@click.option("--mesh", metavar="AXES", help="With --cost: its mesh, such as 'dp=512,tp=8'.")
@click.option("--axis", "axes", metavar="WHAT=AXIS", multiple=True,
              help="With --cost: the axis of --mesh that an operation runs over, where the file "
              "does not say it, such as all_reduce=dp. May be repeated.")  # fmt: skip
@click.option("--trips", metavar="N", help="With --cost: runs of loops that have no trip count.")
@click.option("--ranks-per-chip", metavar="N", help="With --cost: ranks of a chip.")
@click.option("--algorithm", metavar="NAME",
              help="With --cost: auto, runtime or a name; the machine's software where left "
              "out.")  # fmt: skip
@MACHINE
@OUTPUT
def read(
    file: str | None,
    kind: str | None,
    *,
    listed: bool,
    cost: bool,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Say what is in FILE: a measured table, the collectives of a program, and others.

    What it is shows in its content, not in its name. With --cost a program is costed on a machine.
    """
    from rainier_fast.reading.reader import formats
    from rainier_fast.reading.reader import read as run

    written = output(given)
    if not cost:
        _refuse_costing(given)
    if listed:
        if file is not None or kind is not None or cost:
            raise invalid("--formats", True, "stands alone: it reads no file")  # noqa: FBT003
        table = formats()
        show(Answer([table], table.to_dict, table), **written)
        return
    if file is None:
        raise invalid("FILE", None, "must be the path of a file; --formats lists what is known")
    found = run(Path(file), kind)
    if cost:
        costed = _cost(found, given)
        show(Answer([str(costed)], costed.to_dict, costed.collectives), **written)
        return
    show(Answer([str(found)], lambda: _told(found), _rows(found)), **written)


_COSTING = ("mesh", "trips", "ranks_per_chip", "algorithm")


def _refuse_costing(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value not in (None, ()):
            raise invalid(name, value, "goes with --cost")


def _cost(program: object, given: dict[str, Any]) -> ProgramCost:
    """Return what a program takes on the machine that options name."""
    from rainier_fast.program.program import Program

    if not isinstance(program, Program):
        found = type(program).__name__
        raise invalid("FILE", found, "must be a program with --cost: its collectives are costed")
    said = {name: given.pop(name) for name in _COSTING}
    axes = dict(_axis(word) for word in given.pop("axes"))
    cores = 1 if said["ranks_per_chip"] is None else whole("ranks_per_chip", said["ranks_per_chip"])
    sized = any(given[name] is not None for name in ("preset", "chips", "shape", "machine"))
    if program.world is not None and not sized and program.world % cores == 0:
        given["chips"] = str(program.world // cores)  # of rainier
    algorithm: Any = said["algorithm"]
    return machine_of(given).cost_of(
        program,
        mesh=None if said["mesh"] is None else mesh_of(said["mesh"]),
        axes=axes or None,
        ranks_per_chip=cores,
        algorithm=algorithm,
        trips=None if said["trips"] is None else whole("trips", said["trips"]),
    )


def _axis(word: str) -> tuple[str, str]:
    what, equals, axis = word.partition("=")
    if not equals:
        raise invalid("axis", word, "must be an operation and an axis, such as all_reduce=dp")
    return what, axis


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
