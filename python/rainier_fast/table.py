"""Small tables: named columns as text, dicts, CSV or data frames; results make theirs late."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.check import as_items, as_name, as_pairs, is_masked
from rainier_fast.errors import RainierError, as_one_of, invalid, invalid_type, shown
from rainier_fast.files.kept import as_path, replacing
from rainier_fast.frozen import frozen, put
from rainier_fast.screen import aligned, html_table, one_screen, plain
from rainier_fast.units import (
    format_bandwidth,
    format_bytes,
    format_count,
    format_flops,
    format_time,
)

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]

_MOST_ROWS: Final = 15
_MOST_LETTERS: Final = 80  # names of algorithms over five tiers have 69
_UNITS: Final = {
    "_s": format_time,
    "_Bps": format_bandwidth,
    "_bytes": format_bytes,
    "_flops": format_flops,
}


@one_screen
@frozen("a table does not change")
class Table:
    """Columns of equal length. Immutable, and equal where names and values are.

    Columns whose names end in ``_s``, ``_Bps``, ``_flops`` or ``bytes`` are seconds, bytes/s,
    FLOP/s and bytes. A column whose values are all bools, all integers, all text, or all numbers
    of which some are floats becomes an array of that type. Any other mix (text and numbers, bools
    and integers, None and anything, integers that a float would round) keeps the values as they
    are, as objects.

    Parameters
    ----------
    columns
        Names and values, in the order in which to show them. Arrays keep their type.

    Raises
    ------
    InvalidArgument
        If columns differ in length, or one has several dimensions.
    InvalidType
        If they are no columns by name, or one has masked values.

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
    _beside: ClassVar[tuple[str, ...]] = ()
    """What a kind of table is made of beside the columns."""

    _columns: dict[str, NDArray[Any]]
    _length: int

    def __init__(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
        pairs = as_pairs("columns", columns, "must map names to values")
        made = {as_name("columns", name): _column(name, values) for name, values in pairs}
        lengths = {name: len(values) for name, values in made.items()}
        if len(set(lengths.values())) > 1:
            raise invalid("columns", lengths, "must have the same length")
        put(self, _columns=made, _length=next(iter(lengths.values()), 0))

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        """Read-only arrays by name."""
        return MappingProxyType(self._columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[as_one_of("column", name, self._columns)]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict[str, Any]]:
        lists = [values.tolist() for values in self._columns.values()]
        for row in zip(*lists, strict=True):
            yield dict(zip(self._columns, row, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        same = list(self._columns) == list(other._columns)
        return same and all(map(_same, self._columns.values(), other._columns.values()))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._columns, *(getattr(self, name) for name in self._beside))

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        header, rows, numeric = self._cells()
        lines = aligned([header, *rows], numeric)
        if self._length > _MOST_ROWS:
            lines.append(f"... and {format_count(self._length - _MOST_ROWS)} more rows")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        header, rows, numeric = self._cells()
        # Amounts with a unit, such as times, read best at the right, too.
        right = [
            one or values.dtype.kind in "iuf"
            for one, values in zip(numeric, self._columns.values(), strict=True)
        ]
        more = self._length - _MOST_ROWS
        rest = f"<p>... and {format_count(more)} more rows</p>" if more > 0 else ""
        return html_table(header, rows, right) + rest

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
        return {name: plain(values) for name, values in self._columns.items()}

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

    def to_json(self) -> str:
        """Return the table as JSON text: columns by name, as `to_dict` has them.

        Returns
        -------
        str
            Numbers in full precision; those that are not finite are null.

        Examples
        --------
        >>> Table({"time_s": [0.1]}).to_json()
        '{"time_s": [0.1]}'
        """
        import json  # only when asked for

        return json.dumps(self.to_dict(), allow_nan=False)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write the table as a Parquet file; one that is there is replaced.

        Parameters
        ----------
        path
            Where to.

        Raises
        ------
        RainierError
            If pyarrow is not installed.
        InvalidArgument, InvalidType
            If the path is none, a column mixes text and numbers, or the file cannot be written.

        Examples
        --------
        >>> Table({"time_s": [0.1]}).to_parquet("times.parquet")  # doctest: +SKIP
        """
        try:
            import pyarrow as pa  # type: ignore[import-not-found, import-untyped, unused-ignore]
            import pyarrow.parquet as pq  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError as error:
            raise RainierError(
                "to_parquet needs pyarrow, which is missing: pip install rainier_fast[parquet]"
            ) from error
        target, columns = as_path(path), {}
        for name, values in self._columns.items():
            try:
                columns[name] = pa.array(values.tolist())
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
                argument, got = f"columns[{shown(name)}]", f"mixed values ({error})"
                raise invalid(argument, got, "must be of one type") from error
        try:
            with replacing(target) as file:
                pq.write_table(pa.table(columns), file)
        except (OSError, ValueError) as error:
            raise invalid("path", path, f"cannot be written: {str(error)[:80]}") from error

    def _part(self, names: Iterable[str]) -> Table:
        return Table({name: self._columns[name] for name in names})

    def _of_kind(self, kind: str) -> TableOfKind:
        """Return the same as a table of times of a kind."""
        return TableOfKind(self._columns, kind)

    def _cells(self, most: int = _MOST_ROWS) -> tuple[list[str], list[list[str]], list[bool]]:
        """Return header, rows and which columns are numbers, all as text."""
        shown = {name: values[:most].tolist() for name, values in self._columns.items()}
        written = [[_text(_unit(name), value) for value in some] for name, some in shown.items()]
        numeric = [
            values.dtype.kind in "iuf" and _unit(name) is None
            for name, values in self._columns.items()
        ]
        return list(self._columns), [list(row) for row in zip(*written, strict=True)], numeric


class TableWith(Table):
    """A table, and what was found beside its columns: attributes by the names in `_beside`."""

    __slots__ = ()

    def __init__(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]], *beside: Any) -> None:  # noqa: ANN401
        super().__init__(columns)
        put(self, **dict(zip(self._beside, beside, strict=True)))


@one_screen
class TableOfKind(TableWith):
    """A table of times, whose first line says what kind of number they are."""

    _beside = ("kind",)
    __slots__ = _beside

    kind: str

    def __str__(self) -> str:
        return f"{self.kind}\n{super().__str__()}"

    def _repr_html_(self) -> str:
        from html import escape  # needed only in a notebook

        return f"<p>{escape(self.kind)}</p>{super()._repr_html_()}"


class Tables:
    """Tables by name. Immutable; equal where all of them are."""

    __slots__ = ("_made",)

    _made: _core.Tables | Mapping[str, Table]

    def __init__(self, made: _core.Tables | Mapping[str, Table]) -> None:
        self._made = made

    def __getitem__(self, name: str) -> Table:
        if isinstance(self._made, _core.Tables):
            return Table(self._made.columns(name))
        return self._made[name]

    def _all(self) -> Mapping[str, Table]:
        """Make all of them."""
        if isinstance(self._made, _core.Tables):
            return {name: self[name] for name in self._made.names()}
        return self._made

    def __eq__(self, other: object) -> bool:
        return self._all() == other._all() if isinstance(other, Tables) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Tables, (dict(self._all()),)


def columns_of(rows: Sequence[object], *same: str, **named: str) -> dict[str, list[Any]]:
    """Return columns, each of an attribute of some rows: of the same name, or as it is named."""
    attributes = {name: name for name in same} | named
    return {name: [getattr(row, one) for row in rows] for name, one in attributes.items()}


def _column(name: object, values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    argument = f"columns[{shown(name)}]"
    array: NDArray[Any]
    if is_masked(values):
        raise invalid_type(argument, "masked values", "must not be masked: use NaN or None")
    if isinstance(values, np.ndarray):
        array = np.array(values)
        if array.ndim != 1:
            raise invalid(argument, f"{array.ndim} dimensions", "must have one dimension")
    else:
        items = as_items(argument, values, "must be a sequence of values")
        array = _array([item.item() if isinstance(item, np.generic) else item for item in items])
    array.flags.writeable = False
    return array


def _array(values: list[Any]) -> NDArray[Any]:
    """Return an array of the one type that the values have, or of objects."""
    kinds = {type(value) for value in values}
    if kinds in ({bool}, {float}) or (kinds == {str} and not any("\0" in text for text in values)):
        return np.array(values)  # numpy cuts text at a NUL
    if kinds in ({int}, {int, float}):
        limit = 2**63 if kinds == {int} else 2**53
        if all(-limit <= value < limit for value in values if type(value) is int):
            return np.array(values, np.int64 if kinds == {int} else np.float64)
    return np.fromiter(values, object, len(values))


def _same(one: NDArray[Any], two: NDArray[Any]) -> bool:
    if one.shape != two.shape:
        return False
    if one.dtype.kind == "O" or two.dtype.kind == "O":
        return all(a == b or (a != a and b != b) for a, b in zip(one, two, strict=True))
    floats = one.dtype.kind == "f" and two.dtype.kind == "f"
    return bool(np.array_equal(one, two, equal_nan=floats))


def _unit(name: str) -> Callable[[float], str] | None:
    """Return what writes the numbers of a column, by the unit that its name says, if any."""
    if name in ("utilisation", "efficiency"):
        return "{:.1%}".format
    if name.endswith("per_s"):
        return None  # a rate of anything, such as tokens
    for end, write in _UNITS.items():
        if name.endswith(end):
            return write
    return format_bytes if name == "bytes" else None


def _text(write: Callable[[float], str] | None, value: object) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        words = " ".join(str(value).split())
        return words if len(words) <= _MOST_LETTERS else f"{words[: _MOST_LETTERS - 3]}..."
    if write is not None:
        return write(value)
    return format_count(value) if isinstance(value, int) else f"{value:.6g}"
