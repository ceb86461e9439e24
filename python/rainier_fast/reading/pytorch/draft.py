"""A collective while a reader puts it together."""

from __future__ import annotations

from dataclasses import dataclass, field

from rainier_fast.program import ProgramCollective, ProgramGroups
from rainier_fast.reading.pytorch.exchanges import Exchange, exchange

_MOST: int = 2**63 - 1
_NO_TYPE = (
    "element type unknown: its event has none for lists of tensors; the backend's own event or an "
    "execution trace of the same run would tell"
)
_NO_SIZE = "bytes unknown: shapes were not recorded; profile with record_shapes=True"


@dataclass(slots=True)
class Draft:
    """What is known of one collective so far."""

    op: str
    name: str
    original: str
    numbers_in: int | None = None
    """Elements that go in."""
    numbers_out: int | None = None
    width: int | None = None
    """Bytes of an element."""
    dtype: str | None = None
    group: ProgramGroups | None = None
    group_size: int | None = None
    """Ranks of its group, where no more is known of it."""
    root: int | None = None
    peer: int | None = None
    in_splits: str | list[int] | None = None
    """Elements, or rows, for each peer; text where it may be cut."""
    out_splits: str | list[int] | None = None
    asynchronous: bool | None = None
    called_ns: int | None = None
    start_ns: int | None = None
    duration_ns: int | None = None
    notes: list[str] = field(default_factory=list)

    def made(self, zero_ns: int) -> ProgramCollective:
        """Return the collective; times count from `zero_ns`."""
        bytes_in, bytes_out = self._sizes()
        op, peer, splits = self.op, self.peer, Exchange()
        if op == "all_to_all":
            sizes = (bytes_in, bytes_out)
            splits = exchange((self.in_splits, self.out_splits), sizes, self._alike())
        if splits.permute:
            op, peer = "collective_permute", splits.peer
        return ProgramCollective(
            self.name,
            op,
            bytes_in,
            bytes_out,
            self.dtype,
            self.group,
            start_s=None if self.start_ns is None else max(self.start_ns - zero_ns, 0) / 1e9,
            duration_s=None if self.duration_ns is None else max(self.duration_ns, 0) / 1e9,
            in_splits=splits.bytes_in,
            out_splits=splits.bytes_out,
            root=self.root,
            peer=peer,
            asynchronous=self.asynchronous,
            original=self.original,
            notes=(*self.notes, *splits.notes),
        )

    def _alike(self) -> int | None:
        """Return the elements for each peer, if all get alike."""
        size = self.group_size or (None if self.group is None else self.group.size)
        total = self.numbers_in
        if not size or not total or total != self.numbers_out or total % size:
            return None
        return total // size

    def _sizes(self) -> tuple[int | None, int | None]:
        if self.op == "barrier":
            return 0, 0
        into, out = self.numbers_in, self.numbers_out
        size = self.group_size or (None if self.group is None else self.group.size)
        if size and into is not None and out is None:
            out = _scaled(self.op, into, size)
        if into is None and out is None:
            self.notes.append(_NO_SIZE)
        elif (into is None or out is None) and self.op not in ("send", "recv"):
            side = "in" if into is None else "out"
            self.notes.append(f"bytes {side} unknown: the number of ranks would tell")
        elif self.width is None:
            self.notes.append(_NO_TYPE if self.dtype is None else f"type {self.dtype}: no width")
        sides = [self._bytes(into), self._bytes(out)]
        if self.op == "send":
            return sides[0], 0
        if self.op == "recv":
            return 0, sides[1] if into is None else sides[0]
        return sides[0], sides[1]

    def _bytes(self, numbers: int | None) -> int | None:
        if numbers is None or self.width is None:
            return None
        total = numbers * self.width
        if total > _MOST:
            self.notes.append(f"bytes unknown: {total} are beyond 2**63")
            return None
        return total


def _scaled(op: str, numbers: int, size: int) -> int | None:
    """Return the elements that come out, by those that go in and the ranks of the group."""
    if op == "all_gather":
        return numbers * size
    if op == "reduce_scatter":
        return numbers // size if numbers % size == 0 else None
    return numbers if op in ("all_reduce", "broadcast", "reduce", "all_to_all") else None
