"""What holds for an instance of every public class: pickles, copies, equality, short text."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest
from good_instances import instances

import rainier_fast as rf

MADE = instances()
EVERY = pytest.mark.parametrize("one", MADE.values(), ids=[kind.__name__ for kind in MADE])


def test_every_public_class_has_an_instance() -> None:
    classes = {value for name in rf.__all__ if inspect.isclass(value := getattr(rf, name))}
    plain = {kind for kind in classes if not issubclass(kind, Exception)}
    assert not [kind for kind in plain if not any(isinstance(one, kind) for one in MADE.values())]


@EVERY
def test_it_pickles_with_every_protocol_and_copies(one: Any) -> None:
    twins = [pickle.loads(pickle.dumps(one, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)]
    for twin in (*twins, copy.copy(one), copy.deepcopy(one)):
        assert type(twin) is type(one)
        assert twin == one
        assert not twin != one  # noqa: SIM202 - both operators
        assert repr(twin) == repr(one)
        if type(one).__hash__ is not None:
            assert hash(twin) == hash(one)


@EVERY
def test_it_equals_nothing_of_another_kind(one: Any) -> None:
    for other in (None, 0, "", object(), [one]):
        assert not one == other  # noqa: SIM201 - both operators
        assert one != other


@EVERY
def test_its_attributes_can_be_neither_set_nor_deleted(one: Any) -> None:
    names = {name for name in dir(one) if not name.startswith("__")}
    for name in (*names, "anything"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(one, name, None)
        with pytest.raises((AttributeError, TypeError)):
            delattr(one, name)
