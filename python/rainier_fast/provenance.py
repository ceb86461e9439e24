"""Numbers that know which assumptions of the catalogue they are.

A definition made of the catalogue's figures holds such numbers, a number that a user gives is a
plain one: so what a machine assumes is read off its definition, whatever equals what. They are
floats and ints in all else, and arithmetic on them gives plain ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Self, TypeVar

_Number = TypeVar("_Number", int, float)


class _Assumed:
    """A number that is, or is made of, the assumptions of these names."""

    names: tuple[str, ...]
    real: Any

    def __new__(cls, number: float, *names: str) -> Self:
        made = super().__new__(cls, number)  # type: ignore[call-arg] # of the number's own class
        made.names = names
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.real, *self.names)


class AssumedFloat(_Assumed, float):
    """A float that is, or is made of, assumptions."""


class AssumedInt(_Assumed, int):
    """The same of an int."""


def keep(given: object, number: _Number) -> _Number:
    """Return what was given, where it is an assumption and still this number; else the number."""
    same = isinstance(given, _Assumed) and given == number
    return given if same else number  # type: ignore[return-value]


def names_in(value: object) -> Iterator[str]:
    """Yield the names of all assumptions in a number, a definition, or a sequence of them."""
    if isinstance(value, _Assumed):
        yield from value.names
    elif isinstance(value, tuple | list):
        for item in value:
            yield from names_in(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from names_in(getattr(value, field.name))
