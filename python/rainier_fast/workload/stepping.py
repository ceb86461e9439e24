"""Training steps of a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rainier_fast import _core
from rainier_fast.ask.options import RUNTIME
from rainier_fast.ask.request import Request, make_request
from rainier_fast.definitions.routing import Policy
from rainier_fast.definitions.ultraserver import RUNTIMES
from rainier_fast.errors import as_one_of, invalid, invalid_type
from rainier_fast.faults.damaged import Damaged
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.overlap import overlap_row
from rainier_fast.workload.part import part_of
from rainier_fast.workload.ran import Ran
from rainier_fast.workload.peaks import chip_of, peak_type
from rainier_fast.workload.rows import layout_row, training_row
from rainier_fast.workload.training import Training

if TYPE_CHECKING:
    from rainier_fast.definitions.efficiency import Efficiency
    from rainier_fast.workload.step import TrainingStep

Collectives: TypeAlias = Literal["auto", "runtime", "neuron", "nccl", "xla"]
"""How the collectives of a step run."""

_ALGORITHMS: Final = ("auto", RUNTIME, *RUNTIMES.values())
_DTYPES: Final = {"fp8": "bf16", "mxfp8": "bf16"}
"""What collectives move where products are narrower."""


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
        routing: Policy = "dor",
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
        if not isinstance(job, Training):
            raise invalid_type("job", job, "must be a Training")
        if not isinstance(layout, Layout):
            raise invalid_type("layout", layout, "must be a Layout")
        part = self if chips is None else part_of(self, chips)
        asked = _asked(part, algorithm, job.precision, routing)
        return run_step(part, job, layout, asked, efficiency)


def _asked(machine: Damaged, algorithm: object, precision: str, routing: Policy) -> Request:
    """Return how collectives are asked for, checked."""
    if algorithm is None:
        algorithm = "auto" if machine.runtime is None else RUNTIME
    name = as_one_of("algorithm", algorithm, _ALGORITHMS)
    dtype = _DTYPES.get(precision, precision)
    return make_request(machine, "barrier", 0, algorithm=name, dtype=dtype, routing=routing)


def run_step(
    machine: Damaged, job: Training, layout: Layout, asked: Request, given: Efficiency | None
) -> TrainingStep:
    """Run a step on all of a machine."""
    from rainier_fast.workload.step import TrainingStep

    _check_heads(job, layout)
    rates = _rates(machine, given)
    algorithm = str(asked.algorithm)
    runs = {
        "algorithm": algorithm,
        "dtype": asked.dtype,
        "routing": asked._routing_row(machine),
        "overlap": overlap_row(machine.runtime),
        "efficiency": rates._row(peak_type(job)),
    }
    cut = layout_row(layout, machine.num_chips)
    told = _core.training_step(machine._core, training_row(job), cut, runs)
    return TrainingStep(machine, job, layout, algorithm, asked.routing, rates, Ran.of(told))


def _rates(machine: Damaged, given: Efficiency | None) -> Efficiency:
    """Return how fast chips compute: as given, or as was measured of them."""
    from rainier_fast.definitions.efficiency import Efficiency

    if given is None:
        return Efficiency.of(chip_of(machine))
    if not isinstance(given, Efficiency):
        raise invalid_type("efficiency", given, "must be an Efficiency or None")
    chip_of(machine)
    return given


def _check_heads(job: Training, layout: Layout) -> None:
    """Refuse what ranks that are parts of chips cannot share, which the core sees as chips."""
    heads = job.transformer.heads
    if layout.ranks_per_chip > 1 and heads % layout.tp:
        near = max(size for size in range(1, min(layout.tp, heads) + 1) if heads % size == 0)
        raise invalid("tp", layout.tp, f"must divide {heads} heads: {near} does")
