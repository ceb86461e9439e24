"""How long prompts or answers are: a distribution that is its mean where a number is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_items, as_number
from rainier_fast.errors import invalid
from rainier_fast.frozen import frozen
from rainier_fast.serving.trace import MOST, columns
from rainier_fast.workload.shape import MOST_SEQUENCE

_STRATA: Final = 32
_MOST_ROWS: Final = 1024
_ALLOWED: Final = "must be 1 or more tokens"
_MOST_SPREAD: Final = 100.0
_P90: Final = NormalDist().inv_cdf(0.9)

_Lengths = TypeVar("_Lengths", bound="Lengths")

Row: TypeAlias = tuple[float, float, float]
"""Tokens in and out, and the share of requests."""


@frozen("lengths do not change")
class Lengths(float):
    """Lengths of prompts or answers in tokens: values, each with its share. Immutable.

    A `float` too, the mean, for all that needs one number. `Serving` takes it as ``input=`` and as
    ``output=``; both vary by themselves unless both are columns of one trace (`of_trace`).

    Attributes
    ----------
    values
        Tokens, ascending, or row by row as in a trace.
    shares
        Of requests, as many; they add up to 1.
    trace
        The rows of the trace whose column they are, as CSV; empty otherwise.

    Parameters
    ----------
    values
        Tokens, 1 or more each: up to 200,000 numbers.
    weights
        As many numbers above 0; None for values that are alike often.

    Raises
    ------
    InvalidArgument, InvalidType
        If there are no values, one is negative or no number, or weights are not as many; the
        message names it.

    Examples
    --------
    >>> lengths = Lengths([512, 2048], weights=[3, 1])
    >>> float(lengths), lengths.shares
    (896.0, (0.75, 0.25))
    """

    __slots__ = ("shares", "trace", "values")

    values: tuple[float, ...]
    shares: tuple[float, ...]
    trace: str

    def __new__(  # noqa: D102 - the class says it
        cls, values: Sequence[float], weights: Sequence[float] | None = None, *, trace: str = ""
    ) -> Self:
        tokens = _numbers("lengths", values, 1.0, MOST_SEQUENCE, _ALLOWED)
        many = [1.0] * len(tokens)
        if weights is not None:
            many = _numbers("weights", weights, 1e-12, 1e12, "must be a finite number above 0")
        if len(many) != len(tokens):
            raise invalid("weights", len(many), f"must be as many as values, {len(tokens)}")
        total = math.fsum(many)
        # Shares that were divided already stay what they are.
        total = 1.0 if abs(total - 1) < 1e-12 else total
        shares = tuple(one / total for one in many)
        pairs = zip(tokens, shares, strict=True)
        made = super().__new__(cls, math.fsum(one * share for one, share in pairs))
        put = object.__setattr__
        for name, value in (("values", tuple(tokens)), ("shares", shares), ("trace", trace)):
            put(made, name, value)
        return made

    @classmethod
    def uniform(cls, low: float, high: float) -> Self:
        """Return lengths that are anywhere between two, alike often.

        Parameters
        ----------
        low, high
            Tokens.

        Returns
        -------
        Lengths
            In 32 parts that are alike often, the mean of each.

        Raises
        ------
        InvalidArgument, InvalidType
            If a number is not usable, or `low` above `high`; the message names it.

        Examples
        --------
        >>> float(Lengths.uniform(100, 300))
        200.0
        """
        least = as_number("low", low, 1, MOST_SEQUENCE, _ALLOWED)
        most = as_number("high", high, least, MOST_SEQUENCE, "must be low, or more tokens")
        parts = (np.arange(_STRATA) + 0.5) / _STRATA
        return cls((least + (most - least) * parts).tolist())

    @classmethod
    def lognormal(cls, p50: float, p90: float, *, most: float = MOST_SEQUENCE) -> Self:
        """Return lengths whose logarithms are normal, as those of conversations roughly are.

        Parameters
        ----------
        p50, p90
            Tokens that half and nine tenths of the requests do not pass.
        most
            Tokens at which longer ones are cut.

        Returns
        -------
        Lengths
            In 32 parts that are alike often, the middle of each.

        Raises
        ------
        InvalidArgument, InvalidType
            If a number is not usable, or `p50` above `p90`; the message names it.

        Examples
        --------
        >>> lengths = Lengths.lognormal(500, 2000)
        >>> 500 < lengths < 2000
        True
        """
        half = as_number("p50", p50, 1, MOST_SEQUENCE, _ALLOWED)
        nine = as_number("p90", p90, half, MOST_SEQUENCE, "must be p50, or more tokens")
        top = as_number("most", most, nine, MOST_SEQUENCE, "must be p90, or more tokens")
        deviation = math.log(nine / half) / _P90
        normal = NormalDist()
        parts = [normal.inv_cdf((at + 0.5) / _STRATA) for at in range(_STRATA)]
        values = [half * math.exp(deviation * part) for part in parts]
        return cls([min(max(value, 1.0), top) for value in values])

    @classmethod
    def of_trace(cls, trace: str | Path) -> tuple[Self, Self]:
        r"""Return the lengths of prompts and answers of a trace, which go together row by row.

        Parameters
        ----------
        trace
            A CSV file, or its text, with columns input and output (others are passed over).

        Returns
        -------
        tuple of Lengths
            For `Serving`'s ``input=`` and ``output=``.

        Raises
        ------
        InvalidArgument, InvalidType
            If it cannot be read, is empty, or a row has a hole or no length; the message names it.

        Examples
        --------
        >>> prompts, answers = Lengths.of_trace("input,output\n100,20\n3000,500\n")
        >>> float(prompts), float(answers)
        (1550.0, 260.0)
        """
        return _both(cls, "trace", trace)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.values, self.shares, self.trace)

    def _key(self) -> tuple[Any, ...]:
        return self.values, self.shares, self.trace

    def __repr__(self) -> str:
        words = "" if len(set(self.shares)) == 1 else f", weights={list(self.shares)}"
        shown = list(self.values) if len(self.values) <= 8 else f"<{len(self.values)} values>"
        return f"Lengths({shown}{words})"

    def _plain(self) -> str | list[Any]:
        """Return what files have in its place, and `Serving` takes."""
        if self.trace:
            return self.trace
        if len(set(self.shares)) == 1:
            return list(self.values)
        return [[one, share] for one, share in zip(self.values, self.shares, strict=True)]

    def quantile(self, share: float) -> float:
        """Return the tokens that so much of the requests do not pass.

        Parameters
        ----------
        share
            From 0 to 1.

        Returns
        -------
        float
            Tokens.

        Raises
        ------
        InvalidArgument, InvalidType
            If `share` is no share.

        Examples
        --------
        >>> Lengths([10, 20, 30]).quantile(0.5)
        20.0
        """
        at = as_number("share", share, 0, 1, "must be a share from 0 to 1")
        order = np.argsort(self.values, kind="stable")
        below = np.cumsum(np.array(self.shares)[order])
        found = int(np.searchsorted(below, at * (1 - 1e-12)))
        return float(np.array(self.values)[order][min(found, len(self) - 1)])

    def __len__(self) -> int:
        return len(self.values)


def _both(cls: type[_Lengths], argument: str, trace: str | Path) -> tuple[_Lengths, _Lengths]:
    rows = columns(argument, trace, ("input", "output"))
    if len(rows) > MOST:
        raise invalid(argument, len(rows), f"must have 1 to {MOST:,} rows")
    for at, row in enumerate(rows):
        for name, value in zip(("input", "output"), row, strict=True):
            as_number(f"{argument}[{at}].{name}", value, 1, MOST_SEQUENCE, _ALLOWED)
    prompts, answers = (list(column) for column in zip(*rows, strict=True))
    same = "\n".join(["input,output", *(f"{one!r},{other!r}" for one, other in rows), ""])
    return cls(prompts, trace=same), cls(answers, trace=same)


def as_lengths(name: str, value: object) -> float:
    """Return tokens as they were given: a number, `Lengths`, values of them or a trace's column."""
    if isinstance(value, Lengths):
        return value
    if isinstance(value, str | Path):
        return _both(Lengths, name, value)[name == "output"]
    if isinstance(value, np.ndarray) and value.ndim:
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        if len(value) and all(isinstance(one, list | tuple) and len(one) == 2 for one in value):
            tokens, weights = zip(*value, strict=True)
            return Lengths(_numbers(name, tokens, 1.0, MOST_SEQUENCE, _ALLOWED), weights)
        return Lengths(_numbers(name, value, 1.0, MOST_SEQUENCE, _ALLOWED))
    return as_number(name, value, 1, MOST_SEQUENCE, _ALLOWED)


def longest(prompts: float, answers: float) -> float:
    """Return the most tokens that a prompt and its answer have."""
    if not isinstance(prompts, Lengths) or not isinstance(answers, Lengths):
        return _most(prompts) + _most(answers)
    if prompts.trace and prompts.trace == answers.trace:
        pairs = zip(prompts.values, answers.values, strict=True)
        return max(one + other for one, other in pairs)
    return _most(prompts) + _most(answers)


def _most(tokens: float) -> float:
    return max(tokens.values) if isinstance(tokens, Lengths) else tokens


def _again(cls: type[Lengths], values: Any, shares: Any, trace: str) -> Lengths:  # noqa: ANN401
    return cls(values, shares, trace=trace)


def _numbers(name: str, given: object, low: float, high: float, allowed: str) -> list[float]:
    if isinstance(given, np.ndarray):
        given = given.tolist()
    items = as_items(name, given, "must be numbers")
    if not 1 <= len(items) <= MOST:
        raise invalid(name, len(items), f"must be 1 to {MOST:,} numbers")
    return [as_number(f"{name}[{at}]", item, low, high, allowed) for at, item in enumerate(items)]


def joint(prompts: float, answers: float) -> list[Row]:
    """Return rows of both lengths with shares, at most 1,024; none where both are numbers."""
    if not isinstance(prompts, Lengths) and not isinstance(answers, Lengths):
        return []
    one = prompts if isinstance(prompts, Lengths) else Lengths([prompts])
    other = answers if isinstance(answers, Lengths) else Lengths([answers])
    if one.trace and one.trace == other.trace:
        return list(_paired(one, other))
    side = _MOST_ROWS if min(len(one), len(other)) == 1 else _STRATA
    ins, outs = _fewer(one, side), _fewer(other, side)
    return [(a, b, share * often) for a, share in ins for b, often in outs]


def _paired(prompts: Lengths, answers: Lengths) -> Iterator[Row]:
    """Yield the rows of a trace, or of a long one as many of them, spread over both lengths."""
    ins, outs = np.array(prompts.values), np.array(answers.values)
    order = np.lexsort((outs, ins))
    ranks: NDArray[np.int64] = np.arange(len(order))
    if len(order) > _MOST_ROWS:
        # By input first; within parts of that by output.
        parts = np.array_split(order, _STRATA)
        order = np.concatenate([part[np.argsort(outs[part], kind="stable")] for part in parts])
        ranks = ((np.arange(_MOST_ROWS) + 0.5) / _MOST_ROWS * len(order)).astype(np.int64)
    for at in order[ranks]:
        yield float(ins[at]), float(outs[at]), 1 / len(ranks)


def _fewer(lengths: Lengths, most: int) -> list[tuple[float, float]]:
    """Return values with shares, at most so many: the middle of parts that are alike often."""
    known: dict[float, float] = {}
    for value, share in zip(lengths.values, lengths.shares, strict=True):
        known[value] = known.get(value, 0.0) + share
    if len(known) <= most:
        return sorted(known.items())
    ordered = sorted(known.items())
    below = np.cumsum([share for _, share in ordered])
    at = np.searchsorted(below, (np.arange(most) + 0.5) / most)
    return [(ordered[min(int(one), len(ordered) - 1)][0], 1 / most) for one in at]
