"""Commands that hold the model against what was measured: calibrate, validate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rainier_fast.cli.look import SAVE
from rainier_fast.cli.machines import machine_of
from rainier_fast.cli.names import FAILED
from rainier_fast.cli.options import MACHINE, OUTPUT, output
from rainier_fast.cli.show import Answer, in_percent, note, progress, show, write
from rainier_fast.table import Table
from rainier_fast.units import format_bytes, format_time


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"calibrate": calibrate, "validate": validate}


@click.command("calibrate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--op", metavar="NAME", help="The operation, where the table does not say.")
@click.option("--size-unit", metavar="UNIT", help="bytes or elements, in place of what is found.")
@click.option("--time-unit", metavar="UNIT", help="s, ms, us or ns, in place of what is found.")
@click.option("--dtype", metavar="TYPE", help="Only rows of this type.")
@click.option(
    "--algorithm",
    metavar="NAME",
    help="What ran: neuron (usual for Trainium), auto (for others), nccl, ...",
)
@SAVE
@MACHINE
@OUTPUT
def calibrate(file: str, save: str | None, **given: Any) -> None:  # noqa: ANN401 - options by name
    """Fit a machine's parameters to the measured table in FILE.

    FILE is what nccom-test, nccl-tests, rccl-tests, OSU's or UCC's benchmarks print, a log with it
    in, CSV or JSON. It must be of the whole machine that --preset names. Each size is also
    predicted by a fit on the others.
    """
    from rainier_fast.measure import calibrate as run

    written = output(given)
    names = ("op", "size_unit", "time_unit", "dtype", "algorithm")
    options = {name: given.pop(name) for name in names}
    machine = machine_of(given)
    with progress("fit"):
        fit = run(machine, Path(file), **options)
    if save is not None:
        fit.machine.save(save)
    errors = fit.residuals
    rows = Table(
        {name: errors[name] for name in ("op", "bytes", "measured_s", "predicted_s", "error")}
        | {"left_out_error": fit.leave_one_out["error"], "algorithm": errors["algorithm"]}
    )
    found = list(fit.parameters.items())
    fitted = Table(
        {
            "parameter": [name for name, _ in found],
            "value": [_said(value.value, value.unit) for _, value in found],
            "before": [_said(value.start, value.unit) for _, value in found],
        }
    )
    head = (
        f"{fit.machine.name or fit.machine.ultraserver.name}, {fit.kind}: mean error "
        f"{errors.mean:.1%}, worst {errors.worst:.1%}; each size by a fit on the others "
        f"{fit.leave_one_out.mean:.1%}, worst {fit.leave_one_out.worst:.1%}"
    )
    for line in fit.notes:
        note(f"note: {line}")
    data = {
        "parameters": {
            name: {"value": value.value, "unit": value.unit, "start": value.start}
            for name, value in found
        },
        "mean_error": errors.mean,
        "worst_error": errors.worst,
        "leave_one_out_mean_error": fit.leave_one_out.mean,
        "rows": rows.to_dict(),
        "notes": list(fit.notes),
    }
    show(Answer([head, fitted, in_percent(rows)], lambda: data, rows), **written)


def _said(value: float, unit: str) -> str:
    write_as = {"s": format_time, "B": format_bytes}.get(unit, "{:.4g}".format)
    return write_as(value)


@click.command("validate")
@click.option(
    "--output",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write there, not on the screen.",
)
@click.option(
    "--check",
    "old",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Exit with 1 if FILE is stale.",
)
@click.option("--groups", is_flag=True, help="Print errors by group, no rows.")
def validate(target: str | None, old: str | None, *, groups: bool) -> None:
    """Print published figures beside ours, with errors, and what has none, as Markdown."""
    from rainier_fast.files.kept import write as put_in_place
    from rainier_fast.validate import stale
    from rainier_fast.validation.report import group_table, report

    if sum((target is not None, old is not None, groups)) > 1:
        raise click.UsageError("--output, --check and --groups: choose one of them")
    with progress("published figures"):
        text = group_table() + "\n" if groups else report()
    if old is not None:
        if (line := stale(Path(old), text)) is not None:
            note(f"{old} is stale from line {line} on; run validate --output {old}")
            raise click.exceptions.Exit(FAILED)
    elif target is not None:
        put_in_place(Path(target), text)
    else:
        write(text.rstrip("\n"))
