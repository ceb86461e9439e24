"""The keywords of each stack, by its table, checked; and sizes that follow from the others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import prod
from typing import Any, Final

from rainier_fast.ask.groups import MOST_CHIPS
from rainier_fast.definitions.check import as_flag, as_integer, as_items, as_name
from rainier_fast.errors import InvalidArgument, as_one_of, invalid, unexpected

_MOST_LEVELS: Final = 16
_NEAR: Final = 4  # sizes that an error names


@cache
def stacks() -> dict[str, dict[str, Any]]:
    """Return what is known of each stack, by name."""
    import json  # needed only once somebody asks
    from importlib import resources  # a tenth of numpy's import time

    file = resources.files(__package__).joinpath("data", "stacks.json")
    return dict(json.loads(file.read_text(encoding="utf-8")))


def as_world(value: object) -> int:
    """Return how many ranks there are."""
    return as_integer("world", value, 1, MOST_CHIPS)


def checked(name: str, given: Mapping[str, object]) -> dict[str, Any]:
    """Return the options that are given, as plain values that the stack takes."""
    known, choices = known_options(name), stacks()[name].get("choices", {})
    options = {}
    for option, value in given.items():
        if option not in known:
            raise unexpected(name, option, known)
        options[option] = _checked(option, value, known[option], choices)
    return options


def completed(name: str, world: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a stack, those that are not given by default."""
    stack = stacks()[name]
    options = {**known_options(name), **given}
    if "rest" in stack:
        fill(options, world, *stack["rest"])
    return options


@cache
def known_options(name: str) -> dict[str, Any]:
    """Return the options of a stack with their defaults."""
    stack = stacks()[name]
    options = dict(stack["options"])
    for part, rest in stack.get("rests", {}).items():
        options |= {f"{part}_{axis}": -1 if axis == rest else 1 for axis in stack["mesh"]}
    return options


def _checked(option: str, value: object, default: Any, choices: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an option of any kind
    if option in choices:
        return _choice(option, value, choices[option])
    if isinstance(default, bool):
        return as_flag(option, value)
    if isinstance(default, str):
        return as_name(option, value)
    if isinstance(default, list):
        items = as_items(option, value, "must be a sequence of sizes")
        if len(items) > _MOST_LEVELS:
            raise invalid(option, value, f"must have at most {_MOST_LEVELS} sizes")
        return tuple(as_size(f"{option}[{at}]", item) for at, item in enumerate(items))
    if value is None and default is None:
        return None
    if default == -1 or option.startswith(("ici_", "dcn_")):
        return as_size(option, value, -1)
    return as_size(option, value)


def _choice(option: str, value: object, known: list[Any]) -> Any:  # noqa: ANN401 - text or a number
    if isinstance(known[0], str):
        return as_one_of(option, value, known)
    number = as_integer(option, value, min(known), max(known))
    if number not in known:
        raise invalid(option, number, f"must be one of {', '.join(map(str, known))}")
    return number


def as_size(option: str, value: object, low: int = 1) -> int:
    """Return the size of an axis; from a `low` of -1, that is what is left."""
    number = as_integer(option, value, low, MOST_CHIPS)
    if number == 0:
        raise invalid(option, number, "must be at least 1, or -1 for what is left")
    return number


def fill(
    options: dict[str, Any], world: int, rest: str, others: list[str], what: str = "ranks"
) -> None:
    """Put the size that is left, or find that the one given is it."""
    taken = prod(options[name] for name in others)
    words = " x ".join(f"{name} {options[name]}" for name in others if options[name] > 1)
    if world % taken:
        below, above = world // taken * taken, -(-world // taken) * taken
        near = f"{below:,} or {above:,}" if below else f"{above:,}"
        name, got = ("slices", world) if what == "slices" else ("world", f"{world:,} {what}")
        raise invalid(
            name,
            world if what == "ranks" else got,
            f"must be a multiple of {words} = {taken:,}, such as {near}",
        )
    left = world // taken
    if options[rest] not in (-1, left):
        allowed = f"must be {left:,}: {world:,} {what}" + (f" / ({words})" if words else "")
        raise invalid(rest, options[rest], allowed)
    options[rest] = left


def check_divides(option: str, size: int, whole: int, words: str) -> None:
    """Refuse a size that does not divide `whole`, and name the nearest that do."""
    if whole % size:
        raise not_dividing(option, size, whole, words)


def not_dividing(option: str, size: int, whole: int, words: str) -> InvalidArgument:
    """Make the error for a size that does not divide."""
    near = ", ".join(map(str, _nearest(size, whole)))
    return invalid(option, size, f"must divide {words} = {whole:,}; the nearest that do: {near}")


def _nearest(size: int, whole: int) -> list[int]:
    small = [at for at in range(1, min(whole, 1 << 16) + 1) if at * at <= whole and not whole % at]
    divisors = {*small, *(whole // at for at in small)}
    return sorted(sorted(divisors, key=lambda one: abs(one - size))[:_NEAR])
