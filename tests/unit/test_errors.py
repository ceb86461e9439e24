"""The tree of exceptions and the wording of its messages."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainier_fast.errors import (
    InvalidArgument,
    InvalidType,
    OutOfRange,
    RainierError,
    UnknownName,
    Unreachable,
    Unsupported,
    invalid,
    invalid_type,
    out_of_range,
    shown,
    unknown,
)

KINDS: dict[type[RainierError], tuple[type[Exception], ...]] = {
    RainierError: (Exception,),
    InvalidArgument: (RainierError, ValueError),
    InvalidType: (RainierError, TypeError),
    OutOfRange: (InvalidArgument, ValueError, IndexError, LookupError),
    UnknownName: (InvalidArgument, ValueError, KeyError, LookupError),
    Unsupported: (RainierError, ValueError),
    Unreachable: (RainierError, ValueError),
}


@pytest.mark.parametrize(("kind", "bases"), KINDS.items())
def test_caught_as_python_users_expect(
    kind: type[RainierError], bases: tuple[type[Exception], ...]
) -> None:
    for base in bases:
        with pytest.raises(base):
            raise kind("size: got -1, must be >= 0")


def test_only_arguments_are_invalid_arguments() -> None:
    assert not issubclass(InvalidType, ValueError)
    assert not issubclass(Unsupported, InvalidArgument)
    assert not issubclass(Unreachable, InvalidArgument)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(kind: type[RainierError], protocol: int) -> None:
    error = kind("size: got 'x', must be a number")
    for twin in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(twin) is kind
        assert str(twin) == "size: got 'x', must be a number"


@pytest.mark.parametrize("kind", KINDS)
def test_prints_the_message_and_nothing_else(kind: type[RainierError]) -> None:
    assert str(kind('it\'s "so"\n')) == 'it\'s "so"\n'


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            invalid("bandwidth", -5.0, "must be a finite number > 0"),
            InvalidArgument,
            "bandwidth: got -5.0, must be a finite number > 0",
        ),
        (
            invalid_type("chips", 1.5, "must be an integer"),
            InvalidType,
            "chips: got 1.5 (float), must be an integer",
        ),
        (out_of_range("chip", 64, 0, 63), OutOfRange, "chip: got 64, must be 0 to 63"),
        (
            unknown("preset", "TRN2", ["rainier", "trn2"]),
            UnknownName,
            "preset: got 'TRN2', must be one of 'rainier', 'trn2'; did you mean 'trn2'?",
        ),
        (
            unknown("preset", "zzz", ["rainier", "trn2"]),
            UnknownName,
            "preset: got 'zzz', must be one of 'rainier', 'trn2'",
        ),
        (unknown("preset", 3, ["a"]), UnknownName, "preset: got 3, must be one of 'a'"),
        (unknown("preset", "a", []), UnknownName, "preset: got 'a', must be one of (no names)"),
    ],
)
def test_messages(error: RainierError, kind: type[RainierError], message: str) -> None:
    assert type(error) is kind
    assert str(error) == message


def test_long_lists_of_names_are_cut_but_searched_whole() -> None:
    message = str(unknown("name", "n4999", (f"n{index}" for index in range(4999, -1, -1))))
    assert len(message) < 300
    assert "(5000 names)" in message
    assert message.endswith("did you mean 'n4999'?")


class _Broken:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**7,
        list(range(10**6)),
        {"k" * 1000: ["v" * 1000] * 9},
        [[["deep" * 20] * 9] * 9] * 9,
        10**5000,
        [10**5000],
        np.zeros(10**6),
        np.zeros((3, 3)),
        _Broken(),
        "two\nlines",
    ],
    ids=range(10),
)
def test_values_are_shown_on_one_short_line(value: Any) -> None:
    text = shown(value)
    assert 0 < len(text) <= 80
    assert "\n" not in text


@given(st.one_of(st.text(max_size=30), st.integers(-(10**30), 10**30), st.floats()))
def test_short_values_are_shown_as_they_are(value: object) -> None:
    if len(repr(value)) <= 80 and "  " not in repr(value):
        assert shown(value) == repr(value)
