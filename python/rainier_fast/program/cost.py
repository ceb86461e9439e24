"""What a program's collectives take on a machine: the answer of `Machine.cost_of`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rainier_fast.program import cost_tables as tables
from rainier_fast.program import hidden as hiding
from rainier_fast.program.changes import best_changes
from rainier_fast.program.cost_figures import CostFigures
from rainier_fast.screen import Report, Told, one_screen

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]

    from rainier_fast.table import Table


@one_screen
@dataclass(frozen=True, repr=False)
class ProgramCost(CostFigures, Report, Told):
    """The answer to `Machine.cost_of`.

    Attributes
    ----------
    machine, program
        What was costed where.
    algorithm
        How collectives run: the machine's software by name, ``"auto"`` for links alone, or another.
    trips
        How often loops without a trip count run, as it was given.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> groups = rf.ProgramGroups.own(start=0, stride=1, size=16)
    >>> one = rf.ProgramCollective("ar", "all_reduce", 2**20, 2**20, "bf16", groups)
    >>> cost = rf.preset("trn2").cost_of(rf.Program((one,)))
    >>> cost.kind, cost.communication_s == rf.preset("trn2").all_reduce(
    ...     "1 MiB", algorithm="runtime", dtype="bf16").time_s
    ('as neuron runs it', True)
    """

    _also = (
        "kind",
        "time_s",
        "communication_s",
        "parts",
        "missing",
        "guesses",
        "collectives",
        "bottlenecks",
        "changes",
    )
    _untold = ("machine",)

    @cached_property
    def collectives(self) -> Table:
        """A row for each collective, in order; alike ones have been priced once.

        Columns: ``name``, ``op``, ``bytes`` as the machine's method counts them, ``dtype``,
        ``ranks``, ``groups`` that run at once, ``count``, ``time_s`` of one run by `algorithm` and
        its ``kind``, ``links_s`` by the fastest algorithm on the links alone, ``algorithm``,
        ``bottleneck`` (a class of links), ``hidden_s`` of all runs, ``guesses``. None where
        something is missing.
        """
        return tables.collectives(self)

    @cached_property
    def alike(self) -> Table:
        """A row for each kind of collective, the one that takes longest in all first.

        Columns: ``op``, ``bytes``, ``dtype``, ``ranks``, ``groups``, ``stride`` of ranks, ``runs``,
        ``time_s`` of one, ``links_s``, ``total_s``, ``algorithm``, ``bottleneck``.
        """
        return tables.alike(self)

    @property
    def bottlenecks(self) -> Table:
        """Seconds of communication by the class of links that bounds it, most first.

        Columns: ``bottleneck``, ``time_s``, ``share`` of all communication.
        """
        return tables.bottlenecks(self)

    @cached_property
    def changes(self) -> Table:
        """The three changes that would help most, each priced again, when read.

        Columns: ``change``, ``saved_s`` of the program where its time is known, else of its
        communication, ``time_s`` that is left, ``assumes``.
        """
        return best_changes(self)

    @property
    def overlaps(self) -> Mapping[str, str]:
        """What hides behind computation, by what collectives move: the rules and their sources."""
        return MappingProxyType(hiding.said(self.program.collectives, self.machine.runtime))

    def to_pandas(self) -> pd.DataFrame:
        """Return `collectives` as a data frame, for which pandas must be installed.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> list(rf.preset("trn2").cost_of(rf.Program(())).collectives.columns)[:2]
        ['name', 'op']
        """
        return self.collectives.to_pandas()

    def __repr__(self) -> str:
        return f"<ProgramCost {tables.headline(self)}>"

    def _page(self) -> list[Any]:
        return tables.page(self, self.alike, self.changes)
