"""A function of a sweep, asked at many points: one by one, or collectives by prepared costs."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, Final, NamedTuple

from rainier_fast import _core
from rainier_fast.collectives.mesh import DeviceMesh
from rainier_fast.errors import InvalidType, RainierError, invalid, invalid_type, shown
from rainier_fast.sweeps.cells import digest_of, function_name
from rainier_fast.sweeps.rows import RESULT, Record, Rows
from rainier_fast.topology.base import Base

_COLUMNS: Final = ("time_s", "algorithm", "algbw_Bps", "busbw_Bps")
_MEND: Final = (
    "must be what other processes can have: a function at the top of a module, with what pickles; "
    "or install cloudpickle, or say executor='serial'"
)

_TAKEN: Final = "must be a function of a point's values by name, a machine or a mesh"

Point = Mapping[str, Any]


class Asking:
    """What is asked at each point."""

    name: str
    """By which a file knows it again."""
    quick: bool = False
    """Whether it is done before other processes would start."""

    def each(self, points: list[dict[str, Any]]) -> Iterator[object]:
        """Yield what comes out at each point: an answer, or the exception."""
        raise NotImplementedError


class OneByOne(Asking):
    """Any function of keywords."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function, self.name = function, name

    def each(self, points: list[dict[str, Any]]) -> Iterator[object]:
        """Call it at each point."""
        function = self.function
        for point in points:
            try:
                answer = function(**point)
            except (Exception, SystemExit) as error:
                answer = error
            yield answer


class Priced(Asking):
    """Collectives of one machine or mesh: all sizes of the same options at once."""

    quick = True

    def __init__(
        self, where: Base | DeviceMesh, operation: str | None, fixed: Point, axes: Collection[str]
    ) -> None:
        self.where, self.operation, self.fixed = where, operation, dict(fixed)
        told = digest_of({"on": where, **fixed}, "fn")
        self.name = " ".join(filter(None, ("collective", operation, told)))
        self._names = [RESULT + one if one in axes else one for one in (*_COLUMNS, "kind")]

    def each(self, points: list[dict[str, Any]]) -> Iterator[object]:
        """Ask for the times of all points that differ in size alone."""
        alike: dict[Any, list[int]] = {}
        for at, point in enumerate(points):
            alike.setdefault(_key(point), []).append(at)
        found: list[object] = [None] * len(points)
        for places in alike.values():
            for at, row in zip(places, self._rows([points[at] for at in places]), strict=True):
                found[at] = row
        return iter(found)

    def _rows(self, points: list[dict[str, Any]]) -> list[object]:
        try:
            return self._timed(points)
        except Exception as error:
            if len(points) == 1:
                return [error]
        return [one for point in points for one in self._rows([point])]

    def _timed(self, points: list[dict[str, Any]]) -> list[object]:
        options = {**self.fixed, **points[0]}
        operation: Any = self.operation or options.pop("operation")
        options.pop("size", None)
        if operation == "barrier":
            sizes: list[Any] = [0] * len(points)
        else:
            sizes = [point["size"] if "size" in point else self.fixed["size"] for point in points]
        where: Any = self.where
        times = where.times(operation, sizes, **options)
        lists = [times.table[name].tolist() for name in _COLUMNS]
        rows = zip(*lists, [times.kind] * len(points), strict=True)
        return [dict(zip(self._names, row, strict=True)) for row in rows]


def _key(point: Point) -> Any:  # noqa: ANN401 - whatever hashes
    return tuple(
        (name, type(value), value if isinstance(value, str | int | float) else id(value))
        for name, value in point.items()
        if name != "size"
    )


def asking(function: object, first: Point, axes: Collection[str]) -> Asking:
    """Return what a function asks, which must take the first point."""
    if isinstance(function, Asking):
        return function
    try:
        return _asking(function, first, axes)
    except RainierError:
        raise
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type("fn", function, _TAKEN) from error


def _asking(function: object, first: Point, axes: Collection[str]) -> Asking:
    inner, fixed = function, dict[str, Any]()
    while isinstance(inner, partial) and not inner.args:
        fixed = {**inner.keywords, **fixed}
        inner = inner.func
    priced = _priced(inner, fixed, first, axes)
    if priced is not None:
        return priced
    if not callable(function):
        raise invalid_type("fn", function, _TAKEN)
    _check_takes(function, first)
    return OneByOne(function, _name(function))


def _priced(inner: object, fixed: Point, first: Point, axes: Collection[str]) -> Priced | None:
    owner = getattr(inner, "__self__", None)
    asked = {*fixed, *first}
    if isinstance(inner, Base | DeviceMesh):
        if "operation" not in asked:
            raise invalid("space", list(first), "must have an axis 'operation' for a machine")
        where, operation = inner, None
    elif (
        isinstance(owner, Base | DeviceMesh) and getattr(inner, "__name__", "") in _core.OPERATIONS
    ):
        where, operation = owner, str(inner.__name__)  # type: ignore[attr-defined]
    else:
        return None
    if "size" not in asked and operation != "barrier":
        raise invalid("space", list(first), "must have an axis 'size' for a collective")
    return Priced(where, operation, fixed, axes)


def _check_takes(function: Callable[..., Any], first: Point) -> None:
    from inspect import signature

    try:
        takes = signature(function)
    except (TypeError, ValueError):
        return  # of functions in C
    try:
        takes.bind(**first)
    except TypeError as error:
        axes = ", ".join(map(str, first))
        raise invalid("space", list(first), f"fn takes {takes}, and not {axes}: {error}") from None


def _name(function: Any) -> str:  # noqa: ANN401 - whatever can be called
    if isinstance(function, partial):
        rest = digest_of([list(function.args), function.keywords], "fn")
        return f"{_name(function.func)} {rest}"
    name = function_name(function)
    if name and hasattr(type(function), "__name__") and not isinstance(function, type):
        module, _, rest = name.rpartition(".") if "." not in function.__qualname__ else (
            function.__module__, "", function.__qualname__)  # fmt: skip
        return f"{_main_name() if module == '__main__' else module}.{rest}"
    try:
        return f"{function_name(type(function))} {digest_of(function, 'fn')}"
    except InvalidType:
        return function_name(type(function))


def _main_name() -> str:
    """Return what the module is called that runs: its file, as others import it."""
    import sys
    from pathlib import Path

    file = getattr(sys.modules["__main__"], "__file__", None)
    return Path(file).stem if file else "__main__"


def ship(ask: Asking, first: Point) -> bytes:
    """Return what other processes make the same of."""
    try:  # it takes functions of the module that runs, and lambdas
        from cloudpickle import dumps  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        from pickle import dumps
    try:
        pickle.dumps(first)
    except Exception as error:
        allowed = f"must hold values that pickle, or say executor='serial' ({error})"
        raise invalid_type("space", first, allowed) from error
    try:
        shipped: bytes = dumps(ask)
    except Exception as error:
        function = ask.function if isinstance(ask, OneByOne) else ask
        raise InvalidType(f"fn: got {shown(function)}, {_MEND} ({error})") from error
    return shipped


class Done(NamedTuple):
    """What came back of a batch."""

    records: list[Record]
    seconds: float


@lru_cache(maxsize=8)
def _unpacked(shipped: bytes) -> Asking:
    ask: Asking = pickle.loads(shipped)
    return ask


def run(shipped: bytes, axes: tuple[str, ...], first: int, points: list[dict[str, Any]]) -> Done:
    """Ask at points, in a worker."""
    ask = _unpacked(shipped)
    started = perf_counter()
    rows = Rows(first, axes)
    for point, answer in zip(points, ask.each(points), strict=True):
        rows.add(answer, point)
    return Done(rows.records, perf_counter() - started)
