"""The public table that the presets of Trainium2 are fitted on."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from rainier_fast.definitions.known import known
from rainier_fast.formats.read import read
from rainier_fast.formats.rows import Row
from rainier_fast.measured.measured import Measured, measure
from rainier_fast.topology.base import Base

FILE: Final = "trn2_nccom_2026_03.csv"
"""One trn2.48xlarge, 64 ranks (LNC 2), bf16; six sizes of three operations."""

SOURCE: Final = "NCCOM-TEST Performance Benchmark - AWS Neuron (public GitHub report, 2026-03-17)"
"""Where its rows are published."""


@cache
def public_rows() -> tuple[Row, ...]:
    """Return the rows of the table."""
    text = resources.files("rainier_fast.measured").joinpath("data", FILE).read_text("utf-8")
    return read(text).rows


@cache
def measured_on(machine: Base) -> tuple[Measured, ...]:
    """Return the public rows with what a machine says of them; none where they are not of it."""
    server, published = machine.ultraserver, known("TRN2_INSTANCE")
    parts = ("axes", "chip", "neuron")
    same = all(getattr(server, part) == getattr(published, part) for part in parts)
    if machine.num_ultraservers != 1 or not same:
        return ()
    return tuple(measure(machine, public_rows(), "neuron", "neuron"))
