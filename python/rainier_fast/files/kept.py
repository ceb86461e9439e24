"""Files whole or not at all; texts in one of three notations, told by what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from rainier_fast.errors import InvalidFile, RainierError, as_one_of, invalid, invalid_type
from rainier_fast.files import json_text, toml_text, yaml_text
from rainier_fast.files.place import Broken, Key, Misplaced, spelled
from rainier_fast.memory import reckon

SUFFIXES: Final = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}
NOTATIONS: Final = ("toml", "yaml", "json")

_MOST_BYTES: Final = {"toml": 4 << 20, "yaml": yaml_text.MOST_BYTES, "json": 512 << 20}
_GROWTH: Final = {"toml": 80, "yaml": 1500, "json": 10}
"""Bytes of objects for each byte of text, at most; of JSON beside those of tables and lists."""
_EACH: Final = 160
"""Bytes that a table or list of JSON takes by itself."""

_TOML: Final = re.compile(r"""(?:\[|[A-Za-z0-9_."'-]+[ \t]*=)""")
_YAML: Final = re.compile(r"""(?:---|%YAML|[A-Za-z0-9_"' .-]+:(?:\s|$))""")
_KIND: Final = re.compile(rb"""^\W*format\W{1,8}rainier_fast ([a-z_]+)""", re.MULTILINE)
_HEAD: Final = 4096
_Made = TypeVar("_Made")


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Open a file beside the target; once all is written, it is put in the target's place."""
    if target.exists() and not target.is_file():  # a device or a pipe, which nothing may replace
        with target.open("wb") as file:
            yield file
        return
    # Opened as any new file is, so that it has the mode that the user's mask gives.
    draft = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == os.fspath(draft):
            error.filename, error.filename2 = os.fspath(target), None
        raise


def write(target: Path, content: str | bytes) -> None:
    """Write a file whole, or not at all; text as UTF-8."""
    data = content.encode() if isinstance(content, str) else content
    with replacing(target) as file:
        file.write(data)


def as_path(path: object, argument: str = "path") -> Path:
    """Return a path that was given as one or as text."""
    if not isinstance(path, str | os.PathLike):
        raise invalid_type(argument, path, "must be a path, or text")
    name = os.fspath(path)
    if not isinstance(name, str) or not name or "\0" in name:
        raise invalid(argument, path, "must name a file")
    return Path(name)


def notation_of(path: Path, notation: str | None = None, others: Iterable[str] = ()) -> str:
    """Return how a file is to be written: as said, or by its name."""
    if notation is not None:
        return as_one_of("format", notation, (*NOTATIONS, *others))
    if path.suffix.casefold() not in SUFFIXES:
        allowed = "must end with .toml, .yaml or .json, or say format='toml', 'yaml' or 'json'"
        raise invalid("path", str(path), allowed)
    return SUFFIXES[path.suffix.casefold()]


def text_of(content: dict[str, Any], notation: str) -> str:
    """Return a dict as text, in one of the notations."""
    write_as = {"json": json_text.write, "toml": toml_text.write, "yaml": yaml_text.write}
    text = write_as[notation](content)
    if notation != "json":
        words = str(content.get("format", "")).removeprefix("rainier_fast ").replace("_", " ")
        text = f"# A {words} of rainier_fast: docs/files.md says what may stand here.\n{text}"
    size, most = len(text.encode()), _MOST_BYTES[notation]
    if size > most:
        allowed = f"of {size:,} bytes could not be read again (at most {most:,}): save as .json"
        raise invalid("format", notation, allowed)
    return text


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was read: what it says, and where."""

    name: str
    notation: str
    text: str
    content: dict[str, Any]
    lines: dict[tuple[Key, ...], int] | None = None

    def line_of(self, keys: tuple[Key, ...]) -> int | None:
        """Return the line on which a key is, or what holds it."""
        if self.lines is not None:
            known = (self.lines.get(keys[:most]) for most in range(len(keys), 0, -1))
            return next((line for line in known if line is not None), None)
        find = toml_text.line_of if self.notation == "toml" else json_text.line_of
        return find(self.text, keys)

    def fault(self, keys: tuple[Key, ...], message: str) -> InvalidFile:
        """Make the error for what is wrong at a place."""
        return InvalidFile(self.name, self.line_of(keys), spelled(keys), message)

    def made(self, make: Callable[[dict[str, Any]], _Made]) -> _Made:
        """Return what a function makes of the content; its errors name file, line and key."""
        try:
            return make(self.content)
        except Misplaced as error:
            raise self.fault(error.keys, error.message) from error
        except InvalidFile:
            raise
        except RainierError as error:
            raise InvalidFile(self.name, None, "", str(error)) from error


def read(path: Path) -> Text:
    """Read a file in one of the notations."""
    size = path.stat().st_size
    if size > max(_MOST_BYTES.values()):
        allowed = f"has {size:,} bytes, and at most {max(_MOST_BYTES.values()):,} are read"
        raise InvalidFile(str(path), None, "", allowed)
    with path.open("rb") as file:
        data = file.read(size + 1)
    return text_in(data, str(path), path.suffix.casefold())


def text_in(data: bytes, name: str, suffix: str = "") -> Text:
    """Return what the bytes of a file say; the suffix counts where they do not tell."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidFile(name, line, "", "is no text in UTF-8") from None
    notation = _notation(text, suffix)
    if notation is None:
        raise InvalidFile(name, None, "", "is neither TOML, YAML nor JSON")
    most = _MOST_BYTES[notation]
    if len(data) > most:
        mend = "write it as JSON" if notation != "json" else "cut it into several"
        said = f"has {len(data):,} bytes; of {notation.upper()} at most {most:,} are read: {mend}"
        raise InvalidFile(name, None, "", said)
    each = _EACH * (data.count(b"{") + data.count(b"[")) if notation == "json" else 0
    reckon(_GROWTH[notation] * len(data) + each, f"reading {name}", "read a smaller file")
    lines: dict[tuple[Key, ...], int] | None = None
    try:
        if notation == "yaml":
            content, lines = yaml_text.read(text)
        else:
            content = (toml_text if notation == "toml" else json_text).read(text)
    except Broken as error:
        raise InvalidFile(name, error.line, error.key, error.what) from None
    if not isinstance(content, dict):
        raise InvalidFile(name, 1, "", "must have keys with values")
    return Text(name, notation, text, content, lines)


def kind_of(head: bytes) -> str | None:
    """Return which of our kinds a file is, by its beginning; None where it is another's."""
    found = _KIND.search(head[:_HEAD])
    return None if found is None else found[1].decode()


def _notation(text: str, suffix: str) -> str | None:
    for line in text[:_HEAD].split("\n"):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if word.startswith("{"):
            return "yaml" if SUFFIXES.get(suffix) == "yaml" else "json"
        if _TOML.match(word):
            return "toml"
        if _YAML.match(word):
            return "yaml"
        break
    return SUFFIXES.get(suffix)
