"""Schedules: who sends which blocks to whom, and what each message waits for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final, SupportsIndex

from rainier_fast._core import Schedule as CoreSchedule
from rainier_fast.ask.options import OPERATIONS
from rainier_fast.ask.request import Request
from rainier_fast.definitions.check import MAX_COUNT, as_count, as_flag, as_integer, as_items
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.files.kept import as_path, write
from rainier_fast.files.saved import Told
from rainier_fast.frozen import frozen, put
from rainier_fast.memory import reckon
from rainier_fast.screen import one_screen
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

_MOST_STEP: Final = 2**32 - 2
_ENDS: Final = {".xml": "msccl", ".goal": "goal"}
"""Formats of other programs, by the end of a file's name."""
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


@frozen("a schedule does not change; make another one")
class Schedule(Told):
    """A collective of one group, message by message. Immutable.

    Made by `rainier_fast.schedule` from an algorithm, or here from sends of your own. Run it with
    `Machine.run`, prove it with `verify`.

    Parameters
    ----------
    operation
        What it does, such as ``"all_reduce"``.
    size
        Bytes, as nccl-tests defines them for the operation.
    chips
        The chip of each rank.
    sends
        The messages, in any order.
    blocks
        Number of equal blocks that the data is cut into, or the blocks themselves. Where shares of
        ranks matter (reduce_scatter, all_gather, gather, scatter), a number must be a multiple of
        the ranks, and rank r owns the r-th part; for all_to_all it must be a multiple of the ranks
        squared, and block ``(src * ranks + dst) * k + i`` goes from src to dst.
    root
        Rank of the root, for operations that have one.

    Raises
    ------
    InvalidArgument, InvalidType
        If an argument is not usable; the message names the send or block.

    Examples
    --------
    >>> from rainier_fast import torus
    >>> there, back = Send(0, 1, [0], step=0, reduce=True), Send(1, 0, [0], step=0, reduce=True)
    >>> pair = Schedule("all_reduce", 1e6, [0, 1], [there, back])
    >>> pair.verify()
    >>> result = torus((2,), bandwidth="1 GB/s", wrap=False).run(pair, model="fluid")
    >>> result.time_s, result.kind
    (0.001, 'links alone')
    """

    _saved_as = "schedule"

    __slots__ = ("_core", "_machine", "_request", "algorithm")

    _core: CoreSchedule
    _machine: Base | None
    _request: Request | None
    algorithm: str
    """Name of the algorithm that made it, or ``"schedule"``."""

    def __init__(
        self,
        operation: str,
        size: Quantity,
        chips: Sequence[int],
        sends: Sequence[Send],
        blocks: int | Sequence[Block] = 1,
        root: int = 0,
    ) -> None:
        operation = as_one_of("operation", operation, OPERATIONS)
        if operation in ("send_recv", "barrier"):
            raise invalid("operation", operation, "a schedule of your own does another collective")
        core = _core_of(operation, size, chips, sends, blocks, root)
        put(self, _core=core, algorithm="schedule", _machine=None, _request=None)

    @classmethod
    def _of(cls, core: CoreSchedule, algorithm: str, machine: Base, request: Request) -> Schedule:
        made = object.__new__(cls)
        put(made, _core=core, algorithm=algorithm, _machine=machine, _request=request)
        return made

    @classmethod
    def _own(cls, core: CoreSchedule, algorithm: str) -> Schedule:
        made = object.__new__(cls)
        put(made, _core=core, algorithm=algorithm, _machine=None, _request=None)
        return made

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write it to a file, whole or not at all; `rainier_fast.read` reads it again, to the bit.

        Parameters
        ----------
        path
            The file; one that is there is replaced.
        format
            ``"toml"``, ``"yaml"``, ``"json"``, ``"msccl"`` (XML for MSCCL's runtime) or ``"goal"``
            (text for LogGOPSim and its kin); None for what the name ends with: ``.xml`` is MSCCL's,
            ``.goal`` GOAL.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If the name does not tell the format, or there is no such format.
        InvalidSchedule
            If it is wrong, for ``"msccl"``.
        Unsupported
            If the format cannot say it; the message says what it cannot.
        OSError
            If it cannot be written; what was there is still there.

        Examples
        --------
        >>> import tempfile
        >>> import rainier_fast as rf
        >>> ring = rf.schedule("all_reduce", rf.torus((4,), "1 GB/s"), "1 MiB", algorithm="ring")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ring.save(folder + "/ring.xml", format="msccl")
        ...     rf.read(folder + "/ring.xml") == ring
        True
        """
        target = as_path(path)
        if format is None:
            format = _ENDS.get(target.suffix.lower())
        if isinstance(format, str) and format in _ENDS.values():
            # By name: writers of other programs' formats know schedules.
            writer = import_module(f"rainier_fast.ask.schedule_{format}")
            write(target, writer.text(self))
        else:
            super().save(target, format)

    def at(self, size: Quantity, chips: Sequence[int] | None = None) -> Schedule:
        """Return the same messages for other bytes, or on other chips.

        What was read from other programs often has no size: here it gets one.

        Parameters
        ----------
        size
            Bytes, as nccl-tests defines them for the operation.
        chips
            The chip of each rank; None for the same.

        Returns
        -------
        Schedule
            One of your own, which runs message by message.

        Raises
        ------
        InvalidArgument, InvalidType
            If the size or the chips are not usable, or are not as many.

        Examples
        --------
        >>> from rainier_fast import schedule, torus
        >>> ring = schedule("all_reduce", torus((4,), "1 GB/s"), "1 MiB", algorithm="ring")
        >>> ring.at("2 MiB").blocks[0].nbytes / ring.blocks[0].nbytes
        2.0
        """
        core = self._core
        nbytes = parse_bytes(size, "size")
        members = core.chips if chips is None else _listed("chips", chips)
        if len(members) != self.ranks:
            raise invalid("chips", chips, f"must be {self.ranks}, one for each rank")
        if core.size <= 0:
            raise invalid("size", core.size, "of the schedule must be above 0 to be changed")
        by = nbytes / core.size
        blocks = [replace(block, nbytes=block.nbytes * by) for block in self.blocks]
        sends = [replace(send, nbytes=(send.nbytes or 0.0) * by) for send in self.sends]
        ends = (members, sends, blocks, core.root, core.shift)
        return Schedule._own(_core_of(core.operation, nbytes, *ends), self.algorithm)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule):
            return NotImplemented
        if self is other:
            return True
        mine, theirs = (one._machine is not None for one in (self, other))
        if mine or theirs:
            return (self._machine, self._request) == (other._machine, other._request)
        return self._core == other._core

    def __hash__(self) -> int:
        return hash((self.operation, self.size_bytes, *self.chips))

    def __reduce__(self) -> tuple[Any, ...]:
        if self._machine is not None and self._request is not None:
            return made_by, (self._machine, self._request)
        core = self._core
        sends = self.sends
        arguments = (core.operation, core.size, core.chips, sends, self.blocks, core.root)
        return Schedule, arguments

    @property
    def _name(self) -> str:
        # What an algorithm made for another machine is run as it is given.
        return self.algorithm if self._machine is None else "schedule"

    @property
    def operation(self) -> str:
        """What it does."""
        return self._core.operation

    @property
    def size_bytes(self) -> float:
        """Bytes, as nccl-tests defines them for the operation."""
        return self._core.size

    @property
    def chips(self) -> list[int]:
        """The chip of each rank."""
        return self._core.chips

    @property
    def root(self) -> int:
        """Rank of the root; 0 of operations that have none."""
        return self._core.root

    @property
    def ranks(self) -> int:
        """Ranks of the group."""
        return len(self._core.chips)

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the data."""
        return [Block(*row) for row in self._core.blocks]

    @property
    def sends(self) -> list[Send]:
        """The messages. A pipelined algorithm's are those of all pieces of its data together."""
        return [
            Send(src, dst, tuple(blocks), step, reduce, lane, stage, tuple(after), nbytes)
            for src, dst, blocks, nbytes, reduce, stage, lane, step, after in self._core.sends
        ]

    def __len__(self) -> int:
        return self._core.num_sends

    def verify(self) -> None:
        """Prove that every rank ends with exactly the contributions that it must have.

        The schedule is run on sets of contributions: nothing may be added twice, read before what
        it waits for has brought it, or wait for itself.

        Raises
        ------
        InvalidSchedule
            Naming the first rank and block that are wrong, or the sends that wait for each other.
        Unsupported
            If there are too many ranks and blocks to keep track of.

        Examples
        --------
        >>> from rainier_fast import preset, schedule
        >>> schedule("all_reduce", preset("trn2"), "1 GiB", algorithm="swing").verify()
        """
        self._core.verify()

    def __repr__(self) -> str:
        return (
            f"<Schedule of {self.operation} by {self.algorithm} over {self.ranks} ranks: "
            f"{len(self)} sends of {self._core.num_blocks} blocks>"
        )


def _core_of(
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
        for at, chip in enumerate(_listed("chips", chips))
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
            _block_row(at, block, len(members))
            for at, block in enumerate(_listed("blocks", blocks))
        ]
    messages = [_send_row(at, send, rows) for at, send in enumerate(_listed("sends", sends))]
    return CoreSchedule(operation, nbytes, at_root, shift, members, rows, messages)


def made_by(machine: Base, request: Request) -> Schedule:
    """Return the schedule of a request: the work of `rainier_fast.schedule`."""
    name, core = request.schedule(machine)
    return Schedule._of(core, name, machine, request)


def _listed(name: str, values: object) -> list[Any]:
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
        for index, block in enumerate(_listed(f"sends[{at}].blocks", send.blocks))
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
            for index, other in enumerate(_listed(f"sends[{at}].after", send.after))
        ],
    )
