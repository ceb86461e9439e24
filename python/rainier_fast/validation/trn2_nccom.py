"""One Trn2 instance: what we predict, against nccom-test."""

from __future__ import annotations

from typing import Final

from rainier_fast.machine import preset
from rainier_fast.machine.request import algorithms
from rainier_fast.results import CollectiveResult
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows"]

_VENDOR: Final = "neuron"
"""The algorithm that runs what the vendor runs, where this build has it."""


def rows() -> list[Row]:
    """Return eighteen rows: six sizes of an all-reduce, an all-gather and a reduce-scatter.

    Returns
    -------
    list of Row
        By the vendor's own algorithms where they are modelled, else by links alone; the group and
        the note say which.

    Examples
    --------
    >>> len(rows())
    18
    """
    data = read("trn2_nccom")
    machine = preset("trn2")
    found = []
    for operation, times in data["rows"].items():
        vendor = _VENDOR in algorithms(operation)
        for mib, published in zip(data["MiB"], times, strict=True):
            run = getattr(machine, operation)
            result: CollectiveResult = run(mib * 2**20, algorithm=_VENDOR if vendor else "auto")
            found.append(
                Row(
                    "Trn2 instance, the vendor's algorithms" if vendor else "Trn2, links alone",
                    f"{operation} of {mib} MiB by {result.algorithm}",
                    "time",
                    data["unit"],
                    published,
                    result.time_s * 1e6,
                    result.model,
                    data["source"],
                    "" if vendor else "no HBM, DMA or software in it: what links allow",
                )
            )
    return found
