"""`Machine.cost_of`: what the collectives of a program take on a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rainier_fast.ask.options import AlgorithmName, checked
from rainier_fast.ask.runtime import is_runtime, runtime_of
from rainier_fast.definitions.check import MAX_COUNT, as_count
from rainier_fast.errors import as_one_of, invalid_type
from rainier_fast.faults.damaged import Damaged

if TYPE_CHECKING:
    from rainier_fast.collectives.mesh import DeviceMesh
    from rainier_fast.definitions.efficiency import Efficiency
    from rainier_fast.placement.placement import Placement
    from rainier_fast.program.cost import ProgramCost
    from rainier_fast.program.program import Program


class ProgramCosts(Damaged):
    """Programs on the machine."""

    def cost_of(
        self,
        program: Program,
        *,
        mesh: DeviceMesh | Mapping[str, int] | None = None,
        axes: Mapping[str, str] | None = None,
        placement: Placement | Iterable[int] | None = None,
        ranks_per_chip: int = 1,
        algorithm: AlgorithmName | None = None,
        peak_dtype: str = "bf16",
        efficiency: Efficiency | None = None,
        trips: int | None = None,
    ) -> ProgramCost:
        """Return what each collective of a program takes here, and what hides behind what.

        Each collective runs with all groups that are alike at once, as the machine's method of that
        name has it; the group of one recorded rank stands for all groups as long and as far apart.
        Alike ones are priced once. What is not known is in no time and named in ``missing``.

        Parameters
        ----------
        program
            What `rainier_fast.read` or `rainier_fast.capture` made.
        mesh
            A mesh of this machine, or sizes by name of axis, whose ranks are the program's: a mesh
            with an order of its own says where they are.
        axes
            Which axis of `mesh` collectives without groups run over, by operation or by name.
        placement
            Where ranks are, in place of `mesh`: what `Machine.place` gave, or the chip of each
            rank. It may leave chips free. Without it and `mesh`, rank r is chip r; ``guesses`` say
            so where the program has fewer ranks than the machine.
        ranks_per_chip
            Ranks of a chip, as `Machine.mesh` takes it; where a mesh or a `Placement` has them, the
            same or none.
        algorithm
            How collectives run; None for the machine's software where it has some, else
            ``"auto"``, the fastest on the links.
        peak_dtype
            Precision of matrix products: ``"bf16"``, ``"fp8"`` or ``"fp32"``.
        efficiency
            How fast chips compute; None for what was measured of them.
        trips
            How often loops run whose text has no trip count, as XLA's for TPUs.

        Returns
        -------
        ProgramCost
            Seconds by collective and in all, what bounds them, and the three changes that would
            save most.

        Raises
        ------
        InvalidArgument, InvalidType
            If the program has more ranks than the machine, or other than the mesh or placement (it
            names ``world``), or an argument is not usable.
        UnknownName
            If `axes` names no operation and no collective of the program.

        Notes
        -----
        Where the program says what it computes, that takes the larger of its FLOPs at the rate of
        large products and of its bytes at that of memory, piece by piece: launches and small shapes
        are left out. Collectives hide behind it by the rules of the machine's software, the same as
        in `training_step`, by what they move (``role``): weights as many layers early, gradients as
        many late as the rule has, those of tensor parallelism behind the product beside them or not
        at all. A collective whose wait is in the program hides behind what is between.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> groups = rf.ProgramGroups.own(start=0, stride=8, size=8192)
        >>> gather = rf.ProgramCollective("w", "all_gather", 2**16, 2**29, "bf16", groups)
        >>> cost = rf.preset("rainier", chips=65_536).cost_of(rf.Program((gather,), 65_536))
        >>> cost.collectives["groups"].tolist(), cost.time_s is None, cost.communication_s > 0
        ([8], True, True)
        """
        from rainier_fast.program.computing import Fast
        from rainier_fast.program.cost import ProgramCost
        from rainier_fast.program.pricing import Pricing
        from rainier_fast.program.program import Program
        from rainier_fast.program.where import require_axes, where

        if not isinstance(program, Program):
            raise invalid_type("program", program, "must be a Program, as read() makes it")
        place = where(self, program, mesh, placement, ranks_per_chip)
        known = require_axes(place, program, axes)
        way = _way(self, algorithm)
        turns = None if trips is None else as_count("trips", trips, MAX_COUNT)
        dtype = as_one_of("peak_dtype", peak_dtype, ("bf16", "fp8", "fp32"))
        rates = _efficiency(efficiency)
        pricing = Pricing(place, program.rank, known, way)
        return ProgramCost._of(self, program, pricing, Fast(dtype, rates, place.cores), turns)


def _way(machine: Damaged, algorithm: Any) -> str:  # noqa: ANN401 - as given
    """Return how collectives run: by the machine's software, where nothing else is said."""
    if algorithm is None:
        return "auto" if machine.runtime is None else machine.runtime
    if is_runtime(algorithm):
        return runtime_of(machine)
    if not isinstance(algorithm, str):
        raise invalid_type("algorithm", algorithm, "must be one name for all collectives, or None")
    return str(checked("all_reduce", {"algorithm": algorithm})["algorithm"])


def _efficiency(given: object) -> Efficiency | None:
    from rainier_fast.definitions.efficiency import Efficiency

    if given is not None and not isinstance(given, Efficiency):
        raise invalid_type("efficiency", given, "must be an Efficiency, or None")
    return given
