"""Calibrations as plain rows, and back: the fitted machine and the evidence."""

from __future__ import annotations

from typing import Final

from rainier_fast.errors import RainierError
from rainier_fast.files import kinds
from rainier_fast.files.answers import needed, only
from rainier_fast.files.fields import Plain, as_list, as_table
from rainier_fast.files.place import Misplaced
from rainier_fast.measure.calibration import Calibration, Errors, Fitted
from rainier_fast.measure.machine import CalibratedMachine
from rainier_fast.screen import plain as plain_of

_TABLES: Final = ("residuals", "leave_one_out")
_KEYS: Final = ("notes", "parameters", *_TABLES, "machine")
_FITTED: Final = ("value", "unit", "start", "source")


def describe(fit: Calibration) -> Plain:
    """Return a calibration as a dict; `made` gives an equal one."""
    tables: Plain = {}
    for name in _TABLES:
        table: Errors = getattr(fit, name)
        columns = {column: plain_of(table[column]) for column in table.columns}
        tables[name] = {"kind": table.kind, "columns": columns}
    parameters = {
        name: {key: getattr(one, key) for key in _FITTED} for name, one in fit.parameters.items()
    }
    machine = kinds.told(fit.machine, "machine")
    return {"notes": list(fit.notes), "parameters": parameters, **tables, "machine": machine}


def made(plain: Plain) -> Calibration:
    """Make a calibration of a dict."""
    only(plain, _KEYS)
    machine = kinds.inner("machine", needed(plain, "machine"), ("machine",))
    if not isinstance(machine, CalibratedMachine):
        raise Misplaced(("machine",), "has no measurements, which a fitted machine has")
    notes = as_list(plain.get("notes", []), ("notes",))
    if not all(isinstance(note, str) for note in notes):
        raise Misplaced(("notes",), "must be text")
    rows = as_table(needed(plain, "parameters"), ("parameters",))
    return Calibration(
        machine,
        {name: _fitted(row, name) for name, row in rows.items()},
        _errors(plain, "residuals"),
        _errors(plain, "leave_one_out"),
        tuple(notes),
    )


def _fitted(row: object, name: str) -> Fitted:
    keys = ("parameters", name)
    table = as_table(row, keys)
    only(table, _FITTED, keys)
    kinds_of = {"value": int | float, "unit": str, "start": int | float, "source": str}
    for key, kind in kinds_of.items():
        if not isinstance(table.get(key), kind) or isinstance(table[key], bool):
            raise Misplaced((*keys, key), "must be there: a number, or text")
    value, start = float(table["value"]), float(table["start"])
    return Fitted(value, table["unit"], start, table["source"])


def _errors(plain: Plain, name: str) -> Errors:
    table = as_table(needed(plain, name), (name,))
    only(table, ("kind", "columns"), (name,))
    columns = as_table(table.get("columns"), (name, "columns"))
    if not isinstance(table.get("kind"), str) or "error" not in columns:
        raise Misplaced((name,), "must have a kind, and columns of which one is error")
    for column, values in columns.items():
        as_list(values, (name, "columns", column))
    try:
        return Errors(columns, table["kind"])
    except RainierError as error:
        raise Misplaced((name, "columns"), str(error)) from error
