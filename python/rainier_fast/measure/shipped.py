"""Writes the files of presets and the schema that ship with the package.

``python -m rainier_fast.measure.shipped`` puts them in their places; a test asks whether they are
what it would write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from rainier_fast.catalog import load
from rainier_fast.definitions.known import KNOWN
from rainier_fast.definitions.site import Fabric
from rainier_fast.definitions.ultraserver import UltraServer
from rainier_fast.definitions.wan import Wan
from rainier_fast.faults.file import NAMES
from rainier_fast.files.kept import text_of, write
from rainier_fast.files.kinds import KINDS, PREFIX, told
from rainier_fast.files.schema import DIALECT, SCHEMA_FILE, Schema, amount, reference
from rainier_fast.machine.file import _Counted
from rainier_fast.machine.presets import preset, presets
from rainier_fast.machine.short_file import SHAPES
from rainier_fast.measured.measured import Measured

FOLDER: Final = Path(load.__file__).with_name("machines")
"""Where the files of presets are."""


def preset_files() -> dict[str, str]:
    """Return the text of the file of each preset."""
    return {name: text_of(told(preset(name), "machine"), "toml") for name in presets()}


def schema() -> Schema:
    """Return the JSON Schema of files of machines."""
    defs: dict[str, Schema] = {}
    server, changes = (reference(UltraServer, defs, changes=flag) for flag in (False, True))
    for name in ("UltraServer", "UltraServerChanges"):
        chip = defs[name]["properties"]["chip"]
        chip["anyOf"] = [{"type": "string"}, *chip["anyOf"]]
    defs["UltraServerChanges"]["properties"]["like"] = {"enum": sorted(KNOWN)}
    names = {"enum": sorted(KNOWN)}
    alike = {"allOf": [changes, {"required": ["like"]}]}
    properties = {
        "$schema": {"type": "string"},
        "format": {"const": PREFIX + "machine"},
        "version": {"const": KINDS["machine"].version},
        "name": {"type": "string", "description": "A name for reading."},
        "preset": _preset(),
        **{word: _shape(word, defs) for word in SHAPES},
        "ultraserver": {"anyOf": [names, server, alike, changes]},
        "fabric": {"$ref": reference(Fabric, defs)["$ref"]},
        "sites": {"type": "array", "items": _site(defs), "minItems": 1},
        "wan": {"anyOf": [reference(Wan, defs), reference(Wan, defs, changes=True)]},
        "faults": _faults(),
        "measurements": {"type": "array", "items": reference(Measured, defs)},
    }
    whole = {
        "required": ["ultraserver"],
        "properties": {
            "ultraserver": {"anyOf": [names, server, alike]},
            "wan": reference(Wan, defs),
        },
    }
    ways = [{"required": [word]} for word in ("preset", *SHAPES)]
    return {
        "$schema": DIALECT,
        "title": "A machine of rainier_fast",
        "type": "object",
        "properties": properties,
        "required": ["format", "version"],
        "additionalProperties": False,
        "oneOf": [*ways, whole | {"not": {"anyOf": ways}}],
        "$defs": dict(sorted(defs.items())),
    }


def main() -> None:
    """Write the files."""
    write(SCHEMA_FILE, schema_text())
    FOLDER.mkdir(exist_ok=True)
    for name, text in preset_files().items():
        write(FOLDER / f"{name}.toml", text)


def schema_text() -> str:
    """Return the schema as its file has it."""
    return json.dumps(schema(), indent=1) + "\n"


def _preset() -> Schema:
    names = {"enum": list(presets())}
    table = {
        "name": names,
        "chips": {"type": "integer"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "sites": {"type": "integer"},
        "twisted": {"const": False},
    }
    full = {
        "type": "object",
        "properties": table,
        "required": ["name"],
        "additionalProperties": False,
    }
    return {"anyOf": [names, full]}


def _shape(word: str, defs: dict[str, Schema]) -> Schema:
    from rainier_fast.definitions.axis import Tier

    shape = SHAPES[word]
    count = {"type": "integer"}
    plain = {
        "chips": count,
        "shape": {"anyOf": [count, {"type": "array", "items": count}]},
        "wrap": {"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "boolean"}}]},
        "tiers": {"type": "array", "items": reference(Tier, defs)},
    }
    properties: Schema = {name: plain[name] for name in shape.plain}
    units = {"Bps": ("B/s", "50 GB/s"), "s": ("s", "1.5 us")}
    for name, unit in shape.amounts:
        text, number = amount(*units[unit])
        for key, one in ((name, text), (f"{name}_{unit}", number)):
            properties[key] = {"anyOf": [one, {"type": "array", "items": one}]}
    rate = [{"required": [key]} for key in ("bandwidth", "bandwidth_Bps")]
    return {
        "type": "object",
        "properties": properties,
        "required": ["shape" if word == "torus" else "chips"],
        "oneOf": rate,
        "additionalProperties": False,
    }


def _site(defs: dict[str, Schema]) -> Schema:
    reference(_Counted, defs)
    made = defs.pop("Counted")
    made["properties"]["fabric"] = reference(Fabric, defs)
    # Of a preset, a site is named to be changed.
    made.pop("allOf")
    return made | {"required": ["name"]}


def _faults() -> Schema:
    part: Schema = {"type": ["integer", "object", "string", "array"]}
    properties: dict[str, Any] = {name: {"type": "array", "items": part} for name in NAMES}
    pair = {"type": "array", "minItems": 2, "maxItems": 2}
    properties["degraded"] = {"type": "array", "items": pair}
    return {"type": "object", "properties": properties, "additionalProperties": False}


if __name__ == "__main__":
    main()
