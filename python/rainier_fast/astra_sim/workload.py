"""Workloads: what each NPU runs, as traces."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rainier_fast.astra_sim.files import content, write_all
from rainier_fast.astra_sim.nodes import COLLECTIVES, Node
from rainier_fast.astra_sim.programs import nodes_of
from rainier_fast.astra_sim.traces import read_nodes, write_nodes
from rainier_fast.definitions.check import as_integer, as_items
from rainier_fast.errors import InvalidArgument, as_one_of, invalid
from rainier_fast.files.kept import as_path
from rainier_fast.program import Program

_MOST_NPUS: Final = 2**24
_MOST_BYTES: Final = 2**40
_TRACE_MOST: Final = 2**31


@dataclass(frozen=True)
class Workload:
    """Traces, and which of them each NPU runs.

    Attributes
    ----------
    traces
        Different traces, each as its nodes.
    trace_of
        By NPU, the place of its trace in `traces`.
    groups
        Groups of ranks by number: the file of communicator groups.

    Examples
    --------
    >>> work = Workload.collective("all_gather", 1024, 4)
    >>> work.npus, work.nodes(3)[0].kind
    (4, 'all_gather')
    """

    traces: tuple[tuple[Node, ...], ...]
    trace_of: tuple[int, ...]
    groups: tuple[tuple[int, tuple[int, ...]], ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.traces or not self.trace_of:
            raise invalid("workload", "no trace", "must have one at least")
        for at, place in enumerate(self.trace_of):
            as_integer(f"trace_of[{at}]", place, 0, len(self.traces) - 1)
        for number, ranks in self.groups:
            if type(number) is not int or number < 1:
                raise invalid("groups", number, "must be numbered from 1; 0 is everyone")
            if len(set(ranks)) != len(ranks) or not ranks:
                raise invalid("groups", ranks, "must have each rank once")
            for rank in ranks:
                as_integer("groups", rank, 0, self.npus - 1)

    @property
    def npus(self) -> int:
        """How many NPUs it is for."""
        return len(self.trace_of)

    def nodes(self, rank: int) -> tuple[Node, ...]:
        """Return what one NPU runs.

        Examples
        --------
        >>> Workload.collective("all_reduce", 8, 2).nodes(1)[0].numbers
        (8, 0)
        """
        return self.traces[self.trace_of[as_integer("rank", rank, 0, self.npus - 1)]]

    @classmethod
    def collective(cls, operation: str, bytes: int, npus: int) -> Workload:
        """Return one collective of all NPUs.

        Parameters
        ----------
        operation
            ``"all_reduce"``, ``"all_gather"``, ``"reduce_scatter"`` or ``"all_to_all"``.
        bytes
            As its traces count them: of an all-gather what each NPU brings, of the others all.
        npus
            How many NPUs.

        Examples
        --------
        >>> Workload.collective("all_reduce", 2**20, 64).npus
        64
        """
        name = as_one_of("operation", operation, COLLECTIVES)
        size = as_integer("bytes", bytes, 0, _MOST_BYTES * 2**20)
        count = as_integer("npus", npus, 2, _MOST_NPUS)
        return cls.alike((Node(0, kind=name, numbers=(size, 0), name=name),), count)

    @classmethod
    def alike(cls, nodes: Sequence[Node], npus: int) -> Workload:
        """Return the same trace for all NPUs.

        Examples
        --------
        >>> Workload.alike([Node(0, kind="compute", micros=5)], 8).npus
        8
        """
        return cls((tuple(nodes),), (0,) * as_integer("npus", npus, 1, _MOST_NPUS))

    @classmethod
    def of_program(cls, program: Program, npus: int | None = None) -> Workload:
        """Return the traces of a program: each rank's collectives in order, loops written out.

        Parameters
        ----------
        program
            Its collectives must say bytes, and all groups or all ranks.
        npus
            How many ranks, where the program does not say.

        Raises
        ------
        Unsupported
            If the program does not say what traces need; the message names the collective.

        Examples
        --------
        >>> from rainier_fast import ProgramCollective, ProgramGroups
        >>> pairs = ProgramGroups.of_lists([[0, 1], [2, 3]])
        >>> one = ProgramCollective("ar", "all_reduce", 8, 8, groups=pairs)
        >>> work = Workload.of_program(Program((one,), 4))
        >>> work.groups, [node.group for node in work.nodes(3)]
        (((1, (0, 1)), (2, (2, 3))), [2])
        """
        world = program.world if npus is None else npus
        if world is None:
            raise invalid("npus", npus, "must be given where the program does not say its ranks")
        world = as_integer("npus", world, 1, _MOST_NPUS)
        numbers: dict[tuple[int, ...], int] = {}
        places: dict[tuple[Node, ...], int] = {}
        trace_of = []
        for rank in range(world):
            nodes = nodes_of(program, rank, numbers) or (Node(0),)
            trace_of.append(places.setdefault(nodes, len(places)))
        groups = tuple((number, ranks) for ranks, number in numbers.items())
        return cls(tuple(places), tuple(trace_of), groups)

    @classmethod
    def read(
        cls,
        source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Mapping[str, Any],
        groups: str | os.PathLike[str] | Mapping[str, Sequence[int]] | None = None,
    ) -> Workload:
        """Read Chakra traces: of a name, the files ``name.0.et``, ``name.1.et`` and so on.

        Parameters
        ----------
        source
            The name, with its folder and without number; or the files, in order of ranks; or what
            `collective` takes, as a dict with ``coll``, ``npus`` and ``bytes``.
        groups
            The file of communicator groups, or its groups by number.

        Raises
        ------
        InvalidArgument, InvalidType
            If files are missing or broken; the message names file and byte.

        Examples
        --------
        >>> row = {"kind": "collective", "coll": "all_reduce", "npus": 4, "bytes": 64}
        >>> Workload.read(row) == Workload.collective("all_reduce", 64, 4)
        True
        """
        if isinstance(source, Mapping):
            return _of_words(source)
        named = _groups_of(groups)
        paths = _paths(source)
        if not paths:
            raise invalid("workload", source, "must be a name of files name.0.et, name.1.et, ...")
        places: dict[tuple[Node, ...], int] = {}
        trace_of = []
        for path in paths:
            data = content("workload", path, _TRACE_MOST)
            nodes = read_nodes(data, os.fspath(path))
            trace_of.append(places.setdefault(nodes, len(places)))
        return cls(tuple(places), tuple(trace_of), named)

    def save(self, name: str | os.PathLike[str]) -> list[Path]:
        """Write ``name.0.et``, ``name.1.et``, ... and, if there are any, ``name.groups.json``.

        Parameters
        ----------
        name
            Folder and beginning of the files' names.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        InvalidArgument, InvalidType
            If the name is none, or a file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     work = Workload.collective("all_reduce", 64, 2)
        ...     paths = work.save(folder + "/step")
        ...     [path.name for path in paths], Workload.read(folder + "/step") == work
        (['step.0.et', 'step.1.et'], True)
        """
        return write_all(name, self._files())

    def _files(self) -> Iterator[tuple[str, str | bytes]]:
        """Yield the end of each file's name, and what it holds."""
        for rank in range(self.npus):
            yield f".{rank}.et", write_nodes(self.nodes(rank), rank)
        if self.groups:
            groups = {str(one): list(ranks) for one, ranks in self.groups}
            yield ".groups.json", json.dumps(groups)


def _of_words(words: Mapping[str, Any]) -> Workload:
    for key in ("coll", "npus", "bytes"):
        if key not in words:
            raise InvalidArgument(f"workload: got no key {key}, must have coll, npus and bytes")
    if extra := sorted(set(words) - {"kind", "coll", "npus", "bytes"}):
        raise invalid("workload", extra[0], "must have kind, coll, npus and bytes only")
    as_one_of("workload, key kind", words.get("kind", "collective"), ("collective",))
    return Workload.collective(words["coll"], words["bytes"], words["npus"])


def _paths(source: object) -> list[Path]:
    if not isinstance(source, str | os.PathLike):
        items = as_items("workload", source, "must be a name, files, or a dict")
        return [as_path(one, f"workload[{at}]") for at, one in enumerate(items)]
    base = os.fspath(as_path(source, "workload"))
    paths: list[Path] = []
    while len(paths) < _MOST_NPUS:
        path = Path(f"{base}.{len(paths)}.et")
        if not path.is_file():
            break
        paths.append(path)
    return paths


def _groups_of(
    groups: str | os.PathLike[str] | Mapping[str, Sequence[int]] | None,
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    if groups is None:
        return ()
    from rainier_fast.astra_sim.files import settings

    found, name = settings("groups", groups)
    rows = []
    for key, ranks in found.items():
        if not str(key).isdecimal() or not isinstance(ranks, list | tuple):
            raise InvalidArgument(f"{name}, key {key}: must be a number, with a list of ranks")
        rows.append((int(key), tuple(ranks)))
    return tuple(rows)
