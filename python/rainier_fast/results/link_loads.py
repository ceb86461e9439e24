"""Bytes on every link, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.runtime import LINKS_ALONE
from rainier_fast.definitions.check import as_count
from rainier_fast.errors import invalid
from rainier_fast.frozen import frozen
from rainier_fast.memory import reckon
from rainier_fast.results.edges import Edges, edges_of
from rainier_fast.results.link import Bottleneck, link_columns
from rainier_fast.screen import Pictured, Report, Told, one_screen
from rainier_fast.table import Table
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, format_bytes, format_count, format_time, parse_time

_BLOCK: Final = 1 << 18  # links at a time, so that millions of them need no second array


class _Runs(NamedTuple):
    """Runs of links that are alike, and what they carry."""

    first: NDArray[np.int64]
    links: NDArray[np.int64]
    link_class: NDArray[Any]
    bandwidth: NDArray[np.float64]
    most: NDArray[np.float64]
    total: NDArray[np.float64]
    busy: NDArray[np.int64]


@one_screen
@frozen("link loads do not change")
class LinkLoads(Pictured, Report, Told):
    """Bytes that messages put on every link of a machine. Immutable.

    Its times are those of the links alone.

    Attributes
    ----------
    machine
        The machine.
    bytes
        float64, one for each link by number, read-only.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> loads = torus((4,), bandwidth="1 GB/s").link_loads(0, 1, 1000)
    >>> loads.time_s, loads.total_hop_bytes, loads.bytes.tolist()[:2]
    (1e-06, 1000.0, [1000.0, 0.0])
    """

    def __init__(self, machine: Base, loads: NDArray[np.float64]) -> None:
        if loads.shape != (machine.num_links,):
            raise invalid(
                "loads", loads.shape, f"must have one for each of {machine.num_links} links"
            )
        view = loads.view()
        view.flags.writeable = False
        self.__dict__.update(machine=machine, bytes=view)

    _also = ("kind", "num_links", "time_s", "total_hop_bytes", "bottleneck", "by_class")

    machine: Base
    bytes: NDArray[np.float64]

    @property
    def kind(self) -> str:
        """What kind of number its times are: always ``"links alone"``."""
        return LINKS_ALONE

    @property
    def num_links(self) -> int:
        """Links of the machine."""
        return int(self.bytes.size)

    def __reduce__(self) -> tuple[Any, ...]:
        return LinkLoads, (self.machine, np.asarray(self.bytes))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LinkLoads):
            return NotImplemented
        return self.machine == other.machine and bool(np.array_equal(self.bytes, other.bytes))

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def time_s(self) -> float:
        """Seconds that the busiest link needs: the largest bytes / bandwidth."""
        runs = self._runs
        return float((runs.most / runs.bandwidth).max(initial=0.0))

    @cached_property
    def total_hop_bytes(self) -> float:
        """Bytes times the links that they pass: the sum of `bytes`."""
        return float(self.bytes.sum())

    @cached_property
    def bottleneck(self) -> Bottleneck | None:
        """The busiest link, the first where several are; None where nothing moves."""
        runs = self._runs
        if self.time_s == 0:
            return None
        at = int((runs.most / runs.bandwidth).argmax())
        first, count = int(runs.first[at]), int(runs.links[at])
        link = first + int(self.bytes[first : first + count].argmax())
        return Bottleneck(str(runs.link_class[at]), link, float(self.bytes[link]), 1.0)

    def utilisation(self, time: Quantity) -> NDArray[np.float64]:
        """Return the share of a time that each link is busy.

        Parameters
        ----------
        time
            Seconds, as a number or text, above 0. Below `time_s` some shares are above 1.

        Returns
        -------
        numpy.ndarray
            float64, one for each link.

        Raises
        ------
        InvalidArgument, InvalidType
            If the time is not usable.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> loads = torus((4,), bandwidth="1 GB/s").link_loads(0, 1, 1000)
        >>> loads.utilisation("2 us").tolist()[0]
        0.5
        """
        seconds = parse_time(time, "time")
        if seconds == 0:
            raise invalid("time", time, "must be a finite number > 0")
        reckon(self.bytes.nbytes, f"a column of {self.bytes.size} links", "use a smaller machine")
        out = np.empty(self.bytes.shape)
        for start, block in self._busy_seconds():
            np.divide(block, seconds, out=out[start : start + block.size])
        return out

    def by_class(self) -> Table:
        """Return what each class of links carries.

        Returns
        -------
        Table
            Class, links, links in use, bytes in all, mean and largest bytes of a link, seconds
            that its busiest link needs.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> loads = torus((4, 4), bandwidth="1 GB/s").link_loads(0, 1, 1000)
        >>> loads.by_class()["class"].tolist()
        ['x', 'y']
        """
        return self._by_class()._of_kind(LINKS_ALONE)

    def _by_class(self) -> Table:
        runs = self._runs
        names, first, index = np.unique(runs.link_class, return_index=True, return_inverse=True)
        order = np.argsort(first)  # the order of the link numbers
        links = np.bincount(index, runs.links, names.size)[order]
        total = np.bincount(index, runs.total, names.size)[order]
        most, time = np.zeros(names.size), np.zeros(names.size)
        np.maximum.at(most, index, runs.most)
        np.maximum.at(time, index, runs.most / runs.bandwidth)
        return Table(
            {
                "class": names[order].astype(str),
                "links": links.astype(np.int64),
                "in_use": np.bincount(index, runs.busy, names.size)[order].astype(np.int64),
                "total_bytes": total,
                "mean_bytes": total / links,
                "most_bytes": most[order],
                "time_s": time[order],
            }
        )

    def top(self, n: int = 10) -> Table:
        """Return the busiest links, first those that need the longest.

        Parameters
        ----------
        n
            How many at most; links without bytes are left out.

        Returns
        -------
        Table
            Number, class, direction, ends, bytes, bandwidth (bytes/s) and seconds of each.

        Raises
        ------
        InvalidArgument, InvalidType
            If `n` is not an integer above 0.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((4,), bandwidth="1 GB/s").link_loads(0, 2, 1000).top(2)["link"].tolist()
        [0, 1]
        """
        wanted = as_count("n", n)
        ids, seconds = np.zeros(0, np.int64), np.zeros(0)
        for start, block in self._busy_seconds():
            # Of equal links the lowest numbers win, so later blocks must beat the least so far.
            found = np.flatnonzero(block > (seconds[-1] if seconds.size == wanted else 0.0))
            if found.size > wanted:
                values = block[found]
                least = np.partition(values, values.size - wanted)[values.size - wanted]
                equal = found[values == least][:wanted]
                found = np.concatenate([found[values > least], equal])
            ids = np.concatenate([ids, start + found])
            seconds = np.concatenate([seconds, block[found]])
            best = np.lexsort((ids, -seconds))[:wanted]
            ids, seconds = ids[best], seconds[best]
        about = link_columns(self.machine, ids)
        speeds = about.pop("bandwidth_Bps")
        del about["latency_s"]
        loads: dict[str, Any] = {
            "bytes": self.bytes[ids],
            "bandwidth_Bps": speeds,
            "time_s": seconds,
        }
        return Table({"link": ids, **about, **loads})._of_kind(LINKS_ALONE)

    def edges(self) -> Edges:
        """Return the links as arrays of edges, with the bytes on each, as `Machine.edges` does.

        Returns
        -------
        Edges
            Nodes at both ends (int64, 2 x links), bandwidths (bytes/s), latencies (s), bytes.

        Raises
        ------
        Unsupported
            If there are more links than memory may be taken for.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> torus((2,), "1 GB/s", wrap=False).link_loads(0, 1, 1000).edges().bytes.tolist()
        [1000.0, 0.0]
        """
        return edges_of(self.machine, self.bytes)

    def __repr__(self) -> str:
        return f"<LinkLoads of {format_count(self.bytes.size)} links, {self._words()}>"

    def _page(self) -> list[Any]:
        head = f"loads of {format_count(self.bytes.size)} links: {self._words()}"
        return [head, self._by_class()]

    def _words(self) -> str:
        total = f"{format_bytes(self.total_hop_bytes)} x hops"
        bottleneck = self.bottleneck
        if bottleneck is None:
            return f"{total}, nothing moves"
        where = f"link {bottleneck.link} ({bottleneck.link_class})"
        return f"{total}, {format_time(self.time_s)} at {where}, {LINKS_ALONE}"

    @cached_property
    def _runs(self) -> _Runs:
        rows = [row for row in self.machine._core.link_runs() if row[0] > 0]
        count = np.array([row[0] for row in rows], np.int64)
        first = np.cumsum(count) - count
        loads = self.bytes
        if not rows:
            empty = np.zeros(0)
            names = np.zeros(0, object)
            return _Runs(first, count, names, empty, empty, empty, count)
        return _Runs(
            first,
            count,
            np.array([row[1] for row in rows]),
            np.array([row[2] for row in rows]),
            np.maximum.reduceat(loads, first),
            np.add.reduceat(loads, first),
            np.add.reduceat(loads > 0, first, dtype=np.int64),
        )

    def _busy_seconds(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield (first link, seconds that each link is busy) by blocks."""
        runs = self._runs
        for start in range(0, self.bytes.size, _BLOCK):
            stop = min(start + _BLOCK, self.bytes.size)
            low, high = np.searchsorted(runs.first, [start, stop - 1], side="right") - [1, 0]
            ends = np.minimum(runs.first[low:high] + runs.links[low:high], stop)
            inside = ends - np.maximum(runs.first[low:high], start)
            yield start, self.bytes[start:stop] / np.repeat(runs.bandwidth[low:high], inside)
