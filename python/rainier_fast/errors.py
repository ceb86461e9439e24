"""The tree of exceptions, and the wording that all of them share.

A message names the argument, the value that was given and what is allowed instead:
``bandwidth: got -5.0, must be a finite number > 0``.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = [
    "InvalidArgument",
    "InvalidSchedule",
    "InvalidType",
    "OutOfRange",
    "RainierError",
    "UnknownName",
    "Unreachable",
    "Unsupported",
    "invalid",
    "invalid_type",
    "out_of_range",
    "shown",
    "unknown",
]

MAX_SHOWN: Final = 80
_MAX_LISTED: Final = 12
_MAX_MEANT: Final = 3


class RainierError(Exception):
    """Base of every error that this package raises on purpose.

    Examples
    --------
    >>> issubclass(InvalidArgument, RainierError) and issubclass(InvalidArgument, ValueError)
    True
    """


class InvalidArgument(RainierError, ValueError):
    """A value of the right type that is not allowed."""


class InvalidType(RainierError, TypeError):
    """A value of a type that is not accepted."""


class OutOfRange(InvalidArgument, IndexError):
    """A chip, link or rank number outside the machine."""


class UnknownName(InvalidArgument, KeyError):
    """A name that is not in a list of names.

    Examples
    --------
    >>> print(UnknownName("preset: got 'trn9', must be one of 'trn1', 'trn2'"))
    preset: got 'trn9', must be one of 'trn1', 'trn2'
    """

    def __str__(self) -> str:
        # KeyError prints the repr of its argument, which would quote the whole sentence.
        return Exception.__str__(self)


class Unsupported(RainierError, ValueError):
    """A combination that has no meaning, or no model yet; the message says what to do instead."""


class InvalidSchedule(RainierError, ValueError):
    """A schedule that does not do what it says; the message names the rank and block, or sends."""


class Unreachable(RainierError, ValueError):
    """No path joins two chips."""


class _Shortener(reprlib.Repr):
    """`reprlib` with limits that suit one line of an error message."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = MAX_SHOWN
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to print integers beyond some thousand digits.
        return super().repr_int(x, level) if x.bit_length() < 1024 else "an integer above 2**1023"


_SHORTENER: Final = _Shortener()


def shown(value: object) -> str:
    """Return ``repr(value)`` on one line of at most 80 characters.

    Parameters
    ----------
    value
        Anything; a value whose ``repr`` fails is shown by its type.

    Returns
    -------
    str
        The representation, its middle or end replaced by ``...`` where it is too long.

    Examples
    --------
    >>> shown("50 GB/s")
    "'50 GB/s'"
    >>> shown(list(range(1000)))
    '[0, 1, 2, 3, 4, 5, ...]'
    """
    try:
        text = " ".join(_SHORTENER.repr(value).split())
    except Exception:  # whatever a value's own methods raise
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def invalid(argument: str, value: object, allowed: str) -> InvalidArgument:
    """Make the error for a value that is not allowed.

    Parameters
    ----------
    argument
        Name of the argument as the caller spells it.
    value
        What was given.
    allowed
        What is allowed instead, for example ``"must be a finite number > 0"``.

    Returns
    -------
    InvalidArgument
        Ready to raise.

    Examples
    --------
    >>> print(invalid("bandwidth", -5.0, "must be a finite number > 0"))
    bandwidth: got -5.0, must be a finite number > 0
    """
    return InvalidArgument(f"{argument}: got {shown(value)}, {allowed}")


def invalid_type(argument: str, value: object, allowed: str) -> InvalidType:
    """Make the error for a value of a type that is not accepted.

    Parameters
    ----------
    argument
        Name of the argument as the caller spells it.
    value
        What was given.
    allowed
        What is accepted instead.

    Returns
    -------
    InvalidType
        Ready to raise.

    Examples
    --------
    >>> print(invalid_type("chips", None, "must be an integer"))
    chips: got None (NoneType), must be an integer
    """
    return InvalidType(f"{argument}: got {shown(value)} ({type(value).__name__}), {allowed}")


def out_of_range(argument: str, value: int, low: int, high: int) -> OutOfRange:
    """Make the error for a number outside ``low`` to ``high``, both allowed.

    Parameters
    ----------
    argument
        Name of the argument as the caller spells it.
    value
        What was given.
    low, high
        The smallest and the largest allowed number.

    Returns
    -------
    OutOfRange
        Ready to raise.

    Examples
    --------
    >>> print(out_of_range("chip", 64, 0, 63))
    chip: got 64, must be 0 to 63
    """
    return OutOfRange(f"{argument}: got {shown(value)}, must be {low} to {high}")


def unknown(
    argument: str, value: object, known: Iterable[str], aliases: Mapping[str, str] | None = None
) -> UnknownName:
    """Make the error for a name that is not in a list, with the closest names that are.

    Parameters
    ----------
    argument
        Name of the argument as the caller spells it.
    value
        What was given.
    known
        The names that exist; at most twelve are listed.
    aliases
        Other words for some of them.

    Returns
    -------
    UnknownName
        Ready to raise.

    Examples
    --------
    >>> print(unknown("preset", "rainer", ["rainier", "trn2"]))
    preset: got 'rainer', must be one of 'rainier', 'trn2'; did you mean 'rainier'?
    >>> print(unknown("dtype", "bfloat16", ["bf16", "fp8"], {"bfloat16": "bf16"}))
    dtype: got 'bfloat16', must be one of 'bf16', 'fp8'; did you mean 'bf16'?
    """
    names = list(known)
    listed = ", ".join(map(shown, names[:_MAX_LISTED]))
    if len(names) > _MAX_LISTED:
        listed += f", ... ({len(names)} names)"
    message = f"{argument}: got {shown(value)}, must be one of {listed or '(no names)'}"
    closest = _closest(value, names, aliases or {})
    if closest:
        message += f"; did you mean {' or '.join(map(shown, closest))}?"
    return UnknownName(message)


def _closest(value: object, names: list[str], aliases: Mapping[str, str]) -> list[str]:
    """Return the names that are meant: the same words, those that begin so, or the most alike."""
    if not isinstance(value, str) or len(value) > MAX_SHOWN:
        return []
    import difflib  # only a failing call pays for it

    words = {name: name for name in names}
    words |= {word: name for word, name in aliases.items() if name in words and word not in words}
    said = _parts(value)
    for alike in (sorted, "".join):
        same = [name for word, name in words.items() if alike(_parts(word)) == alike(said)]
        if same:
            return same[:1]
    spelled: dict[str, str] = {}
    for word, name in words.items():
        spelled.setdefault("".join(_parts(word)), name)
    text = "".join(said)
    begin = {name: None for word, name in spelled.items() if word.startswith(text)}
    if len(text) > 1 and begin:
        return list(begin)[:_MAX_MEANT]
    return [spelled[word] for word in difflib.get_close_matches(text, spelled, n=1)]


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"[-_./ ]+", str.__str__(name).casefold()) if part]
