"""Where the blocks of a schedule are in the buffers of MSCCL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rainier_fast.errors import Unsupported
from rainier_fast.formats.msccl.rows import COLLECTIVES

Place = tuple[str, int]
"""Buffer and offset in chunks."""
Block = tuple[int | None, int | None, int]
"""Source, target and chunks."""

_NAMES: Final = {ours: name for name, ours in COLLECTIVES.items() if name != "reducescatter"}
_IN_PLACE: Final = {"all_reduce": "i", "reduce_scatter": "i", "all_gather": "o", "broadcast": "o"}


class Layout:
    """Places of blocks at each rank.

    Sums over all ranks, gathers and broadcasts run in place: a block is where the collective has it
    from first to last. Others begin in the input, end in the output, and pass through the scratch
    buffer where they are only forwarded.
    """

    def __init__(self, operation: str, ranks: int, root: int, blocks: Sequence[Block]) -> None:
        self.ranks, self.blocks = ranks, blocks
        self.owned = _owned(operation, ranks, root, blocks)
        self.name = "custom" if self.owned is None else _NAMES[operation]
        self.buffer = _IN_PLACE.get(operation) if self.owned is not None else None
        self._now: list[dict[int, Place]] = [{} for _ in range(ranks)]
        self._room: list[dict[int, Place]] = [{} for _ in range(ranks)]
        self._scratch = [0] * ranks
        self._ends: list[tuple[dict[int, int], dict[int, int]]] = []
        self.chunks = self._size()

    def _size(self) -> int:
        counts = [chunks for _, _, chunks in self.blocks]
        if self.owned is not None:
            return sum(counts) // (self.ranks if self.name == "alltoall" else 1)
        self._ends = [
            (self._offsets(0, rank), self._offsets(1, rank)) for rank in range(self.ranks)
        ]
        return max((self._total(ends) for pair in self._ends for ends in pair), default=0)

    def _offsets(self, end: int, rank: int) -> dict[int, int]:
        """Return offsets of the blocks that a rank has at first (0), or at last (1)."""
        found, at = {}, 0
        for number, block in enumerate(self.blocks):
            if block[end] in (None, rank):
                found[number] = at
                at += block[2]
        return found

    def _total(self, offsets: dict[int, int]) -> int:
        return sum(self.blocks[number][2] for number in offsets)

    def counts(self, rank: int) -> tuple[int, int, int]:
        """Return chunks of input, output and scratch of a rank."""
        if self.owned is None:
            inputs, outputs = self._ends[rank]
            return self._total(inputs), self._total(outputs), self._scratch[rank]
        whole, part = self.chunks, self.chunks // self.ranks
        sizes = {
            "allreduce": (whole, 0),
            "allgather": (part, whole),
            "reduce_scatter": (whole, 0),
            "broadcast": (0, whole),
        }
        return (*sizes.get(self.name, (whole, whole)), self._scratch[rank])

    def now(self, rank: int, block: int) -> Place | None:
        """Return where a rank has a block; None for nowhere."""
        return self._now[rank].get(block) or self._first(rank, block)

    def _first(self, rank: int, block: int) -> Place | None:
        if self.blocks[block][0] not in (None, rank):
            return None
        if self.buffer is not None:
            return self._in_place(block)
        return "i", self._ends[rank][0][block] if self.owned is None else self.owned[block][0]

    def _in_place(self, block: int) -> Place:
        assert self.owned is not None, "what runs in place has offsets"
        assert self.buffer is not None, "the caller looks"
        return self.buffer, self.owned[block][0]

    def last(self, rank: int, block: int) -> Place | None:
        """Return where a rank must end with a block; None where it need not have it."""
        if self.blocks[block][1] not in (None, rank):
            return None
        if self.buffer is not None:
            return self._in_place(block)
        return "o", self._ends[rank][1][block] if self.owned is None else self.owned[block][1]

    def home(self, rank: int, block: int) -> Place:
        """Return where a block goes that comes to a rank."""
        if self.buffer is not None:
            return self._in_place(block)
        place = self.last(rank, block) or self._room[rank].get(block)
        if place is None:
            place = self._room[rank][block] = "s", self._scratch[rank]
            self._scratch[rank] += self.blocks[block][2]
        return place

    def settle(self, rank: int, block: int) -> None:
        """Have a block at its home from now on."""
        self._now[rank][block] = self.home(rank, block)


def _owned(
    operation: str, ranks: int, root: int, blocks: Sequence[Block]
) -> list[tuple[int, int]] | None:
    """Return offsets in input and output, as the collective has them; None if it has others."""
    usual = {
        "all_reduce": lambda one: one[:2] == (None, None),
        "reduce": lambda one: one[:2] == (None, root),
        "broadcast": lambda one: one[:2] == (root, None),
        "reduce_scatter": lambda one: one[0] is None and one[1] is not None,
        "all_gather": lambda one: one[0] is not None and one[1] is None,
        "all_to_all": lambda one: one[0] is not None and one[1] is not None,
    }
    if operation not in usual or not all(map(usual[operation], blocks)):
        return None
    # Of each owner, or pair: how many chunks there are so far.
    so_far: dict[tuple[int | None, int | None], int] = {}
    within = []
    for source, target, chunks in blocks:
        pair = source, target
        within.append(so_far.get(pair, 0))
        so_far[pair] = so_far.get(pair, 0) + chunks
    pairs = {"all_to_all": ranks * ranks, "reduce_scatter": ranks, "all_gather": ranks}
    if len(set(so_far.values())) > 1 or len(so_far) != pairs.get(operation, 1):
        return None
    part = next(iter(so_far.values()))
    made = []
    for (source, target, _), offset in zip(blocks, within, strict=True):
        first, last = {
            "reduce_scatter": (target, target),
            "all_gather": (source, source),
            "all_to_all": (target, source),
        }.get(operation, (0, 0))
        made.append(((first or 0) * part + offset, (last or 0) * part + offset))
    return made


def chunks_of(sizes: Sequence[float], most: int) -> list[int]:
    """Return how many equal chunks each block is.

    Raises
    ------
    Unsupported
        If they are not multiples of one size: all chunks of MSCCL are as large.
    """
    least = min((size for size in sizes if size > 0), default=0.0)
    if not least:
        return [1] * len(sizes)
    for parts in range(1, most + 1):
        counts = [round(size * parts / least) for size in sizes]
        if all(
            count > 0 and abs(count * least / parts - size) <= 1e-9 * size
            for count, size in zip(counts, sizes, strict=True)
        ):
            return counts
    raise Unsupported(
        f"blocks of {least:g} to {max(sizes):g} bytes in MSCCL's XML, whose chunks are all of one "
        "size: save the schedule as JSON"
    )
