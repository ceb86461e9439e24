"""ASTRA-sim's analytical network file, and the machine that it describes."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Final

from rainier_fast.astra_sim.files import listed, settings
from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.errors import InvalidArgument, Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.shapes import domain

GIB: Final = 2**30
"""Bytes/s of what its files call "1 GB/s"."""
_KINDS: Final = {"Ring": "ring", "Switch": "switch", "FullyConnected": "full_mesh"}
_SHAPES: Final = {"ring": "Ring", "switch": "Switch", "full_mesh": "FullyConnected"}
_KEYS: Final = ("topology", "npus_count", "bandwidth", "latency")
_MOST_NPUS: Final = 2**24
_NAMES: Final = "xyzw"


@dataclass(frozen=True, slots=True)
class Network:
    """A network of one or several dimensions, of which the first is the fastest.

    Attributes
    ----------
    topology
        ``"Ring"``, ``"Switch"`` or ``"FullyConnected"`` for each dimension.
    npus_count
        Members of each.
    bandwidth
        Of a link, in each direction. The files say "GB/s" and mean 2**30 bytes/s.
    latency
        Nanoseconds of each hop.

    Raises
    ------
    InvalidArgument, InvalidType
        If the four do not fit each other, or one has a value that ASTRA-sim refuses.

    Examples
    --------
    >>> from rainier_fast import astra_sim
    >>> network = astra_sim.Network(("Ring", "Switch"), (4, 8), (50.0, 25.0), (500.0, 1000.0))
    >>> network.npus, network.to_machine().num_chips
    (32, 32)
    """

    topology: tuple[str, ...]
    npus_count: tuple[int, ...]
    bandwidth: tuple[float, ...]
    latency: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in _KEYS:
            value = getattr(self, name)
            if not isinstance(value, tuple | list) or not value:
                raise invalid_type(name, value, "must have an entry for each dimension")
            if len(value) != len(self.topology):
                got = f"{len(value)} for {len(self.topology)} dimensions"
                raise invalid(name, got, "must have an entry for each dimension")
        shapes = tuple(as_one_of("topology", one, _KINDS) for one in self.topology)
        object.__setattr__(self, "topology", shapes)
        counts = tuple(_count(one) for one in self.npus_count)
        object.__setattr__(self, "npus_count", counts)
        if math.prod(counts) > _MOST_NPUS:
            raise invalid("npus_count", counts, f"must be {_MOST_NPUS:,} NPUs at most")
        rates = tuple(_number("bandwidth", one, above=True) for one in self.bandwidth)
        object.__setattr__(self, "bandwidth", rates)
        delays = tuple(_number("latency", one) for one in self.latency)
        object.__setattr__(self, "latency", delays)

    @property
    def npus(self) -> int:
        """All NPUs."""
        return math.prod(self.npus_count)

    @classmethod
    def read(cls, source: str | os.PathLike[str] | dict[str, Any]) -> Network:
        """Read a network file of the analytical backends, or take its settings as a dict.

        Parameters
        ----------
        source
            Path of the YAML, or what it holds.

        Raises
        ------
        InvalidArgument, InvalidType
            If it is none; the message names file, and line or key.

        Examples
        --------
        >>> row = {"topology": ["Ring"], "npus_count": [4], "bandwidth": [50], "latency": [500]}
        >>> Network.read(row).npus
        4
        """
        return cls.of_settings(*settings("network", source))

    @classmethod
    def of_settings(cls, found: dict[str, Any], name: str = "network") -> Network:
        """Make one of settings that were read from a file of some name.

        Examples
        --------
        >>> row = dict(topology="Ring", npus_count=4, bandwidth=50.0, latency=500.0)
        >>> Network.of_settings(row).topology
        ('Ring',)
        """
        for key in _KEYS:
            if key not in found:
                raise InvalidArgument(f"{name}: got no key {key}, must have {', '.join(_KEYS)}")
        if extra := sorted(set(found) - set(_KEYS)):
            raise InvalidArgument(f"{name}, key {extra[0]}: got a key that the peer ignores")
        try:
            return cls(*(tuple(listed(found[key])) for key in _KEYS))
        except InvalidArgument as error:
            raise type(error)(f"{name}, {error}") from error

    def to_yaml(self) -> str:
        """Return the text of a network file.

        Examples
        --------
        >>> print(Network(("Ring",), (4,), (50.0,), (500.0,)).to_yaml())
        topology: [Ring]
        npus_count: [4]
        bandwidth: [50.0]  # GiB/s, which the peer calls GB/s
        latency: [500.0]  # ns
        """
        notes = {"bandwidth": "  # GiB/s, which the peer calls GB/s", "latency": "  # ns"}
        lines = (
            f"{key}: [{', '.join(map(str, getattr(self, key)))}]{notes.get(key, '')}"
            for key in _KEYS
        )
        return "\n".join(lines)

    def to_machine(self, *, endpoint_delay_ns: float = 0.0) -> Machine:
        """Return the machine of as many chips: one axis for each dimension, one link for each.

        Parameters
        ----------
        endpoint_delay_ns
            Least nanoseconds of a collective call.

        Examples
        --------
        >>> machine = Network(("Ring",), (4,), (50.0,), (500.0,)).to_machine()
        >>> machine.ultraserver.axes[0].bandwidth_Bps == 50 * 2**30
        True
        """
        rows = zip(self.topology, self.npus_count, self.bandwidth, self.latency, strict=True)
        axes = tuple(
            Axis(
                _NAMES[at] if at < len(_NAMES) else f"d{at}",
                size,
                # Two NPUs on a ring have one link to each other there, and two cables here.
                "full_mesh" if shape == "Ring" and size == 2 else _KINDS[shape],
                rate * GIB,
                delay * 1e-9,
            )
            for at, (shape, size, rate, delay) in enumerate(rows)
        )
        overhead = endpoint_delay_ns * 1e-9
        return domain(UltraServer("astra-sim network", None, axes, overhead=overhead))

    @classmethod
    def of_machine(cls, machine: Machine) -> Network:
        """Return the network file of a machine: its axes, and a switch over its NICs.

        Raises
        ------
        Unsupported
            If the machine has what such a file cannot say: faults, several sites, open lines,
            switches over several axes, or NICs that several chips share.

        Examples
        --------
        >>> from rainier_fast import torus
        >>> Network.of_machine(torus((4, 4), bandwidth="50 GiB/s")).bandwidth
        (50.0, 50.0)
        """
        if not isinstance(machine, Machine):
            raise invalid_type("machine", machine, "must be a Machine")
        if machine.is_damaged or len(machine.sites) != 1:
            raise Unsupported("machine: got faults or several sites, which no network file has")
        site = machine.sites[0]
        rows = [_row(axis) for axis in site.ultraserver.axes if axis.size > 1]
        if site.ultraservers > 1:
            nic = site.ultraserver.nic
            if nic is None or nic.chips != 1:
                raise Unsupported("nic: got chips that share one, which no network file has")
            delay = _nanoseconds(nic.latency_s)
            rows.append(("Switch", site.ultraservers, nic.bandwidth_Bps / GIB, delay))
        if not rows:
            raise Unsupported("machine: got one chip, must have two at least for a network file")
        return cls(*(tuple(column) for column in zip(*rows, strict=True)))


def _row(axis: Axis) -> tuple[str, int, float, float]:
    kind = axis.kind
    if kind not in _SHAPES or axis.tiers:
        raise Unsupported(f"axis {axis.name}: got {kind}, which no network file has; use a ring")
    return _SHAPES[kind], axis.size, axis.bandwidth_Bps / GIB, _nanoseconds(axis.latency_s)


def _nanoseconds(seconds: float) -> float:
    # What was written in ns is that again: femtoseconds are no latency.
    return round(seconds * 1e9, 6)


def _count(value: object) -> int:
    if type(value) is not int:
        raise invalid_type("npus_count", value, "must be an integer")
    if not 1 < value <= _MOST_NPUS:
        raise invalid("npus_count", value, f"must be 2 to {_MOST_NPUS:,}")
    return value


def _number(name: str, value: object, *, above: bool = False) -> float:
    if type(value) not in (int, float):
        raise invalid_type(name, value, "must be a number")
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number) or number < 0 or (above and number == 0):
        raise invalid(name, value, f"must be a finite number {'above 0' if above else '>= 0'}")
    return number
