"""JSON to plain rows: duplicate keys and numbers that are none refused, with the line of a key."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from rainier_fast.files.place import Broken, Key

_WIDTH: Final = 110
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


def read(text: str) -> object:
    """Return what a text of JSON says."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except Broken:
        raise
    except RecursionError:
        raise Broken("nests too deeply", None) from None
    except json.JSONDecodeError as error:
        raise Broken(f"is no JSON ({error.msg}, column {error.colno})", error.lineno) from None
    except ValueError as error:
        raise Broken(f"is no JSON that can be read ({str(error)[:120]})", None) from None


def write(content: dict[str, Any]) -> str:
    """Return a dict as JSON, a line for each key, lists of plain values on one."""
    return _value(content, "") + "\n"


def line_of(text: str, keys: Sequence[Key]) -> int | None:
    """Return the line on which a key is, or the last one above it that is there."""
    tokens = _TOKEN.finditer(text)
    found: int | None = None
    for wanted in keys:
        at = _enter(tokens, wanted)
        if at is None:
            break
        found = at
    return None if found is None else text.count("\n", 0, found) + 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Broken(f"names the key {key[:80]!r} twice in one object", None, key)
            seen.add(key)
    return made


def _refuse(word: str) -> NoReturn:
    raise Broken(f"has the number {word}, which JSON does not have", None)


def _enter(tokens: Any, wanted: Key) -> int | None:  # noqa: ANN401 - an iterator of matches
    """Go into an object or list up to a key or an index; return where that begins."""
    opening = next(tokens, None)
    if opening is None or opening.group() != ("[" if isinstance(wanted, int) else "{"):
        return None
    depth, count, before = 0, 0, ""
    if wanted == 0 and isinstance(wanted, int):
        return _next_line(opening)
    for token in tokens:
        word = token.group()
        if word in "{[":
            depth += 1
        elif word in "}]":
            depth -= 1
            if depth < 0:
                return None
        elif depth == 0 and word == ":" and isinstance(wanted, str):
            if before and _same(before, wanted):
                return int(token.start())
        elif depth == 0 and word == "," and isinstance(wanted, int):
            count += 1
            if count == wanted:
                return _next_line(token)
        before = word
    return None


def _next_line(token: Any) -> int:  # noqa: ANN401 - a match
    """Return where what follows a comma begins."""
    text, at = token.string, int(token.end())
    rest = re.compile(r"\s*").match(text, at)
    return int(rest.end()) if rest else at


def _same(quoted: str, wanted: str) -> bool:
    try:
        return bool(json.loads(quoted) == wanted)
    except ValueError:
        return False


def _value(value: Any, indent: str) -> str:  # noqa: ANN401 - whatever JSON has
    deeper = indent + "  "
    flat = isinstance(value, dict) and not any(isinstance(one, dict) for one in value.values())
    if flat and indent:
        line = json.dumps(value, allow_nan=False)
        if len(line) <= _WIDTH:
            return line
    if isinstance(value, dict) and value:
        lines = [
            f"{deeper}{json.dumps(name)}: {_value(item, deeper)}" for name, item in value.items()
        ]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        lines = [deeper + _value(item, deeper) for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    return json.dumps(value, allow_nan=False)
