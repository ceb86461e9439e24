"""`capture.jax`: the collectives of a function of JAX, by compiling it ahead of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rainier_fast.capture.compiling import Compiled, compiled, elsewhere
from rainier_fast.capture.needed import needed
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import invalid_type
from rainier_fast.program import Program

_MOST_DEVICES: Final = 2**16
_WIDER: Final = "XLA widens bf16 to f32 on hosts: what the program has in bf16 is twice the bytes"


def jax(
    function: Callable[..., Any],
    *args: Any,
    devices: str | int | None = None,
) -> Program:
    """Compile a function of JAX ahead of time, and return its collectives as XLA runs them.

    Nothing runs, and no device is needed. Needs the extra ``jax``, for TPU topologies libtpu too.

    Parameters
    ----------
    function
        Without `devices`: the function, jitted or not, which is lowered for `args` and the devices
        that their shardings name. With `devices`: a function that gets a list of those devices and
        `args`, and returns the function to compile and a tuple of its arguments, such as
        `jax.ShapeDtypeStruct` with shardings over a mesh of the devices.
    *args
        Its arguments.
    devices
        A TPU topology (``"v5p:4x4x4"``), or a number of host devices; None for those of `args`. If
        this process has too few host devices, another one is started that has them: then `function`
        must be importable, at the top of a module.

    Returns
    -------
    Program
        What `rainier_fast.read` finds in the compiled text: all groups, how often loops run (TPU
        text does not say it: ``trips=`` of `Machine.cost_of`), and nothing of computation.

    Raises
    ------
    InvalidArgument, InvalidType
        If an argument is not usable.
    Unsupported
        If jax is missing or too old, the topology is not known, or the text cannot be had.

    Notes
    -----
    Ranks are places in the order of devices of the program, not chips: the notes have the chip of
    each rank, in order of coordinates (x fastest), where the devices have coordinates and it
    differs; give it to `Machine.cost_of` as ``placement=``.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> program = rf.capture.jax(build, devices="v5p:4x4x4")  # doctest: +SKIP
    """
    if not callable(function):
        raise invalid_type("function", function, "must be a function")
    if devices is not None and not isinstance(devices, str):
        devices = as_integer("devices", devices, 1, _MOST_DEVICES)
    package = needed("jax")
    if isinstance(devices, int) and not _enough(package, devices):
        found = elsewhere(function, args, devices)
    else:
        found = compiled(function, args, devices)
    return _program(found, devices)


def _enough(package: Any, devices: int) -> bool:
    """Tell whether this process has so many host devices, without making any."""
    from jax._src import xla_bridge

    if not xla_bridge.backends_are_initialized():
        return False
    return len(package.devices("cpu")) >= devices


def _program(found: Compiled, devices: str | int | None) -> Program:
    from dataclasses import replace

    from rainier_fast.reading.reader import read

    program: Program = read(found.text.encode(), "hlo")
    where = "" if devices is None else f" for {_named(devices)}"
    host = (_WIDER,) if isinstance(devices, int) else ()
    source = f"jax {found.version}{where}, compiled ahead of time: {program.source}"
    return replace(program, source=source, notes=(*found.notes, *host, *program.notes))


def _named(devices: str | int) -> str:
    return devices if isinstance(devices, str) else f"{devices:,} host devices"
