"""Sweeps: finished ones, and the journals of those that are not."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from rainier_fast.errors import RainierError
from rainier_fast.reading.content import Content
from rainier_fast.sweeps.journal import unframed
from rainier_fast.sweeps.kept import SUFFIXES
from rainier_fast.sweeps.result import SweepResult


def load(content: Content) -> SweepResult:
    """Read a finished sweep."""
    try:
        named = Path(content.name).suffix.casefold() in SUFFIXES  # what gzip packed is not
        return SweepResult(content.name if named else content.data)
    except RainierError as error:
        raise content.fault("", "a sweep", f"cannot be read: {error}") from error


def refuse(content: Content) -> NoReturn:
    """Say how far a sweep is that is not done."""
    header, *records = [unframed(line) for line in content.data.splitlines(keepends=True)]
    done = sum(record["n"] for record in records if record and isinstance(record.get("n"), int))
    total = (header or {}).get("space", {}).get("points", 0)
    got = f"a sweep with {done:,} of {total:,} points"
    raise content.fault("", got, "must be finished: make the same call of rf.sweep again")
