"""Which chip each rank of a job runs on, and on which host: the answer of `Machine.place`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from rainier_fast.errors import as_one_of, invalid
from rainier_fast.files import kept, kinds
from rainier_fast.files.kept import text_in
from rainier_fast.files.saved import Saved
from rainier_fast.frozen import frozen, put
from rainier_fast.memory import reckon
from rainier_fast.placement import launch
from rainier_fast.placement.placed_ranks import ROW_BYTES, Axes, PlacedRanks
from rainier_fast.placement.text import said
from rainier_fast.screen import Facts, Report, one_screen

TORCH: Final = (
    "torch: start ranks in this order and build the mesh from ascending ranks. A permuted "
    "DeviceMesh alone is wrong: torch 2.15 sorts the ranks of its groups and hands back swapped "
    "pieces unless preserve_rank_order=True"
)


@one_screen
@frozen("a placement does not change; make another one")
class Placement(PlacedRanks, Saved, Report):
    """Which rank runs on which chip of which host. Immutable; made by `Machine.place` and `load`.

    Attributes
    ----------
    what
        What was placed.
    machine
        The machine, in words.
    num_chips
        Its chips.
    chips
        The chip of each rank: int64, read-only.
    ranks_per_chip
        How many ranks a chip has.
    hosts
        Names of hosts, in the order of the first rank of each.
    host
        The place in `hosts` of each rank's host: int64, read-only.
    device
        The number of each rank's device on its host, cores counted where ranks are cores.
    axes
        Of each axis of the job: its name, ranks in a group, and how far one is from the next.
    assumed
        What no file says.

    Examples
    --------
    >>> from rainier_fast import Layout, preset
    >>> placed = preset("rainier", chips=128).place(Layout(tp=16, dp=2), hosts="trn[01-08]")
    >>> placed.hosts, int(placed.chips[16]), placed.where(16)
    (('trn01', 'trn02'), 16, ('trn02', 0))
    """

    __slots__ = (
        "assumed",
        "axes",
        "chips",
        "device",
        "host",
        "hosts",
        "machine",
        "num_chips",
        "ranks_per_chip",
        "what",
    )

    _saved_as = "placement"

    what: str
    machine: str
    num_chips: int
    chips: NDArray[np.int64]
    ranks_per_chip: int
    hosts: tuple[str, ...]
    host: NDArray[np.int64]
    device: NDArray[np.int64]
    axes: Axes
    assumed: tuple[str, ...]

    def __init__(self) -> None:
        raise TypeError("Placement is made by Machine.place, Placement.load and Placement.parse")

    @classmethod
    def _made(
        cls,
        *,
        what: str,
        machine: str,
        num_chips: int,
        chips: NDArray[np.int64],
        ranks_per_chip: int,
        hosts: tuple[str, ...],
        host: NDArray[np.int64],
        device: NDArray[np.int64],
        axes: Axes,
        assumed: tuple[str, ...],
    ) -> Self:
        made = object.__new__(cls)
        columns = {"chips": chips, "host": host, "device": device}
        for name, column in columns.items():
            columns[name] = np.array(column, np.int64)
            columns[name].flags.writeable = False
        put(made, what=what, machine=machine, num_chips=num_chips, ranks_per_chip=ranks_per_chip)
        put(made, hosts=hosts, axes=axes, assumed=assumed, **columns)
        return made

    def _key(self) -> tuple[Any, ...]:
        columns = (self.chips.tobytes(), self.host.tobytes(), self.device.tobytes())
        words = (self.what, self.machine, self.num_chips, self.ranks_per_chip)
        return (*words, self.hosts, self.axes, self.assumed, *columns)

    def to_csv(self) -> str:
        r"""Return the table as CSV.

        Returns
        -------
        str
            A header line, then a line for each rank.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").place(1).to_csv()
        'rank,host,local_rank,device,chip\n0,host0,0,0,0\n'
        """
        return self.table().to_csv()

    def launch(self, form: str) -> str:
        """Return the text that a launcher takes, by which ranks come to where they are here.

        Parameters
        ----------
        form
            ``"slurm"``: a host for each rank, for ``SLURM_HOSTFILE`` and ``srun
            --distribution=arbitrary``; ``"rankfile"`` of Open MPI; ``"hostfile"`` with slots of
            mpirun; ``"hosts"``, a host a line, in whose order nodes are numbered; ``"nodelist"``,
            the same folded; ``"torchrun"``, a command for each host; ``"jax"``, the place in
            ``jax.devices()`` of each rank, as JSON, where processes are numbered as `hosts`;
            ``"csv"`` and ``"json"``.

        Returns
        -------
        str
            The text.

        Raises
        ------
        UnknownName
            If there is no such form.
        Unsupported
            If the form says only an order of hosts, and ranks do not go on from host to host.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> placed = preset("trn2-ultraserver").place(32, hosts="b2,b1,b3,b4")
        >>> print(placed.launch("hostfile"), end="")
        b2 slots=16
        b1 slots=16
        >>> placed.launch("slurm").split()[15:17], placed.launch("rankfile").splitlines()[17]
        (['b2', 'b1'], 'rank 17=b1 slot=1')
        """
        name = as_one_of("form", form, (*launch.FORMS, *launch.OWN))
        if name == "csv":
            return self.to_csv()
        if name == "json":
            return launch.as_json(self.to_dict())
        reckon(ROW_BYTES * len(self), f"a file of {len(self):,} ranks", "place a smaller job")
        return launch.FORMS[name](self)

    def write(self, path: str | os.PathLike[str], form: str) -> None:
        r"""Write a file for a launcher.

        Parameters
        ----------
        path
            The file; one that is there is replaced.
        form
            As in `launch`.

        Raises
        ------
        UnknownName, Unsupported
            As `launch`.
        OSError
            If it cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from rainier_fast import preset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "hosts"
        ...     preset("trn2").place(16, hosts="trn7").write(path, "nodelist")
        ...     path.read_text()
        'trn7\n'
        """
        text = self.launch(form)
        kept.write(kept.as_path(path), text)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as a dict that JSON takes, as `save` writes it.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> preset("trn2").place(2).to_dict()["chips"]
        [0, 1]
        """
        return kinds.told(self, self._saved_as)

    @classmethod
    def parse(cls, text: str | bytes, name: str = "text") -> Self:
        """Return the placement that the text of such a file says.

        Parameters
        ----------
        text
            As `save` writes it: JSON, TOML or YAML.
        name
            What errors call it.

        Returns
        -------
        Placement
            As `load`.

        Raises
        ------
        InvalidFile
            As `load`.

        Examples
        --------
        >>> from rainier_fast import Placement, preset
        >>> placed = preset("trn2").place(16)
        >>> Placement.parse(placed.launch("json")) == placed
        True
        """
        source = said(text, name)
        made: Self = kinds.of_text(text_in(source.text.encode(), source.name), cls._saved_as)
        return made

    def _page(self) -> list[Any]:
        each = self.ranks_per_host
        facts: Facts = [("ranks", f"{len(self):,}, {self.ranks_per_chip} a chip")]
        spread = f", {each} ranks each" if each else ", of unlike numbers of ranks"
        facts.append(("hosts", f"{len(self.hosts):,}{spread}"))
        facts += [("axes", ", ".join(f"{name} {size}" for name, size, _ in self.axes))] * bool(
            self.axes
        )
        go_on = "from host to host" if self.is_by_host else "across hosts: use slurm or rankfile"
        facts.append(("ranks go", go_on))
        if not self.is_by_device:
            facts.append(("devices", "not in the order of local ranks: see the table"))
        first = [f"{rank} {host} device {device}" for rank, host, device in _first(self)]
        facts.append(("first", "; ".join(first)))
        return [f"{self.what} on {self.machine}", facts, *self.assumed, TORCH]

    def __repr__(self) -> str:
        return f"<Placement of {self.what}: {len(self):,} ranks on {len(self.hosts):,} hosts>"


def busy(placements: Sequence[object], num_chips: int) -> NDArray[np.int64]:
    """Return the chips that placements on this machine have."""
    found = [np.zeros(0, np.int64)]
    for at, one in enumerate(placements):
        if not isinstance(one, Placement):
            raise invalid(f"taken[{at}]", one, "must be a Placement")
        if one.num_chips != num_chips:
            allowed = f"must be of a machine of {num_chips:,} chips"
            raise invalid(f"taken[{at}]", f"one of {one.num_chips:,} chips", allowed)
        found.append(one.chips)
    return np.unique(np.concatenate(found))


def _first(placed: Placement) -> list[tuple[int, str, int]]:
    return [(rank, *placed.where(rank)) for rank in range(min(3, len(placed)))]
