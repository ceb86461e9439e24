"""Classes whose attributes can be neither set nor deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

_Class = TypeVar("_Class", bound=type)


def frozen(words: str) -> Callable[[_Class], _Class]:
    """Return a decorator of classes that refuses both in these words; copies are itself."""
    # `put` fills new instances.

    def refuse_to_set(self: object, name: str, value: object) -> NoReturn:
        raise AttributeError(f"cannot set {name!r}: {words}")

    def refuse_to_delete(self: object, name: str) -> NoReturn:
        raise AttributeError(f"cannot delete {name!r}: {words}")

    methods = {
        "__setattr__": refuse_to_set,
        "__delattr__": refuse_to_delete,
        "__copy__": _itself,
        "__deepcopy__": _itself,
        "__getstate__": _state,
        "__setstate__": _restore,
    }

    def freeze(cls: _Class) -> _Class:
        keyed = {"__eq__": _equal, "__hash__": _hash} if hasattr(cls, "_key") else {}
        for name, method in (methods | keyed).items():
            setattr(cls, name, method)
        return cls

    return freeze


def _itself(self: object, *_: object) -> object:
    return self


def _equal(self: Any, other: Any) -> Any:  # noqa: ANN401 - of a class with a key, and any
    if getattr(type(other), "_key", None) is not type(self)._key:
        return NotImplemented
    return self._key() == other._key()


def _hash(self: Any) -> int:  # noqa: ANN401 - of a class with a key
    return hash(self._key())


def _state(self: object) -> object:
    # The old protocols of pickle ask for a method of the class's own where it has slots.
    return object.__getstate__(self)


def _restore(self: object, state: Any) -> None:  # noqa: ANN401 - a dict, or one and that of slots
    for values in state if isinstance(state, tuple) else (state,):
        put(self, **(values or {}))


def put(instance: object, **values: Any) -> None:  # noqa: ANN401 - attributes of any kind
    """Fill in attributes of an instance that nobody else has yet."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)
