"""`--set path=value`: another machine, with fields of its definition changed by their path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, RainierError, invalid, unknown
from rainier_fast.machine.machine import Cluster, Machine

_ROOTS: Final = ("ultraserver", "fabric", "sites", "wan")
_ALL: Final = "all"


def changed(machine: Machine, settings: Sequence[str]) -> Machine:
    """Return the machine with each ``path=value`` set, in that order."""
    for setting in settings:
        machine = _set(machine, setting)
    return machine


def _set(machine: Machine, setting: str) -> Machine:
    path, equals, text = setting.partition("=")
    path, text = path.strip(), text.strip()
    if not equals or not path or not text:
        allowed = "must be path=value, such as ultraserver.nic.bandwidth='50 GB/s'"
        raise invalid("set", setting, allowed)
    root, *below = path.split(".")
    if root not in _ROOTS:
        raise unknown("set", root, _ROOTS)
    if not below:
        raise InvalidArgument(f"set: {path} is no single value; {_fields_of(machine, root)}")
    sites = machine.sites
    wan: Any = machine.wan
    try:
        if root == "wan":
            wan = _in(wan, below, root, text)
        elif root == "sites":
            sites = _in(sites, below, root, text)
        else:
            sites = tuple(
                replace(site, **{root: _in(getattr(site, root), below, root, text)})
                for site in sites
            )
        name = f"{machine.name or machine.ultraserver.name}, {path}={text}"
        return Cluster(sites, wan, name)
    except RainierError as error:
        if str(error).startswith("set"):
            raise
        raise type(error)(f"set {path}: {error}") from error


def _fields_of(machine: Machine, root: str) -> str:
    values = {
        "ultraserver": machine.ultraserver,
        "fabric": machine.sites[0].fabric,
        "sites": machine.sites,
        "wan": machine.wan,
    }
    return f"it has {', '.join(_names(values[root])) or 'no fields on this machine'}"


def _in(value: Any, path: Sequence[str], at: str, text: str) -> Any:  # noqa: ANN401 - any field
    """Return a value with what is at a path below it changed."""
    if not path:
        return _read(value, text, at)
    name, rest = path[0], path[1:]
    below = f"{at}.{name}"
    if is_dataclass(value) and not isinstance(value, type):
        if name not in _names(value):
            raise unknown(f"set {at}", name, _names(value))
        return replace(value, **{name: _in(getattr(value, name), rest, below, text)})
    if isinstance(value, tuple) and value and all(map(is_dataclass, value)):
        places = _places(value, name, at)
        return tuple(
            _in(item, rest, below, text) if place in places else item
            for place, item in enumerate(value)
        )
    what = "empty on this machine" if value in (None, ()) else "a value of its own"
    raise InvalidArgument(f"set {below}: {at} is {what} and has no {name}")


def _rows(text: str, at: str) -> Any:  # noqa: ANN401 - rows of numbers and texts
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        allowed = (
            'must be a value, or rows as JSON has them, such as \'[[0, "6 ms"], ["6 ms", 0]]\''
        )
        raise invalid(f"set {at}", text, allowed) from None


def _names(value: object) -> list[str]:
    if is_dataclass(value):
        return [field.name for field in fields(value) if field.init]
    if isinstance(value, tuple) and value and all(map(is_dataclass, value)):
        named = [str(getattr(item, "name", place)) for place, item in enumerate(value)]
        return [*named, _ALL]
    return []


def _places(items: tuple[Any, ...], name: str, at: str) -> Iterable[int]:
    """Return which items are meant: by name, by number, or all."""
    if name == _ALL:
        return range(len(items))
    named = [place for place, item in enumerate(items) if getattr(item, "name", None) == name]
    if named:
        return named
    if name.isascii() and name.isdigit() and int(name) < len(items):
        return [int(name)]
    raise unknown(f"set {at}", name, _names(items))


def _read(value: object, text: str, at: str) -> Any:  # noqa: ANN401 - any field
    """Return text as a value of the kind that a field has; definitions check units and ranges."""
    if text.lower() == "none":
        return None
    if names := _names(value):
        raise InvalidArgument(f"set {at}: is no single value; it has {', '.join(names)}")
    if text.startswith("["):
        return _rows(text, at)
    if isinstance(value, bool):
        if text.lower() not in ("true", "false"):
            raise invalid(f"set {at}", text, "must be true or false")
        return text.lower() == "true"
    if isinstance(value, str):
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
