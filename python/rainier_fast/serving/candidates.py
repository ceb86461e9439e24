"""What the search for services tries, and what it keeps of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.serving import Serving
from rainier_fast.workload.layout import Layout

_MOST_STAGES: Final = 8


class Objective(NamedTuple):
    """Seconds to the first token and between tokens that must not be passed."""

    ttft: float
    tpot: float
    of: str = "mean"

    def passed(self, told: dict[str, Any]) -> tuple[float, str]:
        """Return by which factor the worse of both is passed, and which it is."""
        which = "" if self.of == "mean" else f"_{self.of}"
        first, between = told[f"ttft{which}"] / self.ttft, told[f"tpot{which}"] / self.tpot
        return (first, "ttft") if first >= between else (between, "tpot")


class Row(NamedTuple):
    """The best load of a layout, or of two where prefill and decoding are apart."""

    layout: Layout
    replicas: int
    at_once: int
    told: dict[str, Any]
    passed: float
    limit: str
    prefill: Layout | None = None
    workers: tuple[int, int] = (0, 0)


def layouts_of(machine: Damaged, service: Serving) -> Iterator[Layout]:
    """Yield layouts: tp by powers of two within a domain, stages, experts shared in both ways."""
    model, software = service.transformer, machine.runtime == "neuron"
    per_chip = (machine.ultraserver.ranks_per_chip or 1) if software else 1
    domain = machine.ultraserver.num_chips * per_chip
    ranks = machine.num_chips * per_chip
    for pp in powers(min(_MOST_STAGES, model.layers)):
        for tp in powers(min(domain, model.heads)):
            if ranks % (tp * pp) or (tp < per_chip and per_chip % tp):
                continue
            shared = {1}
            if model.experts is not None:
                shared |= {tp, domain} if pp == 1 else {tp}
            for ep in sorted(one for one in shared if one <= _experts(service)):
                yield Layout(tp=tp, pp=pp, ep=ep, ranks_per_chip=per_chip)


def _experts(service: Serving) -> int:
    experts = service.transformer.experts
    return 1 if experts is None else experts.count


def powers(most: int) -> list[int]:
    """Return the powers of two up to a number."""
    return [1 << power for power in range(most.bit_length())]
