"""What a training step takes, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rainier_fast.faults.damaged import Damaged
from rainier_fast.files.saved import Saved
from rainier_fast.screen import Paged, Pictured, Report, Told, one_screen
from rainier_fast.workload import nearest
from rainier_fast.workload import step_tables as tables
from rainier_fast.workload.running import ran, request_of
from rainier_fast.workload.step_figures import StepFigures
from rainier_fast.workload.timeline import timeline

if TYPE_CHECKING:
    from rainier_fast.table import Table


@one_screen
@dataclass(frozen=True, repr=False)
class TrainingStep(StepFigures, Pictured, Paged, Report, Told, Saved):
    """The answer to `Machine.training_step`. Immutable.

    Attributes
    ----------
    machine
        Where it runs: the part of a machine that was asked for.
    training, layout
        What was asked.
    algorithm, routing
        How collectives run.
    efficiency
        How fast chips compute.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=64)
    >>> step = rf.preset("trn2-ultraserver").training_step(job, rf.Layout(tp=16))
    >>> step.kind, step.fits, sum(step.parts.values()) == step.time_s
    ('as neuron runs it', True, True)
    """

    _saved_as = "training_step"

    _also = (
        "kind",
        "chips",
        "time_s",
        "parts",
        "mfu",
        "hfu",
        "tokens_per_s",
        "tokens_per_s_per_chip",
        "replicas",
        "microbatches",
        "fits",
        "bottleneck",
        "memory",
        "mfus",
        "collectives",
        "overlaps",
        "guesses",
    )

    @property
    def mfus(self) -> Table:
        """MFU by the conventions of sources and by peak.

        Columns: ``convention``, ``mask``, ``mtp``, ``recompute`` (whether it counts), ``peak``
        (``"headline"``, or ``"tensor engines"`` where the chip tells them apart), ``peak_flops`` of
        a chip, and ``mfu``.
        """
        return tables.mfus(self)

    @property
    def memory(self) -> Table:
        """Bytes of a rank of each stage, by what takes them: of a chip, or of a part of one.

        Columns: ``stage``, ``layers``, ``weights_bytes``, ``gradients_bytes``, ``optimizer_bytes``,
        ``activations_bytes`` of all microbatches on their way, ``working_bytes`` (logits, what is
        made again), ``gathered_bytes`` (whole weights for the while), ``total_bytes``,
        ``hbm_bytes`` of the chip or of that part, ``bank_bytes`` of each of the chip's HBM stacks
        (None where the catalogue does not say how many there are), and ``fits``.
        """
        return tables.memory(self)

    @property
    def collectives(self) -> Table:
        """The collectives of a step, each once and alone.

        Columns: ``operation``, ``axes`` that it runs on, ``ranks`` of a group, ``bytes``,
        ``time_s``, ``algorithm``, ``bottleneck`` (a class of links), ``kind``.
        """
        return tables.collectives(self)

    @property
    def bottleneck(self) -> str:
        """The part that takes most; of a collective, which one, and which links bound it."""
        return tables.bottleneck(self)

    @property
    def overlaps(self) -> Table:
        """Which collectives hide behind what, by which rule of the machine's software.

        Columns: ``collectives``, ``hidden``, ``behind``, ``source``.
        """
        return tables.overlaps(self)

    @property
    def guesses(self) -> tuple[str, ...]:
        """What of the answer rests on no measurement and no published rule, a line each."""
        return tables.guesses(self)

    @property
    def nearest_measurements(self) -> Table:
        """The measured runs on such machines that are nearest in size, and our error on them.

        By parameters, chips and sequence. Columns: ``model``, ``chips``, ``sequence``, ``batch``,
        ``measured_s``, ``predicted_s``, ``error`` (a fraction), ``layout``, ``software``, ``date``,
        ``source``. Run when read. `Unsupported` where nothing was measured, as on Trainium.
        """
        rows = nearest.nearest(self, self._alike)
        if not rows:
            raise nearest.none_measured(self.machine)
        return nearest.table(rows, self.kind)

    @property
    def band_s(self) -> tuple[float, float]:
        """Seconds of a step if we were as far off as on the nearest measured runs.

        From the run on which we are slowest to that on which we are fastest, this step's own time
        included: a spread of three rows, no confidence interval. `Unsupported` where nothing was
        measured, as on Trainium.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> job = rf.Training("llama-3.1-70b", sequence=8192, batch=256, precision="fp8")
        >>> step = rf.preset("h100", chips=64).training_step(job, rf.Layout(tp=4, pp=8))
        >>> low, high = step.band_s
        >>> low <= step.time_s <= high
        True
        """
        errors = self.nearest_measurements["error"].tolist()
        times = [self.time_s, *(self.time_s / (1 + error) for error in errors)]
        return min(times), max(times)

    def _alike(self, one: nearest.Measured, machine: Damaged) -> float:
        """Return what a measured run takes, run as this step was."""
        request = request_of(machine, self.algorithm, one.job, self.routing)
        return sum(ran(machine, one.job, one.layout, request, self.efficiency).parts)

    def timeline(self) -> Table:
        """Return what each stage of the pipeline does when.

        Returns
        -------
        Table
            A row for each piece of work, as `kind` the times are: ``stage``, ``work``
            (``"forward"``, ``"backward"`` of inputs, or ``"weights"``), ``chunk`` of the model,
            ``microbatch``, ``start_s``, ``end_s``. What a step does once, such as the optimizer,
            is not in it.

        Raises
        ------
        Unsupported
            If it has more rows than memory may be taken for (`memory_limit`).

        Examples
        --------
        >>> import rainier_fast as rf
        >>> job = rf.Training("llama-3.1-8b", sequence=8192, batch=32)
        >>> step = rf.preset("trn2-ultraserver").training_step(job, rf.Layout(tp=8, pp=2))
        >>> events = step.timeline()
        >>> len(events) == 2 * 3 * step.microbatches
        True
        """
        return timeline(self)

    def __repr__(self) -> str:
        return f"<TrainingStep {tables.headline(self)}>"

    def _page(self) -> list[Any]:
        return tables.page(self)
