"""Text that fits a screen: 24 lines, of 100 columns or, for wide tables, of 200."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

__all__ = ["LINES", "cut", "one_screen"]

LINES: Final = 24
_COLUMNS: Final = 100
# Tables of results have up to 140 columns. They are kept whole: their last columns matter most.
_WIDEST: Final = 200

_Class = TypeVar("_Class", bound=type)


def cut(text: str) -> str:
    """Return text that fits a screen as it is, where its lines may wrap, and else its beginning."""
    lines = text.split("\n")
    if len(lines) == 1:
        kept = LINES // 2 * _COLUMNS
        if len(text) <= 2 * kept:
            return text
        return f"{text[:kept].rstrip()} ... and {len(text) - kept:,} more characters"
    if sum(-(-len(line) // _WIDEST) or 1 for line in lines) <= LINES:
        return text
    shown = [line if len(line) <= _WIDEST else f"{line[: _WIDEST - 3]}..." for line in lines]
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
