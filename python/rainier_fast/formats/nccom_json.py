"""JSON: what nccom-test writes, and plain lists of rows."""

from __future__ import annotations

import json
from typing import Any, Final

from rainier_fast.errors import InvalidArgument, shown
from rainier_fast.formats.records import Record
from rainier_fast.formats.rows import fault

_LISTS: Final = ("results", "rows", "data", "measurements")
_OP_KEYS: Final = ("op", "operation", "collective", "coll", "cc_op", "test")
_RANK_KEYS: Final = ("nworkers", "ranks", "nranks", "num_ranks", "workers")


def read_json(text: str) -> tuple[list[Record], set[int]]:
    """Read a list of rows, or an object that holds one under ``results``."""
    try:
        document: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidArgument(f"table: got what is not JSON: {error}") from error
    op, ranks, name = None, set(), "rows"
    if isinstance(document, dict):
        op = next((str(document[key]) for key in _OP_KEYS if key in document), None)
        ranks = {document[key] for key in _RANK_KEYS if isinstance(document.get(key), int)}
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
        if not isinstance(row, dict):
            raise fault(f"{name}[{at}]", shown(row), "must be an object")
        records.append(Record(row, f"{name}[{at}]", op))
    return records, ranks
