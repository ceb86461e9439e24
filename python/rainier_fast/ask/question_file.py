"""What was asked of a machine, as plain rows and back: collectives with all of their options."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.cores import CoreGroups
from rainier_fast.ask.grid import GridGroups
from rainier_fast.ask.groups import Groups
from rainier_fast.ask.request import Request, make_request
from rainier_fast.definitions.bucket import Bucket
from rainier_fast.definitions.check import as_count, as_flag
from rainier_fast.definitions.routing import DimensionOrder, Policy, Routing
from rainier_fast.files.amounts import UNITS, told
from rainier_fast.files.answers import only, tried
from rainier_fast.files.fields import Plain, as_list, as_table
from rainier_fast.files.place import Key, Misplaced
from rainier_fast.topology.base import Base

_OPTIONS: Final = ("model", "chunks", "dtype", "root", "shift")
_KEYS: Final = ("operation", "size", "size_bytes", "group", "algorithm", "routing", *_OPTIONS)
_GROUP: Final = ("ranks", "stride", "chips", "cores", "copies", "in_order")
_GRID: Final = ("local_chips", "ultraservers")


def question(request: Request) -> Plain:
    """Return a request as a dict; `asked` makes it again."""
    is_text, size = told(UNITS["bytes"], request.size)
    plain: Plain = {"operation": request.operation, "size" if is_text else "size_bytes": size}
    options: dict[str, Any] = dict(request._spelled())
    options |= {"root": request.root or None}
    if request.operation == "send_recv" and request.shift != 1:
        options["shift"] = request.shift
    for name, value in options.items():
        if value is None:
            continue
        if name == "algorithm":
            value = _algorithm(value)
        plain[name] = routing_told(value) if name == "routing" else value
    if (group := _group(request.groups)) is not None:
        plain["group"] = group
    return plain


def asked(plain: object, machine: Base, keys: tuple[Key, ...]) -> Request:
    """Return the request of a dict on a machine."""
    table = as_table(plain, keys)
    only(table, _KEYS, keys)
    sizes = [key for key in ("size", "size_bytes") if key in table]
    if "operation" not in table or len(sizes) != 1:
        raise Misplaced(keys, "must have operation, and size or size_bytes")
    if sizes == ["size"] and not isinstance(table["size"], str):
        said = "must be text with a unit, such as '1 GiB', or size_bytes"
        raise Misplaced((*keys, "size"), said)
    options: dict[str, Any] = {name: table[name] for name in _OPTIONS if name in table}
    if "algorithm" in table:
        options["algorithm"] = _algorithm_of(table["algorithm"], (*keys, "algorithm"))
    if "routing" in table:
        options["routing"] = routing_of(table["routing"], (*keys, "routing"))
    if "group" in table:
        options["group"] = _group_of(table["group"], machine, (*keys, "group"))
    size = table[sizes[0]]
    return tried(lambda: make_request(machine, table["operation"], size, **options), keys, table)


def _algorithm(value: Any) -> Any:  # noqa: ANN401 - a name, a bucket, or several
    if isinstance(value, Bucket):
        return {"bucket": [[list(order), share] for order, share in value.orders]}
    return value if isinstance(value, str) else [_algorithm(one) for one in value]


def _algorithm_of(plain: Any, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401
    if isinstance(plain, list):
        return tuple(_algorithm_of(one, (*keys, at)) for at, one in enumerate(plain))
    if not isinstance(plain, dict):
        return plain
    only(plain, ("bucket",), keys)
    weights: dict[Any, Any] = {}
    for at, pair in enumerate(as_list(plain.get("bucket"), (*keys, "bucket"))):
        here = (*keys, "bucket", at)
        if not isinstance(pair, list) or len(pair) != 2:
            raise Misplaced(here, "must be an order of axes and its share")
        order = as_list(pair[0], here)
        if not all(isinstance(axis, str) for axis in order):
            raise Misplaced(here, "must name axes")
        weights[tuple(order)] = pair[1]
    return tried(lambda: Bucket(weights), keys, {})


def routing_told(policy: Policy) -> str | Plain:
    """Return a policy as files have it."""
    if not isinstance(policy, DimensionOrder):
        return policy._name
    if policy == DimensionOrder():
        return "dor"
    plain: Plain = {"tie": policy.tie}
    return plain if policy.order is None else plain | {"order": list(policy.order)}


def routing_of(plain: Any, keys: tuple[Key, ...]) -> Routing:  # noqa: ANN401 - of a file
    """Return the policy that a file says."""
    if not isinstance(plain, dict):
        return plain  # type: ignore[no-any-return] # a name, which is looked at
    only(plain, ("tie", "order"), keys)
    return tried(lambda: DimensionOrder(**plain), keys, plain)


def _group(groups: Groups) -> Plain | None:
    if isinstance(groups, GridGroups):
        local, outer = groups._tables()
        return {"local_chips": local.tolist(), "ultraservers": outer.tolist()}
    plain: Plain = {}
    if groups.listed:
        plain["chips"] = np.frombuffer(groups.listed, np.int64).reshape(-1, groups.ranks).tolist()
    elif groups.ranks != groups.num_chips:
        plain = {"ranks": groups.ranks, "stride": groups.stride}
    if isinstance(groups, CoreGroups):
        words = {"cores": groups.cores, "copies": groups.copies, "in_order": groups.in_order}
        return plain | words
    return plain or None


def _group_of(plain: Any, machine: Base, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401
    if not isinstance(plain, dict):
        return plain
    if "local_chips" in plain:
        only(plain, _GRID, keys)
        inside = machine.ultraserver.num_chips
        tables = [_rows(plain.get(name), (*keys, name)) for name in _GRID]
        return tried(lambda: GridGroups.of(inside, *tables), keys, plain)
    only(plain, _GROUP, keys)
    chips = machine.num_chips

    def made() -> Groups:
        words: Plain = {"num_chips": chips, "ranks": plain.get("ranks", chips)}
        words["stride"] = plain.get("stride", 1)
        if "chips" in plain:
            listed = _rows(plain["chips"], (*keys, "chips")).astype(np.int64)
            words |= {"ranks": listed.shape[1], "stride": 0, "listed": listed.tobytes()}
        if "cores" not in plain:
            return Groups(**words)
        return CoreGroups(
            **words,
            cores=as_count("cores", plain["cores"]),
            copies=as_count("copies", plain.get("copies", 1)),
            in_order=as_flag("in_order", plain.get("in_order", True)),
        )

    return tried(made, keys, plain)


def _rows(plain: object, keys: tuple[Key, ...]) -> NDArray[np.uint32]:
    """Return rows of numbers, all of the same length."""
    rows = as_list(plain, keys)
    if not rows or not all(isinstance(row, list) and row for row in rows):
        raise Misplaced(keys, "must be lists of numbers, one for each group")
    if not all(type(one) is int and 0 <= one < 2**32 for row in rows for one in row):
        raise Misplaced(keys, "must hold numbers of chips")
    if len({len(row) for row in rows}) > 1:
        raise Misplaced(keys, "must be of groups that are as large as each other")
    return np.array(rows, np.uint32)
