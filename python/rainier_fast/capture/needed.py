"""Packages that recordings need, found when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from rainier_fast.errors import Unsupported

_LEAST: Final = {"torch": (2, 6), "jax": (0, 6)}
"""Versions that recordings know the insides of; those that were run are in docs/programs.md."""


def needed(name: str) -> Any:
    """Import a package, or say how it is installed."""
    least = ".".join(map(str, _LEAST[name]))
    try:
        module = import_module(name)
    except ImportError as error:
        raise Unsupported(
            f"capture.{name} needs {name} {least} or later, which cannot be imported ({error}); "
            f"install it with: pip install 'rainier_fast[{name}]'"
        ) from error
    found = str(module.__version__)
    if _numbers(found) < _LEAST[name]:
        raise Unsupported(
            f"capture.{name} needs {name} {least} or later, and found {found}; "
            f"install it with: pip install -U 'rainier_fast[{name}]'"
        )
    return module


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("+")[0].split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())
