"""The tree of exceptions, and the wording that all of them share.

A message names the argument, the value that was given and what is allowed instead:
``bandwidth: got -5.0, must be a finite number > 0``.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

MAX_SHOWN: Final = 80
_MAX_MESSAGE: Final = 2000
_MAX_LISTED: Final = 12
_MAX_MEANT: Final = 3


class RainierError(Exception):
    """Base of every error that this package raises on purpose.

    A message that repeats a long input is cut in its middle.

    Examples
    --------
    >>> issubclass(InvalidArgument, RainierError) and issubclass(InvalidArgument, ValueError)
    True
    >>> len(str(InvalidArgument("x" * 1_000_000))) <= 2000
    True
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*map(_cut, args))

    @property
    def argument(self) -> str | None:
        """The argument that is named, such as ``plans[1]``; None where no single one is at fault.

        Examples
        --------
        >>> invalid("bandwidth", -5.0, "must be a finite number > 0").argument
        'bandwidth'
        """
        name, got, _ = str(self).partition(": got ")
        return name if got else None


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


class InvalidFile(InvalidArgument):
    """A file that does not say what it must.

    Attributes
    ----------
    path
        The file.
    line
        Its line, counted from 1; None where no single one is at fault.
    key
        The key, such as ``ultraserver.axes[1].bandwidth``; empty for the file as a whole.

    Examples
    --------
    >>> error = InvalidFile("m.toml", 3, "name", "name: got 3 (int), must be text")
    >>> print(error)
    m.toml, line 3, name: got 3 (int), must be text
    """

    path: str
    line: int | None
    key: str

    def __init__(self, path: str, line: int | None, key: str, message: str) -> None:
        place = path if line is None else f"{path}, line {line}"
        said = message if message.startswith(f"{key}: got ") else f"{key}: {message}"
        super().__init__(f"{place}, {said}" if key else f"{place}: {message}")
        self.path, self.line, self.key = path, line, key
        self._message = message

    def __reduce__(self) -> tuple[object, ...]:
        return InvalidFile, (self.path, self.line, self.key, self._message)


class AnswerChanged(UserWarning):
    """A result that was saved comes out otherwise now: by another version, or its file was changed.

    Examples
    --------
    >>> issubclass(AnswerChanged, UserWarning)
    True
    """


class InvalidSchedule(RainierError, ValueError):
    """A schedule that does not do what it says; the message names the rank and block, or sends."""


class SweepStopped(RainierError, RuntimeError):
    """A sweep that cannot go on: its disk is full, or its executor died; what is done is kept.

    Examples
    --------
    >>> issubclass(SweepStopped, RuntimeError)
    True
    """


class Unreachable(RainierError, ValueError):
    """No path joins two chips."""


def _cut(message: object) -> object:
    """Leave out the middle of a long message: its ends name the argument and the mend."""
    if not isinstance(message, str) or len(message) <= _MAX_MESSAGE:
        return message
    left_out = f" ... ({len(message):,} characters) ... "
    start = _MAX_MESSAGE * 2 // 3
    return message[:start] + left_out + message[start + len(left_out) - _MAX_MESSAGE :]


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
    """Return ``repr(value)`` on one line of at most 80 characters."""
    try:
        text = " ".join(_SHORTENER.repr(value).split())
    except Exception:  # whatever a value's own methods raise
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def invalid(argument: str, value: object, allowed: str) -> InvalidArgument:
    """Make the error for a value that is not allowed."""
    return InvalidArgument(f"{argument}: got {shown(value)}, {allowed}")


def invalid_type(argument: str, value: object, allowed: str) -> InvalidType:
    """Make the error for a value of a type that is not accepted."""
    return InvalidType(f"{argument}: got {shown(value)} ({type(value).__name__}), {allowed}")


def out_of_range(argument: str, value: int, low: int, high: int) -> OutOfRange:
    """Make the error for a number outside ``low`` to ``high``, both allowed."""
    return OutOfRange(f"{argument}: got {shown(value)}, must be {low} to {high}")


def unknown(
    argument: str, value: object, known: Iterable[str], aliases: Mapping[str, str] | None = None
) -> UnknownName:
    """Make the error for a name that is not in a list, with the closest names that are."""
    return UnknownName(_not_among(argument, value, known, aliases or {}))


def unexpected(argument: str, value: str, known: Iterable[str]) -> InvalidType:
    """Make the error for a keyword that a call does not take, with the closest that it does."""
    return InvalidType(_not_among(argument, value, known, {}))


def _not_among(
    argument: str, value: object, known: Iterable[str], aliases: Mapping[str, str]
) -> str:
    names = list(known)
    listed = ", ".join(map(shown, names[:_MAX_LISTED]))
    if len(names) > _MAX_LISTED:
        listed += f", ... ({len(names)} names)"
    message = f"{argument}: got {shown(value)}, must be one of {listed or '(no names)'}"
    closest = _closest(value, names, aliases)
    if closest:
        message += f"; did you mean {' or '.join(map(shown, closest))}?"
    return message


def as_one_of(
    argument: str,
    value: object,
    known: Iterable[str],
    aliases: Callable[[], Mapping[str, str]] | None = None,
) -> str:
    """Return `value` as plain text, one of the names known; `aliases` help a miss."""
    if isinstance(value, str):
        text = str.__str__(value)  # a subclass may compare as it likes
        if text in known:
            return text
    raise unknown(argument, value, known, None if aliases is None else aliases())


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
