"""Files of machines, those that remember their measurements too."""

from __future__ import annotations

from rainier_fast.files.fields import Plain, as_list, from_plain, to_plain
from rainier_fast.machine import file
from rainier_fast.machine.machine import Machine
from rainier_fast.measure.machine import CalibratedMachine
from rainier_fast.measured.measured import Measured


def describe(machine: Machine) -> Plain:
    """Return a machine as a dict; `made` gives an equal one."""
    plain = file.describe(machine)
    if isinstance(machine, CalibratedMachine):
        plain["measurements"] = [to_plain(row) for row in machine.measurements]
    return plain


def made(plain: Plain) -> Machine:
    """Make a machine of a dict."""
    rest = {key: value for key, value in plain.items() if key != "measurements"}
    machine = file.made(rest)
    if "measurements" not in plain:
        return machine
    rows = as_list(plain["measurements"], ("measurements",))
    measured = [from_plain(Measured, row, ("measurements", at)) for at, row in enumerate(rows)]
    return CalibratedMachine._of(machine, measured)
