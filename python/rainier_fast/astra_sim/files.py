"""Small files of JSON and YAML, read whole or refused with the place."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, RainierError, invalid, invalid_type, shown

_MOST_BYTES: Final = 2**20
"""Files of settings are a few lines; what is larger is something else."""


def settings(argument: str, value: object) -> tuple[dict[str, Any], str]:
    """Return the settings of a dict, or of a file by its path, and what errors call them."""
    if isinstance(value, Mapping):
        return dict(value), argument
    if not isinstance(value, str | os.PathLike):
        raise invalid_type(argument, value, "must be a path or a dict, or what this room makes")
    return parsed(content(argument, value), os.fspath(value)), os.fspath(value)


def content(argument: str, path: str | os.PathLike[str], most: int = _MOST_BYTES) -> bytes:
    """Return the bytes of a file of at most so many."""
    try:
        file = Path(path)
        if not file.is_file():
            raise invalid(argument, os.fspath(path), "must be a file that is there")
        if file.stat().st_size > most:
            raise invalid(argument, os.fspath(path), f"must be a file of at most {most:,} bytes")
        return file.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, RainierError):
            raise
        raise invalid(argument, os.fspath(path), f"cannot be read: {error}") from error


def parsed(data: bytes, name: str) -> dict[str, Any]:
    """Return the settings in JSON or YAML."""
    if len(data) > _MOST_BYTES:
        raise InvalidArgument(f"{name}: got {len(data):,} bytes, must be at most {_MOST_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = data[error.start : error.start + 4]
        raise InvalidArgument(
            f"{name}, byte {error.start}: got {shown(got)}, must be UTF-8"
        ) from error
    found = _json(text, name) if text.lstrip()[:1] == "{" else _yaml(text, name)
    if not isinstance(found, dict) or any(not isinstance(key, str) for key in found):
        raise InvalidArgument(f"{name}: got {shown(found)}, must be names with values")
    return found


def _json(text: str, name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        # A network file may be YAML in braces.
        try:
            return _yaml(text, name)
        except InvalidArgument:
            where = f"line {error.lineno}, column {error.colno}"
            raise InvalidArgument(f"{name}, {where}: got no JSON, must be: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise InvalidArgument(f"{name}: got {error}, must be JSON of plain numbers") from error


def _yaml(text: str, name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    # PyYAML reads 1e9 as text and `no` as False: YAML 1.2 does neither.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        problem = error.problem or "no YAML"
        raise InvalidArgument(f"{name}{where}: got {problem}, must be YAML") from error
    except (YAMLError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise InvalidArgument(f"{name}: got {shown(str(error))}, must be YAML") from error


def listed(value: object) -> list[Any]:
    """Return a list, or a list of one where a value stands alone."""
    return list(value) if isinstance(value, list | tuple) else [value]
