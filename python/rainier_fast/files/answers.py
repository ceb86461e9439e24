"""Answers in files: what was asked and what came out, which is asked again when it is read."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from rainier_fast import _core
from rainier_fast.errors import AnswerChanged, RainierError, shown, unknown
from rainier_fast.files.fields import Plain, as_table
from rainier_fast.files.place import Key, Misplaced

_MADE_BY: Final = "rainier_fast"
_Made = TypeVar("_Made")


def answered(told: Plain) -> Plain:
    """Return an answer as files have it: by which version, and its values."""
    return {_MADE_BY: _core.__version__} | told


def compare(plain: Plain, told: Plain) -> None:
    """Warn where a saved answer is not the one that comes out now."""
    if plain.get("answer") is None:
        return
    saved = as_table(plain["answer"], ("answer",))
    version = saved.get(_MADE_BY)
    for name, value in saved.items():
        if name == _MADE_BY or _plain(value) == _plain(told.get(name)):
            continue
        warnings.warn(
            f"answer.{name}: rainier_fast {version} saved {shown(value)}, this version "
            f"({_core.__version__}) answers {shown(told.get(name))}; ask with that version, or "
            "save again",
            AnswerChanged,
            stacklevel=2,
        )
        return


def only(plain: Plain, known: Iterable[str], keys: tuple[Key, ...] = ()) -> None:
    """Refuse a key that is none of these."""
    names = tuple(known)
    for key in plain:
        if key not in names:
            raise Misplaced((*keys, key), str(unknown("key", key, names)))


def needed(plain: Plain, key: str) -> Any:  # noqa: ANN401 - whatever is there
    """Return what a key says that must be there."""
    if plain.get(key) is None:
        raise Misplaced((), f"has no key {key}, which it needs")
    return plain[key]


def tried(make: Callable[[], _Made], keys: tuple[Key, ...], table: Plain) -> _Made:
    """Return what a function makes; an error is put at the key that it speaks of."""
    try:
        return make()
    except RainierError as error:
        words = (error.argument or "").replace("[", " ").replace(".", " ").split()
        raise Misplaced((*keys, *_place(words, table)), str(error)) from error


def _place(words: list[str], table: Plain) -> tuple[Key, ...]:
    """Return the keys that words speak of: of a table, or of one inside it."""
    for word in words:
        for key, value in table.items():
            if key.split("_")[0] == word or key == word:
                return (key,)
            if isinstance(value, dict) and word in value:
                return (key, word)
    return ()


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever answers have
    """Return a value as all notations have it: without what is nothing, tuples as lists."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
