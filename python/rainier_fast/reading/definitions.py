"""Machines and other definitions that we saved, or that people wrote."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from rainier_fast.files.kept import text_in
from rainier_fast.files.kinds import of_text
from rainier_fast.reading.content import Content


def load(content: Content) -> Any:  # noqa: ANN401 - of any kind
    """Read what ``save`` of a class wrote."""
    return of_text(text_in(content.data, content.short, PurePath(content.name).suffix.casefold()))
