"""Lists of hosts that launchers read: host files, node lists of Slurm jobs, rankfiles."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from rainier_fast.definitions.check import as_count
from rainier_fast.errors import invalid
from rainier_fast.placement.hostlist import MOST_HOSTS, expanded, fold_hosts
from rainier_fast.placement.text import Source, said, source_of
from rainier_fast.screen import Facts, Report, one_screen

_SLOTS: Final = re.compile(
    r"(?P<host>[A-Za-z0-9_.\-]{1,253})"
    r"(?::(?P<hydra>\d{1,7})|(?P<pairs>(?:\s+[A-Za-z_\-]+\s*=\s*\d{1,7})+))?\s*"
)
_PAIR: Final = re.compile(r"([A-Za-z_\-]+)\s*=\s*(\d+)")
_RANK: Final = re.compile(r"rank\s+(\d{1,9})\s*=\s*(\+?[A-Za-z0-9_.\-]+)\s+slots?\s*=\s*(\S+)\s*")
_MOST_RANKS: Final = 2**22


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class HostList(Report):
    r"""Hosts in the order of a file, with how many ranks each takes. Immutable.

    Attributes
    ----------
    hosts
        A name for each entry; repeats are kept, for they are ranks.
    slots
        Ranks of each entry, None where the file does not say.
    kind
        ``"list"`` (a host file or a node list), ``"slots"`` (of Open MPI's ``slots=`` or MPICH's
        ``host:4``) or ``"rankfile"``, an entry for each rank.
    source
        What was read.

    Examples
    --------
    >>> HostList.parse("trn[1-2],trn1").hosts
    ('trn1', 'trn2', 'trn1')
    >>> HostList.parse("a slots=2\nb slots=1").ranks()
    ('a', 'a', 'b')
    """

    hosts: tuple[str, ...]
    slots: tuple[int | None, ...]
    kind: str = "list"
    source: str = "made here"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file of hosts.

        Parameters
        ----------
        path
            The file: a host or host list a line, ``host slots=4``, ``host:4``, or a rankfile.

        Returns
        -------
        HostList
            Its entries.

        Raises
        ------
        InvalidArgument, Unsupported
            If it is not such a file; the message names the line.
        OSError
            If it cannot be read.

        Examples
        --------
        >>> HostList.load("/no/such/hosts")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: '/no/such/hosts'
        """
        return cls._of(source_of(path))

    @classmethod
    def parse(cls, text: str | bytes, name: str = "text") -> Self:
        r"""Return what such text says, as the value of SLURM_JOB_NODELIST.

        Parameters
        ----------
        text
            The text.
        name
            What errors call it.

        Returns
        -------
        HostList
            As `load`.

        Raises
        ------
        InvalidArgument, InvalidType, Unsupported
            As `load`.

        Examples
        --------
        >>> HostList.parse("rank 0=b slot=0\nrank 1=a slot=0").hosts
        ('b', 'a')
        """
        return cls._of(said(text, name))

    @classmethod
    def _of(cls, source: Source) -> Self:
        lines = list(_lines(source))
        if not lines:
            raise source.fault("", "no line with a host", "must name at least one host")
        if lines[0][1].startswith("rank"):
            return cls(*_ranked(source, lines), "rankfile", f"rankfile {source.name}")
        hosts: list[str] = []
        slots: list[int | None] = []
        for number, line in lines:
            match = _SLOTS.fullmatch(line)
            if match is not None:
                hosts.append(match["host"])
                slots.append(_slots(source, number, match))
                continue
            with source.saying(f"line {number}"):
                names = expanded(line, "hosts")
            hosts += names
            slots += [None] * len(names)
            if len(hosts) > MOST_HOSTS:
                raise source.fault(f"line {number}", "hosts", f"must be at most {MOST_HOSTS:,}")
        kind = "slots" if any(count is not None for count in slots) else "list"
        return cls(tuple(hosts), tuple(slots), kind, f"host file {source.name}")

    def __len__(self) -> int:
        return len(self.hosts)

    @property
    def distinct(self) -> tuple[str, ...]:
        """Each host once, in the order of first sight."""
        return tuple(dict.fromkeys(self.hosts))

    def ranks(self, slots: int | None = None) -> tuple[str, ...]:
        """Return the host of each rank.

        Parameters
        ----------
        slots
            Ranks of entries that do not say how many; None for 1.

        Returns
        -------
        tuple of str
            By slot: all ranks of an entry, then those of the next. Where the file has slots, a host
            that is there again has them at its first place, as mpirun adds them up; in a list it is
            a rank of its own, as in SLURM_HOSTFILE.

        Raises
        ------
        InvalidArgument
            If there would be more than 4,194,304.

        Examples
        --------
        >>> HostList.parse("a,b,a").ranks(), HostList.parse("a,b").ranks(2)
        (('a', 'b', 'a'), ('a', 'a', 'b', 'b'))
        """
        each = 1 if slots is None else as_count("slots", slots, _MOST_RANKS)
        counts = [each if count is None else count for count in self.slots]
        if sum(counts) > _MOST_RANKS:
            raise invalid("slots", sum(counts), f"must be at most {_MOST_RANKS:,} ranks in all")
        if self.kind != "slots":
            pairs = zip(self.hosts, counts, strict=True)
            return tuple(host for host, count in pairs for _ in range(count))
        total: dict[str, int] = {}
        for host, count in zip(self.hosts, counts, strict=True):
            total[host] = total.get(host, 0) + count
        return tuple(host for host, count in total.items() for _ in range(count))

    def fold(self) -> str:
        r"""Return the hosts as one Slurm host list.

        Returns
        -------
        str
            In their order, repeats kept.

        Raises
        ------
        InvalidArgument
            If a name cannot be in such a list.

        Examples
        --------
        >>> HostList.parse("n1\nn2\nn3").fold()
        'n[1-3]'
        """
        return fold_hosts(self.hosts)

    def _page(self) -> list[Any]:
        said = [count for count in self.slots if count is not None]
        facts: Facts = [("entries", f"{len(self):,}"), ("hosts", f"{len(self.distinct):,}")]
        facts += [("slots", f"{sum(said):,}")] if said else []
        first = ", ".join(self.hosts[:4]) + (", ..." if len(self) > 4 else "")
        return [self.source, [*facts, ("first", first)]]

    def __repr__(self) -> str:
        return f"<HostList of {self.source}: {len(self):,} entries>"


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(source.text.splitlines(), 1):
        line = raw.split("#")[0].strip()
        if line:
            yield number, line


def _slots(source: Source, number: int, match: re.Match[str]) -> int | None:
    hydra: str | None = match["hydra"]
    if hydra is not None:
        count = int(str(hydra))
    elif match["pairs"]:
        pairs = dict(_PAIR.findall(match["pairs"]))
        known = {"slots", "max_slots", "max-slots", "cpu"}
        odd = next((key for key in pairs if key not in known), None)
        if odd is not None:
            raise source.fault(f"line {number}", odd, f"must be one of {', '.join(sorted(known))}")
        if "slots" not in pairs and "cpu" not in pairs:
            return None
        count = int(str(pairs.get("slots", pairs.get("cpu"))))
    else:
        return None
    if not 1 <= count <= _MOST_RANKS:
        raise source.fault(f"line {number} slots", count, f"must be 1 to {_MOST_RANKS:,}")
    return count


def _ranked(
    source: Source, lines: Sequence[tuple[int, str]]
) -> tuple[tuple[str, ...], tuple[int | None, ...]]:
    """Return the host of each rank of a rankfile."""
    found: dict[int, str] = {}
    for number, line in lines:
        match = _RANK.fullmatch(line)
        if match is None:
            raise source.fault(f"line {number}", line, "must be as 'rank 0=host slot=0'")
        rank = int(match[1])
        if rank in found:
            raise source.fault(f"line {number}", f"rank {rank}", "must be there once")
        if match[2].startswith("+"):
            allowed = "must name a host: +n0 is of the list that mpirun is given, which is not here"
            raise source.fault(f"line {number}", match[2], allowed)
        found[rank] = match[2]
    hole = next((rank for rank in range(len(found)) if rank not in found), None)
    if hole is not None:
        raise source.fault("", f"no rank {hole}", f"must have ranks 0 to {len(found) - 1}")
    hosts = tuple(found[rank] for rank in range(len(found)))
    return hosts, (1,) * len(hosts)
