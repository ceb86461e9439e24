"""Jobs of several tenants on one machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rainier_fast.ask.request import make_request
from rainier_fast.collectives.plan import Plan
from rainier_fast.definitions.check import as_integer, as_items, as_one_of
from rainier_fast.errors import invalid, invalid_type
from rainier_fast.studies.placing import PLACEMENTS, UNITS, Tenant, place
from rainier_fast.studies.together import Together, outcomes, share

if TYPE_CHECKING:
    from rainier_fast.machine.machine import Machine
    from rainier_fast.results.tenants import TenantsResult

__all__ = ["Tenants", "pairs"]

_MOST_SEED: Final = 2**63 - 1


class Tenants(Together):
    """What jobs of several tenants do to each other."""

    __slots__ = ()

    def tenants(
        self,
        tenants: Iterable[Tenant],
        placement: str = "packed",
        unit: str = "instance",
        seed: int = 0,
        model: str = "link_load",
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
            ``"link_load"`` or ``"fluid"``, as in `together`.

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
        machine = self._whole
        checked = _checked(tenants)
        placement = as_one_of("placement", placement, PLACEMENTS)
        unit = as_one_of("unit", unit, UNITS)
        number = as_integer("seed", seed, 0, _MOST_SEED)
        chips = place(machine, checked, placement, unit, number)
        plans = [_plan(machine, *pair) for pair in zip(checked, chips, strict=True)]
        from rainier_fast.results.tenants import TenantsResult

        together = self.together(plans, model)
        return TenantsResult(tuple(plans), together, placement, unit, number)


def pairs(plans: Sequence[Plan], model: str) -> NDArray[np.float64]:
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
                both = machine.together(pair, model)
            found[one, other], found[other, one] = both[0].slowdown, both[1].slowdown
    return found


def _checked(tenants: object) -> list[Tenant]:
    if isinstance(tenants, Tenant) or not isinstance(tenants, Iterable):
        raise invalid_type("tenants", tenants, "must be several Tenant(...)")
    checked = list(as_items("tenants", tenants, "must be a sequence of tenants"))
    if not checked:
        raise invalid("tenants", checked, "must name at least one tenant")
    names = set()
    for at, tenant in enumerate(checked):
        if not isinstance(tenant, Tenant):
            raise invalid_type(f"tenants[{at}]", tenant, "must be a Tenant(...)")
        if tenant.name in names:
            raise invalid(f"name of tenants[{at}]", tenant.name, "is another tenant's already")
        names.add(tenant.name)
    return checked


def _plan(machine: Machine, tenant: Tenant, chips: NDArray[np.int64]) -> Plan:
    shift = int(tenant.collective == "send_recv")
    request = make_request(
        machine,
        tenant.collective,
        tenant.size,
        chips,
        tenant.algorithm,
        "link_load",
        tenant.routing,
        tenant.chunks,
        0,
        shift,
    )
    return Plan(machine, request, tenant.name)
