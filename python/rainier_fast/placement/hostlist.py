"""Names of hosts as Slurm writes them: ``trn[01-04,09]``, in their order and as often as they are.

Three readers give three answers: ClusterShell 1.10 sorts, drops repeats and refuses ends of unlike
width; Slurm 22.05 (``scontrol show hostnames``) and python-hostlist 2.3 keep order and repeats and
pad to the width of the first number. A task list needs the latter, so this is that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Final

from rainier_fast.definitions.check import as_items
from rainier_fast.errors import invalid, invalid_type
from rainier_fast.memory import reckon

_NAME_BYTES: Final = 100
"""Bytes that a name in a list takes beside its letters: those of Python's text and of the list."""
MOST_HOSTS: Final = 2**20
"""Slurm itself has fewer: its node table ends below 2**16."""
_MOST_DIGITS: Final = 18
_MOST_BRACKETS: Final = 8
_FORM: Final = "must be host names with ranges in brackets, as trn[01-04,09],spare1"
_RANGE: Final = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_NAME: Final = re.compile(r"[A-Za-z0-9_.:\-]{0,253}")
"""As long as a name of DNS."""
_ALONE: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,253}")
_WORD: Final = re.compile(r"(?:[^\s,\[\]]+|\[[^\[\]]*\])+")
_BETWEEN: Final = re.compile(r"[\s,]*")
_TAIL: Final = re.compile(r"(.*?)([0-9]+)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Range:
    first: int
    last: int
    width: int

    def names(self) -> list[str]:
        return [str(number).zfill(self.width) for number in range(self.first, self.last + 1)]


_Part = tuple[str, tuple[_Range, ...]]


def expand_hosts(text: str) -> list[str]:
    """Return the hosts that a Slurm host list names, in its order, repeats kept.

    Parameters
    ----------
    text
        Names with commas or blanks between them; ``[01-04,09]`` stands for numbers of the width of
        the first one of each range. Several brackets are counted up from the last.

    Returns
    -------
    list of str
        A name for each host.

    Raises
    ------
    InvalidArgument
        If it is not such a list, or one that Slurm refuses, such as steps (``[8-12/2]``), ranges
        that go down, and text after the last bracket.
    Unsupported
        If its names would take more memory than a call may, which is reckoned before any is made.

    Examples
    --------
    >>> expand_hosts("trn[08-010],a,b,a")
    ['trn08', 'trn09', 'trn10', 'a', 'b', 'a']
    >>> expand_hosts("r[1-2]n[0-1]")
    ['r1n0', 'r1n1', 'r2n0', 'r2n1']
    """
    return expanded(text, "hosts")


def expanded(text: object, argument: str) -> list[str]:
    """Return the hosts of a list; errors name `argument`."""
    if not isinstance(text, str):
        raise invalid_type(argument, text, _FORM)
    if _ALONE.fullmatch(text):
        return [text]
    words = [_parts(word, argument) for word in _words(text, argument)]
    total = sum(prod(_count(ranges) for _, ranges in word) for word in words)
    if total == 0:
        raise invalid(argument, text, _FORM)
    longest = max(sum(len(name) + 20 * bool(ranges) for name, ranges in word) for word in words)
    reckon(
        (_NAME_BYTES + longest) * total,
        f"{argument}: a list of {total:,} hosts",
        "name only the hosts of the job",
    )
    if total > MOST_HOSTS:
        raise invalid(argument, text, f"must name at most {MOST_HOSTS:,} hosts")
    return [name for word in words for name in _product(word)]


def count_hosts(text: str) -> int:
    """Return how many hosts a list names, without making it."""
    words = [_parts(word, "hosts") for word in _words(text, "hosts")]
    return sum(prod(_count(ranges) for _, ranges in word) for word in words)


def fold_hosts(hosts: Iterable[str]) -> str:
    """Return names as a Slurm host list that gives the same names back, in the same order.

    Parameters
    ----------
    hosts
        Names; runs of those that differ in their last number only are folded.

    Returns
    -------
    str
        As ``scontrol show hostlist`` has it, for names in an order of their own.

    Raises
    ------
    InvalidArgument, InvalidType
        If a name cannot be in such a list.

    Examples
    --------
    >>> fold_hosts(["trn08", "trn09", "trn10", "spare1"]), fold_hosts(["b2", "b1", "b1"])
    ('trn[08-10],spare1', 'b[2,1,1]')
    """
    names = as_items("hosts", hosts, "must be names of hosts")
    if not names:
        raise invalid("hosts", names, "must name at least one host")
    for at, name in enumerate(names):
        _check_name(name, f"hosts[{at}]")
    return ",".join(_folded(names))


def _check_name(name: object, argument: str) -> None:
    allowed = "must be a name of letters, digits and . _ - :"
    if not isinstance(name, str):
        raise invalid_type(argument, name, allowed)
    if not name or not _NAME.fullmatch(name):
        raise invalid(argument, name, allowed)


def _folded(names: Sequence[str]) -> Iterable[str]:
    """Yield words of a host list: names of one stem after another become one."""
    stem, ranges = "", list[_Range]()
    for name in names:
        match = _TAIL.match(name)
        number = match[2] if match else ""
        if match is None or len(number) > _MOST_DIGITS:
            yield from _written(stem, ranges)
            stem, ranges = "", []
            yield name
            continue
        if ranges and match[1] != stem:
            yield from _written(stem, ranges)
            ranges = []
        stem = match[1]
        one = _Range(int(number), int(number), len(number))
        if ranges and _follows(ranges[-1], one):
            ranges[-1] = _Range(ranges[-1].first, one.last, ranges[-1].width)
        else:
            ranges.append(one)
    yield from _written(stem, ranges)


def _follows(before: _Range, one: _Range) -> bool:
    """Tell whether a number goes on where a range ends, padded to its width as it is written."""
    return one.first == before.last + 1 and len(str(one.first).zfill(before.width)) == one.width


def _written(stem: str, ranges: Sequence[_Range]) -> Iterable[str]:
    if not ranges:
        return
    ends = [
        str(one.first).zfill(one.width)
        + ("" if one.first == one.last else f"-{str(one.last).zfill(one.width)}")
        for one in ranges
    ]
    alone = len(ranges) == 1 and ranges[0].first == ranges[0].last
    yield stem + ends[0] if alone else f"{stem}[{','.join(ends)}]"


def _words(text: str, argument: str) -> list[str]:
    """Return what stands between commas and blanks outside of brackets."""
    words = _WORD.findall(text)
    if len(words) > MOST_HOSTS:
        raise invalid(argument, text, f"must name at most {MOST_HOSTS:,} hosts")
    rest = _WORD.sub("", text)
    if not _BETWEEN.fullmatch(rest):
        at = next(at for at, letter in enumerate(text) if letter in "[]" and _loose(text, at))
        raise invalid(
            argument, _near(text, at), "must open and close each bracket, none in another"
        )
    return words


def _loose(text: str, at: int) -> bool:
    """Tell whether a bracket has no other one, or one of its own kind in between."""
    if text[at] == "[":
        ends = [end for end in (text.find("[", at + 1), text.find("]", at + 1)) if end >= 0]
        return not ends or text[min(ends)] == "["
    return text.rfind("[", 0, at) <= text.rfind("]", 0, at)


def _parts(word: str, argument: str) -> list[_Part]:
    """Return a word as names, each with the numbers in the bracket after it."""
    if "[" not in word:
        if not _NAME.fullmatch(word):
            raise invalid(argument, word, _FORM)
        return [(word, ())]
    pieces = re.split(r"[\[\]]", word)
    names, inside = pieces[::2], pieces[1::2]
    for name in names:
        if not _NAME.fullmatch(name):
            raise invalid(argument, word, _FORM)
    if inside and names[-1]:
        allowed = (
            "must end with its last bracket: Slurm refuses text after it; write hosts one by one"
        )
        raise invalid(argument, word, allowed)
    if any(numbers.count(",") >= MOST_HOSTS for numbers in inside):
        raise invalid(argument, word, f"must name at most {MOST_HOSTS:,} hosts")
    if len(inside) > _MOST_BRACKETS:
        raise invalid(argument, word, f"must have at most {_MOST_BRACKETS} brackets")
    return [
        (name, tuple(_range(one, word, argument) for one in numbers.split(",")))
        for name, numbers in zip(names, inside, strict=False)
    ]


def _range(text: str, word: str, argument: str) -> _Range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise invalid(argument, f"[{text}] in {word}", "must be numbers or ranges: [8,10-12]")
    first, last = match[1], match[2] or match[1]
    if max(len(first), len(last)) > _MOST_DIGITS:
        raise invalid(argument, f"[{text}]", f"must have numbers of at most {_MOST_DIGITS} digits")
    if int(last) < int(first):
        raise invalid(argument, f"[{text}] in {word}", "must count up: write hosts in their order")
    return _Range(int(first), int(last), len(first))


def _count(ranges: tuple[_Range, ...]) -> int:
    return sum(one.last - one.first + 1 for one in ranges) if ranges else 1


def _product(word: list[_Part]) -> list[str]:
    """Return the names of a word, the last bracket fastest."""

    def longer(before: list[str], part: _Part) -> list[str]:
        name, ranges = part
        ends = [name + number for one in ranges for number in one.names()] if ranges else [name]
        return [stem + end for stem in before for end in ends]

    return reduce(longer, word, [""])


def _near(text: str, at: int) -> str:
    return text[max(at - 20, 0) : at + 20]
