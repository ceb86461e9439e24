"""Chunks of the buffers of each rank while an algorithm runs, and what must be there at its end."""

from __future__ import annotations

from typing import Final

from rainier_fast.errors import InvalidArgument, Unsupported
from rainier_fast.formats.msccl.rows import (
    COLLECTIVES,
    RECEIVES,
    SENDS,
    Algorithm,
    fault,
)

Value = tuple[int, int]
_IN_PLACE: Final = ("all_gather", "reduce_scatter")


class Data:
    """Values by rank, buffer and offset; only what is touched is kept."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.ranks = len(algorithm.gpus)
        self.operation = COLLECTIVES[algorithm.collective]
        self.chunks = algorithm.chunks
        self.in_place = algorithm.in_place
        self.parts = self._parts()
        """Chunks that belong to one rank, or go from one to another."""
        self.root = self._root(algorithm)
        self.sizes = [self._sizes(algorithm, rank) for rank in range(self.ranks)]
        self._held: list[dict[tuple[str, int], Value]] = [{} for _ in algorithm.gpus]

    @property
    def blocks(self) -> int:
        """Blocks of the whole data, as a `Schedule` counts them."""
        return self.chunks * (self.ranks if self.operation == "all_to_all" else 1)

    def _parts(self) -> int:
        if self.operation not in (*_IN_PLACE, "all_to_all"):
            return self.chunks
        if self.chunks % self.ranks:
            got = f"{self.chunks} for {self.ranks} gpus"
            allowed = f"must be a multiple of them for {self.operation}"
            raise InvalidArgument(f"nchunksperloop: got {got}, {allowed}")
        return self.chunks // self.ranks

    def _root(self, algorithm: Algorithm) -> int:
        if self.operation not in ("broadcast", "reduce"):
            return 0
        if algorithm.root is not None:
            return algorithm.root
        ends = RECEIVES if self.operation == "broadcast" else SENDS
        without = [
            rank
            for rank, gpu in enumerate(algorithm.gpus)
            if not any(step.kind in ends for block in gpu.blocks for step in block.steps)
        ]
        if len(without) != 1:
            does = "receives" if self.operation == "broadcast" else "sends"
            raise Unsupported(
                f"coll {algorithm.collective}: the XML does not say which rank is the root, and "
                f'{len(without)} ranks are such that none {does}; write root="0" in <algo>'
            )
        return without[0]

    def _sizes(self, algorithm: Algorithm, rank: int) -> dict[str, int]:
        """Return how many chunks each buffer has: as it says, or as the collective has it."""
        gpu = algorithm.gpus[rank]
        part = {"i": self.chunks, "o": self.chunks}
        if self.operation == "all_gather":
            part["i"] = self.parts
        if self.operation == "reduce_scatter":
            part["o"] = self.parts
        if self.in_place:
            part = {"i": self.chunks, "o": self.chunks}
        return {
            "i": max(part["i"], gpu.inputs),
            "o": max(part["o"], gpu.outputs),
            "s": gpu.scratch,
        }

    def _place(self, rank: int, buffer: str, offset: int) -> tuple[str, int]:
        """Return where a chunk really is: in place, input and output are one."""
        if buffer == "s" or not self.in_place:
            return buffer, offset
        shift = rank * self.parts
        if self.operation == "all_gather" and buffer == "i":
            return "o", shift + offset
        if self.operation == "reduce_scatter" and buffer == "o":
            return "i", shift + offset
        whole = "o" if self.operation == "all_gather" else "i"
        return whole, offset

    def _given(self, rank: int, buffer: str, offset: int) -> Value | None:
        """Return what a place of the input has at first."""
        operation, part = self.operation, self.parts
        if operation == "all_gather":
            start = rank * part if buffer == "o" and self.in_place else 0
            mine = buffer == ("o" if self.in_place else "i") and 0 <= offset - start < part
            return (rank * part + offset - start, 1) if mine else None
        if buffer != "i":
            return None
        if operation == "all_to_all":
            return (rank * self.ranks + offset // part) * part + offset % part, 1
        if operation == "broadcast":
            return (offset, 1) if rank == self.root else None
        return offset, 1 << rank

    def first(self, rank: int, block: int) -> int:
        """Return the ranks whose part of a block is at a rank at first."""
        operation, part = self.operation, self.parts
        if operation == "all_gather":
            return int(block // part == rank)
        if operation == "all_to_all":
            return int(block // part // self.ranks == rank)
        if operation == "broadcast":
            return int(rank == self.root)
        return 1 << rank

    def read(self, rank: int, place: tuple[str, int], count: int, line: int) -> list[Value]:
        """Return the values of some chunks."""
        self._check(rank, place, count, line)
        found = []
        buffer, offset = place
        for at in range(offset, offset + count):
            where = self._place(rank, buffer, at)
            value = self._held[rank].get(where) or self._given(rank, *where)
            if value is None:
                what = f"chunk {at} of {buffer} of gpu {rank}, which nothing has written"
                raise fault(line, "step", what, "must read what is there")
            found.append(value)
        return found

    def write(self, rank: int, place: tuple[str, int], values: list[Value], line: int) -> None:
        """Put values into chunks."""
        self._check(rank, place, len(values), line)
        buffer, offset = place
        for at, value in enumerate(values, offset):
            self._held[rank][self._place(rank, buffer, at)] = value

    def _check(self, rank: int, place: tuple[str, int], count: int, line: int) -> None:
        buffer, offset = place
        most = self.sizes[rank][buffer]
        if not 0 <= offset <= most - count:
            got = f"{count} from {offset} of buffer {buffer} of gpu {rank}"
            raise fault(line, "chunks", got, f"must be within its {most}")

    def finish(self, algorithm: Algorithm) -> None:
        """Check that every rank ends with what it must have.

        Raises
        ------
        InvalidArgument
            If one does not; it names rank, chunk and what is missing.
        """
        for rank, gpu in enumerate(algorithm.gpus):
            for offset, block, ranks in self._wanted(rank):
                where = self._place(rank, "o", offset)
                value = self._held[rank].get(where) or self._given(rank, *where)
                if value != (block, ranks):
                    raise fault(gpu.line, f"gpu {rank}, chunk {offset} of o",
                                self._words(value), self._mend(block, ranks))  # fmt: skip

    def _wanted(self, rank: int) -> list[tuple[int, int, int]]:
        """Return offset, block and ranks of each chunk of the output."""
        operation, part = self.operation, self.parts
        everyone = (1 << self.ranks) - 1
        if operation == "reduce_scatter":
            return [(at, rank * part + at, everyone) for at in range(part)]
        if operation == "all_to_all":
            return [
                (src * part + at, (src * self.ranks + rank) * part + at, 1)
                for src in range(self.ranks)
                for at in range(part)
            ]
        if operation == "reduce" and rank != self.root:
            return []
        ranks = 1 if operation in ("all_gather", "broadcast") else everyone
        own = operation == "broadcast" and rank == self.root
        return [] if own else [(at, at, ranks) for at in range(self.chunks)]

    def _words(self, value: Value | None) -> str:
        if value is None:
            return "nothing"
        block, ranks = value
        if self.operation in ("all_reduce", "reduce", "reduce_scatter"):
            return f"chunk {block} of {ranks.bit_count()} of {self.ranks} ranks"
        return f"chunk {block}"

    def _mend(self, block: int, ranks: int) -> str:
        words = f"must end as chunk {block}"
        return f"{words} of all ranks" if ranks.bit_count() > 1 else words
