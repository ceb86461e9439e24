"""Commands that set things side by side: compare, mapping, faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from rainier_fast.cli.machines import machine_of, mesh_of, named, whole
from rainier_fast.cli.options import ALGORITHM, HOW, MACHINE, OUTPUT, SET, algorithm_of, how, output
from rainier_fast.cli.setting import changed
from rainier_fast.cli.show import Answer, in_percent, note, progress, show
from rainier_fast.errors import invalid
from rainier_fast.machine.machine import Machine
from rainier_fast.table import Table

_SHOWN = ("machine", "chips", "ranks", "time_s", "relative", "algorithm", "bottleneck", "reason")


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"compare": compare, "mapping": mapping, "faults": faults}


@click.command("compare")
@click.argument("machines", nargs=-1, metavar="[MACHINE]...")
@click.option(
    "--collective",
    metavar="NAME",
    default="all_reduce",
    show_default=True,
    help="Which collective they run.",
)
@click.option("--size", metavar="SIZE", default="1 GiB", show_default=True, help="Bytes of it.")
@click.option(
    "--with",
    "changes",
    metavar="PATH=VALUE",
    multiple=True,
    help="Also each machine with a field changed, as --set says it; several with ;",
)
@click.option("--group-chips", metavar="N", help="Compare groups of this many chips.")
@click.option(
    "--measured",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Set the rows of a measured table (nccom-test, nccl-tests, CSV, ...) beside "
    "what the one MACHINE that was measured would take.",
)
@click.option(
    "--algorithm",
    metavar="NAME",
    help="As for a collective; without it auto, and runtime for a measured table.",
)
@HOW
@SET
@OUTPUT
def compare(machines: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - options by name
    """Set machines, changes of one, or a measured table side by side.

    MACHINE is a preset, with its chips or shape after a colon (rainier:1024, tpu-v5p:4x4x8), or
    the file of a machine.
    """
    how_written, options = output(given), how(given)
    settings = given["settings"]
    made = [changed(named(word), settings) for word in machines or ("rainier",)]
    if given["measured"] is not None:
        if len(made) > 1 or given["changes"]:
            raise invalid("measured", given["measured"], "must be compared with one MACHINE")
        show(_beside(made[0], Path(given["measured"]), given["algorithm"]), **how_written)
        return
    rows = list(made)
    for machine in made:
        rows += [changed(machine, change.split(";")) for change in given["changes"]]
    show(_side_by_side(rows, given, options), **how_written)


def _side_by_side(
    machines: list[Machine], given: dict[str, Any], options: dict[str, Any]
) -> Answer:
    from rainier_fast.machine.compare import compare as run

    chips = given["group_chips"]
    size = None if given["collective"] == "barrier" else given["size"]
    found = run(
        machines,
        given["collective"],
        size,
        group_chips=None if chips is None else whole("group_chips", chips),
        algorithm=algorithm_of(given["algorithm"] or "auto"),
        **options,
    )
    times = found["time_s"]
    columns = {name: found[name] for name in found.columns}
    with np.errstate(invalid="ignore"):
        columns["relative"] = times / times[0]
    full = Table(columns)
    names = [name for name in _SHOWN if name != "reason" or any(found["reason"])]
    kinds = ", ".join(dict.fromkeys(kind for kind in found["kind"].tolist() if kind))
    said = "" if size is None else f" of {size}"
    head = f"{given['collective']}{said}, {kinds}; relative to the first"
    parts: list[str | Table] = [head, Table({name: full[name] for name in names})]
    notes = [
        f"{row['machine']}: {row['note']}" for row in found if row["note"] and not row["reason"]
    ]
    return Answer([*parts, *(["\n".join(notes)] if notes else [])], full.to_dict, full)


def _beside(machine: Machine, path: Path, algorithm: str | None) -> Answer:
    """Return a measured table beside the times that the machine says."""
    from rainier_fast.formats.read import read
    from rainier_fast.measure.calibration import Errors
    from rainier_fast.measure.placed import placed
    from rainier_fast.measured.measured import measure

    asked = algorithm or ("runtime" if machine.runtime else "auto")
    reading = read(path, whole=machine.num_chips)
    rows, said = placed(machine, reading)
    name = machine.runtime if asked == "runtime" and machine.runtime else asked
    errors = Errors.of(measure(machine, rows, name, name))
    for line in (*reading.notes, *said):
        note(f"note: {line}")
    head = (
        f"{path.name} beside {machine.name or machine.ultraserver.name}, {errors.kind}: "
        f"mean error {errors.mean:.1%}, worst {errors.worst:.1%} (ours over measured, less one)"
    )
    data = {
        "kind": errors.kind,
        "mean_error": errors.mean,
        "worst_error": errors.worst,
        "rows": errors.to_dict(),
        "notes": [*reading.notes, *said],
    }
    return Answer([head, in_percent(errors)], lambda: data, errors)


@click.command("mapping")
@click.argument("mesh", metavar="AXES")
@click.argument("traffic", nargs=-1, required=True, metavar="AXIS:COLLECTIVE:SIZE[:COUNT]...")
@click.option("--keep", metavar="N", default="10", show_default=True, help="How many are ranked.")
@ALGORITHM
@HOW
@MACHINE
@OUTPUT
def mapping(mesh: str, traffic: tuple[str, ...], keep: str, algorithm: str, **given: Any) -> None:  # noqa: ANN401
    """Rank the ways to lay a mesh over a machine's axes, UltraServers and sites.

    AXES are as for --mesh, and each further word is what an axis does in a step, such as
    'dp=-1,tp=16' tp:all_reduce:64MiB:128 dp:all_reduce:1GiB
    """
    written, options, machine = output(given), how(given), machine_of(given)
    calls: dict[str, list[tuple[Any, ...]]] = {}
    for word in traffic:
        axis, *call = word.split(":")
        if len(call) not in (2, 3):
            allowed = "must be AXIS:COLLECTIVE:SIZE or AXIS:COLLECTIVE:SIZE:COUNT"
            raise invalid("traffic", word, allowed)
        count = (whole("count", call[2]),) if len(call) == 3 else ()
        calls.setdefault(axis, []).append((call[0], call[1], *count))
    with progress("layouts") as watch:
        ranking = machine.best_mapping(
            mesh_of(mesh),
            calls,
            keep=whole("keep", keep),
            progress=watch,
            algorithm=algorithm_of(algorithm),
            **options,
        )
    best = ranking.best
    parts: list[str | Table] = [ranking, f"best: {best.text}", best.collectives]
    show(
        Answer(parts, lambda: {"best": best.text, "layouts": ranking.to_dict()}, ranking), **written
    )


@click.command("faults")
@click.option(
    "--sample",
    metavar="HOURS",
    type=float,
    help="Draw what fails in so many hours, by published rates.",
)
@click.option(
    "--rates",
    metavar="NAME",
    default="llama3",
    show_default=True,
    help="llama3, rsc-1, rsc-2 or tpu-v4.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw.")
@click.option(
    "--save",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the faults to a file that --faults reads.",
)
@click.option(
    "--collective", metavar="NAME", default="all_reduce", show_default=True, help="What must go on."
)
@click.option("--size", metavar="SIZE", help="Rank the ways to go on, for this size.")
@click.option("--policy", "policies", metavar="NAME", multiple=True, help="Only these ways.")
@ALGORITHM
@HOW
@MACHINE
@OUTPUT
def faults(
    sample: float | None,
    rates: str,
    seed: int,
    save: str | None,
    collective: str,
    size: str | None,
    policies: tuple[str, ...],
    algorithm: str,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Draw or read faults, list them, and rank the ways to go on with them.

    Faults are those of --faults, or of --sample, or both. With --size a collective is run by each
    way to go on: rerouting, pairs of instances, leaving ranks out, spares, a schedule of its own.
    """
    written, options, machine = output(given), how(given), machine_of(given)
    if sample is not None:
        drawn = machine.healthy().sample_faults(rates, sample, seed)
        machine = machine.with_faults(faults=drawn.faults)
    if not machine.is_damaged:
        raise invalid("faults", None, "must say what is broken: --faults 'links=3', or --sample 24")
    if save is not None:
        machine.faults.save(save)
    rows = machine.faults.table()
    if size is None:
        parts: list[str | Table] = [str(machine.faults).split("\n")[0], rows]
        show(Answer(parts, machine.faults.to_dict, rows), **written)
        return
    from rainier_fast.results.comparison import kinds

    found = machine.healthy().impact(
        machine,
        collective,
        size,
        policies=policies or None,
        algorithm=algorithm_of(algorithm),
        **options,
    )
    said = kinds(found.results)
    head = f"{collective} of {size} with {str(machine.faults).splitlines()[0]}, {said}"
    table = Table({name: found[name] for name in found.columns})
    data = {"kind": said, "faults": machine.faults.to_dict(), "ways": table.to_dict()}
    show(Answer([head, table], lambda: data, table), **written)
