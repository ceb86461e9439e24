"""`calibrate`: a machine's physical parameters from a measured table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Final, get_args

from rainier_fast.ask.options import AlgorithmName
from rainier_fast.ask.runtime import is_runtime, runtime_of
from rainier_fast.definitions.check import as_name
from rainier_fast.definitions.neuron import FittedOn
from rainier_fast.errors import InvalidArgument, Unsupported, as_one_of, invalid_type
from rainier_fast.formats.read import read
from rainier_fast.formats.rows import Row, dtype_of
from rainier_fast.machine.machine import Machine
from rainier_fast.measure.calibration import Calibration, Errors, Fitted
from rainier_fast.measure.fitting import by_name, fit, leave_one_out, that_matter
from rainier_fast.measure.machine import CalibratedMachine
from rainier_fast.measure.placed import placed
from rainier_fast.measure.space import (
    GUESSES,
    Parameter,
    Space,
    generic_space,
    nccl_space,
    neuron_space,
    with_server,
)
from rainier_fast.measure.thresholds import check_column, thresholds

_ALGORITHMS: Final[tuple[str, ...]] = get_args(AlgorithmName)
_AT_LIMIT: Final = 1e-6
_FAR: Final = 4.0
"""A fitted value that many times what the machine had is told."""
_HOPELESS: Final = 0.5
"""Mean error, as a fraction, above which a fit says nothing of the machine."""


def calibrate(
    machine: Machine,
    table: object,
    op: str | None = None,
    size_unit: str | None = None,
    time_unit: str | None = None,
    dtype: str | None = None,
    algorithm: str | None = None,
) -> Calibration:
    """Fit a machine's physical parameters to a measured table.

    Trainium machines get the parameters of ``algorithm="neuron"`` (call, step, efficiencies of HBM
    and links, and thresholds where the table contradicts them); other machines link latency,
    overhead per message, launch of a call, and link efficiency (of NICs too, where several domains
    meet), with the algorithms that ``auto`` picks. With ``algorithm="nccl"``, GPUs get those of
    their `NcclTiming` that the rows depend on. Relative errors count. There is no factor per size
    or per operation.

    A table must be of the machine: ranks and nodes of its command, its devices, its columns and
    its ``busbw / algbw`` have to agree with each other and with the machine, an algorithm that it
    names with the one that the fitted machine takes there. What contradicts is refused.

    Parameters
    ----------
    machine
        What the table was measured on. Rows are over all of its chips, or over as many ranks (and
        ``nodes``) as they name where others are over all.
    table
        Rows as dicts (``op``, ``bytes``, ``time_s``, and ``ranks`` where they differ), a path,
        text (nccom-test, nccl-tests and rccl-tests, OSU's and UCC's benchmarks, columns by spaces,
        CSV, JSON), or a pandas or polars data frame. Labels of launchers, dates and other lines
        are passed over; units are detected, and reported in the notes. All-gather sizes are
        outputs, reduce-scatter sizes inputs.
    op
        The operation, where the table does not say.
    size_unit
        ``"bytes"`` or ``"elements"``, to override what is detected.
    time_unit
        ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``, to override what is detected.
    dtype
        Only rows of this type, such as ``"fp32"``, of a table that has several.
    algorithm
        What ran: ``"neuron"`` (the default of Trainium), ``"nccl"``, ``"auto"`` (the default of
        others), ``"runtime"``, or an algorithm by name.

    Returns
    -------
    Calibration
        The fitted machine, parameters, residuals, errors with each size left out, and notes.

    Raises
    ------
    InvalidArgument, InvalidType
        If the table cannot be read (the message names the line or row), contradicts itself or the
        machine, or has fewer rows than there are parameters.
    Unsupported
        If the machine has no model of an operation of the table, or of the algorithm.

    Examples
    --------
    >>> from rainier_fast import calibrate, preset
    >>> rows = [{"op": "all_gather", "bytes": 2**at, "time_us": 30 + 2**at / 2e5}
    ...         for at in range(21, 27)]
    >>> fit = calibrate(preset("trn2"), rows)
    >>> fit.residuals.worst < 0.1
    True
    """
    if not isinstance(machine, Machine):
        raise invalid_type("machine", machine, "must be a machine, such as rf.preset('trn2')")
    for name, given in (("op", op), ("size_unit", size_unit), ("time_unit", time_unit)):
        if given is not None:
            as_name(name, given)
    if dtype is not None:
        dtype = dtype_of(as_name("dtype", dtype))
    asked = _asked(machine, algorithm)
    reading = read(table, op, size_unit, time_unit, machine.num_chips)
    read_rows, said = placed(machine, reading)
    notes = [*reading.notes, *said]
    rows = _of_type(read_rows, dtype, notes)
    if asked == "nccl" and machine.num_ultraservers > 1:
        notes.append("hops between nodes and rates of NICs stay as NCCL's tables have them")
    moved: dict[str, Fitted] = {}
    space = _space(machine, rows, asked)
    if len(rows) < len(space.parameters):
        names = ", ".join(parameter.name for parameter in space.parameters)
        raise InvalidArgument(
            f"table: got {len(rows)} rows, must have at least one for each parameter ({names})"
        )
    if asked == "neuron":
        machine, moved = thresholds(machine, rows)
        space = neuron_space(machine)
        notes += [
            f"{name} moved to {value.value:g} bytes: the rows contradict {value.start:g}"
            for name, value in moved.items()
            if value != value.start
        ]
    found, measured = fit(space, rows, _by_column(space, rows))
    check_column(measured, rows)
    _check_fit(space, Errors.of(measured).mean)
    left_out = leave_one_out(space, rows, [by_name(row) for row in measured], notes)
    values = dict(zip((one.name for one in space.parameters), map(float, found), strict=True))
    for parameter in space.parameters:
        notes += _remarks(parameter, values[parameter.name])
    parameters = {
        one.name: Fitted(values[one.name], one.unit, one.start, one.source)
        for one in space.parameters
    }
    fitted = space.build(values)
    if asked == "neuron":
        fitted = _that_knows_its_rows(fitted, rows)
    return Calibration(
        machine=CalibratedMachine._of(fitted, measured),
        parameters=parameters | moved,
        residuals=Errors.of(measured),
        leave_one_out=left_out,
        notes=tuple(notes),
    )


def _of_type(rows: tuple[Row, ...], dtype: str | None, notes: list[str]) -> tuple[Row, ...]:
    """Return the rows of a type; all of them, with a note where they are of several, for None."""
    types = sorted({row.dtype for row in rows if row.dtype is not None})
    if dtype is None:
        if len(types) > 1:
            words = ", ".join(types)
            notes.append(f"rows of {words} are fitted as one; dtype= takes those of one type")
        return rows
    kept = tuple(row for row in rows if row.dtype == dtype)
    if not kept:
        has = f"are of {', '.join(types)}" if types else "name no type"
        raise InvalidArgument(f"dtype: got {dtype!r}, but the rows {has}")
    notes.append(f"of {len(rows)} rows the {len(kept)} of {dtype} are fitted")
    return kept


def _that_knows_its_rows(machine: Machine, rows: Sequence[Row]) -> Machine:
    """Return a Trainium machine whose results name what differs from the rows of its fit."""
    server = machine.ultraserver
    neuron = server.neuron
    assert neuron is not None, "the caller looks"
    types = {row.dtype for row in rows}
    fitted = FittedOn(
        chips=server.num_chips,
        nodes=machine.num_ultraservers,
        lnc=neuron.lnc,
        operations=tuple(sorted({row.op for row in rows})),
        dtype=types.pop() if len(types) == 1 else None,
        values=neuron.fitted_values,
    )
    neuron = dataclasses.replace(neuron, fitted_on=fitted)
    return with_server(machine, dataclasses.replace(server, neuron=neuron))


def _asked(machine: Machine, algorithm: str | None) -> str:
    """Return the algorithm whose parameters are fitted."""
    if algorithm is None:
        return "auto" if machine.ultraserver.neuron is None else "neuron"
    if is_runtime(algorithm):
        algorithm = runtime_of(machine)
    name = as_one_of("algorithm", algorithm, _ALGORITHMS)
    if name in ("xla", "synthesized"):
        raise Unsupported(
            f"algorithm: got {name!r}, whose parameters no fit here finds; use 'auto', "
            "'neuron', 'nccl' or an algorithm by name"
        )
    if name == "neuron" and machine.ultraserver.neuron is None:
        raise Unsupported("algorithm: got 'neuron', but the machine's UltraServer has no neuron=")
    return name


def _space(machine: Machine, rows: Sequence[Row], asked: str) -> Space:
    """Return what is to be fitted."""
    if asked == "neuron":
        return neuron_space(machine)
    if asked == "nccl":
        return that_matter(nccl_space(machine), rows)
    least = min(row.time_s for row in rows)
    return dataclasses.replace(generic_space(machine, least), algorithm=asked)


def _by_column(space: Space, rows: Sequence[Row]) -> list[str] | None:
    """Return the algorithms that the table says ran, where `auto` would pick."""
    said = [row.algorithm or "" for row in rows]
    return said if space.algorithm == "auto" and all(one in _ALGORITHMS for one in said) else None


def _check_fit(space: Space, error: float) -> None:
    """Refuse a fit that says nothing of the machine."""
    if error > _HOPELESS:
        names = ", ".join(parameter.name for parameter in space.parameters)
        raise InvalidArgument(
            f"table: got times that no values of {names} come near (mean error {error:.0%}), must "
            "be of this machine and in the units that it says: check seconds against microseconds "
            "and bytes against elements, or name them with time_unit= and size_unit="
        )


def _remarks(parameter: Parameter, value: float) -> list[str]:
    """Say where a value ends at a limit, or far from what it was before."""
    notes = [
        f"{parameter.name} ends at its limit of {limit:g} {parameter.unit}"
        for limit in (parameter.low, parameter.high)
        if math.isclose(value, limit, rel_tol=_AT_LIMIT)
    ]
    ratio = value / parameter.start
    if not 1 / _FAR <= ratio <= _FAR and parameter.source not in GUESSES:
        notes.append(
            f"{parameter.name} is {ratio:.2g} times what it was ({parameter.source}): see that "
            "the table is of this machine, and that its sizes leave no other choice"
        )
    return notes
