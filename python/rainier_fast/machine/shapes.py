"""Machines of one scale-up domain: any torus, switch or full mesh, or one UltraServer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from rainier_fast.definitions.axis import Axis, Tier
from rainier_fast.definitions.check import as_count, as_flag, as_items, as_name
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.ultraserver import MAX_AXES, UltraServer
from rainier_fast.errors import invalid, invalid_type
from rainier_fast.machine.machine import Machine
from rainier_fast.units import Quantity, parse_bandwidth, parse_time

_LETTERS: Final = "xyzw"
_Value = TypeVar("_Value")


def torus(
    shape: int | Sequence[int],
    bandwidth: Quantity | Sequence[Quantity],
    latency: Quantity | Sequence[Quantity] = "0 s",
    wrap: bool | Sequence[bool] = True,  # noqa: FBT001, FBT002 - one of a row of per-axis values
    overhead: Quantity = "0 s",
    name: str | None = None,
) -> Machine:
    """Make a torus or mesh of any number of axes.

    Parameters
    ----------
    shape
        Chips along each axis, the fastest first; axes are named x, y, z, w, a4, a5, ...
    bandwidth
        Bytes/s of one link in one direction, as a number or text; one, or one for each axis.
    latency
        Seconds that one link adds; one, or one for each axis.
    wrap
        Whether the ends of an axis are joined; one, or one for each axis.
    overhead
        Seconds that a sender spends on each message.
    name
        A name for reading.

    Returns
    -------
    Machine
        Its chips have no peak FLOP/s or memory.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> torus((4, 4, 2), bandwidth="50 GB/s", latency="1 us", wrap=(True, True, False)).num_chips
    32
    """
    sizes = _sizes(shape)
    count = len(sizes)
    bandwidths = _per_axis("bandwidth", bandwidth, count, parse_bandwidth)
    latencies = _per_axis("latency", latency, count, parse_time)
    wraps = _per_axis("wrap", wrap, count, lambda value, argument: as_flag(argument, value))
    axes = [
        Axis(_axis_name(at), size, "ring" if wraps[at] else "line", bandwidths[at], latencies[at])
        for at, size in enumerate(sizes)
    ]
    spent = parse_time(overhead, "overhead")
    words = [
        repr(sizes),
        f"bandwidth={_short(bandwidths)!r}",
        f"latency={_short(latencies)!r}",
        f"wrap={_short(wraps)!r}",
        f"overhead={spent!r}",
    ]
    return _alone("torus", axes, spent, name, words)


def switch(
    chips: int,
    bandwidth: Quantity,
    latency: Quantity = "0 s",
    tiers: Sequence[Tier] = (),
    overhead: Quantity = "0 s",
    name: str | None = None,
) -> Machine:
    """Make a machine of chips on one switch.

    Parameters
    ----------
    chips
        Number of chips.
    bandwidth
        Bytes/s of each chip's port, each direction.
    latency
        Seconds that a port adds; a crossing takes two ports.
    tiers
        Tiers of a switch that is not one crossbar; groups count chips.
    overhead, name
        As for `torus`.

    Returns
    -------
    Machine
        Its one axis is called x.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> switch(72, "900 GB/s", latency="0.5 us").route(0, 71).hops
    2
    """
    return _one_axis("switch", chips, bandwidth, latency, tiers, overhead, name)


def full_mesh(
    chips: int,
    bandwidth: Quantity,
    latency: Quantity = "0 s",
    overhead: Quantity = "0 s",
    name: str | None = None,
) -> Machine:
    """Make a machine with a cable between each two chips.

    Parameters
    ----------
    chips
        Number of chips.
    bandwidth
        Bytes/s of each cable, each direction.
    latency
        Seconds that a cable adds.
    overhead, name
        As for `torus`.

    Returns
    -------
    Machine
        Its one axis is called x.

    Raises
    ------
    InvalidArgument, InvalidType
        If a value is not usable; the message names it.

    Examples
    --------
    >>> full_mesh(8, "50 GB/s").num_links
    56
    """
    return _one_axis("full_mesh", chips, bandwidth, latency, (), overhead, name)


def domain(ultraserver: UltraServer, name: str | None = None) -> Machine:
    """Make a machine of one UltraServer by itself: its scale-up links and no NICs.

    Parameters
    ----------
    ultraserver
        The UltraServer.
    name
        A name for reading.

    Returns
    -------
    Machine
        Of as many chips as the UltraServer has.

    Raises
    ------
    InvalidType
        If it is not an UltraServer.

    Examples
    --------
    >>> from rainier_fast import TRN2_ULTRASERVER
    >>> domain(TRN2_ULTRASERVER).num_links
    384
    """
    if not isinstance(ultraserver, UltraServer):
        raise invalid_type("ultraserver", ultraserver, "must be an UltraServer")
    alone = dataclasses.replace(ultraserver, nic=None)
    words = [repr(alone)] + ([] if name is None else [f"name={as_name('name', name)!r}"])
    site = Site(alone.name, 1, alone, Fabric())
    return Machine._make((site,), None, name, f"domain({', '.join(words)})")


def _one_axis(
    kind: str,
    chips: int,
    bandwidth: Quantity,
    latency: Quantity,
    tiers: Sequence[Tier],
    overhead: Quantity,
    name: str | None,
) -> Machine:
    size = as_count("chips", chips)
    rate, delay = parse_bandwidth(bandwidth), parse_time(latency)
    axis = Axis("x", size, kind, rate, delay, tiers)  # type: ignore[arg-type]
    spent = parse_time(overhead, "overhead")
    words = [repr(size), f"bandwidth={rate!r}", f"latency={delay!r}"]
    words += [f"tiers={axis.tiers!r}"] if axis.tiers else []
    return _alone(kind, [axis], spent, name, [*words, f"overhead={spent!r}"])


def _alone(
    kind: str, axes: list[Axis], overhead: float, name: str | None, words: list[str]
) -> Machine:
    label = kind if name is None else as_name("name", name)
    server = UltraServer(label, None, tuple(axes), None, overhead)
    if name is not None:
        words = [*words, f"name={name!r}"]
    site = Site(label, 1, server, Fabric())
    return Machine._make((site,), None, name, f"{kind}({', '.join(words)})")


def _sizes(shape: object) -> tuple[int, ...]:
    if not _many(shape):
        return (as_count("shape", shape),)
    sizes = as_items("shape", shape, "must be one size, or one for each axis")
    if not 1 <= len(sizes) <= MAX_AXES:
        raise invalid("shape", shape, f"must have 1 to {MAX_AXES} axes")
    return tuple(as_count(f"shape[{at}]", size) for at, size in enumerate(sizes))


def _per_axis(
    argument: str, given: object, count: int, parse: Callable[[Any, str], _Value]
) -> tuple[_Value, ...]:
    if not _many(given):
        return (parse(given, argument),) * count
    allowed = f"must be one value, or {count}: one for each axis"
    values = as_items(argument, given, allowed)
    if len(values) != count:
        raise invalid(argument, given, allowed)
    return tuple(parse(value, f"{argument}[{at}]") for at, value in enumerate(values))


def _many(given: object) -> bool:
    if isinstance(given, str | bytes):
        return False
    # Arrays and columns of tables are no Sequence to Python.
    return isinstance(given, Sequence) or (
        hasattr(type(given), "ndim") and getattr(given, "ndim", 0) == 1
    )


def _short(values: tuple[_Value, ...]) -> _Value | tuple[_Value, ...]:
    return values[0] if len(set(values)) == 1 else values


def _axis_name(at: int) -> str:
    return _LETTERS[at] if at < len(_LETTERS) else f"a{at}"
