"""What several machines do for a dollar: a service or a job at the same objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from rainier_fast.machine.alike import name_of
from rainier_fast.machine.compare import machines_of
from rainier_fast.machine.machine import Machine
from rainier_fast.units import Quantity

if TYPE_CHECKING:
    import datetime

    from rainier_fast.operations.price_performance import PricePerformance
    from rainier_fast.operations.tco import Tco
    from rainier_fast.serving.serving import Serving
    from rainier_fast.workload.layout import Layout
    from rainier_fast.workload.training import Training

Slo: TypeAlias = Mapping[str, Quantity | None] | Sequence[Quantity | None]
"""Times that must not be passed, by name or in their order."""


def price_performance(
    machines: Sequence[str | Machine],
    service_or_job: Serving | Training,
    slo: Sequence[Slo] | None = None,
    *,
    prices: str | float | Tco | Mapping[str, str | float | Tco] = "capacity-block",
    date: str | datetime.date | Sequence[str | datetime.date] = "2026-07",
    region: str | None = None,
    chips: int | Sequence[int] | None = None,
    layouts: Layout | Sequence[Layout] | None = None,
) -> PricePerformance:
    """Return dollars of a million tokens on several machines, at each objective and price.

    Each machine has the best it can do within the objective: of a service the layout and load that
    `best_serving` searches, with four loads to an octave; of a job the layout of `best_layouts`. A
    service runs by its own engine where chips of that kind are known to run it, else by whichever
    engine they are known with that is cheapest there. Dollars are those of a chip and hour over
    tokens/s per chip x 3600, x 1e6. Ranges: published prices of the month, and tokens if we were as
    far off as on the three nearest measured rows of each side.

    Parameters
    ----------
    machines
        Names of presets, or machines; others are held against the first.
    service_or_job
        A `Serving`, whose tokens are those of answers, or a `Training`.
    slo
        Objectives: of a service ``{"ttft": "2 s", "tpot": "50 ms"}``, or pairs of both; of a job
        ``{"step": "20 s"}``. Times are means, none or None may be any.
    prices
        As in `Machine.cost`, or a dict of these by the name of the machine.
    date
        A month, or several. Prices are not carried over to months of which none is known.
    region
        As in `Machine.cost`.
    chips
        How many chips of each, or several numbers to choose from; None for the machine as it is.
        Presets by name that may have so many are made with the most.
    layouts
        A layout, or several to choose from; None for a search.

    Returns
    -------
    PricePerformance
        A table with a row for each machine, objective and month: dollars, ratio to the first with
        its range, price with its source, and what decides; None with ``reason`` where no layout
        meets the objective, or no price is known. ``.curve``, ``.claim``.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If an argument is not usable; the message names it.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> service = rf.Serving("llama-3.1-8b", input=1024, output=256)
    >>> found = price_performance(
    ...     ["trn2", "h100"], service, slo=[{"tpot": "20 ms"}, {"tpot": "100 ms"}], date="2026-07"
    ... )
    >>> usd = found["usd_per_million_tokens"]
    >>> bool(usd[0] >= usd[1] and usd[2] >= usd[3])
    True
    """
    from rainier_fast.operations.price_performance import answer, question

    options = dict(locals())
    given = machines_of(machines)
    names = [name_of(machine) for machine in given]
    asked = question(names, service_or_job, options)
    most = max((count for count in asked.counts if count is not None), default=None)
    if most is not None:
        given = machines_of(machines, most)
    return answer(given, names, asked)
