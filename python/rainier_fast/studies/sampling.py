"""Faults drawn at random, and what they do to a collective."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, Unpack

import numpy as np

from rainier_fast import _core
from rainier_fast.ask.options import Call, refuse_unknown
from rainier_fast.ask.request import make_request
from rainier_fast.collectives.run import answer
from rainier_fast.definitions.check import as_count, as_integer
from rainier_fast.definitions.rates import Rates, as_hours, as_rates
from rainier_fast.errors import Unsupported, as_one_of, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.flows.traffic import Progress
from rainier_fast.topology.arrays import as_progress, as_threads
from rainier_fast.units import Quantity

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from rainier_fast.results.monte_carlo import Drawn, MonteCarlo, Trial

_MOST_DRAWS: Final = 100_000_000
_MOST_CHUNKS: Final = 64
_LAST_SEED: Final = 2**64 - 1


class Sampling(Damaged):
    """Machines with faults drawn at random."""

    def sample_faults(
        self, rates: Rates = "llama3", hours: float = 24.0, seed: int = 0, *, draw: int = 0
    ) -> Self:
        """Return the same machine with faults drawn at random, beside those that it has.

        Each part has failed with probability 1 - exp(-rate x hours). The work grows with the
        faults, not with the machine, and the same arguments give the same faults everywhere.

        Parameters
        ----------
        rates
            `FailureRates`, or the name of published ones: ``"llama3"``, ``"rsc-1"``, ``"rsc-2"``,
            ``"tpu-v4"``.
        hours
            For how long parts have been failing; at most the ``repair_hours`` of the rates count.
        seed
            From 0 to 2**64 - 1.
        draw
            Which draw of this seed: `monte_carlo` runs draws 0, 1, 2, ...

        Returns
        -------
        Machine
            Its ``faults`` say what was drawn; ``faults.save`` keeps them.

        Raises
        ------
        InvalidArgument, InvalidType
            If an argument is not usable, or nothing is left alive.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> damaged = preset("rainier").sample_faults("llama3", hours=1.0, seed=1)
        >>> damaged.faults.counts
        {'links': 4, 'chips': 42}
        """
        checked = as_rates(rates)
        core = _core.sample_faults(
            self._core,
            checked.row(),
            checked.exposure(as_hours(hours)),
            as_integer("seed", seed, 0, _LAST_SEED),
            as_integer("draw", draw, 0, _LAST_SEED),
        )
        return self._with_core(core)

    def monte_carlo(
        self,
        operation: str,
        size: Quantity,
        *,
        rates: Rates = "llama3",
        hours: float = 24.0,
        draws: int = 1000,
        seed: int = 0,
        policy: str = "detour",
        executor: Executor | None = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
        **options: Unpack[Call],
    ) -> MonteCarlo:
        """Run a collective on many machines with faults drawn at random.

        Draw d is the collective on ``sample_faults(rates, hours, seed, draw=d)``: it depends on
        nothing else, so threads and executors give the same numbers. UltraServers without a live
        chip are left out of a group of all chips.

        Parameters
        ----------
        operation
            A collective, such as ``"all_reduce"``.
        size
            Bytes, as its method takes them.
        rates, hours, seed
            As for `sample_faults`.
        draws
            How many.
        policy
            ``"detour"``: all ranks stay; messages go round what is dead, and the rank of a dead
            chip moves to a chip next to it. ``"drop_ultraserver"``: UltraServers with any damage
            are left out of a group of all chips.
        executor
            A `concurrent.futures.Executor` to spread draws over: a pool of processes, or Dask's
            ``client.get_executor()``. None for threads of this process.
        n_threads
            Threads, of each chunk of draws where an executor is given (then 1 by default). None
            for ``RAINIER_NUM_THREADS``, or all cores.
        progress
            Called now and then with (draws done, draws in all).
        **options
            Those of the collective, such as ``group``, ``algorithm``, ``root`` or ``shift``. Where
            the algorithm is ``"auto"``, the one that is fastest before any draw runs in all of
            them, and ``"auto"`` chooses anew where that one does not run on what a draw leaves; the
            result counts these draws.

        Returns
        -------
        MonteCarlo
            Times (s), quantiles, slowdown, faults of each draw, draws without an answer and why.

        Raises
        ------
        RainierError
            If an argument is not usable, or the algorithm does not run on some draw.

        Examples
        --------
        >>> from rainier_fast import preset
        >>> found = preset("trn2-ultraserver").monte_carlo("all_reduce", "1 GiB", draws=20, seed=3)
        >>> found.p99_s >= found.p50_s >= found.healthy_s
        True
        """
        from rainier_fast.results.monte_carlo import Trial, times_of

        refuse_unknown(options, Call.__annotations__)
        checked = as_rates(rates)
        exposure = checked.exposure(as_hours(hours))
        first_seed = as_integer("seed", seed, 0, _LAST_SEED)
        count = as_count("draws", draws, _MOST_DRAWS)
        report = as_progress(progress)
        policy = as_one_of("policy", policy, _POLICIES)
        if policy == "drop_ultraserver" and options.get("group") is not None:
            raise Unsupported(
                "policy 'drop_ultraserver' with a group of one's own, which would lose ranks; "
                "leave group out, or use policy 'detour'"
            )
        request = make_request(self, operation, size, **options)
        healthy = answer(self, request)
        otherwise = None
        if request.algorithm == "auto":
            found = healthy._choice
            named = replace(request, algorithm=found)
            if found != "auto" and named.outcome(self).time == healthy.time_s:
                request, otherwise = named, request
        trial = Trial(self, request, otherwise, policy, checked, exposure, first_seed)
        if executor is None:
            drawn = run_draws(trial, 0, count, as_threads(n_threads), report)
        else:
            threads = 1 if n_threads is None else as_threads(n_threads)
            drawn = _spread(executor, trial, count, threads, report)
        return times_of(trial, as_hours(hours), healthy.time_s, drawn)


_POLICIES: Final = ("detour", "drop_ultraserver")


def run_draws(
    trial: Trial, first: int, end: int, n_threads: int, progress: Progress | None = None
) -> Drawn:
    """Run the draws of a range, in this process or in a worker of an executor."""
    from rainier_fast.results.monte_carlo import Drawn

    machine, request = trial.machine, trial.request
    core = machine._core
    groups = request.groups
    everyone = groups.ranks == groups.num_chips and not groups.listed
    other = trial.otherwise
    drawn = _core.monte_carlo(
        core,
        request._core_row(machine),
        None if other is None else other._core_row(machine),
        None if everyone else groups.core(core),
        request._routing_row(machine),
        trial.policy == "drop_ultraserver",
        trial.rates.row(),
        trial.hours,
        trial.seed,
        first,
        end,
        n_threads,
        progress,
    )
    return Drawn(*drawn)


def _spread(
    executor: Executor, trial: Trial, draws: int, n_threads: int, progress: Progress | None
) -> Drawn:
    """Run draws in chunks over an executor; the order of the answer is that of the draws."""
    from concurrent.futures import as_completed  # only when asked for

    from rainier_fast.results.monte_carlo import Drawn

    allowed = "must be a concurrent.futures.Executor, with a method submit, or None"
    try:
        submits = callable(getattr(executor, "submit", None))
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type("executor", executor, allowed) from error
    if not submits:
        raise invalid_type("executor", executor, allowed)
    step = -(-draws // _MOST_CHUNKS)
    chunks = [(first, min(first + step, draws)) for first in range(0, draws, step)]
    futures: list[Future[Drawn]] = []
    try:
        for first, end in chunks:
            futures.append(executor.submit(run_draws, trial, first, end, n_threads))
        sizes = {id(one): end - first for one, (first, end) in zip(futures, chunks, strict=True)}
        done = 0
        for future in as_completed(futures):
            future.result()
            done += sizes[id(future)]
            if progress is not None:
                progress(done, draws)
    except BaseException:  # a chunk fails, a callback does, or Ctrl-C comes
        for future in futures:
            future.cancel()
        raise
    parts = [future.result() for future in futures]
    return Drawn(
        np.concatenate([part.times_s for part in parts]),
        np.concatenate([part.faults for part in parts]),
        np.concatenate([part.live for part in parts]),
        [row for part in parts for row in part.unanswered],
        [draw for part in parts for draw in part.otherwise],
    )
