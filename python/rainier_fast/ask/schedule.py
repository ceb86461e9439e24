"""Schedules: who sends which blocks to whom, and what each message waits for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from rainier_fast._core import Schedule as CoreSchedule
from rainier_fast.ask.messages import Block, Send, core_of, listed
from rainier_fast.ask.options import OPERATIONS
from rainier_fast.ask.request import Request
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.files.kept import as_path
from rainier_fast.files.saved import Told
from rainier_fast.frozen import frozen, put
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_bytes

_ENDS: Final = {".xml": "msccl", ".goal": "goal"}
"""Formats of other programs, by the end of a file's name."""


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
    _written_as = MappingProxyType(
        {
            "msccl": "ask.schedule_msccl",
            "goal": "ask.schedule_goal",
            "chakra": "astra_sim.schedules",
        }
    )

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
        core = core_of(operation, size, chips, sends, blocks, root)
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
            ``"toml"``, ``"yaml"``, ``"json"``, ``"msccl"`` (XML for MSCCL's runtime), ``"goal"``
            (text for LogGOPSim and its kin) or ``"chakra"`` (a file for each rank, ``path.0.et``,
            ``path.1.et``, ..., that `rainier_fast.astra_sim.read_schedule` reads); None for what
            the name ends with: ``.xml`` is MSCCL's, ``.goal`` GOAL.

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
        if format is None:
            format = _ENDS.get(as_path(path).suffix.lower())
        if isinstance(format, str) and str.__str__(format) == "chakra":  # several files
            # By name: it stands above, and knows schedules.
            import_module("rainier_fast.astra_sim.schedules").save_schedule(self, as_path(path))
        else:
            super().save(path, format)

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
        members = core.chips if chips is None else listed("chips", chips)
        if len(members) != self.ranks:
            raise invalid("chips", chips, f"must be {self.ranks}, one for each rank")
        if core.size <= 0:
            raise invalid("size", core.size, "of the schedule must be above 0 to be changed")
        by = nbytes / core.size
        blocks = [replace(block, nbytes=block.nbytes * by) for block in self.blocks]
        sends = [replace(send, nbytes=(send.nbytes or 0.0) * by) for send in self.sends]
        ends = (members, sends, blocks, core.root, core.shift)
        return Schedule._own(core_of(core.operation, nbytes, *ends), self.algorithm)

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


def made_by(machine: Base, request: Request) -> Schedule:
    """Return the schedule of a request: the work of `rainier_fast.schedule`."""
    name, core = request.schedule(machine)
    return Schedule._of(core, name, machine, request)
