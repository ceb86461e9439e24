"""Commands that look at a machine: presets, describe, route, traffic."""

from __future__ import annotations

from typing import Any, Final

import click

from rainier_fast.cli.machines import machine_of, whole
from rainier_fast.cli.options import MACHINE, OUTPUT, output
from rainier_fast.cli.show import Answer, progress, show
from rainier_fast.table import Table


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {"presets": presets, "describe": describe, "route": route, "traffic": traffic}


@click.command("presets")
@OUTPUT
def presets(**given: Any) -> None:  # noqa: ANN401 - options by name
    """List the machines by name: --preset takes these."""
    from rainier_fast.machine.presets import presets as known

    rows = known()
    table = Table({"preset": list(rows), "machine": list(rows.values())})
    show(Answer([table], lambda: rows, table), **output(given))


SAVE: Final = click.option(
    "--save", metavar="FILE", type=click.Path(dir_okay=False),
    help="Write the machine to a file (.toml, .yaml or .json) that --machine reads.",
)  # fmt: skip


@click.command("describe")
@SAVE
@MACHINE
@OUTPUT
def describe(save: str | None, **given: Any) -> None:  # noqa: ANN401 - options by name
    """Show a machine: chips, links, NICs, sites, and the assumptions that it rests on."""
    how, machine = output(given), machine_of(given)
    if save is not None:
        machine.save(save)
    named = machine.assumptions
    table = Table(
        {
            "assumption": list(named),
            "value": [figure.text for figure in named.values()],
            "range": [figure.range_text or "" for figure in named.values()],
            "source": [figure.source for figure in named.values()],
        }
    )
    parts: list[str | Table] = [str(machine)]
    if len(table):
        parts.append(Table({name: table[name] for name in ("assumption", "value", "range")}))
    data = {"machine": repr(machine), "facts": str(machine), "assumptions": table.to_dict()}
    show(Answer(parts, lambda: data | machine_facts(machine), table), **how)


def machine_facts(machine: Any) -> dict[str, Any]:  # noqa: ANN401 - a Machine
    """Return what is worth knowing of a machine as a dict."""
    from rainier_fast.screen import plain

    server = machine.ultraserver
    return {
        "name": machine.name,
        "chips": machine.num_chips,
        "live_chips": machine.num_live_chips,
        "ultraservers": machine.num_ultraservers,
        "links": machine.num_links,
        "runtime": machine.runtime,
        "sites": {site.name: site.num_chips for site in machine.sites},
        "ultraserver": plain(server),
        "fabric": [plain(tier) for tier in machine.sites[0].tiers],
        "wan": plain(machine.wan),
    }


@click.command("route")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--size", metavar="SIZE", help="Also say how long a message of this size takes.")
@click.option(
    "--routing",
    metavar="NAME",
    default="dor",
    show_default=True,
    help="dor, adaptive, valiant, wild_first, shortest, up_down or balanced.",
)
@MACHINE
@OUTPUT
def route(source: str, target: str, size: str | None, routing: str, **given: Any) -> None:  # noqa: ANN401
    """Show the links that a message takes from chip FROM to chip TO, by their numbers."""
    from rainier_fast.units import format_time

    how, machine = output(given), machine_of(given)
    ends = (_chip("FROM", source), _chip("TO", target))
    found = machine.route(*ends, routing=routing)
    parts: list[str | Table] = [str(found)]
    data = found.to_dict()
    if size is not None:
        seconds = found.time_s(size)
        parts.append(f"a message of {size} takes {format_time(seconds)}, links alone")
        data["time_s"] = seconds
    show(Answer(parts, lambda: data, found.to_table()), **how)


def _chip(argument: str, text: str) -> int:
    return 0 if text == "0" else whole(argument, text)


@click.command("traffic")
@click.argument("pattern")
@click.option(
    "--bytes",
    "nbytes",
    metavar="SIZE",
    default="1 MiB",
    show_default=True,
    help="Bytes that each chip sends.",
)
@click.option("--top", metavar="N", help="List the N busiest links too.")
@click.option("--seed", type=int, help="Of the pattern permutation.")
@click.option(
    "--routing",
    metavar="NAME",
    default="dor",
    show_default=True,
    help="dor, adaptive, valiant, wild_first, shortest, up_down or balanced.",
)
@MACHINE
@OUTPUT
def traffic(
    pattern: str,
    nbytes: str,
    top: str | None,
    seed: int | None,
    routing: str,
    **given: Any,  # noqa: ANN401 - options by name
) -> None:
    """Show how busy PATTERN makes each class of links.

    PATTERN is uniform (all pairs), transpose, tornado, bit_complement, neighbor, permutation,
    bit_reversal, shuffle or bit_transpose.
    """
    how, machine = output(given), machine_of(given)
    with progress(f"traffic {pattern}") as watch:
        loads = machine.traffic(pattern, nbytes, routing=routing, seed=seed, progress=watch)
    classes = loads.by_class()
    parts: list[str | Table] = [f"{pattern} of {nbytes} a chip", classes]
    if top is not None:
        parts.append(loads.top(whole("top", top)))
    show(Answer(parts, lambda: {"pattern": pattern, "classes": classes.to_dict()}, classes), **how)
