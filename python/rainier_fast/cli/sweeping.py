"""The command sweep: a question of a file at all combinations of its axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rainier_fast.cli.machines import whole
from rainier_fast.cli.names import FAILED
from rainier_fast.cli.options import OUTPUT, output
from rainier_fast.cli.show import Answer, note, show
from rainier_fast.errors import invalid


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"sweep": sweep}


@click.command("sweep")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--into", metavar="FILE", help="Result: .parquet, .csv or .jsonl; else as FILE says.")
@click.option("--executor", metavar="NAME", help="processes (the default), serial or ray.")
@click.option("--workers", metavar="N", help="How many processes; all cores where nothing is said.")
@click.option("--extend", is_flag=True, help="Keep the points of a smaller space, add the rest.")
@click.option("--retry-errors", is_flag=True, help="Ask points that have an error again.")
@OUTPUT
def sweep(
    file: str,
    into: str | None,
    executor: str | None,
    workers: str | None,
    *,
    extend: bool,
    retry_errors: bool,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Ask the question of FILE at all combinations of its axes, and keep the answers.

    FILE is TOML, YAML or JSON with question (a collective, training_step or serve), machine (a
    preset, such as rainier:4096, or a file), into, and tables given and axes of values by their
    paths: options of the question, machine.ultraserver.nic.bandwidth, job.batch, layout.tp,
    service.input. A sweep that was stopped goes on by the same command.
    """
    from rainier_fast.cli.asked import asked
    from rainier_fast.sweeps.sweep import sweep as run

    written, found = output(given), asked(Path(file))
    target = into or found.into
    if target is None:
        raise invalid("into", None, f"must be said in {file}, or by --into")
    count = None if workers is None else whole("workers", workers)
    result = run(
        found.axes,
        found.question,  # type: ignore[arg-type] # taken as it is
        executor,
        target,
        progress=True,
        workers=count,
        extend=extend,
        retry_errors=retry_errors,
    )
    failed = len(result.errors)
    if failed:
        note(f"{failed:,} of {len(result):,} points have an error: columns error_type and error")
    data = {"path": str(result.path), "points": len(result), "errors": failed}
    show(Answer([str(result)], lambda: data | {"rows": result.to_dict()}, result.table), **written)
    if failed == len(result):
        raise click.exceptions.Exit(FAILED)
