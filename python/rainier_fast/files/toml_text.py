"""TOML to plain rows, and back as a person would write it; with the line of a key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rainier_fast.errors import invalid
from rainier_fast.files.place import Broken, Key

# A dotted key of many parts costs the library their square, so none may have more than these.
_PART: Final = r"""[A-Za-z0-9_\-"']"""
_LONG: Final = re.compile(rf"(?<!{_PART}){_PART}+(?:[ \t]*\.[ \t]*{_PART}+){{32}}")
_QUOTED: Final = re.compile(r"""["'][ \t]*\.[ \t]*["']""")
_MOST_QUOTED: Final = 32
_HEADER: Final = re.compile(r"""(\[\[?)[ \t]*([A-Za-z0-9_.\- \t"']+?)[ \t]*\]\]?[ \t]*(?:#.*)?""")
_ASSIGNED: Final = re.compile(r"""((?:[A-Za-z0-9_.\- \t]|"[^"\n]*"|'[^'\n]*')+?)[ \t]*=""")
_PARTS: Final = re.compile(r"""[A-Za-z0-9_\-]+|"[^"\n]*"|'[^'\n]*'""")
_BARE: Final = re.compile(r"[A-Za-z0-9_\-]+")
_WIDTH: Final = 96
_LONG_NUMBER: Final = 10
_AT: Final = re.compile(r"(.*?)\s*\(at line (\d+), column (\d+)\)", re.DOTALL)


def read(text: str) -> object:
    """Return what a text of TOML says."""
    import tomllib  # who only saves does not pay for it

    _check_keys(text)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Broken("nests too deeply", None) from None
    except tomllib.TOMLDecodeError as error:
        at = _AT.fullmatch(str(error))
        if at is None:
            raise Broken(f"is no TOML ({str(error)[:120]})", None) from None
        what = f"is no TOML ({at[1][:120]}, column {at[3]})"
        raise Broken(what, int(at[2])) from None
    except (ValueError, OverflowError) as error:
        raise Broken(f"is no TOML that can be read ({str(error)[:120]})", None) from None


def write(content: dict[str, Any]) -> str:
    """Return a dict as TOML: what a table has itself, then the tables below it."""
    lines: list[str] = []
    _table(content, "", lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def line_of(text: str, keys: Sequence[Key]) -> int | None:
    """Return the line on which a key is, or the last one above it that is there."""
    best, most = None, 0
    prefix: list[Key] = []
    counts: dict[tuple[Key, ...], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip(" \t\r")
        header = _HEADER.fullmatch(stripped)
        if header is not None:
            prefix = _resolved(_parts(header[2]), counts, again=header[1] == "[[")
            here = prefix
        elif (assigned := _ASSIGNED.match(stripped)) is not None:
            here = [*prefix, *_parts(assigned[1])]
        else:
            continue
        shared = min(len(here), len(keys))
        if shared > most and list(keys[:shared]) == here[:shared]:
            best, most = number, shared
    return best


def _resolved(parts: list[str], counts: dict[tuple[Key, ...], int], *, again: bool) -> list[Key]:
    """Return the keys of a header, with the places in lists that the headers before make."""
    made: list[Key] = []
    for at, part in enumerate(parts):
        made.append(part)
        known = tuple(made)
        if again and at == len(parts) - 1:
            counts[known] = counts.get(known, -1) + 1
        if known in counts:
            made.append(counts[known])
    return made


def _check_keys(text: str) -> None:
    long = _LONG.search(text)
    at = None if long is None else long.start()
    if at is None and len(_QUOTED.findall(text)) > _MOST_QUOTED:
        quoted = _QUOTED.search(text)
        at = None if quoted is None else quoted.start()
    if at is not None:
        raise Broken("has a key of too many parts", text.count("\n", 0, at) + 1)


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PARTS.findall(dotted)]


def _table(table: dict[str, Any], name: str, lines: list[str]) -> None:
    lines += [
        f"{_key(key)} = {_text(item)}"
        for key, item in table.items()
        if item is not None and not _below(item)  # it has no word for nothing
    ]
    for key, item in table.items():
        inner = f"{name}.{_key(key)}" if name else _key(key)
        if isinstance(item, dict):
            # A table that only holds tables needs no line of its own.
            if not item or not all(map(_below, item.values())):
                lines += ["", f"[{inner}]"]
            _table(item, inner, lines)
        elif _below(item):
            for one in item:
                lines += ["", f"[[{inner}]]"]
                _table(one, inner, lines)


def _below(value: object) -> bool:
    """Tell whether a value is written as tables of their own."""
    if isinstance(value, dict):
        return True
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: object) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    if isinstance(value, list):
        items = [_text(item) for item in value]
        line = f"[{', '.join(items)}]"
        if len(line) <= _WIDTH or not items:
            return line
        return "[\n" + "\n".join(_filled(items)) + "\n]"
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {_text(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if value is None:
        raise invalid("format", "toml", "has no word for nothing inside a list: save as .json")
    import tomli_w  # its escapes of text

    return tomli_w.dumps({"a": value}).removeprefix("a = ").rstrip("\n")


def _number(value: float) -> str:
    """Return a number exactly, with an exponent where that is shorter."""
    plain = repr(value)
    if isinstance(value, int) or len(plain) < _LONG_NUMBER:
        return plain
    for digits in range(_LONG_NUMBER):
        short = f"{value:.{digits}e}".replace("e+", "e")
        if float(short) == value:
            return min(plain, short, key=len)
    return plain


def _filled(items: list[str]) -> Iterator[str]:
    """Yield lines of as many items as fit."""
    line = ""
    for item in items:
        if line and len(line) + len(item) + 2 > _WIDTH:
            yield line
            line = ""
        line += f" {item}," if line else f"  {item},"
    yield line
