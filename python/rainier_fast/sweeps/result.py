"""What a sweep found: a table in a file, read when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import RainierError, as_one_of, invalid
from rainier_fast.files.kept import as_path
from rainier_fast.frozen import frozen, put
from rainier_fast.screen import Report, one_screen
from rainier_fast.sweeps import kept
from rainier_fast.sweeps.space import OURS
from rainier_fast.table import Table

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    import polars as pl  # type: ignore[import-not-found, unused-ignore]


@one_screen
@frozen("what a sweep found does not change")
class SweepResult(Report):
    """A finished sweep: a row for each point, in order. Immutable.

    Parameters
    ----------
    source
        Its file, or the bytes of one. Rows are read when they are asked for, and kept.

    Attributes
    ----------
    path
        The file; None of bytes.
    function
        What was asked at each point, by name.
    axes
        Names of the axes.
    columns
        Names of all columns, axes first, ``error_type`` and ``error`` last.

    Raises
    ------
    InvalidArgument
        If it is no finished sweep, or is cut short.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import rainier_fast as rf
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "squares.csv"
    ...     swept = rf.sweep({"x": [1, 2]}, lambda x: x**2, "serial", path)
    ...     print(swept.table)
    x  value  error_type  error
    1      1
    2      4
    """

    __slots__ = ("_header", "_read", "_source")

    _header: kept.Header
    _source: Path | bytes
    _read: list[Table]

    def __init__(self, source: str | os.PathLike[str] | bytes) -> None:
        read: list[Table] = []
        if isinstance(source, bytes):
            found = kept.read(source, "bytes")
            header = found.header
            read.append(_table(found))
        else:
            source = as_path(source)
            try:
                header = kept.header_of(source)
            except (OSError, UnicodeError) as error:
                why = f"cannot be read: {getattr(error, 'strerror', None) or error}"
                raise invalid("source", str(source), why) from error
        put(self, _header=header, _source=source, _read=read)

    def __reduce__(self) -> tuple[Any, ...]:
        return SweepResult, (self._source,)

    def _key(self) -> tuple[Any, ...]:
        return (self._source,)

    @property
    def path(self) -> Path | None:
        """The file; None of bytes."""
        return self._source if isinstance(self._source, Path) else None

    @property
    def function(self) -> str:
        """What was asked at each point, by name."""
        return str(self._header["function"])

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(self._header["axes"])

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(name for name, _ in self._header["columns"])

    def __len__(self) -> int:
        return int(self._header["space"]["points"])

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.table[as_one_of("column", name, self.columns)]

    @property
    def table(self) -> Table:
        """All rows. A float that is missing is NaN, anything else that is missing None."""
        if not self._read:
            self._read.append(_table(kept.read(self._source, str(self.path))))
        return self._read[0]

    @property
    def errors(self) -> Table:
        """The rows of points that have no answer: axes, ``error_type`` and ``error``."""
        failed = np.array([one is not None for one in self[OURS[0]].tolist()], bool)
        names = (*self.axes, *OURS)
        return Table({name: self[name][failed] for name in names})

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns as lists that JSON takes: `Table.to_dict`.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> rf.read(_SAMPLE).to_dict()["value"]
        [1, 4]
        """
        return self.table.to_dict()

    def to_csv(self) -> str:
        """Return the table as CSV text with a header line: `Table.to_csv`.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> rf.read(_SAMPLE).to_csv().splitlines()[1]
        '1,1,,'
        """
        return self.table.to_csv()

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas data frame: `Table.to_pandas`.

        Raises
        ------
        RainierError
            If pandas is not installed.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> rf.read(_SAMPLE).to_pandas().shape  # doctest: +SKIP
        (2, 4)
        """
        return self.table.to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """Return a Polars data frame; of a Parquet file, as Polars reads it.

        Raises
        ------
        RainierError
            If Polars is not installed.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> rf.read(_SAMPLE).to_polars().shape  # doctest: +SKIP
        (2, 4)
        """
        try:
            import polars as pl
        except ImportError as error:
            raise RainierError(
                "to_polars needs polars, which is not installed; "
                "install it with: pip install polars"
            ) from error
        if self.path is not None and self.path.suffix.casefold() == ".parquet":
            return pl.read_parquet(self.path)
        return pl.DataFrame({name: values.tolist() for name, values in self.table.columns.items()})

    def __repr__(self) -> str:
        return str(self)

    def _page(self) -> Iterable[Any]:
        failed = len(self.errors)
        said = f"sweep of {len(self):,} points over {', '.join(self.axes)}: {self.function}"
        parts: list[Any] = [said if not failed else f"{said}; {failed:,} have an error"]
        if self.path is not None:
            parts.append(f"kept in {self.path}")
        return [*parts, self.table]


_SAMPLE = (
    b'# {"format": "rainier_fast sweep", "version": 1, "function": "squares", "axes": ["x"], '
    b'"space": {"points": 2}, "columns": [["x", "int"], ["value", "int"], ["error_type", "str"], '
    b'["error", "str"]]}\nx,value,error_type,error\n1,1,,\n2,4,,\n'
)
"""A small one, for examples."""


def _table(found: kept.Kept) -> Table:
    kinds = dict(found.header["columns"])
    columns: dict[str, Any] = {}
    for name, values in found.columns.items():
        if kinds[name] == "float":
            columns[name] = np.array([np.nan if one is None else one for one in values], np.float64)
        else:
            columns[name] = values
    return Table(columns)
