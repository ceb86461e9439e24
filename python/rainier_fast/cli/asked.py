"""What a file of `sweep` asks: a question, a machine, what is given and what is swept, by paths."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from rainier_fast import _core
from rainier_fast.ask.options import OPTIONS
from rainier_fast.cli.machines import named
from rainier_fast.cli.setting import changed
from rainier_fast.errors import RainierError, unknown
from rainier_fast.files.kept import read
from rainier_fast.files.place import Misplaced
from rainier_fast.machine.machine import Machine
from rainier_fast.serving.serving import Serving
from rainier_fast.sweeps.asking import Asking, Priced
from rainier_fast.sweeps.cells import digest_of
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.training import Training

JOBS: Final = ("training_step", "serve")
_KEYS: Final = ("question", "machine", "into", "given", "axes")
_CHANGED: Final = ("ultraserver", "fabric", "sites", "wan")
_STEP: Final = ("chips", "algorithm", "routing")
_SERVE: Final = ("concurrency", "rate", "requests", *_STEP)


class Asked(NamedTuple):
    """What a file says."""

    question: Question
    axes: dict[str, Any]
    into: str | None


class Question(Asking):
    """A collective, a training step or a service, by paths of the machine, the job and options."""

    def __init__(self, kind: str, machine: str, given: Mapping[str, Any], axes: Any) -> None:  # noqa: ANN401
        self.kind, self.machine, self.given = kind, machine, dict(given)
        self.axes = tuple(axes)
        self.quick = kind not in JOBS
        where = machine if "machine" in self.axes else named(machine)
        self.name = f"{kind} {digest_of({'on': where, **given}, 'given')}"

    def each(self, points: list[dict[str, Any]]) -> Iterator[object]:
        """Answer points, those of one machine together."""
        alike: dict[Any, list[int]] = {}
        for at, point in enumerate(points):
            alike.setdefault(self._where({**self.given, **point}), []).append(at)
        found: list[object] = [None] * len(points)
        for (word, settings), places in alike.items():
            rest = [_others(points[at]) for at in places]
            try:
                answers = list(self._answers(_machine(word, settings), rest))
            except Exception as error:
                answers = [error] * len(places)
            for at, answer in zip(places, answers, strict=True):
                found[at] = answer
        return iter(found)

    def machine_at(self, point: Mapping[str, Any]) -> Machine:
        """Return the machine of a point."""
        return _machine(*self._where({**self.given, **point}))

    def _where(self, values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        settings = (f"{name[8:]}={_word(value)}" for name, value in values.items()
                    if name.startswith("machine."))  # fmt: skip
        return str(values.get("machine", self.machine)), tuple(settings)

    def _answers(self, machine: Machine, points: list[dict[str, Any]]) -> Iterator[object]:
        if self.quick:
            yield from Priced(machine, self.kind, _others(self.given), self.axes).each(points)
            return
        for point in points:
            try:
                yield _job(machine, self.kind, {**_others(self.given), **point})
            except Exception as error:
                yield error


def _others(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in values.items() if name.partition(".")[0] != "machine"}


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=64)
def _machine(word: str, settings: tuple[str, ...]) -> Machine:
    return changed(named(word), settings)


def _job(machine: Machine, kind: str, values: Mapping[str, Any]) -> object:
    """Run a training step or a service whose fields are named by paths."""
    parts: dict[str, dict[str, Any]] = {"job": {}, "service": {}, "layout": {}, "": {}}
    for path, value in values.items():
        root, _, name = path.rpartition(".")
        parts[root][name] = value
    layout, options = Layout(**parts["layout"]), parts[""]
    what = parts["job" if kind == "training_step" else "service"]
    model = what.pop("model", None)
    if kind == "training_step":
        return machine.training_step(Training(model, **what), layout, **options)
    return machine.serve(Serving(model, **what), layout, **options)


def asked(path: Path) -> Asked:
    """Read a file of a sweep; errors name file, line and key."""
    return read(path).made(_asked)


def _asked(content: dict[str, Any]) -> Asked:
    for key in content:
        if key not in _KEYS:
            raise Misplaced((key,), str(unknown("key", key, _KEYS)))
    for key in ("question", "machine", "axes"):
        if key not in content:
            raise Misplaced((), f"must have {key}")
    for key in ("question", "machine", "into"):
        if key in content and not isinstance(content[key], str):
            raise Misplaced((key,), "must be text")
    kinds = (*_core.OPERATIONS, *JOBS)
    kind = content["question"].replace("-", "_")
    if kind not in kinds:
        raise Misplaced(("question",), str(unknown("question", kind, kinds)))
    given, axes = (_flat(content.get(key, {}), (key,), kind) for key in ("given", "axes"))
    for name in given:
        if name in axes:
            raise Misplaced(("axes", name), "is among given too: leave it out in one of them")
    if not axes:
        raise Misplaced(("axes",), "must have an axis with its values")
    question = Question(kind, content["machine"], given, axes)
    try:
        question.machine_at({name: _first(values) for name, values in axes.items()})
    except RainierError as error:
        raise Misplaced(("axes",), str(error)) from error
    return Asked(question, axes, content.get("into"))


def _first(values: Any) -> Any:  # noqa: ANN401 - of a file
    return values[0] if isinstance(values, list) and values else values


def _flat(table: object, keys: tuple[str, ...], kind: str, root: str = "") -> dict[str, Any]:
    """Return values by their paths, whether written as dotted keys or as tables."""
    if not isinstance(table, dict):
        raise Misplaced(keys, "must have paths with values")
    found: dict[str, Any] = {}
    for name, value in table.items():
        path = f"{root}{name}"
        if isinstance(value, dict):
            found |= _flat(value, (*keys, name), kind, f"{path}.")
            continue
        _check(path, kind, (*keys, name))
        found[path] = value
    return found


def _check(path: str, kind: str, keys: tuple[str, ...]) -> None:
    """Refuse a path that the question does not have."""
    root, dot, rest = path.partition(".")
    if root == "machine":
        if dot and rest.partition(".")[0] not in _CHANGED:
            raise Misplaced(keys, str(unknown("path below machine", rest, _CHANGED)))
        return
    known = _paths(kind)
    if path not in known:
        raise Misplaced(keys, str(unknown("path", path, ("machine", *known))))


def _paths(kind: str) -> list[str]:
    if kind not in JOBS:
        return ["size", "group", "root", "shift", *OPTIONS]
    root, cls = ("job", Training) if kind == "training_step" else ("service", Serving)
    names = ["model", *(one.name for one in fields(cls) if one.init and one.name != "transformer")]
    layout = [f"layout.{one.name}" for one in fields(Layout) if one.init]
    return [*(f"{root}.{name}" for name in names), *layout,
            *(_STEP if kind == "training_step" else _SERVE)]  # fmt: skip
