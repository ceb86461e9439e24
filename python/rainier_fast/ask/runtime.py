"""A machine's own software, by name, and the kinds of number that answers are."""

from __future__ import annotations

from typing import Final

from rainier_fast.ask.options import RUNTIME
from rainier_fast.definitions.ultraserver import RUNTIMES
from rainier_fast.errors import Unsupported
from rainier_fast.topology.base import Base

LINKS_ALONE: Final = "links alone"
"""The kind of what a schedule takes on the links, with no software in the way."""

AS_GIVEN: Final = "as it was given"
"""The kind of times that a user gives: of computations, and starts."""

_KINDS: Final = {name: f"as {name} runs it" for name in RUNTIMES.values()}


def kind_of(algorithm: str | tuple[str, ...]) -> str:
    """Return what kind of number the time of an algorithm is."""
    return _KINDS.get(algorithm, LINKS_ALONE) if isinstance(algorithm, str) else LINKS_ALONE


def kind_of_candidates(algorithm: str | tuple[str, ...]) -> str:
    """Return what kind of number the times of its candidates are."""
    # NCCL's tuning model says times to choose by, which are not those that it takes.
    return "as nccl prices it" if algorithm == "nccl" else kind_of(algorithm)


def is_runtime(algorithm: object) -> bool:
    """Return whether an option asks for the machine's own software."""
    # A subclass of text may compare as it likes.
    return isinstance(algorithm, str) and str.__eq__(algorithm, RUNTIME)


def runtime_of(machine: Base) -> str:
    """Return the algorithm that is a machine's own software; `Unsupported` where it has none."""
    found = machine.runtime
    if found is not None:
        return found
    server = machine.ultraserver
    parts = {part: name for part, name in RUNTIMES.items() if getattr(server, part) is not None}
    if parts:
        several = " and ".join(parts)
        raise Unsupported(
            f"algorithm: got {RUNTIME!r}, but {server.name} has several, by {several}; name one of "
            f"{', '.join(map(repr, parts.values()))}"
        )
    raise Unsupported(
        f"algorithm: got {RUNTIME!r}, but of {server.name} no software is known that runs its "
        "collectives; use 'auto' for the links alone, or give its UltraServer one of "
        + ", ".join(f"{part}= (for {name!r})" for part, name in RUNTIMES.items())
    )
