"""Measured tables: what `calibrate` takes."""

from __future__ import annotations

from rainier_fast.formats.kept import MeasuredTable
from rainier_fast.formats.read import kept
from rainier_fast.reading.content import Content


def load(content: Content) -> MeasuredTable:
    """Read a table of any of the tools, and keep its text."""
    return kept(content.text(), content.named)
