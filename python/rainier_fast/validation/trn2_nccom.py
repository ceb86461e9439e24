"""One Trn2 instance: what we predict, against nccom-test."""

from __future__ import annotations

from typing import Final

from rainier_fast.machine import preset
from rainier_fast.measure import calibrate
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows"]

_GROUPS: Final = {
    "Trn2 instance, the preset": "",
    "Trn2 instance, leave one size out": (
        "fitted to the other five sizes; which algorithm runs is taken as known"
    ),
    "Trn2 instance, links alone": "no HBM, DMA or software in it: what links allow",
}


def rows() -> list[Row]:
    """Return the rows of an all-reduce, an all-gather and a reduce-scatter, six sizes each."""
    data = read("trn2_nccom")
    machine = preset("trn2")
    measured = [
        (operation, mib, published)
        for operation, times in data["rows"].items()
        for mib, published in zip(data["MiB"], times, strict=True)
    ]
    fit = calibrate(
        machine,
        [
            {"op": operation, "bytes": mib * 2**20, "time_s": published * 1e-6}
            for operation, mib, published in measured
        ],
    )
    columns = fit.leave_one_out.to_dict()
    keys = zip(columns["op"], columns["bytes"], strict=True)
    known = dict(zip(keys, columns["predicted_s"], strict=True))
    found = []
    for operation, mib, published in measured:
        vendor = getattr(machine, operation)(mib * 2**20, algorithm="neuron")
        links = getattr(machine, operation)(mib * 2**20)
        for (group, note), result, seconds in zip(
            _GROUPS.items(),
            (vendor, vendor, links),
            (vendor.time_s, known[operation, mib * 2**20], links.time_s),
            strict=True,
        ):
            case = f"{operation} of {mib} MiB by {result.algorithm}"
            about = case, "time", data["unit"], published, seconds * 1e6, result.model
            found.append(Row(group, *about, data["source"], note))
    groups = list(_GROUPS)
    return sorted(found, key=lambda row: groups.index(row.group))
