"""Jobs of several tenants on one machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.request import make_request
from rainier_fast.collectives.plan import Plan
from rainier_fast.definitions.check import as_integer, as_several
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.faults.damaged import Damaged
from rainier_fast.screen import Report, one_screen
from rainier_fast.studies.placing import PLACEMENTS, UNITS, Tenant, place
from rainier_fast.studies.together import Together, outcomes, share, together
from rainier_fast.topology.base import Base

if TYPE_CHECKING:
    from rainier_fast.results.together import PlanResult, TogetherResult
    from rainier_fast.table import Table

_MOST_SEED: Final = 2**63 - 1


@one_screen
@dataclass(frozen=True, repr=False)
class TenantsResult(Report):
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
    def kind(self) -> str:
        """What kinds of number the times of the jobs are, each once: `CollectiveResult.kind`."""
        return self.together.kind

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
        return _pairs(self.plans, self.model)

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

    def _page(self) -> list[Any]:
        return [self._headline(), self.together]

    def _headline(self) -> str:
        seed = f", seed {self.seed}" if self.placement == "random" else ""
        return f"{len(self)} tenants, placed {self.placement} by {self.unit}{seed}: {self.kind}"

    def __repr__(self) -> str:
        slowest = max((plan.slowdown for plan in self), default=1.0)
        return f"<TenantsResult: {self._headline()}, slowdown at most {slowest:.6g}>"


class Tenants(Together, Damaged):
    """What jobs of several tenants do to each other."""

    def tenants(
        self,
        tenants: Iterable[Tenant],
        placement: str = "packed",
        unit: str = "instance",
        seed: int = 0,
        model: str | None = None,
    ) -> TenantsResult:
        """Place jobs on the machine, run all of them at once, and say who slows whom.

        Parameters
        ----------
        tenants
            The jobs. A job has 1 or 2 instances of one UltraServer, side by side, or whole ones;
            none with dead chips.
        placement
            ``"packed"``: the first places that are free, in the order of the tenants;
            ``"spread"``: evenly over what is free; ``"random"``: anywhere. Jobs of whole
            UltraServers are placed before parts.
        unit
            ``"instance"``: jobs may have parts of the same UltraServer; ``"ultraserver"``: each has
            its UltraServers to itself, and what it does not use is idle.
        seed
            Seed of ``"random"``.
        model
            ``"link_load"`` or ``"fluid"``, as in `together`; None for the one that tenants name.

        Returns
        -------
        TenantsResult
            For each tenant its time alone and among the others, and the link class that slows it.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable, or the jobs do not fit on the machine.
        Unsupported
            If the machine has no instances, or a combination has no model.

        Examples
        --------
        >>> from rainier_fast import Tenant, preset
        >>> jobs = [Tenant(name, "all_reduce", "1 GiB", ultraservers=16) for name in "ab"]
        >>> rainier = preset("rainier", chips=64 * 64)
        >>> rainier.tenants(jobs, "packed")["a"].slowdown
        1.0
        """
        checked = _checked(tenants)
        placement = as_one_of("placement", placement, PLACEMENTS)
        unit = as_one_of("unit", unit, UNITS)
        number = as_integer("seed", seed, 0, _MOST_SEED)
        chips = place(self, checked, placement, unit, number)
        plans = [_plan(self, *pair) for pair in zip(checked, chips, strict=True)]
        together = self.together(plans, model)
        return TenantsResult(tuple(plans), together, placement, unit, number)


def _pairs(plans: Sequence[Plan], model: str) -> NDArray[np.float64]:
    """Return the slowdown of each plan (row) beside each other one (column) alone."""
    machine = plans[0].machine
    alone = outcomes(plans) if model == "link_load" else []
    found = np.ones((len(plans), len(plans)))
    for one in range(len(plans)):
        for other in range(one + 1, len(plans)):
            pair = [plans[one], plans[other]]
            if model == "link_load":
                both = share(machine, pair, [alone[one], alone[other]])
            else:
                both = together(machine, pair, model)
            found[one, other], found[other, one] = both[0].slowdown, both[1].slowdown
    return found


def _checked(tenants: object) -> tuple[Tenant, ...]:
    checked = as_several("tenants", tenants, Tenant)
    names = set()
    for at, tenant in enumerate(checked):
        if tenant.name in names:
            raise invalid(f"name of tenants[{at}]", tenant.name, "is another tenant's already")
        names.add(tenant.name)
    return checked


def _plan(machine: Base, tenant: Tenant, chips: NDArray[np.int64]) -> Plan:
    options = tenant._spelled()
    request = make_request(machine, tenant.collective, tenant.size, group=chips, **options)
    return Plan(machine, request, tenant.name)
