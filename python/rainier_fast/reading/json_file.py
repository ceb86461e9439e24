"""JSON of a file, or an error that names the place."""

from __future__ import annotations

import json
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, shown
from rainier_fast.memory import reckon
from rainier_fast.reading.content import Content

_GROWTH: Final = 10
"""Bytes that Python's objects take for each byte of JSON: 8 were measured of traces."""
_BESIDE: Final = 40
"""Characters round a place that an error shows."""


def parsed(content: Content) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return the value that a file of JSON holds.

    Raises
    ------
    InvalidArgument
        If it is no JSON: it names line, column and what stands there.
    Unsupported
        If its objects would take more memory than one call may.
    """
    instead = "read a shorter one"
    reckon(_GROWTH * len(content.data), f"the objects of {content.short}", instead)
    text = content.text()
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse, parse_int=_integer)
    except RecursionError:
        got = "objects within objects, thousands deep"
        raise content.fault("", got, "must be JSON that is nested less deeply") from None
    except json.JSONDecodeError as error:
        raise _broken(content, text, error) from error
    except InvalidArgument as error:
        raise InvalidArgument(f"{content.short}: got {error}") from error


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


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise InvalidArgument(f"an integer of {len(text)} digits, must have at most {_MOST_DIGITS}")
    return int(text)


_MOST_DIGITS: Final = 40
