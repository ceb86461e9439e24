"""Compiling functions of JAX for devices that are not there, in this process or in another."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from rainier_fast.errors import InvalidType, Unsupported, invalid, invalid_type

_FLAG: Final = "--xla_force_host_platform_device_count="
_ALONE: Final = {
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "TPU_ACCELERATOR_TYPE": "",
}
"""What keeps libtpu from asking a machine without TPUs who it is."""
_MOST_LISTED: Final = 4096
_MOST_WORDS: Final = 100
_DUMP: Final = {"xla_dump_hlo_as_text": True}


class Compiled(NamedTuple):
    """Text of a compiled function, and what is worth knowing of it."""

    text: str
    version: str
    notes: tuple[str, ...]


def compiled(function: Callable[..., Any], args: tuple[Any, ...], devices: object) -> Compiled:
    """Compile in this process."""
    import jax

    if devices is not None:
        made = function(_devices(jax, devices), *args)
        if not (isinstance(made, tuple) and len(made) == 2 and callable(made[0])):
            raise invalid_type(
                "function", made, "must return the function to compile and a tuple of its arguments"
            )
        function, args = made
        if not isinstance(args, tuple):
            raise invalid_type("function", args, "must return a tuple of arguments")
    jitted: Any = function if hasattr(function, "lower") else jax.jit(function)
    lowered = jitted.lower(*args)
    with tempfile.TemporaryDirectory() as folder:
        done = lowered.compile(compiler_options=_DUMP | {"xla_dump_to": folder})
        text, notes = _text(done, Path(folder))
    return Compiled(text, str(jax.__version__), (*notes, *_notes(jax, done)))


def _text(done: Any, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Return the compiled text: of the function, or as the compiler dumped it where that fails."""
    try:
        text = done.as_text()
    except Exception as error:  # a check inside jaxlib, of what libtpu writes of fused collectives
        why = str(error).splitlines()[0][:_MOST_WORDS] if str(error) else type(error).__name__
        note = f"as_text() of the compiled function fails ({why}): read from the compiler's dump"
        dumped = sorted(folder.glob("*.after_optimizations.txt"))
        if not dumped:
            raise Unsupported(f"function: its compiled text cannot be had ({why})") from error
        largest = max(dumped, key=lambda path: path.stat().st_size)
        return largest.read_text(encoding="utf-8"), (note,)
    if not text:
        raise Unsupported("function: the compiler gives no text of it")
    return text, ()


def _devices(jax: Any, devices: object) -> list[Any]:
    if isinstance(devices, int):
        return list(jax.devices("cpu")[:devices])
    from jax.experimental import topologies

    try:
        with _set(_ALONE):
            return list(topologies.get_topology_desc(devices, platform="tpu").devices)
    except Exception as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise invalid(
            "devices", devices, f"must be a topology such as 'v5p:4x4x4' that libtpu knows ({why})"
        ) from error


def _notes(jax: Any, done: Any) -> Iterator[str]:
    shardings = jax.tree.leaves(done.input_shardings)
    order = next((list(one._device_assignment) for one in shardings), [])
    coords = [tuple(one.coords) for one in order if getattr(one, "coords", None) is not None]
    if len(order) > 1 and len(set(coords)) == len(order):
        place = {at: number for number, at in enumerate(sorted(coords, key=_z_last))}
        chips = [place[at] for at in coords]
        if chips != sorted(chips) and len(chips) <= _MOST_LISTED:
            yield f"chip of each rank, placement={chips}"
    elif len(order) > 1 and len(coords) == len(order):
        yield "several devices of a chip: ranks are cores"
    found = done.cost_analysis()
    first = found[0] if isinstance(found, list) else found
    flops = (first or {}).get("flops")
    if flops and flops > 0:
        yield f"{flops:.6g} FLOP a device by XLA's own count, bodies of loops once"


def _z_last(coords: tuple[int, ...]) -> tuple[int, ...]:
    """Return what sorts chips as our presets count them: x fastest."""
    return coords[::-1]


def elsewhere(function: Callable[..., Any], args: tuple[Any, ...], devices: int) -> Compiled:
    """Compile in a process that has so many host devices."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    try:
        pickle.dumps((function, args))
    except Exception as error:
        raise InvalidType(
            f"function: got one that cannot go to another process ({error}); define it at the top "
            f"of a module, or start Python with XLA_FLAGS={_FLAG}{devices}"
        ) from error
    flags = f"{os.environ.get('XLA_FLAGS', '')} {_FLAG}{devices}".strip()
    context = multiprocessing.get_context("spawn")
    values = {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    with _set(values), ProcessPoolExecutor(1, context) as pool:
        return pool.submit(compiled, function, args, devices).result()


@contextmanager
def _set(values: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while, those that are not set."""
    before = {name: os.environ.get(name) for name in values}
    for name, value in values.items():
        if name in ("XLA_FLAGS", "JAX_PLATFORMS") or before[name] is None:
            os.environ[name] = value
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update({name: value for name, value in before.items() if value is not None})
