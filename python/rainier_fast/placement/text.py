"""Small text files: read whole, never more than a call may take, with errors that say where."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rainier_fast.definitions.check import as_name
from rainier_fast.errors import InvalidArgument, Unsupported, invalid, invalid_type, shown
from rainier_fast.files import json_text, yaml_text
from rainier_fast.files.place import Broken
from rainier_fast.memory import reckon
from rainier_fast.placement import simple_yaml

_PER_BYTE: Final = 40
"""Bytes of Python objects that a byte of JSON may become: lists of small numbers are the worst."""


@dataclass(frozen=True, slots=True)
class Source:
    """Text, and what errors call it."""

    name: str
    text: str

    def fault(self, where: str, value: object, allowed: str) -> InvalidArgument:
        """Make the error for something in it."""
        return invalid(f"{self.name} {where}".strip(), value, allowed)

    @contextmanager
    def saying(self, where: str) -> Iterator[None]:
        """Put the file and a place before what errors name."""
        try:
            yield
        except Unsupported as error:
            raise Unsupported(f"{self.name} {where}: {error}") from None
        except InvalidArgument as error:
            named = f"{self.name} {where}".strip()
            raise InvalidArgument(f"{named} {error}") from None


def source_of(path: str | os.PathLike[str]) -> Source:
    """Read a file as text."""
    if not isinstance(path, str | os.PathLike):
        raise invalid_type("path", path, "must be the path of a file")
    file = Path(path)
    check_size(file.name, file.stat().st_size)
    return decoded(file.name, file.read_bytes())


def said(text: object, name: object, argument: str = "text") -> Source:
    """Return text that was given as such, or as bytes."""
    if not isinstance(text, str | bytes):
        raise invalid_type(argument, text, "must be text")
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return decoded(as_name("name", name), data)


def check_size(name: str, size: int) -> None:
    """Refuse to read what would take more memory than a call may."""
    reckon(_PER_BYTE * size, f"reading {name}", "split the file")


def decoded(name: str, data: bytes) -> Source:
    """Return bytes as text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        allowed = "must be text in UTF-8"
        raise invalid(
            f"{name} byte {error.start}", data[error.start : error.end], allowed
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise invalid(f"{name} line {line}", "\0", "must be text, without NUL bytes")
    return Source(name, text)


def json_of(source: Source) -> Any:  # noqa: ANN401 - whatever it holds
    """Return what JSON says; a key that is there twice is refused."""
    try:
        return json_text.read(source.text)
    except Broken as error:
        raise _broken(source, "JSON", error) from None


def _broken(source: Source, notation: str, error: Broken) -> InvalidArgument:
    """Make the error for a text that its reader refuses."""
    where = "" if error.line is None else f"line {error.line}"
    return source.fault(where, f"{notation} that {error.what}", f"must be plain {notation}")


def yaml_of(source: Source) -> Any:  # noqa: ANN401 - whatever it holds
    """Return what YAML 1.2 says; anchors, aliases and tags are refused, for they may grow."""
    try:
        return simple_yaml.read(source.text)
    except simple_yaml.Unsure:
        return _whole_yaml(source)


def _whole_yaml(source: Source) -> Any:  # noqa: ANN401 - whatever it holds
    if len(source.text) > yaml_text.MOST_BYTES:
        allowed = (
            f"must be at most {yaml_text.MOST_BYTES:,}, unless it is plain maps and lists, each "
            "value on its line: all else of YAML is slow to read"
        )
        raise source.fault("", f"{len(source.text):,} characters", allowed)
    try:
        return yaml_text.read(source.text)[0]
    except Broken as error:
        raise _broken(source, "YAML", error) from None


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document, and where it is, from which others are asked for by kind."""

    source: Source
    value: Any
    where: str = ""

    def fault(self, allowed: str) -> InvalidArgument:
        """Make the error for this value."""
        return self.source.fault(self.where, self.value, allowed)

    def dict(self) -> Mapping[str, Any]:
        """Return it as an object."""
        if not isinstance(self.value, dict):
            raise self.fault("must be an object of keys and values")
        return self.value

    def list(self) -> list[Node]:
        """Return it as a list."""
        if not isinstance(self.value, list):
            raise self.fault("must be a list")
        each = enumerate(self.value)
        return [Node(self.source, item, f"{self.where}[{at}]") for at, item in each]

    def text(self) -> str:
        """Return it as text that prints and is not empty."""
        if (
            not isinstance(self.value, str)
            or not self.value.strip()
            or not self.value.isprintable()
        ):
            raise self.fault("must be text that is not empty; put it in quotes")
        return self.value

    def integer(self, low: int, high: int) -> int:
        """Return it as an integer."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.fault("must be an integer")
        if not low <= self.value <= high:
            raise self.fault(f"must be {low:,} to {high:,}")
        return self.value

    def flag(self) -> bool:
        """Return it as a bool."""
        if not isinstance(self.value, bool):
            raise self.fault("must be true or false")
        return self.value

    def get(self, key: str) -> Node | None:
        """Return what is under a key, or None."""
        held = self.dict()
        return self._under(key, held[key]) if held.get(key) is not None else None

    def at(self, key: str) -> Node:
        """Return what must be under a key."""
        held = self.dict()
        if held.get(key) is None:
            named = ", ".join(map(str, list(held)[:8])) or "no key"
            raise self.source.fault(self.where, shown(named), f"must have {key}")
        return self._under(key, held[key])

    def only(self, *keys: str) -> None:
        """Refuse keys that are not known."""
        for key in self.dict():
            if key not in keys:
                raise self.source.fault(self.where, key, f"must have no key but {', '.join(keys)}")

    def _under(self, key: str, value: object) -> Node:
        return Node(self.source, value, f"{self.where}.{key}" if self.where else key)
