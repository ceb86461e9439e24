"""A good call of every public callable, by introspection.

`calls` walks a table of instances by class (`good_instances`) and fills in the arguments of each
function and method by name (`good_arguments`), so that what is new is in the tests, or asks for a
line there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from good_arguments import GOOD, OWN
from good_instances import MESH, TRN2

import rainier_fast as rf
from rainier_fast.ask import options as asking

# Methods that give the core what a class holds, whose arguments come from this package; and what
# asks the system for files, whose errors are the system's.
_INTERNAL = {"row", "rows", "core", "tables", "neuron_row"} | {"load", "report", "save", "write"}
# What needs a library that tests do not install.
_INTERNAL |= {"to_polars", "to_networkx"}
# What a kind of the same class alone has.
_INTERNAL |= {"to_pairs"}

# Made by the package, of values that it has checked.
_MADE = {
    "Calibration",
    "Capped",
    "Cost",
    "Edges",
    "EfficiencyFit",
    "FleetDay",
    "Goodput",
    "LayoutRanking",
    "Machine",
    "MeshLayout",
    "MonteCarlo",
    "MpiChoice",
    "Placement",
    "Power",
    "Prepared",
    "Price",
    "PricePerformance",
    "ProgramGroups",
    "RankGroups",
    "Ranking",
    "ServingEvents",
    "ServingResult",
    "StepComparison",
    "Timeline",
    "TrainingStep",
}


@dataclass(frozen=True)
class Call:
    """A callable with good arguments."""

    label: str
    function: Callable[..., Any]
    arguments: dict[str, Any]
    keywords: str | None
    positional: tuple[str, ...]
    several: str | None = None

    def run(self, changed: dict[str, Any]) -> object:
        """Call it with some of the arguments changed."""
        given = self.arguments | changed
        free = given.pop(self.keywords, {}) if self.keywords else {}
        if not isinstance(free, dict) or not all(isinstance(name, str) for name in free):
            free = {next(iter(self.arguments[self.keywords or ""])): free}
        first = [given.pop(name) for name in self.positional]
        more = given.pop(self.several) if self.several else ()
        more = more if isinstance(more, list | tuple) else [more]
        return self.function(*first, *more, **given, **free)


def calls(made: dict[type, Any]) -> Iterator[Call]:
    """Yield every public function, class and method, with good arguments."""
    for name in rf.__all__:
        value = getattr(rf, name)
        if inspect.isclass(value) and not issubclass(value, Exception):
            one = made.get(value) or next(one for one in made.values() if isinstance(one, value))
            results = value.__module__.startswith("rainier_fast.results") and value is not rf.Table
            if name not in _MADE and not results:
                yield _call(name, value, one)
            if value is not rf.Cluster:
                yield from _methods(name, value, one)
        elif callable(value) and not inspect.isclass(value):
            yield _call(name, value, None)
    for label, plans in (("Machine.plan", TRN2.plan), ("DeviceMesh.plan", MESH.plan)):
        yield from _methods(label, type(plans), plans)


def _methods(label: str, kind: type, one: object) -> Iterator[Call]:
    for name in dir(kind):
        held = inspect.getattr_static(kind, name)
        public = not name.startswith("_") or name in ("__getitem__", "__contains__")
        if not public or name in _INTERNAL:
            continue
        if isinstance(held, staticmethod | classmethod):
            yield _call(f"{label}.{name}", getattr(kind, name), None)
        elif inspect.isfunction(held):
            yield _call(f"{label}.{name}", getattr(one, name), None)


def _options(label: str) -> list[str]:
    """Return the options of a collective that a call takes."""
    names = list(
        asking.OPTIONS
        if label in ("Tenant", "Machine.best_mapping")
        else asking.Call.__annotations__
    )
    kept = [name for name in names if name not in _FIXED.get(label, ("shift",))]
    return kept + ["axis"] * (label == "DeviceMesh.times")


# Options that a call does not take, or whose good value depends on the others.
_FIXED = {
    "schedule": ("model", "shift"),
    "compare": ("group", "shift"),
    "DeviceMesh.times": ("group", "shift"),
}


def _call(label: str, function: Callable[..., Any], one: object) -> Call:
    own = OWN.get(label, OWN.get(label.rpartition(".")[2], {}))
    arguments, keywords, several, positional = {}, None, None, []
    good = {"algorithm": "auto", **GOOD}
    for item in inspect.signature(function).parameters.values():
        if item.name == "options" and label.endswith(".plot"):
            continue  # those of each picture: tests/unit/test_plot.py
        if item.name == "options":
            arguments |= {name: own.get(name, good[name]) for name in _options(label)}
            continue
        if item.name in own:
            arguments[item.name] = own[item.name]
        elif one is not None and hasattr(one, item.name):
            arguments[item.name] = getattr(one, item.name)
        elif item.name in GOOD:
            arguments[item.name] = GOOD[item.name]
        elif item.default is not item.empty:
            arguments[item.name] = item.default
        else:
            raise LookupError(f"{label}: say in GOOD or OWN what a good {item.name} is")
        if item.kind is item.VAR_KEYWORD:
            keywords = item.name
        elif item.kind is item.VAR_POSITIONAL:
            several = item.name
        elif item.kind is item.POSITIONAL_ONLY:
            positional.append(item.name)
    return Call(label, function, arguments, keywords, tuple(positional), several)
