"""Plain YAML, line by line, some fifty times as fast as a whole reader of it.

Maps, lists, flow on one line and words, as topologies are written; whatever else there is raises
`Unsure`, so that a whole reader takes over. It never reads a text otherwise than that would.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_DEEPEST: Final = 16
_ODD: Final = re.compile(r"[^\n -~]")
_KEY: Final = re.compile(r"""([A-Za-z_][A-Za-z0-9_]*|"[A-Za-z0-9_ ]+"):(?:[ ]+(.*))?""")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-\[\],]*|[0-9]+")
_QUOTED: Final = re.compile(r"""'([ -&(-~]*)'|"([ !#-\[\]-~]*)\"""")
_COMMENT: Final = re.compile(r"(?:^|[ \t]+)#.*\Z")
_FLOW: Final = re.compile(
    r"""[ ]*(?:([\[\]{},])|([A-Za-z_][A-Za-z0-9_]*):(?=[ ])|([A-Za-z_][A-Za-z0-9_.\-]*|[0-9]+)"""
    r"""(?=[ ]*[,\]}])|'([ -&(-~]*)'|"([ !#-\[\]-~]*)")"""
)
_WORDS: Final[dict[str, object]] = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "Null": None,
    "NULL": None,
}


class Unsure(Exception):
    """Something beyond plain lists and maps."""


class _Line(NamedTuple):
    indent: int
    text: str


def read(text: str) -> Any:  # noqa: ANN401 - lists, dicts, text, integers, bools
    """Return what a text says, or raise `Unsure`."""
    if _ODD.search(text):
        raise Unsure
    lines = list(_lines(text))
    if not lines:
        raise Unsure
    found, end = _block(lines, 0, 0)
    if end < len(lines):
        raise Unsure
    return found


def _lines(text: str) -> Iterator[_Line]:
    for number, raw in enumerate(text.split("\n")):
        line = raw
        if "#" in raw:
            line = _COMMENT.sub("", raw)
            if "#" in line or "'" in raw or '"' in raw:
                raise Unsure  # a mark in quotes, perhaps
        body = line.strip(" ")
        if not body or (number == 0 and line == "---"):
            continue
        if "\t" in line or body[:3] in ("---", "..."):
            raise Unsure
        yield _Line(len(line) - len(line.lstrip(" ")), body)


def _block(lines: list[_Line], at: int, depth: int) -> tuple[Any, int]:
    """Return the block that begins at a line, and the line after it."""
    if depth > _DEEPEST:
        raise Unsure
    if lines[at].text == "-" or lines[at].text.startswith("- "):
        return _list(lines, at, depth)
    return _map(lines, at, depth)


def _list(lines: list[_Line], at: int, depth: int) -> tuple[list[Any], int]:
    indent, items = lines[at].indent, list[Any]()
    while at < len(lines) and lines[at].indent == indent and lines[at].text.startswith("- "):
        text = lines[at].text
        rest = text[1:].lstrip(" ")
        if rest.startswith("- ") or _KEY.fullmatch(rest):
            lines[at] = _Line(indent + len(text) - len(rest), rest)
            item, at = _block(lines, at, depth + 1)
        else:
            item, at = _scalar(lines, at, rest), at + 1
        items.append(item)
    if at < len(lines) and lines[at].indent > indent:
        raise Unsure
    return items, at


def _map(lines: list[_Line], at: int, depth: int) -> tuple[dict[str, Any], int]:
    indent, found = lines[at].indent, dict[str, Any]()
    while at < len(lines) and lines[at].indent == indent:
        match = _KEY.fullmatch(lines[at].text)
        if match is None:
            if found and lines[at].text.startswith("- "):
                break  # the list around goes on
            raise Unsure
        key = match[1].strip('"')
        if key in found or match[1] in _WORDS:
            raise Unsure
        rest = (match[2] or "").strip(" ")
        if rest:
            found[key], at = _scalar(lines, at, rest), at + 1
            continue
        after = at + 1
        if after >= len(lines) or lines[after].indent < indent:
            raise Unsure  # nothing under a key
        if lines[after].indent == indent and not lines[after].text.startswith("- "):
            raise Unsure
        found[key], at = _block(lines, after, depth + 1)
    if at < len(lines) and lines[at].indent > indent:
        raise Unsure
    return found, at


def _scalar(lines: list[_Line], at: int, text: str) -> Any:  # noqa: ANN401 - of several kinds
    """Return a value that a line ends with; one that goes on is for the whole reader."""
    if at + 1 < len(lines) and lines[at + 1].indent > lines[at].indent:
        raise Unsure
    if text[0] in "[{":
        found, end = _flow(text, 0, 0)
        if text[end:].strip(" "):
            raise Unsure
        return found
    if quoted := _QUOTED.fullmatch(text):
        return quoted[1] if quoted[1] is not None else quoted[2]
    if _PLAIN.fullmatch(text) is None:
        raise Unsure
    return _word(text)


def _word(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isdigit():
        if len(text) > 15 or (text[0] == "0" and len(text) > 1):
            raise Unsure
        return int(text)
    return text


def _flow(text: str, at: int, depth: int) -> tuple[Any, int]:
    """Return a list or map in brackets, and where it ends."""
    if depth > _DEEPEST:
        raise Unsure
    closing = "]" if text[at] == "[" else "}"
    items: list[Any] = []
    pairs: dict[str, Any] = {}
    at += 1
    while True:
        key = None
        match = _token(text, at)
        if match[1] == closing:
            return (items if closing == "]" else pairs), match.end()
        if closing == "}":
            key = match[2]
            if key is None or key in pairs or key in _WORDS:
                raise Unsure
            match = _token(text, match.end())
        value, at = _flow_value(text, match, depth)
        if key is None:
            items.append(value)
        else:
            pairs[key] = value
        match = _token(text, at)
        if match[1] == closing:
            return (items if closing == "]" else pairs), match.end()
        if match[1] != ",":
            raise Unsure
        at = match.end()


def _flow_value(text: str, match: re.Match[str], depth: int) -> tuple[Any, int]:
    if match[1] in ("[", "{"):
        return _flow(text, match.end() - 1, depth + 1)
    if match[3] is not None:
        return _word(match[3]), match.end()
    for group in (4, 5):
        if match[group] is not None:
            return match[group], match.end()
    raise Unsure


def _token(text: str, at: int) -> re.Match[str]:
    match = _FLOW.match(text, at)
    if match is None:
        raise Unsure
    return match
