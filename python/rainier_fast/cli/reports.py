"""Pages of HTML: of a collective that the options ask for, or of an answer in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rainier_fast.cli.machines import group_of, machine_of
from rainier_fast.cli.options import ALGORITHM, HOW, MACHINE, algorithm_of, how
from rainier_fast.cli.show import write
from rainier_fast.errors import as_one_of, invalid


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"report": report}


@click.command("report")
@click.argument("what", metavar="COLLECTIVE|FILE")
@click.option(
    "-o",
    "--out",
    "out",
    metavar="PAGE",
    required=True,
    type=click.Path(dir_okay=False),
    help="The page that is written, such as x.html.",
)
@click.option("--size", metavar="SIZE", help="Bytes of the collective, such as '1 GiB'.")
@click.option("--group", metavar="CHIPS", help="Who takes part: 0-63, 0-1023:64, several by ;")
@click.option("--title", metavar="WORDS", help="The heading; what it is of, if left out.")
@click.option("--still", is_flag=True, help="No script: pictures that cannot be turned.")
@ALGORITHM
@HOW
@MACHINE
def report(what: str, out: str, *, still: bool, **given: Any) -> None:  # noqa: ANN401
    """Write a page of HTML, one file that needs no network, about an answer.

    COLLECTIVE is a name such as all_reduce, on the machine of the options; FILE is an answer as
    save() writes it: of a collective, a training step or a service; or a question alone.
    """
    from rainier_fast.report.write import write as write_page

    title = given.pop("title")
    path = Path(what)
    result = _read(path, given) if path.is_file() else _run(what, given)
    write_page(result, out, title=title, interactive=not still)
    write(f"{out}: {Path(out).stat().st_size:,} bytes")


def _read(path: Path, given: dict[str, Any]) -> object:
    """Return the answer in a file, which says all by itself."""
    from rainier_fast.reading.reader import read

    usual = {"model": "link_load", "routing": "dor", "algorithm": "auto", "settings": ()}
    for name, value in given.items():
        if value != usual.get(name):
            said = "settings" if name == "settings" else name
            raise invalid(said, value, "must be left out where a file says what is asked")
    return read(path)


def _run(what: str, given: dict[str, Any]) -> object:
    from rainier_fast.ask.options import OPERATIONS
    from rainier_fast.collectives.run import run

    operation = as_one_of("what", what.replace("-", "_"), OPERATIONS)
    size, group = given.pop("size"), given.pop("group")
    options = how(given) | {"algorithm": algorithm_of(given.pop("algorithm"))}
    machine = machine_of(given)
    if (size is None) != (operation == "barrier"):
        raise invalid("size", size, "must be bytes such as '1 GiB', and left out of a barrier")
    if group is not None:
        options["group"] = group_of(group)
    return run(machine, operation, 0 if size is None else size, **options)
