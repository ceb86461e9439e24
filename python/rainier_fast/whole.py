"""Classes written in several files that look like one: to ``help``, and in the words of errors."""

from __future__ import annotations

from types import MemberDescriptorType
from typing import Any, Generic, TypeVar

_Class = TypeVar("_Class", bound=type)
_OWN = ("__slots__", "__dict__", "__weakref__", "__doc__", "__module__", "__abstractmethods__")
_GENERIC = ("__orig_bases__", "__parameters__")


def whole(cls: _Class) -> _Class:
    """Return the class with what its parts define as its own; only bases with slots stay bases."""
    above = [base for base in cls.__mro__[1:-1] if base is not Generic]
    bases = tuple(base for base in above if vars(base).get("__slots__"))
    body: dict[str, Any] = {}
    parts: list[type] = [*reversed(above), cls]
    for part in parts:
        for name, value in vars(part).items():
            if isinstance(value, MemberDescriptorType) or name in _GENERIC:
                continue
            if name in _OWN and part is not cls:
                continue
            body[name] = value
            _rename(value, part, f"{cls.__name__}.{name}")
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    return type(cls)(cls.__name__, bases or (object,), body)


def _rename(value: Any, part: type, name: str) -> None:  # noqa: ANN401 - whatever classes hold
    """Give what a part defines the name that users call it by."""
    for function in (value, *(getattr(value, kind, None) for kind in ("__func__", "fget", "func"))):
        if getattr(function, "__qualname__", "") == f"{part.__name__}.{name.rpartition('.')[2]}":
            function.__qualname__ = name
