"""A command for each collective: at one size with what bounds it, at many in a table."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

import click
import numpy as np
from numpy.typing import NDArray

from rainier_fast.cli.crossing import crossings, side_by_side
from rainier_fast.cli.machines import group_of, machine_of, mesh_of, whole
from rainier_fast.cli.names import FAMILIES
from rainier_fast.cli.one import explained, told
from rainier_fast.cli.options import HOW, MACHINE, OUTPUT, algorithm_of, how, output
from rainier_fast.cli.show import Answer, note, show, write
from rainier_fast.cli.tables import PLAIN, TABLES, Sweep, check, in_whole_elements, usual
from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.errors import invalid
from rainier_fast.machine.machine import Machine
from rainier_fast.results.times import Times
from rainier_fast.table import Table
from rainier_fast.units import MAX_BYTES

ROOTED: Final = ("broadcast", "reduce", "gather", "scatter")
_MOST_SIZES: Final = 100_000
_FROM, _TO, _FACTOR = "1K", "8G", "4"

_FIRST: Final = (
    "First size, as nccom-test and nccl-tests read it: 8, 64K, 1M, 1gb are powers of 1024 "
    f"[{_FROM}]."
)


def commands() -> dict[str, click.Command]:
    """Return the commands by name."""
    return {name: _command(name, named.line) for name, named in FAMILIES["Collectives"].items()}


def _command(name: str, line: str) -> click.Command:
    operation = name.replace("-", "_")
    takes_sizes = operation != "barrier"

    def run(**given: Any) -> None:  # noqa: ANN401 - options by name
        _run(operation, given)

    run.__doc__ = f"""{line}

    With --size it says what bounds one call; else it prints a table of sizes from --begbytes to
    --endbytes, as nccom-test and nccl-tests do. Several --algorithm are set side by side, with the
    sizes at which they cross.
    """
    if not takes_sizes:
        run.__doc__ = f"{line}\n\nSays what bounds it."
    decorators = [*(_sizes() if takes_sizes else ()), *_rank(operation), _ALGORITHMS, HOW, *_WHERE]
    for decorator in (OUTPUT, MACHINE, *reversed(decorators)):
        run = decorator(run)
    return click.command(name)(run)


def _sizes() -> tuple[Any, ...]:
    return (
        click.option("--size", metavar="SIZE", help="One size, such as '4 GiB'."),
        click.option("-b", "--begbytes", metavar="SIZE", help=_FIRST),
        click.option("-e", "--endbytes", metavar="SIZE", help=f"Last size [{_TO}, or the first]."),
        click.option("-f", "--stepfactor", metavar="FACTOR", help=f"Size by size [{_FACTOR}]."),
        click.option("-i", "--stepbytes", metavar="SIZE", help="A step, in place of a factor."),
        click.option(
            "--table", "table", type=click.Choice(TABLES),
            help="Print the table of nccom-test, of nccl-tests or a plain one; without it that of "
            "the machine's own software, if its program measures this.",
        ),
    )  # fmt: skip


def _rank(operation: str) -> tuple[Any, ...]:
    if operation in ROOTED:
        return (click.option("--root", type=int, default=0, help="Rank of the root."),)
    if operation == "send_recv":
        return (click.option("--shift", type=int, default=1, help="How many ranks further on."),)
    return ()


_ALGORITHMS: Final = click.option(
    "--algorithm", "algorithms", metavar="NAME", multiple=True,
    help="auto (the default) is the fastest on the links, runtime what the machine's own software "
    "runs, others by name; by tier with commas (UltraServer,site,WAN). Repeat it to compare.",
)  # fmt: skip

_WHERE: Final = (
    click.option("--mesh", metavar="AXES", help="Axes, slowest first, such as 'dp=-1,tp=64'."),
    click.option("--axis", metavar="NAME", help="Axis of the mesh; several act as one: dp,tp."),
    click.option("--ranks-per-chip", metavar="N", help="Of a mesh whose ranks are cores."),
    click.option(
        "--group", metavar="CHIPS",
        help="Who takes part: 0-63, 0-1023:64, several by ; , or replica groups as HLO has them.",
    ),
)  # fmt: skip


@dataclass(slots=True)
class _Asked:
    """A collective as the options say it: who takes part, and how."""

    operation: str
    machine: Machine
    whom: Machine | DeviceMesh
    options: dict[str, Any]
    algorithms: tuple[str, ...]
    root: int = 0
    output: dict[str, bool] = field(default_factory=dict)

    def times(self, sizes: NDArray[np.float64], algorithm: str) -> Times:
        """Return times by one algorithm."""
        call: Any = self.whom.times
        found: Times = call(
            self.operation, sizes, algorithm=algorithm_of(algorithm), **self.options
        )
        return found


def _asked(operation: str, given: dict[str, Any]) -> _Asked:
    written, options = output(given), how(given)
    algorithms = given.pop("algorithms") or ("auto",)
    mesh, axis, group = (given.pop(name) for name in ("mesh", "axis", "group"))
    cores = given.pop("ranks_per_chip")
    machine = machine_of(given)
    options |= {name: given.pop(name) for name in ("root", "shift") if name in given}
    whom: Machine | DeviceMesh = machine
    if mesh is None:
        for name, value in (("axis", axis), ("ranks_per_chip", cores)):
            if value is not None:
                raise invalid(name, value, "needs --mesh, such as --mesh 'dp=-1,tp=64'")
        if group is not None:
            options["group"] = group_of(group)
    else:
        if group is not None:
            raise invalid("group", group, "must be left out where --mesh and --axis say who it is")
        each = 1 if cores is None else whole("ranks_per_chip", cores)
        whom = machine.mesh(mesh_of(mesh), ranks_per_chip=each)
        if axis is None:
            raise invalid("axis", None, f"must be one of {', '.join(whom.shape)}, or several")
        names = [name.strip() for name in axis.split(",")]
        options["axis"] = names[0] if len(names) == 1 else names
    return _Asked(operation, machine, whom, options, algorithms, options.get("root", 0), written)


def _run(operation: str, given: dict[str, Any]) -> None:
    started = time.perf_counter()
    size = given.pop("size", None)
    span = {
        name: given.pop(name, None) for name in ("begbytes", "endbytes", "stepfactor", "stepbytes")
    }
    table = given.pop("table", None)
    asked = _asked(operation, given)
    if size is None and operation != "barrier":
        _many(asked, sizes_of(**span), table)
        return
    for name, value in (*span.items(), ("table", table)):
        if value is not None:
            raise invalid(name, value, "must be left out where --size asks for one size")
    _one(asked, size, started)


def _one(asked: _Asked, size: str | None, started: float) -> None:
    """Print one result, or one for each algorithm."""
    call: Any = getattr(asked.whom, asked.operation)
    sizes = () if size is None else (size,)
    results = [
        call(*sizes, algorithm=algorithm_of(name), **asked.options) for name in asked.algorithms
    ]
    took = time.perf_counter() - started
    if len(results) == 1:
        result = results[0]
        parts = [str(result), *explained(result, took)]
        show(Answer(parts, lambda: told(result, took), result.phases), **asked.output)
        return
    parts = [str(result) for result in results]
    show(Answer(parts, lambda: [told(result, took) for result in results]), **asked.output)


def _many(asked: _Asked, sizes: NDArray[np.float64], table: str | None) -> None:
    """Print a table of sizes."""
    plain_only = any(asked.output.values()) or len(asked.algorithms) > 1
    if table not in (None, PLAIN) and plain_only:
        said = "must be plain with several --algorithm, --json or --csv"
        raise invalid("table", table, said)
    if len(asked.algorithms) > 1:
        found = [asked.times(sizes, name) for name in asked.algorithms]
        rows = side_by_side(sizes, asked.algorithms, found)
        lines = crossings(asked.algorithms, lambda some, name: asked.times(some, name).time_s, rows)
        ranks = found[0].request.groups.ranks
        kinds = ", ".join(dict.fromkeys(one.kind for one in found))
        head = f"{asked.operation} over {ranks:,} ranks, {kinds}"
        parts: list[str | Table] = [head, rows, "\n".join(lines)]
        data = {
            "operation": asked.operation,
            "kind": kinds,
            "rows": rows.to_dict(),
            "crossings": lines,
        }
        show(Answer(parts, lambda: data, rows), **asked.output)
        return
    runtime = asked.machine.runtime
    dtype = asked.options["dtype"]
    kind = PLAIN if plain_only else table or usual(runtime, asked.operation, dtype)
    check(kind, asked.operation, dtype)
    first = asked.times(sizes[:1], asked.algorithms[0])
    ranks, nodes, each = _ranks(asked, first, kind)
    kept = in_whole_elements(sizes, kind, asked.operation, dtype, ranks)
    if kept.size < sizes.size:
        if not kept.size:
            raise invalid("endbytes", int(sizes[-1]), f"has no element for each of {ranks} ranks")
        left = f"{sizes.size - kept.size} of {sizes.size} sizes are less than"
        note(f"{left} an element for each rank, or the same once rounded down: left out")
    found_times = asked.times(kept, asked.algorithms[0])
    if kind != PLAIN:
        write(_sweep(asked, found_times, ranks, nodes, each).text(kind))
        return
    rows = found_times.table
    head = f"{asked.operation} over {ranks:,} ranks"
    show(Answer([head, rows], lambda: found_times.to_dict(), rows), **asked.output)


def _ranks(asked: _Asked, times: Times, kind: str) -> tuple[int, int, int]:
    """Return ranks and nodes as the program of a table counts them, and ranks a chip."""
    groups = times.request.groups
    server = asked.machine.ultraserver
    cores = isinstance(asked.whom, DeviceMesh) and asked.whom.ranks_per_chip > 1
    each = 1
    domain = server.num_chips
    if kind == "nccom" and server.neuron is not None:
        # Its ranks are NeuronCores, and its nodes instances.
        each, domain = server.neuron.ranks_per_chip, server.neuron.instance_chips
    if cores:
        return groups.ranks, 1, 1
    nodes = np.unique(np.asarray(groups.members(0)) // domain).size
    return groups.ranks * each, nodes, each


def _sweep(asked: _Asked, times: Times, ranks: int, nodes: int, each: int) -> Sweep:
    names = list(dict.fromkeys(times.algorithm))
    ran = names[0] if len(names) == 1 else f"{len(names)} algorithms"
    machine = asked.machine
    name = machine.name or machine.ultraserver.name
    hurt = f" ({str(machine.faults).splitlines()[0]})" if machine.is_damaged else ""
    said = f"for {name}{hurt}, {times.kind}, by {ran}"
    groups = times.request.groups.count
    if groups > 1:
        said += f"; {groups:,} such groups at once"
    if each > 1:
        said += f"; ranks are NeuronCores, {each} a chip"
    dtype = asked.options["dtype"]
    return Sweep(
        asked.operation, times.size_bytes, times.time_s, ranks, nodes, dtype, asked.root, said
    )


def sizes_of(
    begbytes: str | None, endbytes: str | None, stepfactor: str | None, stepbytes: str | None
) -> NDArray[np.float64]:
    """Return sizes from the first to the last, by a factor or a step."""
    first = tool_bytes("begbytes", begbytes or _FROM)
    alone = begbytes is not None and endbytes is None
    last = first if alone else tool_bytes("endbytes", endbytes or _TO)
    if last < first:
        raise invalid("endbytes", endbytes or _TO, f"must be at least begbytes, {first}")
    if stepbytes is not None and stepfactor is not None:
        raise invalid("stepbytes", stepbytes, "must be left out where --stepfactor is given")
    if stepbytes is not None:
        step = tool_bytes("stepbytes", stepbytes)
        if step < 1 or (last - first) // step >= _MOST_SIZES:
            raise invalid("stepbytes", stepbytes, f"must give at most {_MOST_SIZES:,} sizes")
        return np.arange(first, last + 1, step, dtype=np.float64)
    factor = _factor(stepfactor or _FACTOR)
    if first == 0:
        raise invalid("begbytes", begbytes, "must be above 0 for a factor; use --stepbytes")
    sizes, size = [float(first)], float(first)
    while (size := float(int(size * factor))) <= last:
        if size <= sizes[-1] or len(sizes) >= _MOST_SIZES:
            allowed = "must be larger: sizes would stay the same, or be too many"
            raise invalid("stepfactor", stepfactor, allowed)
        sizes.append(size)
    return np.array(sizes)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1 < factor <= 2**20:
        raise invalid("stepfactor", text, "must be a number above 1, such as 2")
    return factor


_BYTES: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([kmgt])i?)?b?", re.IGNORECASE | re.ASCII)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def tool_bytes(argument: str, text: str) -> int:
    """Read a size as nccom-test and nccl-tests do: K, kb, M, G are powers of 1024."""
    match = _BYTES.fullmatch(text.strip()) if len(text) < 40 else None
    size = -1.0
    if match is not None:
        size = float(match[1]) * 1024 ** _POWERS[(match[2] or "").lower()]
    if not 0 <= size <= MAX_BYTES:
        raise invalid(argument, text, "must be bytes such as 8, 64K, 1M, 1gb (powers of 1024)")
    return int(size)
