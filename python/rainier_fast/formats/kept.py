"""A measured table as it was read from a file: its text, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

from rainier_fast.formats.rows import Row
from rainier_fast.screen import cut, preformatted
from rainier_fast.units import format_bytes, format_time

_MOST_ROWS = 8
_MOST_NOTES = 8


@dataclass(frozen=True, slots=True, repr=False)
class MeasuredTable:
    r"""A table of measured collectives, which `rainier_fast.calibrate` takes. Pickles.

    Attributes
    ----------
    source
        What it was read from, in one line.
    rows
        The measurements.
    notes
        What was found in it: units, statistics, what is left out, what is still to be said.
    text
        The table as it is written.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> table = rf.read(b"op,size(B),time(us)\nallr,1024,12.5\nallr,2048,13.0\n")
    >>> table.source
    'CSV'
    >>> [(row.op, row.size_bytes) for row in table.rows]
    [('all_reduce', 1024.0), ('all_reduce', 2048.0)]
    """

    source: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        ops = ", ".join(dict.fromkeys(row.op for row in self.rows))
        lines = [f"{self.source}: {len(self.rows)} rows of {ops}, as measured"]
        for row in self.rows[:_MOST_ROWS]:
            ranks = "" if row.ranks is None else f" over {row.ranks:,} ranks"
            size, time = format_bytes(row.size_bytes), format_time(row.time_s)
            lines.append(f"  {row.op} {size}{ranks}: {time}")
        if len(self.rows) > _MOST_ROWS:
            lines.append(f"  ... and {len(self.rows) - _MOST_ROWS} more rows")
        lines += [f"  note: {note}" for note in self.notes[:_MOST_NOTES]]
        return cut("\n".join(lines))

    def __repr__(self) -> str:
        return f"<MeasuredTable of {len(self.rows)} rows: {self.source}>"

    _repr_html_ = preformatted
