"""Whether a table is of the machine that it is fitted to, and on which chips each row is priced."""

from __future__ import annotations

import dataclasses
from typing import Final

from rainier_fast.errors import InvalidArgument
from rainier_fast.formats.read import Reading
from rainier_fast.formats.rows import Row
from rainier_fast.machine.machine import Machine

# Above eight GPUs a scale-up domain is a rack of trays, of four each (catalogue: gb200-nvl72).
_MOST_OF_NODE: Final = 8
_TRAY: Final = 4
_TRN1: Final = "trainium1"
_MEND: Final = "calibrate the machine that was measured"


def placed(machine: Machine, reading: Reading) -> tuple[tuple[Row, ...], list[str]]:
    """Return the rows with the chips that each ran on, and what was assumed for that."""
    each = _ranks_per_chip(machine, reading)
    _check_spans(machine, reading)
    whole = machine.num_chips * each
    if reading.ranks and whole not in reading.ranks:
        got = ", ".join(map(str, sorted(reading.ranks)))
        raise _wrong(machine, f"{got} ranks", f"{_allowed(machine, reading)} ranks")
    rows = tuple(_placed(machine, row, each) for row in reading.rows)
    notes = []
    chips = machine.num_chips
    parts = sorted({len(row.chips) for row in rows if row.chips is not None})
    said = "as the table says" if reading.ranks else "which the table does not say"
    notes.append(
        f"fitted to all {chips} chips of {machine.name or machine.ultraserver.name}, {said}"
    )
    if parts:
        counts = ", ".join(map(str, parts))
        notes.append(
            f"rows of fewer ranks are priced on the first {counts} chips, of each node where they "
            "name several: an assumption where chips differ in their links"
        )
    return rows, notes


def _ranks_per_chip(machine: Machine, reading: Reading) -> int:
    """Return how many ranks of the table a chip is."""
    neuron = machine.ultraserver.neuron
    if neuron is None:
        return 1
    if reading.lnc - {neuron.lnc}:
        got = ", ".join(map(str, sorted(reading.lnc)))
        raise InvalidArgument(
            f"table: got logical NeuronCore configuration {got}, must be the machine's lnc "
            f"{neuron.lnc}; give its UltraServer a Neuron of that lnc"
        )
    # Tables of our own may count chips; nccom-test counts cores.
    chips = not reading.cores and max(reading.ranks, default=0) == machine.num_chips
    return 1 if chips else neuron.ranks_per_chip


def _whole(machine: Machine, reading: Reading) -> list[int]:
    """Return the ranks that a table of the whole machine may name."""
    neuron = machine.ultraserver.neuron
    if neuron is None:
        return [machine.num_chips]
    cores = machine.num_chips * neuron.ranks_per_chip
    return [cores] if reading.cores else [machine.num_chips, cores]


def _allowed(machine: Machine, reading: Reading) -> str:
    return " or ".join(map(str, _whole(machine, reading)))


def _check_spans(machine: Machine, reading: Reading) -> None:
    """Refuse rates that belong to other ranks than the machine's, of rows that name none."""
    for least, most, where in reading.spans:
        if not any(least <= ranks <= most for ranks in _whole(machine, reading)):
            got = f"{least}" if least == most else f"{least} to {most}"
            raise _wrong(machine, f"{got} ranks by {where}", f"{_allowed(machine, reading)} ranks")


def _placed(machine: Machine, row: Row, each: int) -> Row:
    """Return a row with the chips that it is priced on."""
    nodes, chips = machine.num_ultraservers, machine.num_chips
    if row.ranks is None or row.ranks == chips * each:
        if row.nodes is not None and not _fits_nodes(machine, row.nodes):
            got = f"{row.nodes} nodes" + (f" of {row.ranks} ranks" if row.ranks else "")
            raise _wrong(machine, got, f"{nodes} node{'s' * (nodes > 1)}", row)
        return row
    domain = chips // nodes
    ranks = f"{row.ranks} ranks"
    if row.ranks > chips * each:
        raise _wrong(machine, ranks, f"at most {chips * each} ranks", row)
    if row.ranks % each:
        raise _wrong(machine, ranks, f"whole chips of {each} ranks", row)
    count = row.ranks // each
    if count < 2:
        raise _wrong(machine, ranks, f"at least two chips of {each} ranks", row)
    if row.nodes is not None and row.nodes <= nodes and nodes > 1:
        if count % row.nodes or count // row.nodes > domain:
            got = f"{ranks} on {row.nodes} nodes"
            raise _wrong(machine, got, f"as many on each, and at most {domain} chips", row)
        of_each = count // row.nodes
        listed = (node * domain + at for node in range(row.nodes) for at in range(of_each))
        return dataclasses.replace(row, chips=tuple(listed))
    if row.nodes is not None and not _fits_nodes(machine, row.nodes, count):
        raise _wrong(machine, f"{row.nodes} nodes", f"{nodes} at most", row)
    if count > domain and count % domain:
        allowed = f"whole nodes of {domain} chips, or name the nodes in a column"
        raise _wrong(machine, ranks, allowed, row)
    return dataclasses.replace(row, chips=tuple(range(count)))


def _fits_nodes(machine: Machine, nodes: int, chips: int | None = None) -> bool:
    """Tell whether so many nodes are these chips: a domain may have several hosts."""
    count = machine.num_chips if chips is None else chips
    domain = machine.num_chips // machine.num_ultraservers
    if nodes == -(-count // domain):
        return True
    server = machine.ultraserver
    if server.neuron is not None:
        return nodes == -(-count // server.neuron.instance_chips)
    return server.gpu is not None and domain > _MOST_OF_NODE and nodes == -(-count // _TRAY)


def _wrong(machine: Machine, got: str, must: str, row: Row | None = None) -> InvalidArgument:
    where = "table" if row is None else f"table, {row.where}"
    words = f"{where}: got {got}, must be of the whole machine, {must}; {_MEND}"
    chip = machine.ultraserver.chip
    if chip is not None and chip.name == _TRN1:
        words += (
            "; a rank of nccom-test is a core, of which a Trainium1 chip has two, and this machine "
            "counts chips: it has no ranks_per_chip"
        )
    return InvalidArgument(words)
