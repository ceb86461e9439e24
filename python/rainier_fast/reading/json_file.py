"""JSON of a file, or an error that names the place."""

from __future__ import annotations

import json
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, shown
from rainier_fast.memory import reckon
from rainier_fast.reading.content import Content

# Bytes of Python's objects for each of these, as CPython 3.11 has them: dict, list, half a string,
# and an element with its place.
_OBJECTS: Final = ((b"{", 232), (b"[", 88), (b'"', 32), (b",", 40))
_EACH: Final = 1500
"""Bytes of one collective's objects, and of what they are made of."""
_BESIDE: Final = 40
"""Characters round a place that an error shows."""


def parsed(content: Content, *, once: bool = False) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return the value that a file of JSON holds; keys may be checked to stand `once` each.

    Raises
    ------
    InvalidArgument
        If it is no JSON: it names line, column and what stands there.
    Unsupported
        If its objects would take more memory than one call may.
    """
    data = content.data
    needed = 3 * len(data) + sum(data.count(mark) * each for mark, each in _OBJECTS)
    reckon(needed, f"the objects of {content.short}", "read a shorter one")
    text = content.text()
    hook = _once if once else None
    try:
        return json.loads(text, object_pairs_hook=hook, parse_constant=_refuse)
    except RecursionError:
        got = "objects within objects, thousands deep"
        raise content.fault("", got, "must be JSON that is nested less deeply") from None
    except json.JSONDecodeError as error:
        raise _broken(content, text, error) from error
    except InvalidArgument as error:
        raise InvalidArgument(f"{content.short}: got {error}") from error
    except ValueError as error:
        # An integer of thousands of digits.
        raise content.fault("", str(error)[:80], "must have shorter integers") from error


def reckon_collectives(content: Content, count: int) -> None:
    """Refuse so many events that the objects of their collectives would not fit."""
    what = f"the collectives of {count:,} events of {content.short}"
    reckon(_EACH * count, what, "read a trace of fewer steps")


def _broken(content: Content, text: str, error: json.JSONDecodeError) -> InvalidArgument:
    start = max(error.pos - _BESIDE, 0)
    near = text[start : error.pos + _BESIDE]
    where = f"line {error.lineno}, column {error.colno} (character {error.pos})"
    got = f"{shown(text[error.pos : error.pos + 1] or 'the end')} after {shown(near)}"
    return content.fault(where, got, f"must be JSON: {error.msg}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InvalidArgument(f"key {shown(twice)} twice in one object, must have each key once")
    return found


def _refuse(word: str) -> Any:  # noqa: ANN401 - it returns nothing
    raise InvalidArgument(f"{word}, must be a number that JSON has")
