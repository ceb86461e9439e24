"""One Trn2 instance: what we predict, against nccom-test."""

from __future__ import annotations

from rainier_fast.machine import preset
from rainier_fast.measure import calibrate
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows"]


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
    by_preset, left_out, by_links = [], [], []
    for operation, mib, published in measured:
        vendor = getattr(machine, operation)(mib * 2**20, algorithm="neuron")
        links = getattr(machine, operation)(mib * 2**20)
        case = f"{operation} of {mib} MiB by {vendor.algorithm}"

        def row(
            group: str,
            ours_s: float,
            model: str,
            note: str,
            case: str = case,
            at: float = published,
        ) -> Row:
            return Row(
                group, case, "time", data["unit"], at, ours_s * 1e6, model, data["source"], note
            )

        by_preset.append(row("Trn2 instance, the preset", vendor.time_s, vendor.model, ""))
        left_out.append(
            row(
                "Trn2 instance, leave one size out",
                known[operation, mib * 2**20],
                vendor.model,
                "fitted to the other five sizes; which algorithm runs is taken as known",
            )
        )
        by_links.append(
            row(
                "Trn2 instance, links alone",
                links.time_s,
                links.model,
                "no HBM, DMA or software in it: what links allow",
                f"{operation} of {mib} MiB by {links.algorithm}",
            )
        )
    return by_preset + left_out + by_links
