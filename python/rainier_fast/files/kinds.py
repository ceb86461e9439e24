"""What files hold: a kind each, and where the functions are that read and describe it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple

from rainier_fast.errors import shown, unknown
from rainier_fast.files.kept import Text, as_path, notation_of, read, text_of, write
from rainier_fast.files.place import Misplaced

PREFIX: Final = "rainier_fast "


class Kind(NamedTuple):
    """A kind of file."""

    module: str
    """Which has `describe`, object to dict, and `made`, dict to object."""
    version: int
    about: str


KINDS: Final[dict[str, Kind]] = {
    "machine": Kind("measure.machine_file", 1, "a machine, with its faults"),
}
"""By the word that its header has after the name of this package."""


def save(value: object, kind: str, path: object, notation: str | None) -> None:
    """Write an object to a file, whole or not at all."""
    target = as_path(path)
    notation = notation_of(target, notation)
    write(target, text_of(told(value, kind), notation))


def told(value: object, kind: str) -> dict[str, Any]:
    """Return an object as a dict with the header of its kind."""
    row = KINDS[kind]
    describe: Callable[[object], dict[str, Any]] = _module(row).describe
    return {"format": PREFIX + kind, "version": row.version} | describe(value)


def load(path: object, kind: str) -> Any:  # noqa: ANN401 - of any kind
    """Return what a file holds, which must be of a kind."""
    return of_text(read(as_path(path)), kind)


def of_text(text: Text, kind: str | None = None) -> Any:  # noqa: ANN401 - of any kind
    """Return what a text holds."""
    return text.made(lambda content: of_dict(content, kind))


def of_dict(content: dict[str, Any], kind: str | None = None) -> Any:  # noqa: ANN401 - of any kind
    """Return what a dict with a header holds."""
    found, rest = header(content, kind)
    return _module(KINDS[found]).made(rest)


def header(content: dict[str, Any], kind: str | None) -> tuple[str, dict[str, Any]]:
    """Return the kind and the rest of a content whose header is looked at."""
    said = content.get("format")
    words = [PREFIX + name for name in KINDS]
    if not isinstance(said, str):
        wanted = "a format" if kind is None else f"format = {PREFIX + kind!r}"
        raise Misplaced(("format",) if said is not None else (), f"must have {wanted}")
    found = said.removeprefix(PREFIX)
    if said not in words:
        raise Misplaced(("format",), str(unknown("format", said, words)))
    if kind is not None and found != kind:
        raise Misplaced(("format",), f"is a file of a {found}, not of a {kind}; rf.read reads it")
    version, known = content.get("version"), KINDS[found].version
    if type(version) is not int or version != known:
        newer = type(version) is int and version > known
        mend = (
            "a newer rainier_fast wrote it: upgrade, or save it again there for this one"
            if newer
            else f"write version = {known}"
        )
        at = ("version",) if "version" in content else ()
        message = f"version: got {shown(version)}, this program reads {known}; {mend}"
        raise Misplaced(at, message)
    return found, {key: value for key, value in content.items() if key not in ("format", "version")}


def _module(kind: Kind) -> Any:  # noqa: ANN401 - a module
    # By name: rooms stand above this one, and each kind knows only its own.
    return import_module(f"rainier_fast.{kind.module}")
