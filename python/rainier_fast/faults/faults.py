"""What is broken on a machine: a sparse overlay that can be read, merged, saved and loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rainier_fast import _core
from rainier_fast.definitions.check import as_factor, as_pairs
from rainier_fast.errors import Unsupported, invalid, invalid_type, shown
from rainier_fast.faults.file import FORMAT, NAMES, PARTS, VERSION, read
from rainier_fast.faults.text import arguments, lines, rows
from rainier_fast.files.json_text import write
from rainier_fast.files.kept import as_path
from rainier_fast.files.kept import write as put_in_place
from rainier_fast.flows.places import Places
from rainier_fast.frozen import frozen, put
from rainier_fast.screen import Pictured, one_screen, preformatted
from rainier_fast.topology.arrays import numbers_of
from rainier_fast.topology.base import Base
from rainier_fast.units import format_count

if TYPE_CHECKING:
    from rainier_fast.table import Table

_CoreFaults: TypeAlias = _core.Faults


@one_screen
@frozen("faults do not change; make others")
class Faults(Pictured):
    """What is broken, by the numbers of a machine. Immutable; equal where it says the same.

    `Machine.faults` gives it, and `Machine.with_faults` takes it. Its size grows with the faults,
    not with the machine.

    Parameters
    ----------
    links
        Numbers of links that carry nothing.
    chips
        Chips that do nothing; their links and NICs are dead with them.
    nics
        Chips whose NIC is dead.
    ultraservers
        Dead UltraServers, counted over the machine.
    sites
        Numbers of dead sites.
    degraded
        Slower links: the factor on the bandwidth, above 0 and at most 1, by number.

    Raises
    ------
    InvalidArgument, InvalidType, OutOfRange
        If a number is negative or named twice, or a factor is not usable. Whether the numbers
        exist is checked by the machine that it is put on.

    Examples
    --------
    >>> faults = Faults(links=[17, 3], degraded={4: 0.5})
    >>> faults
    Faults(links=[3, 17], degraded={4: 0.5})
    >>> len(faults), (faults | Faults(chips=[1])).chips.tolist()
    (3, [1])
    """

    __slots__ = ("_core", "_machine", "_numbering")

    _core: _CoreFaults
    # Chips, links, UltraServers and sites of the machine whose numbers these are, where known.
    _numbering: tuple[int, ...] | None
    _machine: Places | None

    def __init__(
        self,
        *,
        links: Iterable[int] = (),
        chips: Iterable[int] = (),
        nics: Iterable[int] = (),
        ultraservers: Iterable[int] = (),
        sites: Iterable[int] = (),
        degraded: Mapping[int, float] | None = None,
    ) -> None:
        allowed = "must be a mapping of link numbers to factors"
        slower = dict([] if degraded is None else as_pairs("degraded", degraded, allowed))
        factors = [as_factor(f"degraded[{shown(at)}]", factor) for at, factor in slower.items()]
        row = (
            numbers_of("links", links, 2**63).astype(np.uint64),
            numbers_of("chips", chips).astype(np.uint32),
            numbers_of("nics", nics).astype(np.uint32),
            numbers_of("ultraservers", ultraservers).astype(np.uint32),
            numbers_of("sites", sites).astype(np.uint32),
            numbers_of("degraded", list(slower), 2**63).astype(np.uint64),
            np.array(factors, np.float64),
        )
        put(self, _core=_core.Faults(row), _numbering=None, _machine=None)

    @classmethod
    def _of(
        cls,
        core: _CoreFaults,
        numbering: tuple[int, ...] | None,
        machine: Places | None = None,
    ) -> Faults:
        """Make one of faults of the core."""
        faults = object.__new__(cls)
        put(faults, _core=core, _numbering=numbering, _machine=machine)
        return faults

    @property
    def links(self) -> NDArray[np.int64]:
        """Numbers of links that carry nothing: int64, ascending, read-only, as all of these."""
        return self._core.links

    @property
    def chips(self) -> NDArray[np.int64]:
        """Numbers of dead chips."""
        return self._core.chips

    @property
    def nics(self) -> NDArray[np.int64]:
        """Numbers of chips whose NIC is dead."""
        return self._core.nics

    @property
    def ultraservers(self) -> NDArray[np.int64]:
        """Dead UltraServers, counted over the machine."""
        return self._core.ultraservers

    @property
    def sites(self) -> NDArray[np.int64]:
        """Numbers of dead sites."""
        return self._core.sites

    @property
    def degraded(self) -> dict[int, float]:
        """The factors on the bandwidth of slower links, by link number."""
        return dict(self._core.degraded)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays, were all of them made."""
        return 8 * (len(self) + self.counts.get("degraded", 0))

    @property
    def counts(self) -> dict[str, int]:
        """How many of each are named, those of which there are any.

        Examples
        --------
        >>> Faults(links=[3, 4], chips=[1]).counts
        {'links': 2, 'chips': 1}
        """
        return {name: count for name, count in self._core.counts() if count}

    def __len__(self) -> int:
        return len(self._core)

    def _key(self) -> _CoreFaults:
        return self._core

    def __or__(self, other: Faults) -> Faults:
        if not isinstance(other, Faults):
            return NotImplemented
        return self.merged(other)

    def merged(self, other: Faults) -> Faults:
        """Return the faults of both.

        A link that both degrade has the smaller factor; one that either kills is dead.

        Parameters
        ----------
        other
            Faults of the same machine.

        Returns
        -------
        Faults
            As ``|`` gives.

        Raises
        ------
        InvalidArgument
            If they are known to be of machines that number their parts otherwise.

        Examples
        --------
        >>> Faults(degraded={4: 0.5}).merged(Faults(degraded={4: 0.25})).degraded
        {4: 0.25}
        """
        if not isinstance(other, Faults):
            raise invalid_type("other", other, "must be Faults")
        if self._numbering and other._numbering and self._numbering != other._numbering:
            raise invalid(
                "other", _sizes(other._numbering), f"these are faults of {_sizes(self._numbering)}"
            )
        numbering = self._numbering or other._numbering
        return Faults._of(self._core | other._core, numbering, self._machine or other._machine)

    def on(self, machine: Places) -> Faults:
        """Return the same faults, read with the names of a machine.

        Parameters
        ----------
        machine
            The machine whose numbers these are.

        Returns
        -------
        Faults
            Its text says where each fault is.

        Raises
        ------
        InvalidArgument, InvalidType
            If the numbers are not of this machine.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> print(Faults(chips=[5]).on(preset("trn2")))
        1 chip dead
          chip 5: x 1, y 1
        """
        if not isinstance(machine, Base):
            raise invalid_type("machine", machine, "must be a machine")
        numbering = machine._numbering()
        _core.with_faults(machine._core, None, self._of_machine(numbering))
        return Faults._of(self._core, numbering, machine)

    def _of_machine(self, numbering: tuple[int, ...]) -> _CoreFaults:
        """Return the faults as the core has them, which are of this machine as far as they say."""
        if self._numbering is not None and self._numbering != numbering:
            raise invalid("faults", _sizes(self._numbering), f"this is {_sizes(numbering)}")
        return self._core

    def table(self) -> Table:
        """Return a row for each fault: what, number, where, factor on the bandwidth.

        Returns
        -------
        Table
            The factor is 0 for what is dead.

        Raises
        ------
        Unsupported
            If the machine is not known: ask `on` first.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> print(preset("trn2").with_faults(nics=[], links=[3], chips=[5]).faults.table())
        what  number  where                            factor
        link       3  link 3 (x +): chip 3 -> chip 0        0
        chip       5  chip 5: x 1, y 1                      0
        """
        from rainier_fast.table import Table

        if self._machine is None:
            raise Unsupported(
                "faults that were loaded or made by hand do not know where they are; "
                "ask faults.on(machine).table()"
            )
        listed = list(rows(self._core, self._machine, len(self)))
        names = ("what", "number", "where", "factor")
        columns = zip(*listed, strict=True) if listed else [()] * len(names)
        return Table({name: list(column) for name, column in zip(names, columns, strict=True)})

    def to_dict(self) -> dict[str, Any]:
        """Return the faults as a dict that JSON takes, as `save` writes it.

        Examples
        --------
        >>> Faults(links=[3]).to_dict()["links"]
        [3]
        """
        numbering = self._numbering
        return {
            "format": FORMAT,
            "version": VERSION,
            "machine": None if numbering is None else dict(zip(PARTS, numbering, strict=True)),
            **{name: getattr(self, name).tolist() for name in NAMES},
            "degraded": [[link, factor] for link, factor in self.degraded.items()],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the faults to a JSON file, whole or not at all.

        Parameters
        ----------
        path
            The file; one that is there is replaced.

        Raises
        ------
        OSError
            If it cannot be written; what was there is still there.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "faults.json"
        ...     Faults(links=[3]).save(path)
        ...     Faults.load(path)
        Faults(links=[3])
        """
        put_in_place(as_path(path), write(self.to_dict()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Faults:
        """Read faults that `save` wrote.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Faults
            Equal to those that were saved.

        Raises
        ------
        InvalidArgument
            If the file is not what `save` writes; the message says where.
        OSError
            If it cannot be read.

        Examples
        --------
        >>> Faults.load("/no/such/file")
        Traceback (most recent call last):
        FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file'
        """
        columns, degraded, numbering = read(as_path(path))
        try:
            made = cls(**columns, degraded=degraded)
        except (ValueError, TypeError) as error:
            raise invalid("path", str(path), f"is not a file of faults: {error}") from None
        return cls._of(made._core, numbering)

    def __reduce__(self) -> tuple[Any, ...]:
        return Faults._of, (self._core, self._numbering)

    def __repr__(self) -> str:
        return f"Faults({arguments(self._core)})"

    def __str__(self) -> str:
        return "\n".join(lines(self._core, self._machine))

    _repr_html_ = preformatted


def _sizes(numbering: tuple[int, ...]) -> str:
    """Return the counts of a machine's parts in words."""
    chips, links, units, sites = map(format_count, numbering)
    return f"a machine of {chips} chips, {links} links, {units} UltraServers, {sites} sites"
