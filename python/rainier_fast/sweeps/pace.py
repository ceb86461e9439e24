"""How many points go out at once: as many as take a tenth of a second."""

from __future__ import annotations

from typing import Final

_SECONDS: Final = 0.1
_GROWTH: Final = 8
_MOST: Final = 8192


class Pace:
    """The size of the next batch, by how long those before took."""

    def __init__(self, given: int | None, width: int) -> None:
        self._given, self._width = given, width
        self._size = 1

    def note(self, points: int, seconds: float) -> None:
        """Take in how long some points took."""
        wanted = int(_SECONDS * points / max(seconds, 1e-9))
        self._size = max(1, min(wanted, _GROWTH * points, _MOST))

    def next(self, left: int) -> int:
        """Return how many points of those that are left go together."""
        if self._given is not None:
            return min(self._given, left)
        share = -(-left // (2 * self._width))  # so that none has much to do when others are done
        return max(1, min(self._size, share))
