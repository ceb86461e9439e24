"""Arrays that users pass in: checked once, converted only where they must be."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast.definitions.check import MAX_COUNT, as_integer, as_items, is_masked
from rainier_fast.errors import InvalidArgument, invalid, invalid_type, out_of_range, shown
from rainier_fast.memory import reckon
from rainier_fast.units import MAX_BYTES, Quantity, parse_bytes, parse_time

Chips: TypeAlias = int | np.integer[Any] | Sequence[int] | NDArray[np.integer[Any]]
"""One chip number or many."""

Bytes: TypeAlias = Quantity | Sequence[float] | NDArray[Any]
"""One size for all flows, as a number or text, or a number for each."""

Times: TypeAlias = Quantity | Sequence[float] | NDArray[Any]
"""One time for all flows, as a number of seconds or text, or seconds for each."""

_AS_THEY_ARE: Final = (np.int64, np.uint64, np.int32, np.uint32)
_INTEGERS: Final = "must be integers: one, or a 1-D sequence or array"
_SIZES: Final = "must be bytes: one number or text, or a 1-D sequence or array of numbers"
_MOMENTS: Final = "must be seconds: one number or text, or a 1-D sequence or array of numbers"
_MOST_THREADS: Final = 1024
_COPIES: Final = 4
"""Arrays as long as a column that checking and sorting it take."""
_THREADS_VARIABLE: Final = "RAINIER_NUM_THREADS"


def as_integers(argument: str, values: object, high: int, most_axes: int = 1) -> NDArray[Any]:
    """Return `values` as an array, native, contiguous, 32 or 64 bits wide."""
    # An array that is so already comes back as it is, without a copy.
    if isinstance(values, range):
        _check_top(argument, values, high)
    array = _array(argument, values, _INTEGERS)
    if array.ndim > most_axes:
        allowed = f"at most {most_axes} dimensions" if most_axes > 1 else "one dimension"
        raise invalid(argument, f"{array.ndim} dimensions", f"must have {allowed}")
    if array.size == 0 and array.dtype.kind in "iuf":
        return np.zeros(array.shape, np.int64)  # an empty list is an array of floats to numpy
    if array.dtype.kind not in "iu":
        return _long_integers(argument, values, array, high)
    return _native(array)


def numbers_of(name: str, given: object, limit: int = 2**32) -> NDArray[Any]:
    """Return given numbers as an array, each from 0 to below a limit."""
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Sequence | np.ndarray):
        given = as_items(name, given, "must be integers")
    array = np.atleast_1d(as_integers(name, given, limit - 1))
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < limit:
        worst = int(array.min()) if int(array.min()) < 0 else int(array.max())
        raise out_of_range(name, worst, 0, limit - 1)
    return array


def chip_array(
    argument: str, values: object, num_chips: int, most_axes: int = 1
) -> NDArray[np.int64]:
    """Return chip numbers as int64 of few dimensions, each checked against the machine."""
    array = as_integers(argument, values, num_chips - 1, most_axes)
    check_below(argument, array, num_chips)
    return np.asarray(array, np.int64)


def check_below(argument: str, array: NDArray[Any], limit: NDArray[Any] | int) -> None:
    """Raise `OutOfRange` naming the first number that is not from 0 to below its limit."""
    bad = (array < 0) | (array >= limit)
    if not bad.any():
        return
    at = int(bad.argmax())
    places = np.unravel_index(at, array.shape) if array.ndim else ()
    name = argument + "".join(f"[{place}]" for place in places)
    limits = np.broadcast_to(limit, array.shape)
    raise out_of_range(name, int(array.flat[at]), 0, int(limits.flat[at]) - 1)


def flow_columns(
    src: object, dst: object, nbytes: object, num_chips: int
) -> tuple[NDArray[Any], NDArray[Any], float | NDArray[np.float64]]:
    """Return the columns of flows as the core takes them."""
    columns = {"src": as_integers("src", src, num_chips - 1)}
    columns["dst"] = as_integers("dst", dst, num_chips - 1)
    lengths = {name: array.size for name, array in columns.items() if array.ndim}
    count = next(iter(lengths.values()), 1)
    if any(length != count for length in lengths.values()):
        have = f"{lengths['dst']} values"
        raise invalid("dst", have, f"must have as many as src ({lengths['src']})")
    for name, array in columns.items():
        if array.ndim == 0:
            if count == 0:
                check_below(name, array, num_chips)
            one = int(array)
            wide = np.int64 if one < 2**63 else np.uint64
            columns[name] = np.full(count, one, wide)
    return columns["src"], columns["dst"], as_bytes("nbytes", nbytes, count)


def as_bytes(argument: str, values: object, count: int) -> float | NDArray[np.float64]:
    """Return sizes in bytes: a float for one size, or a float64 array of `count` sizes."""
    return _quantities(argument, values, count, _SIZE)


def as_times(argument: str, values: object, count: int) -> float | NDArray[np.float64]:
    """Return times in seconds: a float for one time, or a float64 array of `count` times."""
    return _quantities(argument, values, count, _TIME)


def as_threads(n_threads: object) -> int:
    """Return the number of threads as the core takes it, 0 for all cores."""
    allowed = f"must be 1 to {_MOST_THREADS}"
    if n_threads is not None:
        try:
            return as_integer("n_threads", n_threads, 1, _MOST_THREADS)
        except InvalidArgument:
            raise invalid("n_threads", n_threads, allowed) from None
    text = os.environ.get(_THREADS_VARIABLE, "").strip()
    if not text:
        return 0
    digits = text.isascii() and text.isdigit() and len(text) <= 4
    if not digits or not 1 <= int(text) <= _MOST_THREADS:
        raise invalid(_THREADS_VARIABLE, text, allowed)
    return int(text)


def as_progress(progress: object) -> Callable[[int, int], object] | None:
    """Return `progress` if it is None or can be called; `InvalidType` otherwise."""
    if progress is not None and not callable(progress):
        raise invalid_type("progress", progress, "must be a function of (done, total), or None")
    return progress


class _Measure(NamedTuple):
    """What numbers of a column mean."""

    parse: Callable[[Any, str], float]
    forms: str
    most: float
    allowed: str


_SIZE: Final = _Measure(
    parse_bytes, _SIZES, MAX_BYTES, "must be a finite number of bytes >= 0 and <= 2**63"
)
_TIME: Final = _Measure(
    parse_time, _MOMENTS, sys.float_info.max, "must be a finite number of seconds >= 0"
)


def _quantities(
    argument: str, values: object, count: int, kind: _Measure
) -> float | NDArray[np.float64]:
    if isinstance(values, str | int | float | np.generic) or not _is_column(values):
        return kind.parse(values, argument)
    if isinstance(values, np.ndarray) and values.ndim == 0:
        return kind.parse(values, argument)
    array = _array(argument, values, kind.forms)
    if array.ndim != 1:
        raise invalid(
            argument, f"{array.ndim} dimensions", "must have one dimension, or be one number"
        )
    if array.dtype.kind not in "iuf" and not _whole(array):
        raise invalid_type(argument, _kind(values, array), kind.forms)
    if array.size != count:
        raise invalid(argument, f"{array.size} values", f"must have one for each flow ({count})")
    numbers = _float64(array)
    # A NaN makes both comparisons false.
    if numbers.size and not (numbers.min() >= 0 and numbers.max() <= kind.most):
        at = int((~((numbers >= 0) & (numbers <= kind.most))).argmax())
        raise invalid(f"{argument}[{at}]", float(numbers[at]), kind.allowed)
    return numbers


def _array(argument: str, values: object, allowed: str) -> NDArray[Any]:
    single = isinstance(values, int | np.integer) and not isinstance(values, bool)
    if isinstance(values, str | bytes) or not (single or _is_column(values)):
        raise invalid_type(argument, values, allowed)
    if isinstance(values, range) and values[MAX_COUNT:]:
        raise invalid(argument, values, f"must have at most {MAX_COUNT:,} items")
    if is_masked(values):
        raise invalid_type(argument, "masked values", allowed)
    if isinstance(values, list | tuple) and any(
        isinstance(item, bool | np.bool_) for item in values
    ):
        raise invalid_type(argument, values, allowed)  # numpy would take True for 1
    if isinstance(values, Sequence):
        reckon(_COPIES * 8 * len(values), f"{argument}: {len(values)} values", "name fewer at once")
    try:
        if isinstance(values, range):
            return np.arange(values.start, values.stop, values.step, dtype=np.int64)
        return np.asarray(values)
    except Exception as error:  # whatever a value's own methods raise
        raise invalid(argument, values, f"{allowed} ({shown(error)})") from error


def _is_column(values: object) -> bool:
    try:
        return isinstance(values, Sequence | memoryview) or hasattr(values, "__array__")
    except Exception:  # whatever a value's own methods raise
        return False


def _check_top(argument: str, values: range, high: int) -> None:
    """Raise `OutOfRange` for the first number above `high` without going through them."""
    if len(values) == 0 or max(values[0], values[-1]) <= high:
        return
    at = max(0, (high - values.start) // values.step + 1) if values.step > 0 else 0
    raise out_of_range(f"{argument}[{at}]", values[at], 0, high)


def _native(array: NDArray[Any]) -> NDArray[Any]:
    native = array.dtype.newbyteorder("=")
    if native.type not in _AS_THEY_ARE:
        native = np.dtype(np.int64)
        for same in _AS_THEY_ARE:  # C has two names for one width
            if array.dtype.itemsize == same().itemsize and array.dtype.kind == np.dtype(same).kind:
                native = np.dtype(same)
    good = array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative
    return array if good and array.dtype == native else np.array(array, native, order="C")


def _float64(array: NDArray[Any]) -> NDArray[np.float64]:
    try:
        good = array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative
        if good and array.dtype == np.float64:
            return array
        return np.array(array, np.float64, order="C")
    except OverflowError:
        return np.array([math.inf if abs(one) > MAX_BYTES else float(one) for one in array])


def _whole(array: NDArray[Any]) -> bool:
    """Tell whether an array of objects holds Python integers that are too long for 64 bits."""
    return array.dtype.kind == "O" and all(type(item) is int for item in array.flat)


def _long_integers(
    argument: str, values: object, array: NDArray[Any], high: int
) -> NDArray[np.int64]:
    """Read integers that numpy did not: too long for 64 bits, or of several widths in a list."""
    items: list[Any] = array.ravel().tolist() if array.dtype.kind == "O" else []
    if isinstance(values, list | tuple):
        items = list(values)
    whole = all(isinstance(item, int | np.integer) for item in items)
    if not items or not whole or array.ndim > 1:
        raise invalid_type(argument, _kind(values, array), _INTEGERS)
    for at, item in enumerate(items):
        if not 0 <= int(item) <= high:
            name = argument if array.ndim == 0 else f"{argument}[{at}]"
            raise out_of_range(name, int(item), 0, high)
    if isinstance(values, np.ndarray):
        raise invalid_type(argument, _kind(values, array), _INTEGERS)
    return np.array([int(item) for item in items], np.int64).reshape(array.shape)


def _kind(values: object, array: NDArray[Any]) -> object:
    return f"an array of {array.dtype}" if isinstance(values, np.ndarray) else values
