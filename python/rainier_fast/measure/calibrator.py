"""`calibrate`: a machine's physical parameters from a measured table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from rainier_fast.definitions.check import as_name
from rainier_fast.definitions.neuron import FittedOn
from rainier_fast.errors import InvalidArgument, Unsupported, invalid_type
from rainier_fast.formats.read import Reading, read
from rainier_fast.formats.rows import Row
from rainier_fast.machine.machine import Machine
from rainier_fast.measure.calibration import Calibration, Errors, Fitted
from rainier_fast.measure.fit import Vector, least_squares
from rainier_fast.measure.machine import CalibratedMachine
from rainier_fast.measure.space import Space, generic_space, neuron_space, with_server
from rainier_fast.measured.measured import Measured, measure

# A threshold moves from where the machine has it only if that takes away this share of the squares.
_WORTH_MOVING = 0.25
# And only to sizes within this factor.
_REACH = 4.0
# Choices of algorithms that are tried.
_ROUNDS = 6

_AT_LIMIT: Final = 1e-6
_HOPELESS: Final = 0.5
"""Mean error, as a fraction, above which a fit says nothing of the machine."""


def calibrate(
    machine: Machine,
    table: object,
    op: str | None = None,
    size_unit: str | None = None,
    time_unit: str | None = None,
    dtype: str | None = None,
) -> Calibration:
    """Fit a machine's physical parameters to a measured table.

    Trainium machines get the parameters of ``algorithm="neuron"`` (call, step, efficiencies of HBM
    and links, and thresholds where the table contradicts them); other machines link latency,
    overhead per message, launch of a call, and link efficiency (of NICs too, where several domains
    meet), with the algorithms that ``auto`` picks. Relative errors count. There is no factor per
    size or per operation.

    Parameters
    ----------
    machine
        What the table was measured on; every row is over all of its chips.
    table
        Rows as dicts (``op``, ``bytes``, ``time_s``), a path, text (nccom-test, nccl-tests, JSON,
        CSV), or a pandas or polars data frame. Units are detected, and reported in the notes.
        All-gather sizes are outputs, reduce-scatter sizes inputs.
    op
        The operation, where the table does not say.
    size_unit
        ``"bytes"`` or ``"elements"``, to override what is detected.
    time_unit
        ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``, to override what is detected.
    dtype
        Only rows of this type, such as ``"fp32"``, of a table that has several.

    Returns
    -------
    Calibration
        The fitted machine, parameters, residuals, errors with each size left out, and notes.

    Raises
    ------
    InvalidArgument, InvalidType
        If the table cannot be read (the message names the line or row), or has fewer rows than
        there are parameters.
    Unsupported
        If the machine has no model of an operation of the table.

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
    for name, given in (
        ("op", op),
        ("size_unit", size_unit),
        ("time_unit", time_unit),
        ("dtype", dtype),
    ):
        if given is not None:
            as_name(name, given)
    reading = read(table, op, size_unit, time_unit)
    _check_ranks(machine, reading)
    notes = list(reading.notes)
    rows = _of_type(reading.rows, dtype, notes)
    least = min(row.time_s for row in rows)
    trainium = machine.ultraserver.neuron is not None
    space = neuron_space(machine) if trainium else generic_space(machine, least)
    if len(rows) < len(space.parameters):
        names = ", ".join(parameter.name for parameter in space.parameters)
        raise InvalidArgument(
            f"table: got {len(rows)} rows, must have at least one for each parameter ({names})"
        )
    moved: dict[str, Fitted] = {}
    if trainium:
        machine, moved = _thresholds(machine, rows)
        space = neuron_space(machine)
        notes += [
            f"{name} moved to {value.value:g} bytes: the rows contradict {value.start:g}"
            for name, value in moved.items()
            if value != value.start
        ]
    found, measured = _fit(space, rows)
    error = Errors.of(measured).mean
    if error > _HOPELESS:
        names = ", ".join(parameter.name for parameter in space.parameters)
        raise InvalidArgument(
            f"table: got times that no values of {names} come near (mean error {error:.0%}), must "
            "be of this machine and in the units that it says: check seconds against microseconds "
            "and bytes against elements, or name them with time_unit= and size_unit="
        )
    ran = [_by_name(row) for row in measured]
    left_out = _leave_one_out(space, rows, ran, notes)
    parameters = {
        parameter.name: Fitted(value, parameter.unit, parameter.start, parameter.source)
        for parameter, value in zip(space.parameters, found, strict=True)
    }
    for parameter, value in zip(space.parameters, found, strict=True):
        for limit in (parameter.low, parameter.high):
            if math.isclose(value, limit, rel_tol=_AT_LIMIT):
                notes.append(f"{parameter.name} ends at its limit of {limit:g} {parameter.unit}")
    fitted = space.build(dict(zip(parameters, map(float, found), strict=True)))
    if trainium:
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


def _check_ranks(machine: Machine, reading: Reading) -> None:
    neuron = machine.ultraserver.neuron
    fits = {machine.num_chips}
    if neuron is not None:
        fits.add(machine.num_chips * neuron.ranks_per_chip)
    if wrong := reading.ranks - fits:
        ranks = " or ".join(map(str, sorted(fits)))
        raise InvalidArgument(
            f"table: got {', '.join(map(str, sorted(wrong)))} ranks, must be of the whole machine, "
            f"{ranks} ranks; calibrate the machine that was measured"
        )


def _fit(
    space: Space, rows: Sequence[Row], known: Sequence[str] | None = None
) -> tuple[Vector, list[Measured]]:
    """Return the values that suit the rows best, and the rows with what the machine then says."""
    # `known` are the algorithms of the rows, where the caller knows them.
    names = [parameter.name for parameter in space.parameters]
    start = np.array([parameter.start for parameter in space.parameters])
    low = [parameter.low for parameter in space.parameters]
    high = [parameter.high for parameter in space.parameters]
    measured_log = np.log([row.time_s for row in rows])

    def machine(values: Vector) -> Machine:
        return space.build(dict(zip(names, map(float, values), strict=True)))

    def fitted(point: Vector, picked: Sequence[str]) -> Vector:
        def errors(point: Vector) -> Vector:
            predicted = measure(machine(point), rows, picked)
            return np.log([row.predicted_s for row in predicted]) - measured_log

        return least_squares(errors, point.tolist(), low, high)[0]

    if space.algorithm != "auto":
        known = [space.algorithm] * len(rows)
    if known is not None:
        values = fitted(start, known)
        return values, measure(machine(values), rows, known)
    # What `auto` picks depends on the values. It is held fixed while they are fitted, then picked
    # again, until the choice is one that was tried; the best of them counts.
    values, tried = start, []
    measured = measure(space.machine, rows, "auto")
    best = (math.inf, start, measured)
    for _ in range(_ROUNDS):
        picked = [_by_name(row) for row in measured]
        if picked in tried:
            break
        tried.append(picked)
        values = fitted(values, picked)
        measured = measure(machine(values), rows, "auto")
        best = min(best, (_squares(measured), values, measured), key=lambda found: found[0])
    return best[1], best[2]


def _by_name(row: Measured) -> str:
    return row.algorithm.split("(")[0]


def _squares(measured: Sequence[Measured]) -> float:
    return sum(math.log(row.predicted_s / row.measured_s) ** 2 for row in measured)


def _thresholds(machine: Machine, rows: Sequence[Row]) -> tuple[Machine, dict[str, Fitted]]:
    """Move thresholds to measured sizes where the rows contradict those of the machine."""
    server = machine.ultraserver
    starts = server.neuron
    assert starts is not None, "the caller looks"
    sizes = sorted({row.size_bytes for row in rows})
    best = _squares(_fit(neuron_space(machine), rows)[1])
    sources = dict.fromkeys(("halving_most", "mesh_most"), "kept: the rows do not contradict it")
    for name in sources:
        original = float(getattr(starts, name))
        trials = []
        for size in sizes:
            neuron = machine.ultraserver.neuron
            assert neuron is not None
            if not original / _REACH <= size <= original * _REACH:
                continue
            try:
                other = dataclasses.replace(neuron, **{name: size})  # type: ignore[arg-type]
            except InvalidArgument:
                continue  # Mesh above RDH
            trial = with_server(machine, dataclasses.replace(server, neuron=other))
            trials.append((_squares(_fit(neuron_space(trial), rows)[1]), size, trial))
        least = min(trials, key=lambda trial: trial[:2], default=None)
        if least is not None and least[0] < (1 - _WORTH_MOVING) * best:
            best, _, machine = least
            sources[name] = "moved to the measured size that fits best"
    final = machine.ultraserver.neuron
    assert final is not None
    return machine, {
        name: Fitted(float(getattr(final, name)), "B", float(getattr(starts, name)), source)
        for name, source in sources.items()
    }


def _leave_one_out(
    space: Space, rows: Sequence[Row], ran: Sequence[str], notes: list[str]
) -> Errors:
    """Predict each size by a fit on the others."""
    out: dict[int, Measured] = {}
    sizes = sorted({row.size_bytes for row in rows})
    for size in sizes:
        rest = [row for row in rows if row.size_bytes != size]
        held = [at for at, row in enumerate(rows) if row.size_bytes == size]
        if len(rest) < len(space.parameters):
            raise Unsupported(
                f"leaving out {size:g} bytes leaves {len(rest)} rows for "
                f"{len(space.parameters)} parameters; measure more sizes"
            )
        values, _ = _fit(space, rest, [ran[at] for at in range(len(rows)) if at not in held])
        names = [parameter.name for parameter in space.parameters]
        machine = space.build(dict(zip(names, map(float, values), strict=True)))
        predicted = measure(machine, [rows[at] for at in held], [ran[at] for at in held])
        out |= dict(zip(held, predicted, strict=True))
    notes.append(f"left out one after another: {len(sizes)} sizes, algorithms taken as known")
    return Errors.of([out[at] for at in range(len(rows))])
