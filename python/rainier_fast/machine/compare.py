"""The same collective on several machines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from rainier_fast.ask.groups import Group
from rainier_fast.ask.options import OPERATIONS, Call, refuse_unknown
from rainier_fast.catalog import Entry, catalog
from rainier_fast.collectives.run import run
from rainier_fast.definitions.check import as_count
from rainier_fast.definitions.chip import Chip
from rainier_fast.errors import Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.units import Quantity, parse_bytes

if TYPE_CHECKING:
    from rainier_fast.results.collective import CollectiveResult
    from rainier_fast.results.comparison import Comparison


def compare(
    machines: Sequence[str | Machine],
    collective: str,
    size: Quantity | None = None,
    *,
    group_chips: int | None = None,
    **options: Unpack[Call],
) -> Comparison:
    """Run a collective on several machines and return a row for each.

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
        Compare groups of this many chips: the first of each machine. None takes all chips.
        On a torus those are rows of the first planes; to compare with a slice, name the slice.
    **options
        Those of the collective, such as ``algorithm``, ``group``, ``root`` or ``shift``; the same
        for every machine. ``algorithm="runtime"`` is each machine's own software.

    Returns
    -------
    Comparison
        A table: ``machine``, ``chips``, ``ranks``, ``algorithm``, ``kind``, ``model``, ``time_s``,
        ``algbw_Bps``, ``busbw_Bps``, ``lower_bound_s``, ``efficiency``, ``bottleneck``, as results
        have them; ``peak_bf16_flops`` and ``hbm_bytes`` of the machine;
        ``price_usd_per_chip_hour`` and ``power_w_per_chip`` of the catalogue, NaN where it has
        none; ``reason``, empty where all went well. Prices are what renting costs today, of unlike
        kinds of contract; power is the design power of a chip without its server.

    Raises
    ------
    UnknownName
        If there is no such preset or collective.
    InvalidArgument, InvalidType
        If an argument is not usable, or a machine has fewer than `group_chips` chips.

    Examples
    --------
    >>> table = compare(["trn2-ultraserver", "gb200-nvl72"], "all_reduce", "1 GiB", group_chips=64)
    >>> for row in table:
    ...     print(row["machine"], row["ranks"], f"{row['time_s'] * 1e3:.2f} ms", row["kind"])
    trn2-ultraserver 64 3.33 ms links alone
    gb200-nvl72 64 2.35 ms links alone
    """
    from rainier_fast.results.comparison import Comparison, columns_of_results

    checked = _machines(machines)
    collective = as_one_of("collective", collective, OPERATIONS)
    nbytes = _size(collective, size)
    refuse_unknown(options, Call.__annotations__)
    groups = _groups(checked, group_chips, options)
    answers = [
        _answer(machine, collective, nbytes, {**options, "group": group})
        for machine, group in zip(checked, groups, strict=True)
    ]
    results = tuple(result for result, _ in answers)
    about = [_about(machine) for machine in checked]
    columns: dict[str, list[Any]] = {
        "machine": [_name(machine) for machine in checked],
        "chips": [machine.num_chips for machine in checked],
        **columns_of_results(results),
        **{name: [row[name] for row in about] for name in about[0]},
        "reason": [reason for _, reason in answers],
    }
    model = str(options.get("model", "link_load"))
    return Comparison(columns, collective, nbytes, model, results)


def _machines(given: object) -> list[Machine]:
    allowed = "must be names of presets, or machines"
    if isinstance(given, str | Machine) or not isinstance(given, Sequence):
        raise invalid_type("machines", given, f"must be a list; its items {allowed}")
    if not given:
        raise invalid("machines", given, "must name at least one machine")
    checked = []
    for at, one in enumerate(given):
        if not isinstance(one, str | Machine):
            raise invalid_type(f"machines[{at}]", one, allowed)
        checked.append(preset(one) if isinstance(one, str) else one)
    return checked


def _size(collective: str, size: Quantity | None) -> float:
    if collective != "barrier":
        return parse_bytes(size, "size")  # type: ignore[arg-type] # None is refused by name
    if size is not None:
        raise invalid("size", size, "must be left out, since a barrier moves no bytes")
    return 0.0


def _groups(machines: list[Machine], group_chips: int | None, options: Call) -> list[Group]:
    if group_chips is None:
        return [options.get("group")] * len(machines)
    if options.get("group") is not None:
        raise invalid(
            "group_chips", group_chips, "must be left out where group= says who takes part"
        )
    count = as_count("group_chips", group_chips)
    for at, machine in enumerate(machines):
        if machine.num_chips < count:
            had = f"machines[{at}] ({_name(machine)}) has {machine.num_chips:,} chips"
            raise invalid("group_chips", count, f"must be at most the chips of each machine; {had}")
    # All chips are no list, so that nothing is listed for the largest machines.
    return [None if machine.num_chips == count else range(count) for machine in machines]


def _answer(
    machine: Machine, collective: str, nbytes: float, options: Call
) -> tuple[CollectiveResult | None, str]:
    try:
        return run(machine, collective, nbytes, **options), ""
    except Unsupported as error:
        return None, str(error)


def _about(machine: Machine) -> dict[str, float]:
    """Return what is known of a machine, NaN where nothing is."""
    chip = machine.ultraserver.chip
    entry = None if chip is None else _entry(chip)
    rates = {} if chip is None else dict(chip.peak_flops)
    return {
        "peak_bf16_flops": machine.peak_flops("bf16") if "bf16" in rates else math.nan,
        "hbm_bytes": math.nan if chip is None else float(machine.hbm_bytes),
        "price_usd_per_chip_hour": math.nan if entry is None else _price(entry),
        "power_w_per_chip": math.nan if entry is None else _power(entry),
    }


def _name(machine: Machine) -> str:
    return machine.name or machine.ultraserver.name


def _entry(chip: Chip) -> Entry | None:
    """Return the catalogue's entry of a chip, if the chip is as the catalogue has it."""
    entry = catalog().get(chip.name)
    if entry is None or entry.kind != "chip" or Chip.from_catalog(chip.name) != chip:
        return None
    return entry


def _price(entry: Entry) -> float:
    """Return USD per chip-hour: of the chip, or of an instance of it by its number of chips."""
    if "price_per_chip_hour" in entry:
        return entry["price_per_chip_hour"].number
    for other in catalog().values():
        if "price_per_hour" in other and "chip" in other and other["chip"].value == entry.name:
            return other["price_per_hour"].number / other["chips"].number
    return math.nan


def _power(entry: Entry) -> float:
    for name in ("tdp", "power_max"):
        if name in entry:
            return entry[name].number
    return math.nan
