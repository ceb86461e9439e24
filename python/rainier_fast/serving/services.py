"""Services of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from rainier_fast.definitions.routing import Routing
from rainier_fast.faults.damaged import Damaged
from rainier_fast.units import Quantity
from rainier_fast.workload.stepping import Collectives

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from rainier_fast.definitions.efficiency import Efficiency
    from rainier_fast.serving.disaggregated_result import DisaggregatedResult
    from rainier_fast.serving.events import ServingEvents
    from rainier_fast.serving.pace import Pace
    from rainier_fast.serving.result import ServingResult
    from rainier_fast.serving.serving import Serving
    from rainier_fast.table import Table
    from rainier_fast.workload.layout import Layout


Trace: TypeAlias = "str | Path | Sequence[Sequence[float]] | NDArray[np.float64]"
"""Rows of arrival_s, input and output; a file of them."""


class Services(Damaged):
    """What it takes to serve a model on a machine."""

    def serve(
        self,
        service: Serving,
        layout: Layout,
        *,
        concurrency: float | None = None,
        rate: float | None = None,
        requests: float | None = None,
        chips: int | None = None,
        algorithm: Collectives | None = None,
        efficiency: Efficiency | None = None,
        pace: Pace | None = None,
        routing: Routing = "dor",
    ) -> ServingResult:
        """Return what a service takes: time to first token, between tokens, tokens/s, memory.

        A closed form of mean values: a prefill and a step of decoding by their operators on one
        rank, and how often which runs. docs/serving.md has the formulas with their sources.

        Parameters
        ----------
        service
            What is served, and by which engine.
        layout
            How it is cut into ranks: tp, pp, dp (replicas), ep and etp count; what else it says is
            of training.
        concurrency
            Requests at all times, over all replicas: one that ends lets the next one start.
        rate
            Requests/s that come whenever they like, over all replicas, in its place.
        requests
            Requests in all where all of `concurrency` came at once at first, as benchmarks have
            it; None for a service that has run for long.
        chips
            How many chips, whole UltraServers, one site filled before the next; None for all.
        algorithm
            How collectives run, as in `training_step`.
        efficiency
            How fast chips compute; None for what was measured of them.
        pace
            What the stack adds to that; None for what was fitted to measured services.
        routing
            A policy, as in `all_reduce`.

        Returns
        -------
        ServingResult
            Where memory holds fewer requests than `concurrency`, the rest waits, and its text says
            so.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable; if weights or one request do not fit the memory; if
            requests come faster than they can go. The message names it, and what does.
        Unsupported
            If nothing is known of how fast the chips compute, or serve with such an engine.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> service = rf.Serving("llama-3.3-70b", input=8192, output=256)
        >>> served = rf.preset("trn2").serve(
        ...     service, rf.Layout(tp=64, ranks_per_chip=4), concurrency=8
        ... )
        >>> served.chips, served.kind
        (16, 'as neuron runs it')
        >>> 0 < served.tpot_s < served.ttft_s
        True
        """
        from rainier_fast.serving.ready import Asked
        from rainier_fast.serving.served import run_service

        asked = Asked(chips, algorithm, efficiency, pace, routing)
        return run_service(self, service, layout, (concurrency, requests, rate), asked)

    def serve_disaggregated(
        self,
        service: Serving,
        prefill: Layout,
        decode: Layout,
        *,
        workers: Sequence[int] | None = None,
        concurrency: float | None = None,
        rate: float | None = None,
        handover: str = "read",
        chips: int | None = None,
        algorithm: Collectives | None = None,
        efficiency: Efficiency | None = None,
        pace: Pace | None = None,
        routing: Routing = "dor",
    ) -> DisaggregatedResult:
        """Return what a service takes whose prefill and decoding have workers of their own.

        A prompt is prefilled on one worker, one after the other; its cache goes over the links to
        another, where it is decoded with others and no prefill is in the way. docs/serving.md.

        Parameters
        ----------
        service, concurrency, rate, chips, algorithm, efficiency, pace, routing
            As in `serve`.
        prefill, decode
            How a worker of each kind is cut: the least ranks that hold tp, pp and all experts are
            one worker.
        workers
            How many of each kind; None for the split of all chips that gives most tokens/s, or of
            a `rate` the one whose busiest stage is least busy.
        handover
            ``"read"``: after the prefill, which a request waits for. ``"write"``: layer by layer
            while the prefill runs.

        Returns
        -------
        DisaggregatedResult
            Times, tokens/s, the hand-over, how busy which stage is.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName, Unsupported
            As of `serve`; if the workers do not fit the chips.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> service = rf.Serving("llama-3.3-70b", input=8192, output=256)
        >>> tp = rf.Layout(tp=64, ranks_per_chip=4)
        >>> served = rf.preset("trn2-ultraserver").serve_disaggregated(
        ...     service, tp, tp, workers=(2, 2), concurrency=16
        ... )
        >>> served.chips, served.bottleneck
        (64, 'decoding')
        """
        from rainier_fast.serving.disaggregated import run_disaggregated
        from rainier_fast.serving.ready import Asked

        asked = Asked(chips, algorithm, efficiency, pace, routing)
        layouts, demand = (prefill, decode), (concurrency, rate)
        return run_disaggregated(self, service, layouts, workers, demand, handover, asked)

    def serve_times(
        self,
        service: Serving,
        layout: Layout,
        concurrency: Sequence[float],
        *,
        requests: float | None = None,
        chips: int | None = None,
        algorithm: Collectives | None = None,
        efficiency: Efficiency | None = None,
        pace: Pace | None = None,
        routing: Routing = "dor",
    ) -> Table:
        """Return what a service takes with each of many numbers of requests at all times.

        Parameters
        ----------
        service, layout, chips, algorithm, efficiency, pace, routing
            As in `serve`.
        concurrency
            Numbers of requests, up to 100,000 of them.
        requests
            How many times as many requests there are in all; None for a service that has run for
            long.

        Returns
        -------
        Table
            A row for each: ``concurrency``, ``ttft_s``, ``tpot_s`` and ``ttft_p50_s``,
            ``ttft_p90_s``, ``tpot_p50_s``, ``tpot_p90_s`` over requests, ``tokens_per_s`` (of
            answers), ``tokens_per_s_per_chip``, ``tokens_per_s_per_user``, ``waiting`` (requests
            without memory).

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName, Unsupported
            As of `serve`.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> service = rf.Serving("qwen3-32b", input=1024, output=512, engine="vllm")
        >>> curve = rf.preset("h100").serve_times(service, rf.Layout(tp=8), [1, 8, 64])
        >>> bool((curve["tokens_per_s"][1:] > curve["tokens_per_s"][:-1]).all())
        True
        """
        from rainier_fast.serving.ready import Asked
        from rainier_fast.serving.served import run_services

        asked = Asked(chips, algorithm, efficiency, pace, routing)
        return run_services(self, service, layout, (concurrency, requests), asked)

    def serve_events(
        self,
        service: Serving,
        layout: Layout,
        *,
        concurrency: int | None = None,
        rate: float | None = None,
        trace: Trace | None = None,
        requests: int = 2000,
        spread: float = 0.2,
        seed: int = 0,
        chips: int | None = None,
        algorithm: Collectives | None = None,
        efficiency: Efficiency | None = None,
        pace: Pace | None = None,
        routing: Routing = "dor",
    ) -> ServingEvents:
        """Return a service request by request: what each waits for, and quantiles.

        Passes take what `serve` says; which runs when follows the engine's rules. First come, first
        served. One replica is run, or of a trace all, to which requests go in turn.

        Parameters
        ----------
        service, layout, chips, algorithm, efficiency, pace, routing
            As in `serve`.
        concurrency
            Requests at all times, over all replicas; all come at once at first.
        rate
            Requests/s over all replicas, at random moments (Poisson), in its place.
        trace
            Requests one by one in its place: rows of arrival_s, input and output, or a CSV file (or
            its text) with these columns. What a step reads of caches follows the service's means.
        requests
            Requests of the replica in all, without a trace; up to 200,000.
        spread
            Answers have anything within this share of their mean, as benchmarks draw them: with 0
            batches stay in step. Nothing of a trace, nor of a service whose lengths vary: those of
            its `Lengths` are drawn.
        seed
            Of what is random: the same gives the same.

        Returns
        -------
        ServingEvents
            Times of each request, and their quantiles.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName, Unsupported
            As of `serve`; a row of a trace that is not usable is named. `Unsupported` for batches
            in lockstep.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> service = rf.Serving("llama-3.1-8b", input=1024, output=128)
        >>> layout = rf.Layout(tp=8, ranks_per_chip=4)
        >>> events = rf.preset("trn2").serve_events(service, layout, concurrency=32, requests=200)
        >>> events.quantiles["of"].tolist()
        ['mean', 'p50', 'p90', 'p99']
        """
        from rainier_fast.serving.events import run_events
        from rainier_fast.serving.ready import Asked

        asked = Asked(chips, algorithm, efficiency, pace, routing)
        load = (concurrency, rate, trace, requests, spread, seed)
        return run_events(self, service, layout, load, asked)

    def best_serving(
        self,
        service: Serving,
        *,
        ttft: Quantity | None = None,
        tpot: Quantity | None = None,
        of: str = "mean",
        keep: int = 20,
        price: float | None = None,
        disaggregated: bool = False,
        chips: int | None = None,
        algorithm: Collectives | None = None,
        efficiency: Efficiency | None = None,
        pace: Pace | None = None,
        routing: Routing = "dor",
    ) -> Table:
        """Return the layouts that serve most tokens a second and chip within an objective.

        Of each layout (tp by powers of two within an UltraServer, 1 to 8 stages, experts whole,
        over the tp ranks or over the UltraServer) the best of 1 to 4,096 requests a replica at
        once, by powers of two, that memory holds. Prefill and decoding share all chips, unless
        `disaggregated` asks for workers of their own as well.

        Parameters
        ----------
        service, chips, algorithm, efficiency, pace, routing
            As in `serve`.
        ttft, tpot
            Seconds to the first token and between tokens that must not be passed; None for any.
        of
            What of both times they are about: ``"mean"``, ``"p50"`` or ``"p90"`` over requests.
        keep
            Most rows, up to 1,000.
        price
            Dollars of a chip and hour, such as ``machine.cost(date=...).usd_per_chip_hour``, for a
            column of dollars.
        disaggregated
            Whether prefill and decoding on workers of their own are ranked too, as
            `serve_disaggregated` has them (``handover="read"``): pairs of layouts that none is
            better than, up to 64 splits of the chips, the same loads of a replica that decodes.

        Returns
        -------
        Table
            The best first: those that meet the objective by tokens a second and chip, which at one
            price a chip is by dollars too; then the rest, the nearest to it first. Columns ``tp``,
            ``pp``, ``ep``, ``replicas``, ``ranks_per_chip``, ``concurrency`` (of all replicas),
            ``tokens_per_s_per_chip``, ``tokens_per_s``, ``ttft_s``, ``tpot_s`` and ``ttft_p50_s``,
            ``ttft_p90_s``, ``tpot_p50_s``, ``tpot_p90_s`` over requests, ``meets``,
            ``limited_by`` (``"ttft"`` or ``"tpot"``; empty where met) and ``off_by`` (a fraction);
            with a `price` ``usd_per_million_tokens`` of answers. Where `disaggregated`, of such
            rows all this is of decode workers, and ``prefill_workers``, ``decode_workers``,
            ``prefill_tp``, ``prefill_pp`` and ``prefill_ep`` say the rest; all 0 where chips do
            both. Tokens and dollars count all chips, those of no worker too.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable, or the service fits no layout; it says why.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> service = rf.Serving("qwen3-32b", input=1024, output=512, engine="vllm")
        >>> table = rf.preset("h100").best_serving(service, ttft="1 s", tpot="25 ms")
        >>> bool(table["meets"][0]), bool((table["tpot_s"][:1] <= 0.025).all())
        (True, True)
        """
        from rainier_fast.serving.best import best
        from rainier_fast.serving.ready import Asked

        asked = Asked(chips, algorithm, efficiency, pace, routing)
        return best(self, service, (ttft, tpot, of), keep, price, disaggregated, asked)
