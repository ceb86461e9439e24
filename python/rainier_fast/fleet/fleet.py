"""A machine with the services and jobs that share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rainier_fast.fleet.asked import Shared
from rainier_fast.screen import one_screen
from rainier_fast.units import format_count

if TYPE_CHECKING:
    from rainier_fast.fleet.day import FleetDay


@one_screen
@dataclass(frozen=True, slots=True, repr=False)
class Fleet(Shared):
    """A machine that serves, and trains on what serving leaves. Immutable.

    Units are whole UltraServers. Services get what their demand needs, the first of them first;
    jobs get the rest, the first of them first. docs/operations.md has what is computed.

    Attributes
    ----------
    machine
        All of it, without faults: rates say what fails.
    services
        Tuples of a `Serving`, its `Layout` (or None for the best) and 24 numbers: tokens of answers
        a second in each hour, one clock for all sites. `day_curve` makes such numbers.
    jobs
        Tuples of a `Training` and its `Layout` (or None for the best on what the quietest hour
        leaves). Its replicas are as many as an hour has UltraServers for, of those that divide the
        batch.
    ttft, tpot
        Objective of all services: mean seconds to the first token and between tokens; None for any.
    rates, repair
        How often parts fail, and mean seconds until they work again; None for the ``repair_hours``
        of the rates, else the catalogue's figure.
    policy, checkpoint
        What jobs do about failures, as in `Machine.goodput`: ``"restart"`` on the fleet's spares,
        or ``"elastic"``.
    spares
        UltraServers that stand by; None for as many as are in repair in the mean.
    loading, compiling
        Seconds that an UltraServer needs before it serves: weights, and programs that were not
        compiled before; None for the middle of what the vendor's documents have, 0.5 to 15 and 1.7
        to 11.8 minutes. Where compiled programs are kept, a start takes less: say so.
    restore
        Seconds for which a job stops when its size changes, compiling apart: None for a restart by
        the catalogue, 2 to 10 minutes.
    prices, date, region, instance
        As in `Machine.cost`; prices None for no costs.
    chip, idle, host, network, pue
        As in `Machine.power`.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable; the message names it.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256)
    >>> day = rf.day_curve(20_000, low=4_000, peak_hour=15)
    >>> fleet = Fleet(
    ...     rf.preset("rainier", chips=512),
    ...     services=[(service, rf.Layout(tp=8, ranks_per_chip=4), day)],
    ...     jobs=[(rf.Training("llama-3.1-8b", sequence=4096, batch=64), rf.Layout(tp=8))],
    ... )
    >>> print(fleet)
    8 UltraServers of rainier: 1 service and 1 job
    """

    def day(self) -> FleetDay:
        """Return a day of it: tokens served and trained, energy and cost, by hour and site.

        How many UltraServers train in which hour is the best of all ways through a day that comes
        again and again, hand-overs counted.

        Returns
        -------
        FleetDay
            Demand that cannot be met is said as ``tokens_unmet``, by hour and service.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName, Unsupported
            As of `Machine.serve`, `training_step`, `goodput`, `cost` and `power`; if nothing meets
            the objective, or a job runs at no size.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256)
        >>> layout = rf.Layout(tp=8, ranks_per_chip=4)
        >>> fleet = Fleet(
        ...     rf.preset("rainier", chips=512),
        ...     services=[(service, layout, rf.day_curve(20_000, low=4_000, peak_hour=15))],
        ...     jobs=[(rf.Training("llama-3.1-8b", sequence=4096, batch=64), rf.Layout(tp=8))],
        ... )
        >>> today = fleet.day()
        >>> today.tokens_unmet, len(today.hours), today.tokens_trained > 0
        (0.0, 24, True)
        """
        from rainier_fast.fleet.reckon import reckon

        return reckon(self)

    def __repr__(self) -> str:
        return f"<Fleet {self}>"

    def __str__(self) -> str:
        label = self.machine.name or self.machine.ultraserver.name
        counts = ((len(self.services), "service"), (len(self.jobs), "job"))
        told = " and ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)
        return f"{format_count(self.machine.num_ultraservers)} UltraServers of {label}: {told}"
