"""The search for the best layout of a training job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from rainier_fast.definitions.routing import Routing
from rainier_fast.faults.damaged import Damaged
from rainier_fast.units import Quantity
from rainier_fast.workload.stepping import Collectives

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rainier_fast.definitions.efficiency import Efficiency
    from rainier_fast.workload.flops import Recompute
    from rainier_fast.workload.layout_ranking import LayoutRanking
    from rainier_fast.workload.training import Training

Sizes: TypeAlias = int | Sequence[int] | None
"""A number, several to choose from, or all that divide."""


class LayoutSearch(Damaged):
    """The best layouts of a training job on a machine."""

    def best_layouts(
        self,
        job: Training,
        *,
        chips: int | None = None,
        memory: Quantity | None = None,
        keep: int = 20,
        tp: Sizes = None,
        pp: Sizes = None,
        cp: Sizes = None,
        ep: Sizes = None,
        etp: Sizes = None,
        zero: Sizes = None,
        microbatch: Sizes = None,
        virtual: Sizes = None,
        schedule: str | Sequence[str] | None = None,
        recompute: Recompute | Sequence[Recompute] | None = None,
        sequence_parallel: bool | Sequence[bool] | None = None,
        within: Mapping[str, str] | None = None,
        order: str = "megatron",
        algorithm: Collectives | None = None,
        efficiency: Efficiency | None = None,
        routing: Routing = "dor",
        n_threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
        executor: Executor | None = None,
    ) -> LayoutRanking:
        """Rank all layouts of a job that divide and fit: the fastest, and the front of memory.

        Of each layout memory comes first, then a bound that no step of it beats: its operators and
        collectives exactly, its pipeline by a bound of its schedule. Those alone whose bound may be
        among the best, or on the front of time and memory, are run as `training_step` runs them,
        to the bit. Which those are does not depend on threads or executor.

        Parameters
        ----------
        job
            What a step computes.
        chips
            How many chips, as in `training_step`; None for all.
        memory
            Bytes that a chip has for it; None for its HBM.
        keep
            How many layouts are ranked.
        tp, pp, cp, ep, etp, zero, microbatch, virtual, schedule, sequence_parallel
            What the fields of `Layout` may be: a value, several, or None for all that divide. With
            several chunks ``"1f1b"`` is the interleaved schedule, as there; where `virtual` is left
            open, only numbers of chunks that make the largest of them smaller are tried.
        recompute
            What may be computed again: a value of `Training`, or several; None for what the job
            says.
        within
            Places that groups of an axis must not leave: ``"ultraserver"``, ``"site"``, or
            ``"instance"`` of Trainium, by ``"tp"``, ``"cp"``, ``"pp"``, ``"dp"``, ``"ep"`` or
            ``"etp"``. Replicas that share numbers are ``"dp"``, with the ranks of a sequence.
        order
            Which ranks are next to each other, as in `Layout`.
        algorithm, efficiency, routing
            As in `training_step`.
        n_threads
            Threads; None for the machine's cores, or one in each task of an executor.
        progress
            Called with parts of the search that are done, and their number.
        executor
            Any `concurrent.futures.Executor`, such as a process pool or Dask's
            ``client.get_executor()``, among which the layouts are divided; None for threads of this
            process. The answer is the same.

        Returns
        -------
        LayoutRanking
            A table with a row for each layout, the fastest first; of equal ones that with less tp,
            then less cp, fewer stages and so on.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable, no layout divides, or none fits: then the message says
            what the smallest takes.
        Unsupported
            As `training_step`.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
        >>> machine = rf.preset("trn2-ultraserver")
        >>> ranking = machine.best_layouts(job, cp=1, schedule="1f1b", within={"tp": "instance"})
        >>> step = machine.training_step(job, ranking.best)
        >>> bool(step.fits and step.time_s == ranking["time_s"][0]), len(ranking)
        (True, 20)
        """
        from rainier_fast.workload.layout_search import Options, best_layouts

        options = Options(
            chips=chips,
            memory=memory,
            keep=keep,
            sizes={
                "tp": tp,
                "pp": pp,
                "cp": cp,
                "ep": ep,
                "etp": etp,
                "zero": zero,
                "microbatch": microbatch,
                "virtual": virtual,
            },
            schedule=schedule,
            recompute=recompute,
            sequence_parallel=sequence_parallel,
            within=within,
            order=order,
            algorithm=algorithm,
            efficiency=efficiency,
            routing=routing,
        )
        return best_layouts(self, job, options, n_threads, progress, executor)
