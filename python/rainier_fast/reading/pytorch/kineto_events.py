"""Events of a Kineto trace that speak of collectives, with their arguments when these are asked."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.reading.content import Content

PARAMS, OPERATOR, FUNCTIONAL, LABEL, KERNEL, STEP = range(6)
_NONE: Final = -(2**63)
_MOST_ARGS: Final = 2**24


class Events:
    """Rows of the core, by number."""

    def __init__(self, content: Content, rows: NDArray[np.int64], names: list[str]) -> None:
        self._content = content
        self._names = names
        columns = rows.T.tolist() if len(rows) else [[] for _ in range(8)]
        self.kind: list[int] = columns[0]
        self._name: list[int] = columns[1]
        self._starts: list[int] = columns[3]
        self._lengths: list[int] = columns[4]
        self._first: list[int] = columns[5]
        self._after: list[int] = columns[6]
        self.within: list[int] = columns[7]

    def __len__(self) -> int:
        return len(self.kind)

    def name(self, at: int) -> str:
        """Return the name of an event."""
        return self._names[self._name[at]]

    def start(self, at: int) -> int | None:
        """Return nanoseconds after the base time."""
        return None if self._starts[at] == _NONE else self._starts[at]

    def length(self, at: int) -> int | None:
        """Return how long an event took, in nanoseconds."""
        return None if self._lengths[at] == _NONE else max(self._lengths[at], 0)

    def args(self, at: int) -> dict[str, Any]:
        """Return the arguments of an event."""
        start, end = self._first[at], self._after[at]
        if start < 0:
            return {}
        if end - start > _MOST_ARGS:
            allowed = f"must be at most {_MOST_ARGS:,} bytes"
            got = f"args of {end - start:,} bytes"
            raise self._content.fault(f"byte {start}", got, allowed)
        try:
            found = json.loads(self._content.data[start:end])
        except (ValueError, RecursionError) as error:
            got = f"args that cannot be read ({error})"
            raise self._content.fault(f"byte {start}", got, "must be JSON") from error
        return found if isinstance(found, dict) else {}

    def steps(self) -> int:
        """Return how many steps of the profiler there are."""
        return len({self._name[at] for at in range(len(self)) if self.kind[at] == STEP})

    def in_order(self) -> list[int]:
        """Return events by when they start, outer ones first; those without a time before all."""
        return sorted(range(len(self)), key=lambda at: (self._starts[at], -self._lengths[at], at))
