"""Jobs of several tenants on one machine: who slows whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rainier_fast.results.table import Table
from rainier_fast.results.together import PlanResult, TogetherResult
from rainier_fast.screen import one_screen

if TYPE_CHECKING:
    from rainier_fast.collectives.plan import Plan

__all__ = ["TenantsResult"]


@one_screen
@dataclass(frozen=True, repr=False)
class TenantsResult:
    """Jobs that run side by side, in the order in which they were given. Immutable.

    Attributes
    ----------
    plans
        The collective of each tenant, on the chips that it got.
    together
        How each fares among all others.
    placement, unit, seed
        How the chips were chosen.

    Examples
    --------
    >>> from rainier_fast import Tenant, preset
    >>> jobs = [Tenant(name, "all_reduce", "1 GiB", instances=1) for name in "ab"]
    >>> result = preset("trn2-ultraserver").tenants(jobs)
    >>> result["a"].slowdown, result.matrix().tolist()
    (1.0, [[1.0, 1.0], [1.0, 1.0]])
    """

    plans: tuple[Plan, ...]
    together: TogetherResult
    placement: str
    unit: str
    seed: int

    def __len__(self) -> int:
        return len(self.plans)

    def __iter__(self) -> Iterator[PlanResult]:
        return iter(self.together)

    def __getitem__(self, which: int | str) -> PlanResult:
        return self.together[which]

    @property
    def model(self) -> str:
        """How contention was modelled."""
        return self.together.model

    @property
    def makespan_s(self) -> float:
        """Seconds at which the last job ends."""
        return self.together.makespan_s

    @property
    def table(self) -> Table:
        """A row for each tenant."""
        return self.together.table

    def chips(self, which: int | str) -> NDArray[np.int64]:
        """Return the chips of a tenant.

        Parameters
        ----------
        which
            Its name, or its place in the list.

        Returns
        -------
        numpy.ndarray
            int64, ascending.

        Raises
        ------
        UnknownName
            If there is no such tenant.

        Examples
        --------
        >>> from rainier_fast import Tenant, preset
        >>> jobs = [Tenant("a", "all_reduce", "1 GiB", instances=2)]
        >>> preset("trn2-ultraserver").tenants(jobs).chips("a").size
        32
        """
        at = self.together.plans.index(self[which])
        return self.plans[at].request.groups.members(0)

    def matrix(self) -> NDArray[np.float64]:
        """Return who slows whom: the slowdown of each tenant beside each other one alone.

        Returns
        -------
        numpy.ndarray
            float64; row: who is slowed, column: by whom. 1 on the diagonal.

        Raises
        ------
        RainierError
            As `Machine.together`.

        Examples
        --------
        >>> from rainier_fast import Tenant, preset
        >>> jobs = [Tenant(name, "all_to_all", "64 MiB", ultraservers=1) for name in "ab"]
        >>> preset("rainier", chips=256).tenants(jobs).matrix().tolist()
        [[1.0, 1.0], [1.0, 1.0]]
        """
        from rainier_fast.studies.tenants import pairs

        return pairs(self.plans, self.model)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it but the matrix as a dict that JSON takes.

        Returns
        -------
        dict
            ``placement``, ``unit``, ``seed``, and that of `TogetherResult`.

        Examples
        --------
        >>> from rainier_fast import Tenant, preset
        >>> jobs = [Tenant("a", "all_reduce", "1 GiB", instances=2)]
        >>> preset("trn2-ultraserver").tenants(jobs).to_dict()["placement"]
        'packed'
        """
        how = {"placement": self.placement, "unit": self.unit, "seed": self.seed}
        return how | self.together.to_dict()

    def _headline(self) -> str:
        seed = f", seed {self.seed}" if self.placement == "random" else ""
        return f"{len(self)} tenants, placed {self.placement} by {self.unit}{seed}"

    def __repr__(self) -> str:
        slowest = max((plan.slowdown for plan in self), default=1.0)
        return f"<TenantsResult: {self._headline()}, slowdown at most {slowest:.6g}>"

    def __str__(self) -> str:
        return f"{self._headline()}\n{self.together}"

    def _repr_html_(self) -> str:
        return f"<p>{self._headline()}</p>{self.together._repr_html_()}"
