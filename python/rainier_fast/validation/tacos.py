"""All-gathers on tori against schedules that TACOS synthesises."""

from __future__ import annotations

from rainier_fast.machine import torus
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["rows"]


def rows() -> list[Row]:
    """Return what TACOS's schedules take, beside its closed form and our best algorithms."""
    data = read("tacos")
    found = []
    for case in data["rows"]:
        shape, size, chunks = case["shape"], case["size_bytes"], case["chunks"]
        machine = torus(shape, data["link_Bps"], data["alpha_s"])
        ranks = machine.num_chips
        degree = 2 * len(shape)
        rounds = -(-(ranks - 1) * chunks // degree)
        hop = machine.send_recv(size / (ranks * chunks), shift=1, group=[0, 1])
        best = machine.all_gather(size)
        made = machine.all_gather(size, algorithm="synthesized", chunks=chunks)
        words = f"{' x '.join(map(str, shape))}, {size // 2**20} MiB, {chunks} chunks a chip"
        bound = f"our lower bound {best.lower_bound_s * 1e6:.1f} us"
        for group, ours, note in (
            ("All-gather, rounds of TACOS", rounds * hop.time_s, f"{rounds} rounds"),
            ("All-gather, ours against TACOS", best.time_s, f"{best.algorithm}; {bound}"),
            ("All-gather, synthesised", made.time_s, bound),
        ):
            found.append(
                Row(
                    group,
                    words,
                    "time",
                    "us",
                    case["us"],
                    ours * 1e6,
                    best.model,
                    data["source"],
                    f"{note}; {data['note']}",
                )
            )
    return found
