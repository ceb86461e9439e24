"""A layout as the stack whose order it has would lay it, which refuses what that stack refuses."""

from __future__ import annotations

from rainier_fast.workload.layout import ORDERS, Layout
from rainier_fast.workload.orders.layout_axes import layout_axes


def scattered(layout: Layout, dp: int) -> tuple[str, ...]:
    """Return the axes that the stack of a layout does not count up, but joins by a rule of its own.

    What the stack refuses is refused, with its reason.
    """
    if layout.order not in ORDERS:
        return ()
    sizes = {"tp": layout.tp, "cp": layout.cp, "pp": layout.pp, "dp": dp, "ep": layout.ep}
    etp = layout.expert_tp if layout.ep > 1 else layout.etp
    ranks = layout.tp * layout.cp * layout.pp * dp
    axes = layout_axes(layout.order, ranks, {**sizes, "etp": etp})
    used = [name for name, size in sizes.items() if size > 1] + ["edp"] * (layout.ep > 1)
    return tuple(name for name in used if not isinstance(axes[name], tuple))
