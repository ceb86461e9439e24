"""What a reader may turn and point at, with a table that says the same."""

from __future__ import annotations

from typing import Any, NamedTuple

from rainier_fast.table import Table


class View(NamedTuple):
    """An interactive picture."""

    kind: str
    """``"torus"`` or ``"timeline"``."""
    caption: str
    figure: dict[str, Any]
    """``data`` and ``layout`` of Plotly, and what the page's script needs beside."""
    table: Table
    about: str
    """What the table has."""
    still: tuple[Any, str] | None = None
    """A result, and the name of its picture in `plot` that shows the same without scripts."""
