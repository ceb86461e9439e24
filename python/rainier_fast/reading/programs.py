"""Programs that we saved."""

from __future__ import annotations

from rainier_fast.program import Program
from rainier_fast.reading.content import Content
from rainier_fast.reading.json_file import parsed


def load(content: Content) -> Program:
    """Read what `Program.save` wrote."""
    return Program.from_dict(parsed(content, once=True))
