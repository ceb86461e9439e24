"""What is there of a sweep already: nothing, a part, all of it, or something else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import filterfalse
from pathlib import Path
from typing import Any

from rainier_fast.errors import InvalidArgument, invalid, shown
from rainier_fast.files.kept import as_path
from rainier_fast.sweeps import kept
from rainier_fast.sweeps.changes import changes, moved
from rainier_fast.sweeps.finish import moved_records, records_of
from rainier_fast.sweeps.journal import Journal, create
from rainier_fast.sweeps.rows import Record
from rainier_fast.sweeps.space import OURS, Space

PART: str = ".part"

Header = dict[str, Any]


def target(into: object) -> Path:
    """Return the file of a sweep."""
    path = as_path(into, "into")
    if path.suffix.casefold() not in kept.SUFFIXES:
        raise invalid("into", str(path), "must end with .parquet, .csv or .jsonl")
    if path.suffix.casefold() == ".parquet":
        kept.pyarrow()
    try:
        inside = path.parent.is_dir()
    except (OSError, UnicodeError) as error:
        raise invalid("into", str(path), f"cannot be written: {error}") from error
    if not inside:
        raise invalid("into", str(path), "must be in a folder that is there")
    if path.exists() and not path.is_file():
        raise invalid("into", str(path), "must be a file")
    return path


def prepared(
    path: Path, header: Header, space: Space, *, extend: bool, retry_errors: bool
) -> Path | None:
    """Return a journal of this sweep, made where there is none; None where all is done."""
    part = path.with_name(path.name + PART)
    keep = not retry_errors
    if part.exists():
        fresh = part.with_name(f".{part.name}.{os.urandom(8).hex()}")
        with Journal(part) as journal:
            number = _number(journal.header, header, space, part, extend=extend)
            failed = any(one.failed for one in journal.entries.values())
            if number is None and (keep or not failed):
                return part
            records: Iterator[Record]
            if number is None:
                records = filterfalse(lambda one: "errors" in one, journal.records())
            else:
                records = moved_records(journal, number, space.names, errors=keep)
            create(fresh, header, records)
        fresh.replace(part)
    elif path.exists():
        number = _number(kept.header_of(path), header, space, path, extend=extend)
        if number is None and (keep or not _failed(path)):
            return None
        same: Callable[[int], int] = number or _itself
        create(part, header, records_of(path, same, space.names, errors=keep))
    else:
        create(part, header, iter(()))
    return part


def _itself(number: int) -> int:
    return number


def _failed(path: Path) -> bool:
    return any(one is not None for one in kept.read(path, str(path)).columns[OURS[0]])


def _number(
    old: Header, new: Header, space: Space, path: Path, *, extend: bool
) -> Callable[[int], int] | None:
    """Return where old points are in the space; None where it is the same, or an error."""
    name = shown(str(path))
    if old["function"] != new["function"]:
        raise InvalidArgument(
            f"fn: got {new['function']}, and {name} has points of {old['function']}: "
            "name another file"
        )
    told = changes(old["space"], space)
    if not told:
        return None
    number = moved(old["space"], space)
    if extend and number is not None:
        return number
    mend = "name another file, or remove that one"
    if number is not None:
        mend += "; extend=True keeps its points and adds the new ones"
    elif extend:
        mend += "; only values more on axes, or points more at the end of a list, extend it"
    raise InvalidArgument(f"space: got another than {name} has, {'; '.join(told[:4])}: {mend}")
