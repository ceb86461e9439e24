"""All-reduces on machines of four makers by their own software, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from rainier_fast.machine.compare import compare
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.results.comparison import Comparison
from rainier_fast.units import format_bytes, format_time

SIZES: Final = (2**16, 2**24, 2**30)
NAMES: Final = ("size", "machine", "ranks", "ours", "kind", "by", "measured", "ours there")


@cache
def compared() -> tuple[Comparison, ...]:
    """Return an all-reduce on each machine, a comparison for each size."""
    # The slice has as many chips as the Trn2 instance.
    machines: list[str | Machine] = ["trn2", "h100", "b200", preset("tpu-v5p", shape=(2, 2, 4))]
    return tuple(compare(machines, "all_reduce", size, algorithm="runtime") for size in SIZES)


def lines() -> Iterator[Sequence[str]]:
    """Yield the cells of a row for each size and machine, by `NAMES`."""
    for table in compared():
        for row in table:
            beside = ("none", "")
            if row["measured_s"] == row["measured_s"]:
                size, time = format_bytes(row["measured_bytes"]), format_time(row["measured_s"])
                beside = (f"{time} at {size}", f"{row['measured_error']:+.1%}".replace("%", " %"))
            yield (
                format_bytes(table.size_bytes),
                row["machine"],
                str(row["ranks"]),
                format_time(row["time_s"]),
                row["kind"],
                row["algorithm"],
                *beside,
            )
