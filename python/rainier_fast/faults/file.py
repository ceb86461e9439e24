"""Files of faults: JSON with a format and a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NoReturn

from rainier_fast.errors import invalid

FORMAT: Final = "rainier_fast faults"
VERSION: Final = 1
NAMES: Final = ("links", "chips", "nics", "ultraservers", "sites")
"""What can be dead."""
PARTS: Final = ("chips", "links", "ultraservers", "sites")
"""The counts that say how a machine numbers its parts."""

_MOST_BYTES: Final = 1 << 30

Columns = dict[str, list[int]]


def read(source: Path) -> tuple[Columns, dict[int, Any], tuple[int, ...] | None]:
    """Return what a file of faults says: numbers by kind, factors by link, the machine's counts."""
    if source.stat().st_size > _MOST_BYTES:
        raise invalid("path", str(source), "a file of faults has at most 1 GiB")
    try:
        content = json.loads(source.read_bytes())
    except (ValueError, RecursionError) as error:
        raise invalid("path", str(source), f"must be JSON that save wrote ({error})") from None

    return checked(content, str(source))


def checked(content: object, source: str) -> tuple[Columns, dict[int, Any], tuple[int, ...] | None]:
    """Return what the content of a file of faults says."""

    def refuse(what: str) -> NoReturn:
        raise invalid("path", source, f"is not a file of faults: {what}")

    if not isinstance(content, dict) or content.get("format") != FORMAT:
        refuse(f"it has no 'format': {FORMAT!r}")
    if content.get("version") != VERSION:
        refuse(f"version {content.get('version')!r}, this program reads {VERSION}")
    expected = {"format", "version", "machine", *NAMES, "degraded"}
    if set(content) != expected:
        refuse(f"its keys differ: {sorted(set(content) ^ expected)}")
    for name in NAMES:
        column = content[name]
        if not isinstance(column, list) or not all(type(item) is int for item in column):
            refuse(f"{name!r} must be a list of integers")
    pairs = content["degraded"]
    if not isinstance(pairs, list) or not all(map(_is_pair, pairs)):
        refuse("'degraded' must be a list of [link, factor]")
    if len({pair[0] for pair in pairs}) < len(pairs):
        refuse("'degraded' names a link twice")
    parts = content["machine"]
    if parts is not None and not _is_numbering(parts):
        refuse(f"'machine' must have the numbers {', '.join(PARTS)}")
    numbering = None if parts is None else tuple(parts[part] for part in PARTS)
    return {name: content[name] for name in NAMES}, dict(pairs), numbering


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int


def _is_numbering(parts: object) -> bool:
    if not isinstance(parts, dict) or set(parts) != set(PARTS):
        return False
    return all(type(part) is int and part >= 0 for part in parts.values())
