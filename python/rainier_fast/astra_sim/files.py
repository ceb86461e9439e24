"""Small files of JSON and YAML, read whole or refused with the place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, RainierError, invalid, invalid_type, shown
from rainier_fast.files import json_text, yaml_text
from rainier_fast.files.kept import as_path, write
from rainier_fast.files.place import Broken

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
    try:
        found = _said(text)
    except Broken as error:
        where = "" if error.line is None else f", line {error.line}"
        said = f"got a text that {error.what}"
        raise InvalidArgument(f"{name}{where}: {said}, must be JSON or YAML") from error
    if not isinstance(found, dict) or any(not isinstance(key, str) for key in found):
        raise InvalidArgument(f"{name}: got {shown(found)}, must be names with values")
    return found


def _said(text: str) -> object:
    """Return what JSON says, or YAML: a network file may be YAML in braces."""
    if text.lstrip()[:1] != "{":
        return _yaml(text)
    try:
        return json_text.read(text)
    except Broken as error:
        if error.line is None:  # it is JSON, and what it says is wrong
            raise
        try:
            return _yaml(text)
        except Broken:
            raise error from None


def _yaml(text: str) -> object:
    if len(text) > yaml_text.MOST_BYTES:
        allowed = f"has {len(text):,} characters; of YAML at most {yaml_text.MOST_BYTES:,} are read"
        raise Broken(allowed, None)
    return yaml_text.read(text)[0]


def write_all(name: str | os.PathLike[str], parts: Iterable[tuple[str, str | bytes]]) -> list[Path]:
    """Write files whose names begin alike, each with an end and what it holds."""
    as_path(name, "name")
    base = os.fspath(name)  # as it is: a folder's last slash counts
    paths = []
    try:
        for end, data in parts:
            path = Path(base + end)
            write(path, data)
            paths.append(path)
    except (OSError, ValueError) as error:
        if isinstance(error, RainierError):
            raise
        raise invalid("name", base, f"cannot be written: {error}") from error
    return paths


def listed(value: object) -> list[Any]:
    """Return a list, or a list of one where a value stands alone."""
    return list(value) if isinstance(value, list | tuple) else [value]
