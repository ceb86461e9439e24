"""Every public callable x every argument x hostile values: an answer or a RainierError, no more.

What is called, and with what besides, is found by introspection (`good_calls.calls`), so a new
callable or argument is in the sweep without a line here, or fails until `good_arguments` has a good
value for it.
"""

from __future__ import annotations

import itertools
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from good_calls import Call, calls
from good_instances import instances

import rainier_fast as rf


def _raises(*_: object) -> None:
    raise RuntimeError("of the value's own")


def _bad(*names: str) -> Callable[[], object]:
    """Return what makes objects whose methods raise what is no error of ours."""
    return type(f"Bad{''.join(names)}", (), dict.fromkeys(names, _raises))


class Text(str):
    """Text that compares as no text does."""

    __slots__ = ()
    __eq__ = _raises  # type: ignore[assignment]
    __hash__ = str.__hash__


class Whole(int):
    """An integer that does not compare."""

    __lt__ = __le__ = __gt__ = __ge__ = _raises  # type: ignore[assignment]


def _generator() -> Iterator[int]:
    yield 0
    raise RuntimeError("of the value's own")


def _own_item() -> list[object]:
    items: list[object] = []
    items.append(items)
    return items


BAD = [
    _bad("__eq__"),
    _bad("__hash__"),
    _bad("__bool__"),
    _bad("__len__", "__getitem__", "__iter__"),
    _bad("__iter__"),
    _bad("__index__"),
    _bad("__float__"),
    _bad("__repr__", "__str__"),
    _bad("__array__"),
    _bad("__getattr__"),
]
PLAIN: list[object] = [
    *(10**400, -(10**400), 2**31, 2**32, 2**63, 2**64, -1, 0, 1, True, None, ..., 1j),
    *(float("nan"), float("inf"), -float("inf"), 5e-324, -5e-324, 1.7e308, -0.0),
    *("", "\ud800", "\0", "x" * 10**6, b"", b"x", bytearray(b"x"), Text("ring"), Whole(1)),
    *(Fraction(1, 3), Decimal("nan"), Decimal("1e999")),
    *(np.uint64(1), np.uint64(2**64 - 1), np.float16("nan"), np.longdouble("inf"), np.str_("dor")),
    *(np.zeros((2, 2)), np.zeros(2, [("a", int)]), np.ma.masked_array([1, 2], [0, 1])),
    *(np.array([None, "a"], object), memoryview(b"abc"), range(10**18), range(0), object()),
    *({"a": 1}, {}, {1, 2}, [], (), (0, 1), (0, 2**64), {1: 1}, {"tp": 10**400}, {0: 10**400}),
    *([10**400], [float("nan")], [None], ["a"], ["\ud800"], [np.zeros(2)], {0: None}),
    *({"tp": float("nan")}, {"tp": np.zeros(2)}, {0: np.zeros(2)}, ValueError("x"), sys),
]
TYPES = "?bBhHiIlLqQefdgFDGSUVOMm"
HOSTILE: list[Callable[[], object]] = [
    *((lambda value=value: value) for value in PLAIN),
    *((lambda t=t: np.zeros((), t)[()]) for t in TYPES),
    *((lambda t=t, shape=shape: np.zeros(shape, t)) for t in TYPES for shape in ((), 0, 2)),
    *(_generator, _own_item, lambda: itertools.repeat(0)),
    *BAD,
    *((lambda make=make: [make()]) for make in BAD),
    *((lambda make=make: {"tp": make()}) for make in BAD),
]

# Arguments whose large numbers are good, and ask for more work than a test has time for.
LONG = {"draws", "blocks"}
_MOST_S = 10.0


def _too_long(*_: object) -> None:
    raise TimeoutError(f"no answer after {_MOST_S} s of the processor")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGVTALRM)
    yield
    signal.signal(signal.SIGVTALRM, before)
    rf.memory_limit("default")  # one of the values of the sweep may be a limit


@pytest.mark.parametrize("call", list(calls(instances())), ids=lambda call: call.label)
def test_hostile_values_are_refused_or_answered(call: Call) -> None:
    call.run({})
    signal.signal(signal.SIGVTALRM, _too_long)
    found = []
    for argument in call.arguments:
        for at, make in enumerate(HOSTILE):
            value = make()
            if argument in LONG and type(value) in (int, np.uint64) and value > 1000:
                continue
            signal.setitimer(signal.ITIMER_VIRTUAL, _MOST_S)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    call.run({argument: value})
            except rf.RainierError as error:
                if len(str(error)) > 900:
                    found.append(f"{argument}, value {at}: {len(str(error))} letters")
            except Exception as error:
                found.append(f"{argument}, value {at}: {type(error).__name__} {error}"[:200])
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    assert not found
