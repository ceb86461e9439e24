"""Dataclasses as plain rows and back, by what their fields are."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from rainier_fast.errors import RainierError, unknown
from rainier_fast.files.amounts import UNITS, Unit, assumed, plain_number, told
from rainier_fast.files.place import Key, Misplaced
from rainier_fast.provenance import names_in

MARK: Final = "_assumed"
"""The end of keys that name the catalogue's assumptions which a number is made of."""

Plain = dict[str, Any]
_Made = TypeVar("_Made")
_MISSING: Final = object()
_PLAIN_TYPES: Final = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a class, as files have it."""

    name: str
    default: object
    unit: Unit | None
    part: type | None
    """What it is, or each item of it, where that is a dataclass."""
    several: bool
    """Whether it is a list."""
    mapped: bool
    """Whether it is a mapping from names, kept as sorted pairs."""
    plain: tuple[type, ...]
    """Types that it may have besides."""
    choices: tuple[str, ...]
    nullable: bool
    """Whether it may be None; that is what it is where neither file nor class says another."""
    items: tuple[type, ...]
    """Types that the items of a list may have, where they are plain."""

    @property
    def stem(self) -> str:
        """The name without the unit."""
        return self.name if self.unit is None else self.name.removesuffix(self.unit.suffix)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that say it."""
        if self.unit is None:
            return (self.name,)
        return (self.stem, self.stem + self.unit.suffix)


def fields_of(cls: type) -> dict[str, Field]:
    """Return the fields of a dataclass or named tuple, by name."""
    if cls not in _KNOWN:
        _KNOWN[cls] = _fields_of(cls)
    return _KNOWN[cls]


_KNOWN: Final[dict[type, dict[str, Field]]] = {}


def _fields_of(cls: Any) -> dict[str, Field]:  # noqa: ANN401 - a class
    hints = typing.get_type_hints(cls)
    if dataclasses.is_dataclass(cls):
        rows = [(one.name, _default(one)) for one in dataclasses.fields(cls) if one.init]
    else:
        defaults = cls._field_defaults  # of a named tuple
        rows = [(name, defaults.get(name, _MISSING)) for name in cls._fields]
    units = _UNITS.get(cls.__name__, {})
    return {name: _field(name, default, hints[name], _unit(name, units)) for name, default in rows}


def required(field: Field) -> bool:
    """Tell whether a field has no default."""
    return field.default is _MISSING and not field.nullable


def to_plain(value: Any) -> Plain:  # noqa: ANN401 - a dataclass or a named tuple
    """Return a dataclass as a dict of plain values; what is as by default is left out."""
    made: Plain = {}
    for name, field in fields_of(type(value)).items():
        held = getattr(value, name)
        names = tuple(dict.fromkeys(names_in(held))) if field.part is None else ()
        if not names and _is_default(field, held):
            continue
        key, said = _said(field, held)
        made[key] = said
        if names:
            made[field.stem + MARK] = names[0] if len(names) == 1 else list(names)
    # What is a table or a list of them comes last, as TOML has it.
    return dict(sorted(made.items(), key=lambda pair: _is_table(pair[1])))


def from_plain(cls: type[_Made], plain: object, keys: tuple[Key, ...] = ()) -> _Made:
    """Make a dataclass of a dict; `Misplaced` names what is wrong in it."""
    table = as_table(plain, keys)
    values: Plain = {}
    by_key = {key: field for field in fields_of(cls).values() for key in field.keys}
    checks = hasattr(cls, "__post_init__")
    marks = {field.stem + MARK: field for field in fields_of(cls).values() if field.part is None}
    for key, given in table.items():
        if key in marks and key not in by_key:
            continue
        if key not in by_key:
            raise Misplaced((*keys, key), str(unknown("key", key, by_key)))
        field = by_key[key]
        if field.name in values:
            raise Misplaced((*keys, key), f"is said by {' and '.join(field.keys)}: keep one")
        value = _read(field, key, given, (*keys, key))
        mark = table.get(field.stem + MARK)
        if mark is not None and field.part is None:
            names = _names(mark, (*keys, field.stem + MARK))
            value = assumed(value, names, field.unit, (*keys, key))
        values[field.name] = value if checks else _checked(field, value, (*keys, key))
    for key, field in marks.items():
        if key in table and key not in by_key and field.name not in values:
            raise Misplaced((*keys, key), f"names assumptions of {field.stem}, which is not there")
    for field in fields_of(cls).values():
        if field.default is _MISSING and field.nullable:
            values.setdefault(field.name, None)
    missing = [one for one in fields_of(cls).values() if required(one) and one.name not in values]
    if missing:
        raise Misplaced(keys, f"has no key {' or '.join(missing[0].keys)}, which it needs")
    made: _Made = built(cls, values, keys, {one.name: one for one in by_key.values()}, table)
    return made


def built(
    make: Any,  # noqa: ANN401 - a class or a function that makes one
    values: Plain,
    keys: tuple[Key, ...],
    fields: Mapping[str, Field],
    table: Plain,
) -> Any:  # noqa: ANN401 - what it makes
    """Make something of keywords; an error is put at the key that it speaks of."""
    try:
        return make(**values)
    except RainierError as error:
        said = (error.argument or "").replace("[", " ").replace(".", " ").split()
        spoken = [
            key
            for word in said
            for name, field in fields.items()
            if word in (name, field.stem)
            for key in (*field.keys, name)
            if key in table
        ]
        raise Misplaced((*keys, *spoken[:1]), str(error)) from error


def as_table(plain: object, keys: tuple[Key, ...]) -> Plain:
    """Return a dict whose keys are text."""
    if not isinstance(plain, dict) or not all(isinstance(key, str) for key in plain):
        raise Misplaced(keys, f"must be a table of keys and values, not {_word(plain)}")
    return plain


def as_list(plain: object, keys: tuple[Key, ...]) -> list[Any]:
    """Return a list."""
    if not isinstance(plain, list):
        raise Misplaced(keys, f"must be a list, not {_word(plain)}")
    return plain


def _said(field: Field, held: Any) -> tuple[str, Any]:  # noqa: ANN401 - of any field
    """Return key and plain value of what a field holds."""
    if held is None or (field.part is not None and isinstance(held, _PLAIN_TYPES)):
        return field.name, held
    if field.mapped:
        return field.name, {name: _item(item) for name, item in dict(held).items()}
    if field.part is not None:
        return field.name, [to_plain(one) for one in held] if field.several else to_plain(held)
    if field.unit is not None:
        is_text, value = told(field.unit, held)
        return (field.stem if is_text else field.stem + field.unit.suffix), value
    return field.name, _item(held)


def _item(value: Any) -> Any:  # noqa: ANN401 - of any field
    if isinstance(value, float) and hasattr(value, "_plain"):
        return value._plain()  # a number that is more than one: lengths with shares
    if isinstance(value, tuple | list):
        return [_item(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_plain(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return plain_number(value)
    return value


def _read(field: Field, key: str, given: Any, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401
    if given is None:
        return None
    if field.part is not None and not (field.plain and isinstance(given, field.plain)):
        if field.mapped:
            table = as_table(given, keys)
            return {name: from_plain(field.part, row, (*keys, name)) for name, row in table.items()}
        if not field.several:
            return from_plain(field.part, given, keys)
        rows = as_list(given, keys)
        return tuple(from_plain(field.part, row, (*keys, at)) for at, row in enumerate(rows))
    if field.mapped:
        return as_table(given, keys)
    if field.unit is not None and key == field.stem and not key.endswith(field.unit.suffix):
        _check_text(given, field, keys)
    if field.several and field.unit is None:
        return _tuples(as_list(given, keys)) if not isinstance(given, field.plain) else given
    if isinstance(given, dict):
        raise Misplaced(keys, f"must be a value, not {_word(given)}")
    return given


def _tuples(value: Any) -> Any:  # noqa: ANN401 - of any field
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _checked(field: Field, value: Any, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401
    """Return a value of a class that does not look at its types itself."""
    if field.part is not None or (value is None and field.nullable):
        return value
    if not field.several:
        return _plainly(value, field.plain, keys)
    items = value if isinstance(value, tuple) else (value,)
    return tuple(_plainly(one, field.items, (*keys, at)) for at, one in enumerate(items))


def _plainly(value: Any, kinds: tuple[type, ...], keys: tuple[Key, ...]) -> Any:  # noqa: ANN401
    if isinstance(value, kinds) and isinstance(value, bool) <= (bool in kinds):
        return value
    if float in kinds and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2.0**1000 else math.inf
    raise Misplaced(keys, f"must be {' or '.join(kind.__name__ for kind in kinds)}")


def _check_text(given: object, field: Field, keys: tuple[Key, ...]) -> None:
    """Ask for a unit, in the text or in the key."""
    assert field.unit is not None, "the caller looks"
    if isinstance(given, list):
        for at, item in enumerate(given):
            _check_text(item, field, (*keys, at))
    elif not isinstance(given, str):
        number = f"{field.stem}{field.unit.suffix} = {str(given)[:40]}"
        mend = f"must be text with a unit, such as {field.unit.example!r}, or {number}"
        raise Misplaced(keys, mend)


def _names(mark: object, keys: tuple[Key, ...]) -> tuple[str, ...]:
    names = mark if isinstance(mark, list) else [mark]
    if not names or not all(isinstance(name, str) for name in names):
        raise Misplaced(keys, "must name assumptions of the catalogue")
    return tuple(names)


def _is_default(field: Field, held: object) -> bool:
    default = field.default
    if default is _MISSING:
        return field.nullable and held is None
    if field.unit is not None and isinstance(default, str):
        default = field.unit.parse(default, field.name)
    return bool(held == default) and isinstance(held, bool) == isinstance(default, bool)


def _is_table(value: object) -> bool:
    if isinstance(value, dict):
        return True
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _word(value: object) -> str:
    words = {dict: "a table", list: "a list", str: "text", bool: "a flag", type(None): "nothing"}
    return words.get(type(value), "a number" if isinstance(value, int | float) else "this")


def _default(one: dataclasses.Field[Any]) -> object:
    if one.default is not dataclasses.MISSING:
        return one.default
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    return _MISSING


_UNITS: Final[dict[str, dict[str, str]]] = {
    "Axis": {"bandwidth": "Bps", "latency": "s"},
    "Tier": {"latency": "s"},
    "Nic": {"bandwidth": "Bps", "latency": "s", "overhead": "s"},
    "UltraServer": {"overhead": "s", "launch": "s"},
    "Wan": {"bandwidth": "Bps", "latency": "s", "window": "bytes"},
    "Chip": {"hbm_bytes": "bytes", "hbm_bandwidth_Bps": "Bps", "dma_bandwidth_Bps": "Bps"},
    "Gpu": {"network_latency": "s"},
    "NcclTiming": {
        **dict.fromkeys(("ll_start", "ll_hop", "start", "hop", "nvls_start"), "s"),
        **dict.fromkeys(("send_ll_start", "send_start"), "s"),
        **dict.fromkeys(("copy", "send_rate"), "Bps"),
    },
    "Neuron": {
        **dict.fromkeys(("call", "step", "efa_step"), "s"),
        **dict.fromkeys(("mesh_most", "halving_most"), "bytes"),
        **dict.fromkeys(("efa_goodput", "efa_instance_goodput"), "Bps"),
    },
    "Training": {"host": "s"},
    "Checkpoint": {
        **dict.fromkeys(("interval", "blocking", "persist", "restart"), "s"),
        "host_link": "Bps",
    },
    "Efficiency": {"call_s": "s"},
    "MatmulRate": {"bandwidth_Bps": "Bps", "launch_s": "s"},
    "AttentionRate": {"bandwidth_Bps": "Bps", "launch_s": "s"},
    "MemoryRate": {"bandwidth_Bps": "Bps", "launch_s": "s"},
    "Pace": dict.fromkeys(
        ("layer_s", "sparse_s", "expert_s", "step_s", "sequence_s", "request_s", "host_sampling_s"),
        "s",
    ),
}
"""Which fields are sizes, rates and times, by class."""


def _unit(name: str, units: Mapping[str, str]) -> Unit | None:
    return UNITS[units[name]] if name in units else None


def _field(name: str, default: object, hint: Any, unit: Unit | None) -> Field:  # noqa: ANN401
    kinds = _kinds(hint)
    parts = [kind for kind in kinds if _is_part(kind)]
    several = mapped = False
    items: list[Any] = []
    literals = [kind for kind in kinds if typing.get_origin(kind) is Literal]
    choices = tuple(word for kind in literals for word in typing.get_args(kind))
    for kind in kinds:
        origin = typing.get_origin(kind)
        if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
            mapped = True
            parts += [inner for inner in typing.get_args(kind) if _is_part(inner)]
        elif origin is tuple and not mapped:
            several = True
            items += typing.get_args(kind)
            parts += [inner for inner in typing.get_args(kind) if _is_part(inner)]
    plain = tuple(kind for kind in kinds if kind in _PLAIN_TYPES)
    if float in plain and int not in plain:
        plain = (*plain, int)
    return Field(
        name=name,
        default=default,
        unit=unit,
        part=parts[0] if parts else None,
        several=several and not mapped,
        mapped=mapped,
        plain=(*plain, str) if choices else plain,
        choices=choices,
        nullable=type(None) in typing.get_args(hint),
        items=tuple(item for item in items if item in _PLAIN_TYPES),
    )


def _kinds(hint: Any) -> list[Any]:  # noqa: ANN401 - a type as typing has it
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [kind for inner in typing.get_args(hint) for kind in _kinds(inner)]
    return [] if hint is type(None) else [hint]


def _is_part(kind: object) -> bool:
    if not isinstance(kind, type):
        return False
    return dataclasses.is_dataclass(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
