"""Services of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rainier_fast.definitions.routing import Routing
from rainier_fast.faults.damaged import Damaged
from rainier_fast.workload.stepping import Collectives

if TYPE_CHECKING:
    from rainier_fast.definitions.efficiency import Efficiency
    from rainier_fast.serving.pace import Pace
    from rainier_fast.serving.result import ServingResult
    from rainier_fast.serving.serving import Serving
    from rainier_fast.table import Table
    from rainier_fast.workload.layout import Layout


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
            A row for each: ``concurrency``, ``ttft_s``, ``tpot_s``, ``tokens_per_s`` (of answers),
            ``tokens_per_s_per_chip``, ``tokens_per_s_per_user``, ``waiting`` (requests without
            memory).

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
