"""Faults as plain rows, for whoever reads files of any kind."""

from __future__ import annotations

from rainier_fast.errors import RainierError
from rainier_fast.faults.faults import Faults
from rainier_fast.faults.file import FORMAT, VERSION, checked
from rainier_fast.files.fields import Plain
from rainier_fast.files.place import Misplaced


def describe(faults: Faults) -> Plain:
    """Return faults as a dict; `made` gives equal ones."""
    told = faults.to_dict()
    return {name: value for name, value in told.items() if name not in ("format", "version")}


def made(plain: Plain) -> Faults:
    """Make faults of a dict."""
    columns, degraded, numbering = checked(
        {"format": FORMAT, "version": VERSION, **plain}, "faults"
    )
    try:
        faults = Faults(**columns, degraded=degraded)
    except RainierError as error:
        key = (error.argument or "").partition("[")[0]
        raise Misplaced((key,) if key in plain else (), str(error)) from error
    return Faults._of(faults._core, numbering)
