"""Tori, switches and full meshes in a few lines of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.definitions.axis import Tier
from rainier_fast.errors import RainierError, unknown
from rainier_fast.files.amounts import UNITS, told
from rainier_fast.files.fields import Plain, as_list, as_table, from_plain, to_plain
from rainier_fast.files.place import Misplaced
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.shapes import full_mesh, switch, torus


@dataclass(frozen=True, slots=True)
class Shape:
    """How a function that makes machines is asked for."""

    make: Callable[..., Machine]
    plain: tuple[str, ...]
    """Keywords that are as they are."""
    amounts: tuple[tuple[str, str], ...]
    """Keywords with a unit."""


_AMOUNTS: Final = (("bandwidth", "Bps"), ("latency", "s"), ("overhead", "s"))
SHAPES: Final = {
    "torus": Shape(torus, ("shape", "wrap"), _AMOUNTS),
    "switch": Shape(switch, ("chips", "tiers"), _AMOUNTS),
    "full_mesh": Shape(full_mesh, ("chips",), _AMOUNTS),
}
"""By the key that has the keywords."""


def in_short(machine: Machine) -> Plain | None:
    """Return a machine as the keywords that make an equal one; None where none do."""
    server = machine.ultraserver
    lone = machine.num_ultraservers == 1 and server.chip is None and server.nic is None
    if not lone or machine.wan is not None:
        return None
    axes = server.axes
    word = "torus" if axes[0].kind in ("ring", "line") else axes[0].kind
    if word not in SHAPES or (word != "torus" and len(axes) > 1):
        return None
    values: dict[str, Any] = {"chips": axes[0].size}
    values |= {"bandwidth": axes[0].bandwidth_Bps, "latency": axes[0].latency_s}
    if word == "torus":
        values = {
            "shape": list(server.shape),
            "bandwidth": _short([axis.bandwidth_Bps for axis in axes]),
            "latency": _short([axis.latency_s for axis in axes]),
            "wrap": _short([axis.kind == "ring" for axis in axes]),
        }
    if axes[0].tiers:
        values["tiers"] = axes[0].tiers
    values["overhead"] = server.overhead_s
    try:
        same = SHAPES[word].make(**values, name=machine.name) == machine
    except RainierError:
        return None
    if not same:
        return None
    plain = {"name": machine.name} if machine.name is not None else {}
    return plain | {word: _plain(values)}


def of_short(plain: Plain) -> Machine:
    """Make a machine of the keywords that a dict has under the name of its shape."""
    word = next(key for key in plain if key in SHAPES)
    for key in plain:
        if key not in ("name", word):
            raise Misplaced((key,), f"{word} says the whole machine; leave {key} out")
    shape, table = SHAPES[word], as_table(plain[word], (word,))
    by_key = {stem + end: stem for stem, unit in shape.amounts for end in ("", f"_{unit}")}
    values: dict[str, Any] = {}
    for key, given in table.items():
        if key not in by_key and key not in shape.plain:
            allowed = (*shape.plain, *by_key)
            raise Misplaced((word, key), str(unknown("key", key, allowed)))
        stem = by_key.get(key, key)
        if stem in values:
            raise Misplaced((word, key), f"{stem} is said twice")
        if key in by_key and key == stem:
            _check_text(given, dict(shape.amounts)[stem], (word, key))
        values[stem] = _tiers(given, (word, key)) if key == "tiers" else given
    needed = ("shape" if word == "torus" else "chips", "bandwidth")
    for stem in needed:
        if stem not in values:
            raise Misplaced((word,), f"has no key {stem}, which it needs")
    try:
        return shape.make(**values, name=plain.get("name"))
    except RainierError as error:
        stem = (error.argument or "").split("[")[0].split(" ")[0]
        at = [key for key in table if by_key.get(key, key) == stem]
        raise Misplaced((word, *at) if at else (word,), str(error)) from error


def _plain(values: dict[str, Any]) -> Plain:
    made: Plain = {}
    units = dict(_AMOUNTS)
    for name, value in values.items():
        if name == "tiers":
            made[name] = [to_plain(tier) for tier in value]
        elif name not in units:
            if not (name == "wrap" and value is True):
                made[name] = value
        elif name == "bandwidth" or value != 0.0:
            is_text, said = told(UNITS[units[name]], value)
            made[name if is_text else f"{name}_{units[name]}"] = said
    return made


def _tiers(given: object, keys: tuple[str, ...]) -> list[Tier]:
    rows = as_list(given, keys)
    return [from_plain(Tier, row, (*keys, at)) for at, row in enumerate(rows)]


def _check_text(given: object, unit: str, keys: tuple[str | int, ...]) -> None:
    if isinstance(given, list):
        for at, item in enumerate(given):
            _check_text(item, unit, (*keys, at))
    elif not isinstance(given, str):
        said = f"must be text with a unit, such as {UNITS[unit].example!r}, or {keys[1]}_{unit}"
        raise Misplaced(keys, said)


def _short(values: list[Any]) -> Any:  # noqa: ANN401 - a value or a list of them
    return values[0] if len(set(values)) == 1 else values
