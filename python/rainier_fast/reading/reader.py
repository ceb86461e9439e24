"""`read`: a file of any known format, by its content."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from rainier_fast.errors import (
    InvalidArgument,
    RainierError,
    as_one_of,
    invalid,
    invalid_type,
    shown,
)
from rainier_fast.memory import reckon
from rainier_fast.reading.content import Content
from rainier_fast.reading.registry import FORMATS, Format
from rainier_fast.reading.unpacked import unpacked
from rainier_fast.table import Table

_ALLOWED: Final = "must be a path, or the content as bytes"
_BEGINNING: Final = 60


def formats() -> Table:
    """Return the formats that `read` knows, in the order in which it tries them.

    Returns
    -------
    Table
        Columns ``name`` and ``about``.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> rf.formats()["name"].tolist()[0]
    'program'
    """
    return Table({"name": [one.name for one in FORMATS], "about": [one.about for one in FORMATS]})


def read(path: str | os.PathLike[str] | bytes, format: str | None = None) -> Any:  # noqa: ANN401
    r"""Read a file of another program, or one of ours, by its content.

    Parameters
    ----------
    path
        A path, or the content itself as bytes. What gzip packed is unpacked.
    format
        Name of a format of `formats`, in place of what the content looks like.

    Returns
    -------
    Program, MeasuredTable or others
        What `formats` says of the format; ``str()`` of it tells what was found.

    Raises
    ------
    InvalidArgument
        If the file cannot be read, has no format that is known (the message has its beginning and
        the formats) or is broken: then it names file and place.
    InvalidType
        If `path` is neither a path nor bytes.
    Unsupported
        If reading would take more memory than one call may, or the format hides what is asked.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> table = rf.read(b"op,size(B),time(us)\nallr,1024,12.5\nallr,2048,13.0\n")
    >>> print(table)
    CSV: 2 rows of all_reduce, as measured
      all_reduce 1.00 KiB: 12.5 us
      all_reduce 2.00 KiB: 13.0 us
      note: times are in us (column time(us))
      note: sizes are in bytes
    """
    content = _opened(path)
    found = _format_of(content, format)
    try:
        return found.load(content)
    except RainierError as error:
        raise _of_file(content, error) from error


def _opened(path: object) -> Content:
    if isinstance(path, bytes | bytearray | memoryview):
        return unpacked(Content("", bytes(path)))
    if not isinstance(path, str | os.PathLike):
        raise invalid_type("path", path, _ALLOWED)
    try:
        name = os.fspath(path)
        file = Path(name)
        size = file.stat().st_size
        if not file.is_file():
            raise invalid("path", name, "must be a file")
        reckon(size, f"the bytes of {shown(name)}", "read a smaller file")
        data = file.read_bytes()
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, RainierError):
            raise
        why = getattr(error, "strerror", None) or error
        raise invalid("path", path, f"cannot be read: {why}") from error
    return unpacked(Content(name, data))


def _format_of(content: Content, name: str | None) -> Format:
    by_name = {one.name: one for one in FORMATS}
    if name is not None:
        return by_name[as_one_of("format", name, by_name)]
    for one in FORMATS:
        if one.looks(content):
            return one
    what = content.head[:_BEGINNING] if content.is_text else content.data[:_BEGINNING]
    got = f"what begins with {shown(what)}" if content.data else "an empty file"
    raise InvalidArgument(
        f"path: got {content.short}, {got}: must be one of the {len(FORMATS)} formats that "
        "rainier_fast.formats() lists; name it by format= if it is"
    )


def _of_file(content: Content, error: RainierError) -> RainierError:
    """Return an error that names the file."""
    message = str(error)
    return error if content.short in message else type(error)(f"{content.short}, {message}")
