"""JSON: what nccom-test, nccl-tests and rccl-tests write, and lists of rows."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, shown
from rainier_fast.formats.lines import Line
from rainier_fast.formats.records import Record, Table
from rainier_fast.formats.rows import fault, known_operation
from rainier_fast.formats.run import Run, Runs
from rainier_fast.formats.tools import known_by

_LISTS: Final = ("results", "rows", "data", "measurements")
_OP_KEYS: Final = ("op", "operation", "collective", "coll", "cc_op", "test")
_RANK_KEYS: Final = ("nworkers", "ranks", "nranks", "num_ranks", "workers")
_PLACES: Final = ("out_of_place", "in_place")  # of nccl-tests -J, where times are in us


def read_json(text: str) -> Table:
    """Read a list of rows, an object that holds one under ``results``, or an object a line."""
    document: Any = _parsed(text)
    run, name = Run(), "rows"
    if isinstance(document, dict):
        run = _run_of(document)
        name = next((key for key in _LISTS if isinstance(document.get(key), list)), "")
        if not name:
            raise InvalidArgument(
                f"table: got an object with {shown(sorted(document))}, must hold a list of rows "
                f"under one of {', '.join(_LISTS)}"
            )
        document = document[name]
    if not isinstance(document, list):
        raise InvalidArgument(f"table: got {shown(document)}, must be a list of rows")
    records = []
    for at, row in enumerate(document):
        where = f"{name}[{at}]"
        if not isinstance(row, dict):
            raise fault(where, shown(row), "must be an object")
        records += _rows(row, where, run)
    return Table("JSON", records, [], None)


def _parsed(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise InvalidArgument("table: got JSON that is nested too deeply") from None
    except ValueError as error:
        # An object a line, with other lines between.
        lines = [line.strip().strip("[],").strip() for line in text.splitlines()]
        objects = [line for line in lines if line.startswith("{")]
        if len(objects) < 2 and not (objects and _whole(objects[0])):
            raise InvalidArgument(f"table: got what is not JSON: {error}") from error
    try:
        found = [json.loads(line, object_pairs_hook=_once) for line in objects]
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"table: got what is not JSON, line by line: {error}") from error
    return found[0] if len(found) == 1 else found


def _whole(text: str) -> bool:
    """Tell whether a line is an object that holds its rows."""
    return text.endswith("}") and any(f'"{name}"' in text for name in _LISTS)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidArgument(f"table: got key {shown(key)} twice in one object")
        found[key] = value
    return found


def _run_of(document: dict[str, Any]) -> Run:
    """Return what the object round the rows says of the run."""
    runs = Runs()
    arguments = document.get("args")
    if isinstance(arguments, list) and all(isinstance(word, str) for word in arguments):
        runs.look(Line(0, " ".join(arguments), ""))
    run = runs.now
    named = next((str(document[key]) for key in _OP_KEYS if key in document), None)
    if named is not None:
        run.op = known_operation(named, "the document")
    for key in _RANK_KEYS:
        if isinstance(count := document.get(key), int) and not isinstance(count, bool):
            run.ranks[key] = count
    config = document.get("config")
    devices = config.get("devices") if isinstance(config, dict) else None
    for device in devices if isinstance(devices, list) else ():
        if isinstance(device, dict) and isinstance(device.get("rank"), int):
            group, host = device.get("group"), device.get("hostname")
            rank = device["rank"]
            if rank in run.listed:
                raise fault("config.devices", f"rank {rank} twice", "must list each rank once")
            run.listed[rank] = (group if isinstance(group, int) else 0, str(host))
    return run


def _rows(row: dict[str, Any], where: str, run: Run) -> list[Record]:
    """Return an object's rows: nccl-tests has a place in and out of place in each."""
    inside = [name for name in _PLACES if isinstance(row.get(name), dict)]
    if not inside:
        known = known_by(row)
        return [Record(row, where, run, "" if known is None else known.unit)]
    rest = {
        key: value
        for key, value in row.items()
        if not isinstance(value, dict | list) and value != "" and key not in _PLACES
    }
    records = []
    for name in inside:
        cells = rest | row[name] | {"in_place": int(name == "in_place")}
        records.append(Record(cells, f"{where}.{name}", run, "us"))
    return records


def is_json(text: str) -> bool:
    """Tell JSON from text whose lines begin with a label in brackets."""
    lines = text.splitlines()
    start = text.lstrip()
    if start[:1] == "{" or re.match(r"\[\s*(?:[\[{\]\"]|$|-?\d+\s*[\],])", start):
        return True
    return any(re.match(r'\s*\[?\s*\{\s*"', line) for line in lines)
