"""JSON Schema of what files may say, made of the same fields that read and write them."""

from __future__ import annotations

import inspect
import json
import re
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

from rainier_fast.files.fields import MARK, Field, fields_of, required

SCHEMA_FILE: Final = Path(__file__).with_name("machine.schema.json")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]
_TYPES: Final = {str: "string", int: "number", float: "number", bool: "boolean"}
_NAMES: Final[Schema] = {
    "description": "Assumptions of the catalogue that the number is made of.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
}
_ATTRIBUTE: Final = re.compile(r"([a-zA-Z_]\w*(?:, \w+)*)")


def machine_schema() -> dict[str, Any]:
    """Return the JSON Schema of files of machines, as it is published with this version.

    It is in the package as ``rainier_fast/files/machine.schema.json`` too. What only a machine can
    tell, such as whether tiers nest, is told by `Machine.load`.

    Returns
    -------
    dict
        A schema of draft 2020-12.

    Examples
    --------
    >>> machine_schema()["properties"]["version"]["const"]
    1
    """
    return deepcopy(_published())


@cache
def _published() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(SCHEMA_FILE.read_text("utf-8"))
    return made


def reference(cls: type, defs: dict[str, Schema], *, changes: bool = False) -> Schema:
    """Return a reference to the schema of a class, which is put among the definitions."""
    name = cls.__name__.lstrip("_") + ("Changes" if changes else "")
    if name not in defs:
        defs[name] = {}
        defs[name] = _of_class(cls, defs, changes=changes)
    return {"$ref": f"#/$defs/{name}"}


def amount(unit: str, example: str) -> tuple[Schema, Schema]:
    """Return the schemas of a size, rate or time: as text, and as a number of its unit."""
    text = {"type": "string", "examples": [example]}
    return text, {"type": ["number", "string"], "description": f"In {unit}."}


def _of_class(cls: type, defs: dict[str, Schema], *, changes: bool) -> Schema:
    said = _attributes(cls)
    properties: Schema = {}
    needed: list[Schema] = []
    for field in fields_of(cls).values():
        properties |= _of_field(field, said.get(field.name, ""), defs, changes=changes)
        if required(field) and not changes:
            ways = [{"required": [key]} for key in field.keys]
            needed.append(ways[0] if len(ways) == 1 else {"oneOf": ways})
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if needed:
        made["allOf"] = needed
    return made


def _of_field(field: Field, said: str, defs: dict[str, Schema], *, changes: bool) -> Schema:
    words: Schema = {"description": said} if said else {}
    if field.part is not None:
        inner = reference(field.part, defs, changes=changes)
        whole: Schema = inner
        if field.several:
            whole = {"type": "array", "items": inner}
        elif field.mapped:
            whole = {"type": "object", "additionalProperties": inner}
        ways = [whole, *({"type": _TYPES[kind]} for kind in field.plain)]
        return {field.name: words | _either(_nullable(field, ways))}
    mark = {field.stem + MARK: _NAMES}
    if field.unit is not None:
        text, number = amount(field.unit.symbol, field.unit.example)
        if field.plain == () and not field.several:  # a WAN has tables of them
            text, number = _tabled(text), _tabled(number)
        stem, with_unit = field.keys
        null = [{"type": "null"}] if field.nullable or field.default is None else []
        return {
            stem: words | _either([text, *null]),
            with_unit: words | _either([number, *null]),
            **mark,
        }
    if field.mapped:
        return {field.name: words | {"type": "object", "additionalProperties": {"type": "number"}}}
    if field.several:
        return {field.name: words | _either(_nullable(field, [{"type": "array"}])), **mark}
    if field.choices:
        return {field.name: words | {"enum": list(field.choices)}}
    types = dict.fromkeys(_TYPES[kind] for kind in field.plain)
    made = words | _either(_nullable(field, [{"type": kind} for kind in types]))
    return {field.name: made} | (mark if "number" in types else {})


def _nullable(field: Field, ways: list[Schema]) -> list[Schema]:
    return [*ways, {"type": "null"}] if field.nullable or field.default is None else ways


def _either(ways: list[Schema]) -> Schema:
    return ways[0] if len(ways) == 1 else {"anyOf": ways}


def _tabled(cell: Schema) -> Schema:
    row = {"type": "array", "items": cell}
    return {"anyOf": [cell, row, {"type": "array", "items": row}]}


def _attributes(cls: type) -> dict[str, str]:
    """Return what the docstring of a class says of its attributes."""
    lines = inspect.cleandoc(cls.__doc__ or "").split("\n")
    found: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if below.startswith("---"):
            inside, names = line in ("Attributes", "Parameters"), []
        elif inside and not line.startswith(" ") and _ATTRIBUTE.fullmatch(line):
            names = line.split(", ")
        elif names and line.startswith("    "):
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found
