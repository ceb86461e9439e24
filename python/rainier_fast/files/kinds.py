"""What files hold: a kind each, and where the functions are that read and describe it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from rainier_fast.errors import shown, unknown
from rainier_fast.files.fields import as_table, from_plain, to_plain
from rainier_fast.files.kept import Text, as_path, notation_of, read, text_of, write
from rainier_fast.files.place import Key, Misplaced

PREFIX: Final = "rainier_fast "


class Kind(NamedTuple):
    """A kind of file."""

    module: str
    """Which has `describe`, object to dict, and `made`, dict to object; or the class."""
    version: int
    about: str
    cls: str = ""
    """A dataclass of the module, which is as its fields are."""


KINDS: Final[dict[str, Kind]] = {
    "machine": Kind("measure.machine_file", 1, "a machine, with its faults"),
    "faults": Kind("faults.faults_file", 1, "faults of a machine"),
    "schedule": Kind("ask.schedule_file", 1, "a schedule of a collective"),
    "collective": Kind("results.collective_file", 1, "a collective on a machine, and its answer"),
    "calibration": Kind("measure.calibration_file", 1, "what a calibration found"),
    "model": Kind("workload.transformer", 1, "a transformer", "Transformer"),
    "training": Kind("workload.training", 1, "a training job", "Training"),
    "layout": Kind("workload.layout", 1, "how a job is cut into ranks", "Layout"),
    "serving": Kind("serving.serving", 1, "a service", "Serving"),
    "checkpoint": Kind("operations.checkpoint", 1, "how a job saves its state", "Checkpoint"),
    "efficiency": Kind("definitions.efficiency", 1, "how fast a chip computes", "Efficiency"),
    "training_step": Kind("workload.step_file", 1, "a training step, and its answer"),
    "serving_result": Kind("serving.result_file", 1, "a service on a machine, and its answer"),
    "placement": Kind("placement.placement_file", 1, "ranks of a job on chips and hosts"),
}
"""By the word that its header has after the name of this package."""


def save(
    value: object,
    kind: str,
    path: object,
    notation: str | None,
    others: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write an object to a file, whole or not at all; others are modules of further formats."""
    target = as_path(path)
    if isinstance(notation, str) and (module := others.get(str.__str__(notation))):
        write(target, import_module(f"rainier_fast.{module}").text(value))
        return
    notation = notation_of(target, notation, others)
    write(target, text_of(told(value, kind), notation))


def told(value: object, kind: str) -> dict[str, Any]:
    """Return an object as a dict with the header of its kind."""
    row = KINDS[kind]
    describe: Callable[[object], dict[str, Any]] = to_plain
    if not row.cls:
        describe = _module(row).describe
    return {"format": PREFIX + kind, "version": row.version} | describe(value)


def load(path: object, kind: str) -> Any:  # noqa: ANN401 - of any kind
    """Return what a file holds, which must be of a kind."""
    return of_text(read(as_path(path)), kind)


def from_dict(content: object, kind: str) -> Any:  # noqa: ANN401 - of any kind
    """Return what a dict holds, which must be of a kind; errors say content for the file."""
    text = Text("content", "json", "", content, {})  # type: ignore[arg-type] # looked at there
    return text.made(lambda given: of_dict(as_table(given, ()), kind))


def of_text(text: Text, kind: str | None = None) -> Any:  # noqa: ANN401 - of any kind
    """Return what a text holds."""
    return text.made(lambda content: of_dict(content, kind))


def of_dict(content: dict[str, Any], kind: str | None = None) -> Any:  # noqa: ANN401 - of any kind
    """Return what a dict with a header holds."""
    found, rest = header(content, kind)
    return made_of(found, rest)


def made_of(kind: str, rest: dict[str, Any]) -> Any:  # noqa: ANN401 - of any kind
    """Return what a dict without its header holds."""
    module = _module(KINDS[kind])
    if cls := KINDS[kind].cls:
        return from_plain(getattr(module, cls), rest)
    return module.made(rest)


def inner(kind: str, plain: object, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401 - of any kind
    """Return what a table inside a file holds; it needs no header of its own."""
    table = as_table(plain, keys)
    try:
        return made_of(kind, header(table, kind)[1] if "format" in table else table)
    except Misplaced as error:
        raise Misplaced((*keys, *error.keys), error.message) from error


def header(content: dict[str, Any], kind: str | None) -> tuple[str, dict[str, Any]]:
    """Return the kind and the rest of a content whose header is looked at."""
    said = content.get("format")
    words = [PREFIX + name for name in KINDS]
    if not isinstance(said, str):
        wanted = "a format" if kind is None else f"format = {PREFIX + kind!r}"
        raise Misplaced(("format",) if said is not None else (), f"must have {wanted}")
    said = str.__str__(said)  # a subclass may compare as it likes
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
