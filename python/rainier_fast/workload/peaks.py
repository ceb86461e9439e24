"""What chips of a machine could do at most, and hold."""

from __future__ import annotations

from rainier_fast.catalog import catalog
from rainier_fast.definitions.chip import Chip
from rainier_fast.errors import Unsupported
from rainier_fast.topology.base import Base
from rainier_fast.workload.flops import Recompute
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.stored import table
from rainier_fast.workload.training import Training


def chip_of(machine: Base) -> Chip:
    """Return what the chips of a machine are."""
    chip = machine.ultraserver.chip
    if chip is None:
        raise Unsupported(
            f"machine: got {machine.ultraserver.name}, which does not say what its chips are; "
            "give its UltraServer a chip="
        )
    return chip


def hbm_bytes(machine: Base, layout: Layout) -> float:
    """Return the bytes of memory that a rank has: of a chip, or an even part of it."""
    return float(chip_of(machine).hbm_bytes) / layout.ranks_per_chip


def banks(machine: Base) -> int | None:
    """Return how many stacks of HBM a chip has, where the catalogue says it."""
    entry = catalog().get(chip_of(machine).name)
    if entry is None or "hbm_stacks" not in entry:
        return None
    return int(entry["hbm_stacks"].number)


def peak_type(training: Training) -> str:
    """Return the type of number whose peak bounds the products of a job."""
    return str(table("precisions")[training.precision]["peak"])


def peak_flops(machine: Base, training: Training, *, tensor_only: bool = False) -> float:
    """Return the FLOP/s of all chips for the precision of a job."""
    one = chip_of(machine).flops(peak_type(training), tensor_only=tensor_only)
    return machine.num_chips * one


def recomputed(training: Training) -> Recompute:
    """Return what is really computed again: a fused kernel has no scores to compute again."""
    if training.recompute == "selective" and training.attention == "fused":
        return "none"
    return training.recompute


def hardware_flops(training: Training) -> float:
    """Return the FLOPs of a step with those that are computed again."""
    shape = training.transformer
    each = shape.flops_per_token(
        training.sequence, mask=training.mask, mtp=shape.mtp > 0, recompute=recomputed(training)
    )
    return each * training.tokens
