"""The same collective, or a training step of the same job, on several machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast, overload

from rainier_fast.ask.groups import Group
from rainier_fast.ask.options import OPERATIONS, Call, refuse_unknown
from rainier_fast.collectives.run import run
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.machine.about import about
from rainier_fast.machine.alike import name_of, of_as_many
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset, sized
from rainier_fast.units import Quantity, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult
    from rainier_fast.results.comparison import Comparison
    from rainier_fast.workload.layout import Layout
    from rainier_fast.workload.step_comparison import StepComparison
    from rainier_fast.workload.training import Training


@overload
def compare(
    machines: Sequence[str | Machine],
    collective: str,
    size: Quantity | None = None,
    *,
    group_chips: int | None = None,
    **options: Unpack[Call],
) -> Comparison: ...


@overload
def compare(
    machines: Sequence[str | Machine],
    *,
    group_chips: int | None = None,
    job: Training,
    layout: Layout | None = None,
    **options: Any,  # noqa: ANN401 - of either method
) -> StepComparison: ...


def compare(
    machines: Sequence[str | Machine],
    collective: str | None = None,
    size: Quantity | None = None,
    *,
    group_chips: int | None = None,
    job: Training | None = None,
    layout: Layout | None = None,
    **options: Any,
) -> Comparison | StepComparison:
    """Run a collective, or a training step, on several machines and return a row for each.

    A machine that has no model of the combination, such as an algorithm that its links do not suit,
    keeps its row: times are NaN and ``reason`` says why. Whatever is wrong with the arguments
    themselves raises.

    Parameters
    ----------
    machines
        Names of presets, or machines.
    collective
        ``"all_reduce"`` or another collective of `Machine`.
    size
        Bytes, as that collective counts them; left out for ``"barrier"``, which moves none.
    group_chips
        Compare groups of this many chips. None takes all chips. Of a TPU pod or slice it is the
        slice of so many that can be bought, the most even where there are several; of others the
        first chips, and ``note`` says so where those are a part of a ring. For a job they are
        whole UltraServers, and presets by name that may have so many chips are made with them.
    job
        A job to train in place of a collective.
    layout
        How the job is cut on every machine; None for the best layout on each
        (`Machine.best_layouts`).
    **options
        Those of the collective, such as ``algorithm``, ``group``, ``root`` or ``shift``, or of
        `Machine.training_step` or, where no layout is given, `Machine.best_layouts`; the same for
        every machine.
        ``algorithm="runtime"`` is each machine's own software.

    Returns
    -------
    StepComparison
        For a job: ``machine``, ``chips``, ``kind``, ``time_s``, ``tokens_per_s``,
        ``tokens_per_s_per_chip``, ``mfu``, ``memory_bytes`` of the fullest chip, ``fits``,
        ``largest`` part, ``layout``, what is known of the machine as below, and ``reason``.
    Comparison
        A table: ``machine``, ``chips``, ``ranks``, ``algorithm``, ``kind``, ``model``, ``time_s``,
        ``algbw_Bps``, ``busbw_Bps``, ``lower_bound_s``, ``efficiency``, ``bottleneck``, as results
        have them; ``measured_bytes``, ``measured_s`` and ``measured_error`` of the measured row
        that is nearest in size (ours over it, less one); ``peak_bf16_flops`` and ``hbm_bytes`` of
        the machine; of the catalogue ``price_usd_per_chip_hour`` with its ``price_contract``,
        ``price_region`` and ``price_date``, and ``power_w_per_chip``, the design power of a chip
        without its server; ``note``, what makes the row unlike the first, such as another number
        of ranks; ``reason``, empty where all went well. ``.empty`` says why cells are blank.

    Raises
    ------
    UnknownName
        If there is no such preset or collective.
    InvalidArgument, InvalidType
        If an argument is not usable, a machine has fewer than `group_chips` chips, or no slice of
        so many can be bought.

    Examples
    --------
    >>> table = compare(["trn2-ultraserver", "gb200-nvl72"], "all_reduce", "1 GiB", group_chips=64)
    >>> for row in table:
    ...     print(row["machine"], row["ranks"], f"{row['time_s'] * 1e3:.2f} ms", row["kind"])
    trn2-ultraserver 64 3.33 ms links alone
    gb200-nvl72 64 2.35 ms links alone
    """
    from rainier_fast.results.compared import Compared, comparison_of

    if job is not None:
        return _steps(machines, (collective, size), job, layout, group_chips, options)
    if layout is not None:
        raise invalid("layout", layout, "must be left out where no job= is trained")
    given = machines_of(machines)
    collective = as_one_of("collective", collective, OPERATIONS)
    nbytes = _size(collective, size)
    refuse_unknown(options, Call.__annotations__)
    taken = _groups(given, group_chips, cast("Call", options))
    answers = [
        _answer(machine, collective, nbytes, cast("Call", {**options, "group": group}))
        for machine, group, _ in taken
    ]
    model = str(options.get("model", "link_load"))
    rows = [
        Compared(name_of(machine), machine.num_chips, result, *about(machine), cut, reason)
        for (machine, _, cut), (result, reason) in zip(taken, answers, strict=True)
    ]
    return comparison_of(rows, collective, nbytes, model)


def _steps(
    machines: object,
    beside: tuple[object, object],
    job: object,
    layout: object,
    chips: int | None,
    options: dict[str, Any],
) -> StepComparison:
    from rainier_fast.machine.compare_steps import compare_steps

    for name, value in zip(("collective", "size"), beside, strict=True):
        if value is not None:
            raise invalid(name, value, "must be left out where a job= is trained")
    return compare_steps(machines_of(machines, chips), job, layout, chips, options)


def machines_of(given: object, chips: int | None = None) -> list[Machine]:
    """Return machines as they were given: names of presets, with so many chips, or machines."""
    allowed = "must be names of presets, or machines"
    if isinstance(given, str | Machine) or not isinstance(given, Sequence):
        raise invalid_type("machines", given, f"must be a list; its items {allowed}")
    if not given:
        raise invalid("machines", given, "must name at least one machine")
    checked = []
    for at, one in enumerate(given):
        if not isinstance(one, str | Machine):
            raise invalid_type(f"machines[{at}]", one, allowed)
        checked.append(_preset(one, chips) if isinstance(one, str) else one)
    return checked


def _preset(name: str, chips: int | None) -> Machine:
    """Return a preset, with so many chips where it may have them."""
    free = chips is not None and name in sized()
    return preset(name, chips=chips) if free else preset(name)


def _size(collective: str, size: Quantity | None) -> float:
    if collective != "barrier":
        return parse_bytes(size, "size")  # type: ignore[arg-type] # None is refused by name
    if size is not None:
        raise invalid("size", size, "must be left out, since a barrier moves no bytes")
    return 0.0


def _groups(
    machines: list[Machine], group_chips: int | None, options: Call
) -> list[tuple[Machine, Group, str]]:
    if group_chips is None:
        return [(machine, options.get("group"), "") for machine in machines]
    if options.get("group") is not None:
        raise invalid(
            "group_chips", group_chips, "must be left out where group= says who takes part"
        )
    return of_as_many(machines, group_chips)


def _answer(
    machine: Machine, collective: str, nbytes: float, options: Call
) -> tuple[CollectiveResult | None, str]:
    try:
        return run(machine, collective, nbytes, **options), ""
    except Unsupported as error:
        return None, str(error)
