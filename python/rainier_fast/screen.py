"""Text that fits a screen: 24 lines of 100 columns."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

__all__ = ["COLUMNS", "LINES", "cut", "one_screen"]

LINES: Final = 24
COLUMNS: Final = 100

_Class = TypeVar("_Class", bound=type)


def cut(text: str) -> str:
    """Return text that fits a screen as it is, where its lines may wrap, and else its beginning."""
    lines = text.split("\n")
    if sum(-(-len(line) // COLUMNS) or 1 for line in lines) <= LINES:
        return text
    if len(lines) == 1:
        kept = (LINES // 2) * COLUMNS
        return f"{text[:kept].rstrip()} ... and {len(text) - kept:,} more characters"
    shown = [line if len(line) <= COLUMNS else f"{line[: COLUMNS - 3]}..." for line in lines]
    if len(shown) > LINES:
        shown[LINES - 1 :] = [f"... and {len(shown) - LINES + 1:,} more lines"]
    return "\n".join(shown)


def one_screen(cls: _Class) -> _Class:
    """Cut what ``repr`` and ``str`` of a class give to a screen."""
    for name in ("__repr__", "__str__"):
        if name in vars(cls):
            setattr(cls, name, _cutting(vars(cls)[name]))
    return cls


def _cutting(method: Callable[[Any], str]) -> Callable[[Any], str]:
    @wraps(method)
    def text(self: Any) -> str:  # noqa: ANN401 - an instance of any class
        return cut(method(self))

    return text
