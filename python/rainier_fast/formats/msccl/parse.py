"""XML of MSCCL to rows, by expat: no DTD, no entities, every number checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from rainier_fast.errors import InvalidArgument, shown
from rainier_fast.formats.msccl.rows import (
    COLLECTIVES,
    MOST_COUNT,
    TYPES,
    Algorithm,
    Gpu,
    Step,
    ThreadBlock,
    fault,
)
from rainier_fast.memory import reckon

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SAID: Final = "rainier_fast "
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}\Z")
_STEP_BYTES: Final = 40
"""What a byte of text takes as rows, at most: the least step has some 60 bytes and takes 2 kB."""
_PARENT: Final = {"algo": "", "gpu": "algo", "tb": "gpu", "step": "tb"}
_BUFFERS: Final = ("i", "o", "s")


@dataclass(slots=True)
class _Open:
    """An element that is being read."""

    name: str
    words: Mapping[str, str]
    line: int
    inner: list[Any] = field(default_factory=list)

    def number(self, key: str, least: int, most: int, usual: int | None = None) -> int:
        """Return an attribute as a whole number."""
        text = self.words.get(key)
        if text is None:
            if usual is not None:
                return usual
            raise fault(self.line, f"<{self.name}>", f"no {key}", "must have it")
        value = int(text) if _NUMBER.match(text) else None
        if value is None or not least <= value <= most:
            allowed = f"must be a whole number from {least} to {most:,}"
            raise fault(self.line, key, text, allowed)
        return value

    def word(self, key: str, allowed: tuple[str, ...]) -> str:
        """Return an attribute that is one of some words."""
        text = self.words.get(key)
        if text is None:
            raise fault(self.line, f"<{self.name}>", f"no {key}", "must have it")
        if text not in allowed:
            raise fault(self.line, key, text, f"must be one of {', '.join(allowed)}")
        return text


class _Reader:
    """What expat calls."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.open: list[_Open] = []
        self.found: Algorithm | None = None
        self.said: str | None = None
        self.depth = 0

    def start(self, name: str, words: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        parent = self.open[-1].name if self.open else ""
        if self.depth or name not in _PARENT:
            if not self.open:
                raise fault(line, "the first element", f"<{name}>", "must be <algo>")
            self.depth += 1  # as MSCCL does, elements that it has no name for are passed over
            return
        if _PARENT[name] != parent or self.found is not None:
            where = f"in <{parent}>" if parent else "after the end"
            mend = f"must be in <{_PARENT[name]}>" if _PARENT[name] else "must be the only one"
            raise fault(line, f"<{name}>", where, mend)
        self.open.append(_Open(name, words, line))

    def end(self, _: str) -> None:
        if self.depth:
            self.depth -= 1
            return
        one = self.open.pop()
        if one.name == "algo":
            self.found = self._algorithm(one)
            return
        made: dict[str, Callable[[_Open], tuple[int, Any]]]
        made = {"gpu": _gpu, "tb": _thread_block, "step": _step}
        self.open[-1].inner.append(made[one.name](one))

    def text(self, words: str) -> None:
        if words.strip():
            line = self.parser.CurrentLineNumber
            raise fault(line, "text", shown(words[:60]), "must be elements alone")

    def comment(self, words: str) -> None:
        if words.strip().startswith(SAID):
            self.said = words.strip().removeprefix(SAID)

    def _algorithm(self, one: _Open) -> Algorithm:
        known = (*COLLECTIVES, "custom")
        name = one.word("coll", known)
        gpus = _numbered(one, "gpu", one.number("ngpus", 1, 2**31))
        steps = sum(len(block.steps) for gpu in gpus for block in gpu.blocks)
        most = max(MOST_COUNT * max(steps, 1), len(gpus) ** 2)
        chunks = one.number("nchunksperloop", 1, most)
        sizes = None
        if "minBytes" in one.words or "maxBytes" in one.words:
            sizes = one.number("minBytes", 0, 2**62, 0), one.number("maxBytes", 0, 2**62, 2**27)
        apart = one.number("outofplace", 0, 1, 0)
        return Algorithm(
            one.words.get("name", ""),
            one.words.get("proto", ""),
            name,
            chunks,
            one.number("inplace", 0, 1, 0) == 1 and apart == 0,
            gpus,
            sizes,
            self.said,
            one.number("root", 0, len(gpus) - 1) if "root" in one.words else None,
        )


def _numbered(one: _Open, what: str, count: int) -> tuple[Any, ...]:
    """Return rows in the order of their numbers, which must be 0, 1, ..."""
    if len(one.inner) != count:
        raise fault(one.line, f"n{what}s", f"{count} of {len(one.inner)} <{what}>", "must agree")
    by_number = dict(one.inner)
    if sorted(by_number) != list(range(count)):
        numbers = sorted(number for number, _ in one.inner)
        wrong = next(at for at, number in enumerate(numbers) if number != at)
        raise fault(one.line, f"<{what}>", f"no or two of id {wrong}", f"must be 0 to {count - 1}")
    return tuple(by_number[number] for number in range(count))


def _gpu(one: _Open) -> tuple[int, Gpu]:
    most = 2**31
    blocks = _numbered(one, "tb", len(one.inner))
    inputs, outputs, scratch = (one.number(f"{key}_chunks", 0, most) for key in "ios")
    return one.number("id", 0, most), Gpu(inputs, outputs, scratch, blocks, one.line)


def _thread_block(one: _Open) -> tuple[int, ThreadBlock]:
    most = 2**31
    steps = _steps(one)
    send, recv = one.number("send", -1, most), one.number("recv", -1, most)
    # Blocks that only copy have channel -1 in what msccl-tools wrote once.
    row = ThreadBlock(send, recv, one.number("chan", -1, 1023), steps, one.line)
    return one.number("id", 0, most), row


def _steps(one: _Open) -> tuple[Step, ...]:
    """Return steps, which are numbered on as they stand."""
    for at, (number, row) in enumerate(one.inner):
        if number != at:
            raise fault(row.line, "s", number, f"must be {at}: steps are numbered as they stand")
    return tuple(row for _, row in one.inner)


def _step(one: _Open) -> tuple[int, Step]:
    most = 2**31
    kind = one.word("type", TYPES)
    src, dst = (
        (one.word(f"{end}buf", _BUFFERS), one.number(f"{end}off", -1, most))
        for end in ("src", "dst")
    )
    least = 0 if kind == "nop" else 1
    count = one.number("cnt", least, MOST_COUNT)
    block, step = one.number("depid", -1, most, -1), one.number("deps", -1, most, -1)
    needs = None if block < 0 else (block, step)
    wanted = one.number("hasdep", 0, 1, 0) == 1
    return one.number("s", 0, most), Step(kind, src, dst, count, needs, one.line, wanted)


def parse(data: bytes) -> Algorithm:
    """Read an XML.

    Raises
    ------
    InvalidArgument
        Where it is no XML or no algorithm; it names the line.
    """
    reckon(_STEP_BYTES * len(data), f"rows of {len(data):,} bytes of XML", "read a smaller file")
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    reader = _Reader(parser)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.CommentHandler = reader.comment
    parser.StartDoctypeDeclHandler = _refuse(parser, "a DOCTYPE")
    parser.EntityDeclHandler = _refuse(parser, "an entity")
    try:
        parser.Parse(data, True)  # noqa: FBT003 - it is the last part
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code)
        where = f"line {error.lineno}, column {error.offset + 1}"
        raise InvalidArgument(f"{where}: got broken XML ({why}), must be well-formed") from error
    if reader.found is None:
        raise InvalidArgument("line 1: got no <algo>, must have one")
    return reader.found


def _refuse(parser: expat.XMLParserType, what: str) -> Any:  # noqa: ANN401 - expat's own shape
    def refuse(*_: object) -> None:
        mend = "must have no DTD and no entities: they are never read"
        raise fault(parser.CurrentLineNumber, "the head", what, mend)

    return refuse
