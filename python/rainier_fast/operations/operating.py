"""Machines over months, as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rainier_fast.definitions.check import as_flag, as_integer
from rainier_fast.definitions.rates import Rates
from rainier_fast.faults.modes import Modes
from rainier_fast.units import Quantity

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from rainier_fast.operations.asked import Policy
    from rainier_fast.operations.checkpoint import Checkpoint
    from rainier_fast.operations.cost import Cost
    from rainier_fast.operations.goodput import Goodput
    from rainier_fast.operations.power import Power
    from rainier_fast.operations.tco import Tco
    from rainier_fast.operations.work import Step, Yielding

_LAST_SEED = 2**64 - 1


class Operations(Modes):
    """What a machine gives over months, what it costs, and what power it takes."""

    def goodput(
        self,
        step: Step,
        *,
        rates: Rates = "llama3",
        checkpoint: Checkpoint | None = None,
        policy: Policy = "restart",
        spares: int | None = None,
        swap: Quantity | None = None,
        repair: Quantity | None = None,
        rebuild: Quantity | None = None,
        unit: str | int | None = None,
        replicas: int | None = None,
        islands: int | None = None,
        slowdown: Mapping[str, float] | None = None,
        stragglers: float = 0.0,
        hours: float = 8760.0,
        seed: int = 0,
        simulate: bool = False,
    ) -> Goodput:
        """Return the share of a job's work that failures, checkpoints and restarts leave.

        Failures come at constant rates and are repaired side by side. The closed form is a chain of
        shares: enough units (Poisson), then Daly's wall-clock formula (2004) cause by cause. With
        `simulate`, failures are drawn one by one as well. docs/operations.md has the formulas.

        Parameters
        ----------
        step
            A training step, or the seconds of one. A step also says its chips, state, replicas and
            islands.
        rates
            `FailureRates`, or the name of published ones.
        checkpoint
            How the job saves its state; None for `Checkpoint()`.
        policy
            ``"restart"``: what fails is replaced from outside at once, or with `repair` waited for.
            ``"spares"``: units stand by. ``"elastic"``: replicas with a failed unit leave.
            ``"islands"``: parts train by themselves (DiLoCo), each with its share of the spares.
            ``"modes"``: UltraServers run as pairs or single instances, whichever is better.
        spares
            Units that stand by, beside the machine; None for as many as give most progress for
            each chip held.
        swap
            Seconds until a spare stands in; None for the catalogue's figure.
        repair
            Mean seconds until a failed unit works again; None for the ``repair_hours`` of the
            rates, else the catalogue's figure.
        rebuild
            Seconds for which all replicas stop when one leaves; None for the restart of the
            checkpoint.
        unit
            What a failure takes out: ``"ultraserver"`` (None), ``"instance"``, or so many chips.
        replicas, islands
            Copies of the model, and parts that train by themselves; None for those of the step, and
            for as many islands as sites.
        slowdown
            How much longer steps take as ``"pairs"`` or ``"instances"``; None for what the step of
            the machine in that mode takes.
        stragglers
            Share of the time that ranks wait for slower ones, beyond what the step says.
        hours
            How long the job runs.
        seed
            Of the simulation, 0 to 2**64 - 1.
        simulate
            Whether to draw events too.

        Returns
        -------
        Goodput
            ``.goodput``, ``.parts``, ``.policies`` (all side by side, with break-even rates), and a
            band from what was not said.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable, or a checkpoint takes longer than the mean time between
            failures.
        Unsupported
            If what the policy needs is not known; the message says what to give.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> machine = rf.preset("rainier")
        >>> saved = rf.Checkpoint(blocking="10 s", restart="2 min")
        >>> alone = machine.goodput("20 s", checkpoint=saved)
        >>> apart = machine.goodput("20 s", checkpoint=saved, policy="islands", islands=64)
        >>> round(alone.goodput, 2), round(apart.goodput, 2)
        (0.56, 0.96)
        """
        from rainier_fast.operations.asked import ask
        from rainier_fast.operations.goodput import answer

        options = dict(locals())
        first_seed = as_integer("seed", seed, 0, _LAST_SEED)
        asked = ask(self, step, options)
        return answer(self, asked, first_seed, events=as_flag("simulate", simulate))

    def cost(
        self,
        step: Step | Yielding | None = None,
        *,
        prices: str | float | Tco = "capacity-block",
        date: str | datetime.date = "2026-07",
        region: str | None = None,
        instance: str | None = None,
        hours: float | None = None,
        goodput: float | Goodput = 1.0,
    ) -> Cost:
        """Return what the machine costs an hour, and what a step and its tokens cost.

        Parameters
        ----------
        step
            A training step or another result with a time, seconds, or a service with its tokens a
            second; None for the machine alone. A step on some of the chips is charged for those.
        prices
            A contract (``"capacity-block"``, ``"on-demand"``, ``"reserved"``, ``"spot"``,
            ``"owner-hyperscaler"``, ``"owner-neocloud"``, ``"rental-3-years"``), an owner's `Tco`,
            or dollars of a chip and hour.
        date
            The month of the price, as ``"2026-07"`` or a day of it. Prices are not carried over to
            months of which none is known.
        region
            Where, as the prices name it; None for the usual price, with the others as a range.
        instance
            What is rented; None for the largest that is sold with these chips.
        hours
            For how long; Capacity Blocks are paid by whole days.
        goodput
            Share of the work that counts; a `Goodput` also says its spares, which are paid too.

        Returns
        -------
        Cost
            ``.usd_per_hour``, ``.usd_per_step``, ``.usd_per_million_tokens``, ``.usd_total``.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable, or no price of that month is known: the message has the
            nearest that are.
        Unsupported
            If no price of such chips, or of such a contract, is known.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> h100 = rf.preset("h100")
        >>> [h100.cost(date=month).usd_per_hour for month in ("2026-01", "2026-07")]
        [31.464, 37.76]
        """
        from rainier_fast.operations.cost import cost

        return cost(self, step, dict(locals()))

    def power(
        self,
        step: Step | Yielding | None = None,
        cap: Quantity | Mapping[str, Quantity] | None = None,
        *,
        chip: Quantity | None = None,
        idle: Quantity | None = None,
        host: Quantity | None = None,
        network: Quantity | None = None,
        pue: float | None = None,
    ) -> Power:
        """Return the power of chips, hosts, network and cooling, and the energy of a step.

        Chips that wait for others take power too: a step is charged by its parts. AWS publishes no
        power of a chip or a rack; docs/operations.md says what stands in for it.

        Parameters
        ----------
        step
            A training step or another result with a time, seconds, or a service with its tokens a
            second; None for the machine alone.
        cap
            Watts that each site may take, or watts by site: how many chips run then, and at what
            clock.
        chip, idle
            Watts of a chip while it computes and while it waits; None for the catalogue's.
        host, network
            Watts of the host and of the network for each chip; None for what the catalogue's power
            of all together leaves for them.
        pue
            Power of the building over that of its computers; None for the catalogue's.

        Returns
        -------
        Power
            ``.watts``, ``.parts``, ``.energy_per_step_J``, ``.energy_per_token_J``,
            ``.swing_watts``, ``.capped``, ``.sites``.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable.
        Unsupported
            If nothing is published of such chips; the message says what to give.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> left = rf.preset("rainier").power(cap={"indiana": "200 MW"}).capped
        >>> left.best, round(left.fewer, 2), round(left.slower, 2)
        ('fewer chips', 0.88, 0.58)
        """
        from rainier_fast.operations.power import power

        return power(self, step, dict(locals()))
