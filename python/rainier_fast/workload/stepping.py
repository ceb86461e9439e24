"""Training steps of a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from rainier_fast.definitions.routing import Routing
from rainier_fast.faults.damaged import Damaged

if TYPE_CHECKING:
    from rainier_fast.definitions.efficiency import Efficiency
    from rainier_fast.workload.layout import Layout
    from rainier_fast.workload.step import TrainingStep
    from rainier_fast.workload.training import Training

Collectives: TypeAlias = Literal["auto", "runtime", "neuron", "nccl", "xla"]
"""How the collectives of a step run."""


class TrainingSteps(Damaged):
    """What it takes to train a model on a machine."""

    def training_step(
        self,
        job: Training,
        layout: Layout,
        *,
        chips: int | None = None,
        algorithm: Collectives | None = None,
        efficiency: Efficiency | None = None,
        routing: Routing = "dor",
    ) -> TrainingStep:
        """Return what a training step takes: seconds by part, memory, MFU, what bounds it.

        Operators run at the rates of `efficiency`, collectives of each axis of the layout with all
        groups of it at once, on the machine as it is, faults included; pipelines are simulated
        microbatch by microbatch. What hides behind what is the rule of the machine's software
        (`TrainingStep.overlaps`). docs/training.md has the formulas with their sources.

        Parameters
        ----------
        job
            What a step computes.
        layout
            How it is cut into ranks.
        chips
            How many chips, whole UltraServers, one site filled before the next; None for all.
        algorithm
            ``"runtime"``: collectives as the machine's own software runs them; ``"auto"``: the
            fastest on the links alone; or a runtime by name. None for the software where the
            machine has some, else the links.
        efficiency
            How fast its chips compute; None for what was measured of them.
        routing
            A policy, as in `all_reduce`.

        Returns
        -------
        TrainingStep
            Also of a layout that does not fit the memory: ``.fits`` says so, and its text by how
            much.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable, or job, layout and chips do not fit each other; the
            message names what does not, and the nearest that does.
        Unsupported
            If the machine does not say what its chips are, or nothing is known of how fast they
            compute.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> job = rf.Training("llama-3.1-405b", sequence=8192, batch=2048)
        >>> layout = rf.Layout(tp=16, pp=16)
        >>> step = rf.preset("rainier").training_step(job, layout, chips=65_536)
        >>> step.chips, step.microbatches, step.kind
        (65536, 8, 'as neuron runs it')
        >>> 0 < step.mfu < step.hfu + 1e-9 < 1
        True
        """
        from rainier_fast.workload.stepped import Asked, run_step

        return run_step(self, job, layout, Asked(chips, algorithm, efficiency, routing))
