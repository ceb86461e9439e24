"""Links of one UltraServer, to be drawn: which chips they join and what they carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import Unsupported
from rainier_fast.faults.damaged import Damaged

MOST_LINKS: Final = 20_000
"""Links of an UltraServer that a picture may have: beyond, lines hide each other."""
_ARRAYS: Final = ("ring", "line")
_BEYOND: Final = ("nic ", "fabric ", "wan")


@dataclass(frozen=True)
class Cables:
    """Cables of an UltraServer: ends, values of both directions, and what is broken."""

    ultraserver: int
    sizes: tuple[int, ...]
    names: tuple[str, ...]
    axis: NDArray[np.int64]
    source: NDArray[np.int64]  # coordinates, a row a cable
    target: NDArray[np.int64]
    links: NDArray[np.int64]  # numbers in the machine, both directions; -1 where there is none
    bandwidth: NDArray[np.float64]  # bytes/s of each
    dead: NDArray[np.bool_]
    slower: NDArray[np.bool_]
    dead_chips: NDArray[np.bool_]  # by coordinates

    def busy_s(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the seconds that the busier direction of each cable needs for bytes by link."""
        both = np.where(self.links >= 0, values[np.maximum(self.links, 0)] / self.bandwidth, 0.0)
        most: NDArray[np.float64] = both.max(axis=1)
        return most


def inside(machine: Damaged) -> int:
    """Return how many links an UltraServer has inside."""
    total = 0
    for count, kind, *_ in machine._core.link_runs():
        if kind.startswith(_BEYOND):
            break
        total += count
    return total // machine.num_ultraservers


def is_array(machine: Damaged) -> bool:
    """Return whether chips of an UltraServer stand in rows: rings and lines along 1 to 3 axes."""
    axes = machine.ultraserver.axes
    return 1 <= len(axes) <= 3 and all(axis.kind in _ARRAYS for axis in axes)


def check_drawn(machine: Damaged, instead: str) -> None:
    """Refuse machines whose UltraServers cannot be drawn chip by chip, naming what can."""
    server = machine.ultraserver
    if not is_array(machine):
        kinds = ", ".join(f"{axis.name} ({axis.kind})" for axis in server.axes)
        raise Unsupported(
            f"loads: got those of {server.name} with axes {kinds}; rings and lines along at most "
            f"three axes are drawn chip by chip; {instead}"
        )
    links = inside(machine)
    if links > MOST_LINKS:
        raise Unsupported(
            f"loads: got those of {server.name} with {links:,} links inside; a picture has "
            f"{MOST_LINKS:,} at most; {instead}"
        )


def which(machine: Damaged, asked: object, busiest: int | None) -> int:
    """Return which UltraServer to draw: the one asked for, that of a link, or the first."""
    if asked is not None:
        return as_integer("ultraserver", asked, 0, machine.num_ultraservers - 1)
    own = inside(machine)
    if busiest is None or own == 0 or busiest >= own * machine.num_ultraservers:
        return 0
    return busiest // own


def cables(machine: Damaged, ultraserver: int) -> Cables:
    """Return the cables of an UltraServer."""
    server = machine.ultraserver
    own, sizes = inside(machine), tuple(axis.size for axis in server.axes)
    names = tuple(axis.name for axis in server.axes)
    found: dict[tuple[Any, ...], list[Any]] = {}
    for number in range(own * ultraserver, own * (ultraserver + 1)):
        link = machine.link(number)
        if link.source_chip is None or link.target_chip is None:
            continue
        ends = sorted((link.source_chip, link.target_chip))
        # Rings of two chips have two cables between them: the direction at its lower end tells.
        forth = (link.direction == "+") == (link.source_chip == ends[0])
        key = (*ends, link.link_class, int(forth))
        found.setdefault(key, []).append(link)
    chips = server.num_chips
    rows = list(found.values())
    joined = np.array([(row[0].source_chip, row[0].target_chip) for row in rows], np.int64)
    places = _places(joined.reshape(-1, 2) - ultraserver * chips, sizes)
    numbers = [[one.link for one in row] for row in rows]
    return Cables(
        ultraserver,
        sizes,
        names,
        np.array([names.index(row[0].link_class) for row in rows], np.int64),
        places[:, 0],
        places[:, 1],
        np.array([[*one, -1][:2] for one in numbers], np.int64).reshape(-1, 2),
        np.array([[one.bandwidth_Bps for one in (*row, row[0])][:2] for row in rows]),
        np.array([any(one.dead for one in row) for row in rows], np.bool_),
        np.array([any(one.factor != 1 for one in row) for row in rows], np.bool_),
        _dead_chips(machine, ultraserver, sizes),
    )


def _dead_chips(machine: Damaged, ultraserver: int, sizes: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which chips of an UltraServer are dead, by coordinates."""
    faults, chips = machine.faults, machine.ultraserver.num_chips
    site = int(machine.coordinates(ultraserver * chips)["site"])
    if ultraserver in faults.ultraservers or site in faults.sites:
        return np.ones(sizes, np.bool_)
    dead = np.zeros(chips, np.bool_)
    own = faults.chips[faults.chips // chips == ultraserver]
    dead[own % chips] = True
    return dead.reshape(sizes, order="F")


def _places(chips: NDArray[np.int64], sizes: tuple[int, ...]) -> NDArray[np.int64]:
    """Return coordinates of chips of an UltraServer, as a last dimension."""
    out = np.empty((*chips.shape, len(sizes)), np.int64)
    rest = chips
    for at, size in enumerate(sizes):
        out[..., at] = rest % size
        rest = rest // size
    return out


def is_wrapped(some: Cables) -> NDArray[np.bool_]:
    """Return which cables close a ring: their ends are not beside each other in the drawing."""
    apart = np.abs(some.source - some.target).sum(axis=1)
    wrapped: NDArray[np.bool_] = apart > 1
    return wrapped
