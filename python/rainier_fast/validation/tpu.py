"""TPU curves, and what `algorithm="xla"` adds to the links, fitted to all of them at once.

The launch of each part, and two shares that all have in common: the bytes of a call go at a share
of the links' rate, and a share of its launch is hidden by no bytes. Curves are those of a ring,
which XLA takes here; its hops and its bytes are the links', as ours are without a launch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rainier_fast.machine.presets import preset
from rainier_fast.machine.shapes import domain
from rainier_fast.validation import table
from rainier_fast.validation.calls import along
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

SOURCE: Final = "tpu_scaling_book"
"""The table of the curves."""

AS_RUN: Final = "as XLA runs it"
"""How groups end whose rows are those of the fit."""

EFFICIENCIES: Final = np.arange(80, 101) / 100
EXPOSED: Final = np.arange(21) / 20
LAUNCHES: Final = np.arange(201) * 1e-6
"""The values that are tried."""


class Shares(NamedTuple):
    """What was fitted: two shares, the launch of each part (s), and errors of all points."""

    efficiency: float
    exposed: float
    launches: tuple[float, ...]
    errors: tuple[float, ...]
    left_out: tuple[float, ...]


def rows() -> list[Row]:
    """Return the rows of the table, with those of the shared fit as the others predict each."""
    found = table.rows(SOURCE)
    known = [row for row in found if row.group.endswith(AS_RUN)]
    for row, error in zip(known, fitted().left_out, strict=True):
        group, note = f"{row.group}, leave one out", "fitted to the other points of both curves"
        ours = row.published * (1 + error)
        found.append(dataclasses.replace(row, group=group, ours=ours, note=note))
    return found


@cache
def fitted() -> Shares:
    """Fit the shares and the launches to the points of both curves: least squares of the errors."""
    tables = [_errors(part) for part in read(SOURCE)["parts"]]
    value, errors = _best(tables, skip=-1)
    left_out = [_best(tables, skip=at)[1][at] for at in range(len(errors))]
    return Shares(*value, tuple(errors), tuple(left_out))


def _errors(part: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return errors by efficiency, exposed share, launch and point."""
    server = preset(part["preset"], shape=part["shape"]).ultraserver
    plain = domain(dataclasses.replace(server, launch=0))
    results = [along(plain, {**part, **row}) for row in part["rows"]]
    hops = np.array([result.latency_s for result in results])
    wire = np.array([result.serialisation_s for result in results])
    published = np.array([row["size"] / (row["published"] * 1e9) for row in part["rows"]])
    efficiency, exposed, launch = np.ix_(EFFICIENCIES, EXPOSED, LAUNCHES)
    first = launch[..., None] + hops
    busy = (exposed * launch)[..., None] + wire / efficiency[..., None]
    # Errors are of rates.
    return np.asarray(published / np.maximum(first, busy) - 1)


def _best(
    tables: list[NDArray[np.float64]], skip: int
) -> tuple[tuple[float, float, tuple[float, ...]], list[float]]:
    """Return the values with the least squares of all points but one, and the errors there."""
    total, launches, at = 0.0, [], 0
    for errors in tables:
        counts = np.arange(at, at + errors.shape[-1]) != skip
        squares = np.where(counts, errors**2, 0).sum(axis=-1)
        launches.append(squares.argmin(axis=-1))
        total = total + squares.min(axis=-1)
        at += errors.shape[-1]
    one, other = np.unravel_index(int(np.argmin(total)), np.shape(total))
    taken = [int(launch[one, other]) for launch in launches]
    found = [errors[one, other, launch] for errors, launch in zip(tables, taken, strict=True)]
    value = float(EFFICIENCIES[one]), float(EXPOSED[other]), tuple(LAUNCHES[taken].tolist())
    return value, np.concatenate(found).tolist()
