"""A small table: named columns, read as text, in a notebook, as dicts, CSV or a data frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import RainierError, invalid, unknown
from rainier_fast.units import (
    format_bandwidth,
    format_bytes,
    format_count,
    format_flops,
    format_time,
)

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]

__all__ = ["Table", "plain"]

_MOST_ROWS: Final = 60


class Table:
    """Columns of equal length. Immutable, and equal where names and values are.

    Columns whose names end in ``_s``, ``_Bps``, ``_flops`` or ``bytes`` are seconds, bytes/s,
    FLOP/s and bytes.

    Parameters
    ----------
    columns
        Names and values, in the order in which to show them.

    Raises
    ------
    InvalidArgument
        If columns differ in length.

    Examples
    --------
    >>> table = Table({"what": ["ring", "tree"], "time_s": [1e-3, 2e-6]})
    >>> print(table)
    what  time_s
    ring  1.00 ms
    tree  2.00 us
    >>> len(table), list(table)[1]
    (2, {'what': 'tree', 'time_s': 2e-06})
    """

    __slots__ = ("_columns", "_length")

    _columns: dict[str, NDArray[Any]]
    _length: int

    def __init__(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
        self._columns = {name: _column(values) for name, values in columns.items()}
        lengths = {name: len(values) for name, values in self._columns.items()}
        if len(set(lengths.values())) > 1:
            raise invalid("columns", lengths, "must have the same length")
        self._length = next(iter(lengths.values()), 0)

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        """Read-only arrays by name."""
        return MappingProxyType(self._columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if not isinstance(name, str) or name not in self._columns:
            raise unknown("column", name, self._columns)
        return self._columns[name]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict[str, Any]]:
        lists = [values.tolist() for values in self._columns.values()]
        for row in zip(*lists, strict=True):
            yield dict(zip(self._columns, row, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        if list(self._columns) != list(other._columns):
            return False
        pairs = zip(self._columns.values(), other._columns.values(), strict=True)
        return all(_same(one, two) for one, two in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Table, (self._columns,)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        header, rows, numeric = self._cells()
        grid = [header, *rows]
        widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
        lines = []
        for cells in grid:
            padded = [
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(cells, widths, numeric, strict=True)
            ]
            lines.append("  ".join(padded).rstrip())
        if self._length > _MOST_ROWS:
            lines.append(f"... {format_count(self._length - _MOST_ROWS)} more rows")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        header, rows, _ = self._cells()
        head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns as lists that JSON takes; numbers that are not finite become None.

        Returns
        -------
        dict of str to list
            In the order of the table.

        Examples
        --------
        >>> Table({"time_s": [1.0, float("nan")]}).to_dict()
        {'time_s': [1.0, None]}
        """
        return {
            name: [plain(value) for value in values.tolist()]
            for name, values in self._columns.items()
        }

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas data frame.

        Returns
        -------
        pandas.DataFrame
            A copy, with the columns of the table.

        Raises
        ------
        RainierError
            If pandas is not installed.

        Examples
        --------
        >>> Table({"time_s": [1.0]}).to_pandas().shape  # doctest: +SKIP
        (1, 1)
        """
        try:
            import pandas as pd  # only when asked for: half a second
        except ImportError as error:
            raise RainierError(
                "to_pandas needs pandas, which is not installed; "
                "install it with: pip install pandas"
            ) from error
        return pd.DataFrame({name: values.copy() for name, values in self._columns.items()})

    def to_csv(self) -> str:
        """Return the table as CSV text with a header line.

        Returns
        -------
        str
            Numbers in full precision; what is missing is empty.

        Examples
        --------
        >>> print(Table({"what": ["a,b"], "time_s": [0.1]}).to_csv(), end="")
        what,time_s
        "a,b",0.1
        """
        import csv  # only when asked for
        import io

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self._columns)
        for row in self:
            writer.writerow("" if value != value else value for value in row.values())
        return text.getvalue()

    def _cells(self) -> tuple[list[str], list[list[str]], list[bool]]:
        """Return header, rows and which columns are numbers, all as text."""
        shown = {name: values[:_MOST_ROWS].tolist() for name, values in self._columns.items()}
        written = [[_writer(name)(value) for value in values] for name, values in shown.items()]
        numeric = [
            values.dtype.kind in "iuf" and _writer(name) is _number
            for name, values in self._columns.items()
        ]
        return list(self._columns), [list(row) for row in zip(*written, strict=True)], numeric


def plain(value: object) -> object:
    """Return `value`, or None for a number that JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _column(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    array: NDArray[Any] = np.array(values)
    if array.size == 0 and not isinstance(values, np.ndarray):
        array = np.zeros(0, object)
    array.flags.writeable = False
    return array


def _same(one: NDArray[Any], two: NDArray[Any]) -> bool:
    if one.shape != two.shape:
        return False
    floats = one.dtype.kind == "f" and two.dtype.kind == "f"
    return bool(np.array_equal(one, two, equal_nan=floats))


def _writer(name: str) -> Callable[[Any], str]:
    if name.endswith("_s"):
        return _blank_or(format_time)
    if name.endswith("_Bps"):
        return _blank_or(format_bandwidth)
    if name == "bytes" or name.endswith("_bytes"):
        return _blank_or(format_bytes)
    if name.endswith("_flops"):
        return _blank_or(format_flops)
    if name in ("utilisation", "efficiency"):
        return _blank_or(lambda share: f"{share:.1%}")
    return _number


def _blank_or(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: "" if value is None or value != value else write(value)


def _number(value: object) -> str:
    if isinstance(value, bool) or value is None or value != value:
        return str(value) if isinstance(value, bool) else ""
    if isinstance(value, int):
        return format_count(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
