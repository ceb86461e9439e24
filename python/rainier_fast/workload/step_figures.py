"""The figures of a training step, which its tables and words are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rainier_fast.ask.runtime import kind_of
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.routing import Policy
from rainier_fast.faults.damaged import Damaged
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.peaks import hardware_flops, hbm_bytes, peak_flops
from rainier_fast.workload.ran import PARTS, Ran
from rainier_fast.workload.training import Training


@dataclass(frozen=True, repr=False)
class StepFigures:
    """What `TrainingStep` is made of, and its single figures."""

    machine: Damaged
    training: Training
    layout: Layout
    algorithm: str
    routing: Policy
    efficiency: Efficiency
    _ran: Ran

    @property
    def kind(self) -> str:
        """What kind of number the time is: ``"links alone"``, or ``"as neuron runs it"``."""
        return kind_of(self.algorithm)

    @property
    def chips(self) -> int:
        """Chips that take part."""
        return self.machine.num_chips

    @property
    def replicas(self) -> int:
        """Replicas of an island: dp as it was said, or what was left."""
        return self.chips * self.layout.ranks_per_chip // self.layout.model_ranks

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
        return hardware_flops(self.training) / peak_flops(self.machine, self.training) / self.time_s

    @property
    def tokens_per_s(self) -> float:
        """Tokens a second."""
        return self.training.tokens / self.time_s

    @property
    def tokens_per_s_per_chip(self) -> float:
        """Tokens a second and chip."""
        return self.tokens_per_s / self.chips

    @property
    def fits(self) -> bool:
        """Whether every stage fits the memory of its chips, or of the parts that ranks have."""
        return max(map(sum, self._ran.memory)) <= hbm_bytes(self.machine, self.layout)
