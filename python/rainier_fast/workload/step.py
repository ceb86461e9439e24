"""What a training step takes, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import Policy
from rainier_fast.screen import Report, Told, one_screen
from rainier_fast.topology.base import Base
from rainier_fast.workload import step_tables as tables
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.peaks import hbm_bytes, peak_flops
from rainier_fast.workload.ran import PARTS, Ran
from rainier_fast.workload.timeline import timeline
from rainier_fast.workload.training import Training

if TYPE_CHECKING:
    from rainier_fast.table import Table


@one_screen
@dataclass(frozen=True, repr=False)
class TrainingStep(Report, Told):
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

    machine: Base
    training: Training
    layout: Layout
    algorithm: str
    routing: Policy
    efficiency: Efficiency
    _ran: Ran

    _also = (
        "kind",
        "chips",
        "time_s",
        "parts",
        "mfu",
        "hfu",
        "tokens_per_s",
        "tokens_per_s_per_chip",
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
    def kind(self) -> str:
        """What kind of number the time is: ``"links alone"``, or ``"as neuron runs it"``."""
        return kind_of(self.algorithm)

    @property
    def chips(self) -> int:
        """Chips that take part."""
        return self.machine.num_chips

    @property
    def time_s(self) -> float:
        """Seconds of a step: the sum of `parts`."""
        return sum(self._ran.parts)

    @property
    def parts(self) -> Mapping[str, float]:
        """Seconds by what they are spent on, of the busiest stage; they add up to `time_s`.

        ``matmul``, ``attention``, ``memory_bound`` (norms, activations, sums) and ``recompute``;
        ``tp``, ``cp``, ``ep`` and ``dp``, the collectives of these ranks as far as nothing hides
        them; ``pp_bubble``, waiting for other stages; ``optimizer``; ``outer``, what islands trade;
        ``host``.
        """
        return MappingProxyType(dict(zip(PARTS, self._ran.parts, strict=True)))

    @property
    def microbatches(self) -> int:
        """Microbatches of a replica in a step."""
        return self._ran.microbatches

    @property
    def mfu(self) -> float:
        """Model FLOPs over what the chips could do in that time at the peak of the precision.

        Of scores those that the job's mask leaves; head and further predictions count.
        """
        return self.training.flops / peak_flops(self.machine, self.training) / self.time_s

    @property
    def hfu(self) -> float:
        """The same with the FLOPs that are computed again."""
        return (
            tables.hardware_flops(self.training)
            / peak_flops(self.machine, self.training)
            / self.time_s
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
    def tokens_per_s(self) -> float:
        """Tokens a second."""
        return self.training.tokens / self.time_s

    @property
    def tokens_per_s_per_chip(self) -> float:
        """Tokens a second and chip."""
        return self.tokens_per_s / self.chips

    @property
    def memory(self) -> Table:
        """Bytes of a chip of each stage, by what takes them.

        Columns: ``stage``, ``layers``, ``weights_bytes``, ``gradients_bytes``, ``optimizer_bytes``,
        ``activations_bytes`` of all microbatches on their way, ``working_bytes`` (logits, what is
        made again), ``gathered_bytes`` (whole weights for the while), ``total_bytes``,
        ``hbm_bytes`` of the chip, ``bank_bytes`` of each of its HBM stacks (None where the
        catalogue does not say how many there are), and ``fits``.
        """
        return tables.memory(self)

    @property
    def fits(self) -> bool:
        """Whether every stage fits the memory of its chips."""
        return max(map(sum, self._ran.memory)) <= hbm_bytes(self.machine)

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
