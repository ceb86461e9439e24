"""YAML 1.2 to plain rows, event by event: no tags, anchors, aliases or merges, each key once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any, Final

from rainier_fast.files.place import Broken

MOST_BYTES: Final = 128 * 1024
"""Larger texts are refused: this format is read some hundred times slower than the others."""

_DEEPEST: Final = 32
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,300}")
_BASED: Final = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_REAL: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ENDLESS: Final = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_WORDS: Final[dict[str, object]] = {
    word: value
    for words, value in (
        (("", "~", "null", "Null", "NULL"), None),
        (("true", "True", "TRUE"), True),
        (("false", "False", "FALSE"), False),
        ((".nan", ".NaN", ".NAN"), math.nan),
    )
    for word in words
}


def read(text: str) -> tuple[object, dict[tuple[str | int, ...], int]]:
    """Return what a text of YAML says, and the line of each key and item."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    lines: dict[tuple[str | int, ...], int] = {}
    try:
        return _document(iter(yaml.parse(StringIO(text))), lines), lines
    except Broken:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise Broken(f"is no YAML ({error.problem or error.context})", line) from None
    except (YAMLError, ValueError, RecursionError, AttributeError, IndexError) as error:
        raise Broken(f"is no YAML that can be read ({str(error)[:120]})", None) from None


def write(content: dict[str, Any]) -> str:
    """Return a dict as YAML: first what it says itself, then the tables and lists."""
    inner = {key: value for key, value in content.items() if isinstance(value, dict | list)}
    own = {key: value for key, value in content.items() if key not in inner}
    # Tables and lists of plain values stand on one line, but not the whole of a file.
    return "".join(_dumped(part, flow) for part, flow in ((own, False), (inner, None)) if part)


def _dumped(content: dict[str, Any], flow: bool | None) -> str:  # noqa: FBT001 - the library's
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # its class says None
    yaml.width = 100
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()


def _document(events: Iterator[Any], lines: dict[tuple[str | int, ...], int]) -> object:
    kinds = [type(next(events)).__name__ for _ in range(2)]
    if kinds != ["StreamStartEvent", "DocumentStartEvent"]:
        raise Broken("says nothing", None)
    found = _node(next(events), events, (), lines)
    next(events)
    if type(following := next(events)).__name__ != "StreamEndEvent":
        raise Broken("has several documents; keep one", _line(following))
    return found


def _node(
    event: Any,  # noqa: ANN401 - an event of the parser
    events: Iterator[Any],
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> object:
    kind = type(event).__name__
    lines.setdefault(path, _line(event))
    if kind == "AliasEvent":
        raise Broken("refers to another part by an alias; write that out", _line(event))
    if event.anchor is not None:
        raise Broken(f"has the anchor {str(event.anchor)[:80]}; leave it out", _line(event))
    if event.tag is not None and not (kind == "ScalarEvent" and event.tag == "!"):
        raise Broken(f"has the tag {str(event.tag)[:80]}; leave it out", _line(event))
    if len(path) > _DEEPEST:
        raise Broken(f"nests more than {_DEEPEST} deep", _line(event))
    if kind == "ScalarEvent":
        plain = event.implicit[0] and event.style in (None, "")
        return _scalar(event.value) if plain else event.value
    if kind == "SequenceStartEvent":
        items: list[object] = []
        while type(inner := next(events)).__name__ != "SequenceEndEvent":
            items.append(_node(inner, events, (*path, len(items)), lines))
        return items
    return _mapping(events, path, lines)


def _mapping(
    events: Iterator[Any],
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
) -> dict[str, object]:
    made: dict[str, object] = {}
    while type(key := next(events)).__name__ != "MappingEndEvent":
        if type(key).__name__ != "ScalarEvent":
            raise Broken("has a key that is no text", _line(key))
        if key.value == "<<":
            raise Broken("merges other tables with '<<'; write them out", _line(key))
        if key.value in made:
            raise Broken(f"names the key {key.value[:80]!r} twice", _line(key), key.value)
        lines[(*path, key.value)] = _line(key)
        made[key.value] = _node(next(events), events, (*path, key.value), lines)
    return made


def _line(event: Any) -> int:  # noqa: ANN401 - an event of the parser
    return int(event.start_mark.line) + 1


def _scalar(word: str) -> object:
    """Return what a plain word is by the core schema of YAML 1.2."""
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(word):
        return int(word)
    if _BASED.fullmatch(word):
        return int(word, 0)
    if _REAL.fullmatch(word):
        return float(word)
    if endless := _ENDLESS.fullmatch(word):
        return -math.inf if endless[1] == "-" else math.inf
    return word
