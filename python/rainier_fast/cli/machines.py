"""Which machine the options name: a preset, its size, changed fields, faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rainier_fast.cli.setting import changed
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.faults.faults import Faults
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset


def machine_of(given: dict[str, Any]) -> Machine:
    """Take the options of a machine out of all options, and make it."""
    said = {one: given.pop(one) for one in ("preset", "chips", "shape", "sites")}
    path, settings, faults = (given.pop(one) for one in ("machine", "settings", "faults"))
    if path is None:
        number = None if said["sites"] is None else whole("sites", said["sites"])
        sizes = chips_of(said["chips"]), shape_of(said["shape"])
        machine = preset(said["preset"] or "rainier", *sizes, sites=number)
    else:
        for name, value in said.items():
            if value is not None:
                raise invalid(name, value, "must be left out where --machine says what it is")
        machine = Machine.load(path)
    machine = changed(machine, settings)
    return machine if faults is None else machine.with_faults(**faults_of(faults))


def named(word: str) -> Machine:
    """Make a machine of one word: a preset, with chips or shape after a colon, or a file."""
    if Path(word).is_file():
        return Machine.load(word)
    name, _, sized = word.partition(":")
    if "x" in sized.lower():
        return preset(name, shape=shape_of(sized))
    return preset(name, chips_of(sized or None))


def whole(argument: str, text: str) -> int:
    """Read a whole number above 0; commas and underscores between digits are fine."""
    digits = text.replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise invalid(argument, text, "must be a whole number above 0")
    return int(digits)


def chips_of(text: str | None) -> int | None:
    """Read a number of chips."""
    return None if text is None else whole("chips", text)


def shape_of(text: str | None) -> tuple[int, ...] | None:
    """Read sides joined by x."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if not all(side.isascii() and side.isdigit() and len(side) < 10 for side in sides):
        raise invalid("shape", text, "must be whole numbers joined by x, such as 4x4x8")
    return tuple(map(int, sides))


_KINDS: Final = ("links", "chips", "nics", "ultraservers", "sites", "degrade")


def faults_of(text: str) -> dict[str, Any]:
    """Read faults: a file that `faults --save` wrote, or words such as ``links=3,70;chips=5``."""
    if "=" not in text:
        if not Path(text).is_file():
            allowed = "must be a file of faults, or words such as 'links=3,70;chips=5'"
            raise invalid("faults", text, allowed)
        return {"faults": Faults.load(text)}
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        kind, _, values = part.partition("=")
        kind = as_one_of("faults", kind.strip(), _KINDS)
        items = [item.strip() for item in values.split(",") if item.strip()]
        if kind == "sites":
            found[kind] = items
        elif kind == "degrade":
            found[kind] = dict(_factor(item) for item in items)
        else:
            found[kind] = numbers(f"faults, {kind}", ",".join(items))
    return found


def _factor(item: str) -> tuple[int, float]:
    link, _, factor = item.partition(":")
    try:
        return int(link), float(factor)
    except ValueError:
        allowed = "must be links with factors, such as 'degrade=70:0.5'"
        raise invalid("faults, degrade", item, allowed) from None


_MOST: Final = 1 << 24


def numbers(argument: str, text: str) -> list[int]:
    """Read numbers and ranges: ``0,5``, ``0-63``, ``0-1023:64``."""
    found: list[int] = []
    for item in text.split(","):
        span, _, step = item.strip().partition(":")
        first, dash, last = span.partition("-")
        words = [first, *([last] if dash else []), *([step] if step else [])]
        if not all(word.isascii() and word.isdigit() and len(word) < 13 for word in words) or (
            step and not dash
        ):
            allowed = "must be numbers and ranges, such as '0,5', '0-63' or '0-1023:64'"
            raise invalid(argument, text, allowed)
        stop = int(last) + 1 if dash else int(first) + 1
        span_of = range(int(first), stop, max(int(step or 1), 1))
        if len(found) + len(span_of) > _MOST:
            raise invalid(argument, text, f"must be at most {_MOST:,} numbers")
        found.extend(span_of)
    return found


def group_of(text: str | None) -> Any:  # noqa: ANN401 - whatever a group may be
    """Read who takes part: numbers and ranges, groups by ``;``, or groups as HLO has them."""
    if text is None:
        return None
    if any(mark in text for mark in "{["):
        return text
    groups = [numbers("group", part) for part in text.split(";") if part.strip()]
    return groups[0] if len(groups) == 1 else groups


def mesh_of(text: str) -> dict[str, int]:
    """Read axes of a mesh, slowest first: ``dp=-1,tp=64``."""
    axes: dict[str, int] = {}
    for part in text.split(","):
        name, equals, size = (word.strip() for word in part.partition("="))
        digits = size.removeprefix("-")
        good = equals and name.isidentifier() and digits.isascii() and digits.isdigit()
        if not good or len(digits) > 12:
            allowed = "must be axes with sizes, slowest first, such as 'dp=-1,tp=64'"
            raise invalid("mesh", text, allowed)
        if name in axes:
            raise invalid("mesh", text, f"must name each axis once, and has {name} twice")
        axes[name] = int(size)
    return axes
