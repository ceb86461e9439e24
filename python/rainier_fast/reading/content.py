"""What a file holds, and what its beginning says of its kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rainier_fast.errors import InvalidArgument, shown

_HEAD: Final = 2**16
_MOST_NAME: Final = 120
_MOST_SPACES: Final = 200
_SPACES: Final = re.compile(rf"\s{{{_MOST_SPACES + 1},}}")
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


@dataclass(frozen=True)
class Content:
    """The bytes of a file, and how errors call it."""

    name: str
    """The path as it was given; empty for bytes."""
    data: bytes

    @cached_property
    def head(self) -> str:
        """The beginning as text; what is no UTF-8 is replaced, and long spaces are shortened."""
        text = self.data[:_HEAD].decode("utf-8-sig", errors="replace")
        # A pattern that begins with spaces would go over all of them from each.
        return _SPACES.sub(lambda found: found[0][:_MOST_SPACES], text)

    @cached_property
    def first(self) -> str:
        """The first character that is no space; empty for none."""
        return self.head.lstrip()[:1]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Keys of the object of JSON that it is, as far as its beginning shows them."""
        return _keys_of(self.data[:_HEAD]) if self.first == "{" else ()

    @cached_property
    def short(self) -> str:
        """The name as errors repeat it: the end of a long one."""
        name = self.name or "bytes"
        return name if len(name) <= _MOST_NAME else f"...{name[-_MOST_NAME:]}"

    @property
    def named(self) -> str:
        """The last part of the path; empty for bytes."""
        return re.split(r"[/\\\\]", self.name)[-1][-_MOST_NAME:]

    @property
    def is_text(self) -> bool:
        """Whether its beginning is text: no byte of it is 0."""
        return b"\x00" not in self.data[:4096]

    def has_key(self, key: str) -> bool:
        """Tell whether a key stands anywhere in what looks like an object of JSON."""
        if key in self.keys:
            return True
        if self.first != "{" or len(self.data) <= _HEAD:
            return False
        return re.search(rb'"%s"\s*:' % re.escape(key.encode()), self.data) is not None

    def text(self) -> str:
        """Return all of it as text.

        Raises
        ------
        InvalidArgument
            If it is no UTF-8; it names the place.
        """
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            got = self.data[error.start : error.start + 4]
            raise self.fault(f"line {line}, byte {error.start}", got, "must be UTF-8") from error

    def fault(self, where: str, got: object, allowed: str) -> InvalidArgument:
        """Make the error for what cannot be read: file, place, value, mend."""
        words = got if isinstance(got, str) else shown(got)
        place = f", {where}" if where else ""
        return InvalidArgument(f"{self.short}{place}: got {words}, {allowed}")


def _keys_of(data: bytes) -> tuple[str, ...]:
    """Return the keys of the outermost object, as far as `data` goes."""
    found: list[str] = []
    depth, last = 0, b""
    for match in _TOKENS.finditer(data.removeprefix(b"\xef\xbb\xbf")):
        token = match[0]
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
        elif token == b":" and depth == 1 and last[:1] == b'"':
            found.append(last[1:-1].decode("utf-8", errors="replace"))
        last = token
    return tuple(found)
