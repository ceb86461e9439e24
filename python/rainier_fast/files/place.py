"""Where something is in a file, and what is wrong there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Key: TypeAlias = str | int
"""A key of a table, or a place in a list."""


class Broken(ValueError):
    """A text that cannot be read; the file's name is added by who knows it."""

    def __init__(self, what: str, line: int | None, key: str = "") -> None:
        super().__init__(what)
        self.what, self.line, self.key = what, line, key


class Misplaced(ValueError):
    """Something wrong at a place in plain rows; file and line are added by who knows them."""

    def __init__(self, keys: Sequence[Key], message: str) -> None:
        super().__init__(message)
        self.keys, self.message = tuple(keys), message


def spelled(keys: Sequence[Key]) -> str:
    """Return keys as a person writes them: ``sites[1].fabric``."""
    words = "".join(f"[{key}]" if isinstance(key, int) else f".{key[:80]}" for key in keys)
    return words.removeprefix(".")
