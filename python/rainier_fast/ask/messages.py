"""Blocks and messages of a schedule, and their check: rows that the core takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, SupportsIndex

from rainier_fast._core import Schedule as CoreSchedule
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_flag, as_integer, as_items
from rainier_fast.errors import invalid, invalid_type
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.units import Quantity, parse_bytes

_MOST_STEP: Final = 2**32 - 2
_BLOCK_BYTES: Final = 256
"""What a block takes as a row of Python objects and in the core."""
_Row = tuple[int, int, list[int], float, bool, int, int, int, list[int]]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the data.

    Attributes
    ----------
    source
        Rank that has it at first; None where every rank has a part and the sum is wanted.
    target
        Rank that must have it at last; None for all of them.
    nbytes
        Its bytes.

    Examples
    --------
    >>> Block(source=0, target=None, nbytes=1e6).source
    0
    """

    source: int | None
    target: int | None
    nbytes: float


@one_screen
@dataclass(frozen=True, slots=True)
class Send:
    """One message.

    Sends of one lane wait, rank by rank, for the earlier steps of that lane: a rank sends what it
    had when all of its sends and receives of earlier steps were done. Lanes do not wait for each
    other. A stage starts when the one before has ended everywhere.

    Attributes
    ----------
    src, dst
        Sending and receiving rank.
    blocks
        Numbers of the blocks that it carries.
    step
        Step in its lane.
    reduce
        What arrives is added to what is there; otherwise it takes its place.
    lane
        Lane.
    stage
        Stage.
    after
        Numbers of other sends that it waits for besides.
    nbytes
        Bytes on the wire; None for those of its blocks.

    Examples
    --------
    >>> Send(0, 1, [0], step=0, reduce=True).dst
    1
    """

    src: int
    dst: int
    blocks: Sequence[int]
    step: int
    reduce: bool = False
    lane: int = 0
    stage: int = 0
    after: Sequence[int] = ()
    nbytes: float | None = None

    def __post_init__(self) -> None:
        for name in ("blocks", "after"):  # kept as tuples; `Schedule` checks what they hold
            if isinstance(given := getattr(self, name), list):
                object.__setattr__(self, name, tuple(given))


def core_of(
    operation: str,
    size: Quantity,
    chips: Sequence[int],
    sends: Sequence[Send],
    blocks: int | Sequence[Block],
    root: int,
    shift: int = 0,
) -> CoreSchedule:
    """Check the arguments of a schedule and make it in the core."""
    nbytes = parse_bytes(size, "size")
    members = [
        as_integer(f"chips[{at}]", chip, 0, MAX_COUNT)
        for at, chip in enumerate(listed("chips", chips))
    ]
    if not members:
        raise invalid("chips", chips, "must name at least one chip")
    if len(set(members)) < len(members):
        seen: set[int] = set()
        twice = next(chip for chip in members if chip in seen or seen.add(chip))  # type: ignore[func-returns-value]
        raise invalid("chips", twice, "names this chip twice")
    at_root = as_integer("root", root, 0, len(members) - 1)
    if not isinstance(blocks, Iterable):
        rows = _equal_blocks(operation, nbytes, len(members), blocks, at_root)
    else:
        rows = [
            _block_row(at, block, len(members)) for at, block in enumerate(listed("blocks", blocks))
        ]
    messages = [_send_row(at, send, rows) for at, send in enumerate(listed("sends", sends))]
    return CoreSchedule(operation, nbytes, at_root, shift, members, rows, messages)


def listed(name: str, values: object) -> list[Any]:
    """Return what a sequence holds; text is none."""
    return list(as_items(name, values, "must be a sequence"))


def _equal_blocks(
    operation: str, nbytes: float, ranks: int, count: SupportsIndex, root: int
) -> list[tuple[int | None, int | None, float]]:
    number = as_count("blocks", count, MAX_COUNT)
    pairs = operation == "all_to_all"
    unit = ranks * ranks if pairs else ranks
    shared = operation in ("reduce_scatter", "all_gather", "gather", "scatter") or pairs
    if shared and number % unit:
        raise invalid(
            "blocks", count, f"must be a multiple of {unit} for {operation}: pass blocks="
        )
    reckon(_BLOCK_BYTES * number, f"blocks: {number} blocks", "cut the data into fewer")
    each = nbytes * (ranks if pairs else 1) / number

    def ends(block: int) -> tuple[int | None, int | None]:
        owner = block * unit // number
        table: dict[str, tuple[int | None, int | None]] = {
            "all_reduce": (None, None),
            "reduce_scatter": (None, owner),
            "reduce": (None, root),
            "all_gather": (owner, None),
            "broadcast": (root, None),
            "scatter": (root, owner),
            "gather": (owner, root),
            "all_to_all": (owner // ranks, owner % ranks),
        }
        return table[operation]

    return [(*ends(block), each) for block in range(number)]


def _block_row(at: int, block: object, ranks: int) -> tuple[int | None, int | None, float]:
    if not isinstance(block, Block):
        raise invalid_type(f"blocks[{at}]", block, "must be a Block, or blocks a number")

    def rank(name: str, value: int | None) -> int | None:
        return None if value is None else as_integer(f"blocks[{at}].{name}", value, 0, ranks - 1)

    nbytes = parse_bytes(block.nbytes, f"blocks[{at}].nbytes")
    return rank("source", block.source), rank("target", block.target), nbytes


def _send_row(
    at: int, send: object, blocks: Sequence[tuple[int | None, int | None, float]]
) -> _Row:
    if not isinstance(send, Send):
        raise invalid_type(f"sends[{at}]", send, "must be a Send")

    def number(name: str, value: int) -> int:
        return as_integer(f"sends[{at}].{name}", value, 0, _MOST_STEP)

    carried = [
        as_integer(f"sends[{at}].blocks[{index}]", block, 0, len(blocks) - 1)
        for index, block in enumerate(listed(f"sends[{at}].blocks", send.blocks))
    ]
    nbytes = send.nbytes
    if nbytes is None:
        nbytes = sum(blocks[block][2] for block in carried)
    return (
        number("src", send.src),
        number("dst", send.dst),
        carried,
        parse_bytes(nbytes, f"sends[{at}].nbytes"),
        as_flag(f"sends[{at}].reduce", send.reduce),
        number("stage", send.stage),
        number("lane", send.lane),
        number("step", send.step),
        [
            number(f"after[{index}]", other)
            for index, other in enumerate(listed(f"sends[{at}].after", send.after))
        ],
    )
