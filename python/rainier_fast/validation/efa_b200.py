"""P6-B200 nodes on EFA: NCCL's tuning model with what AWS's plugin tells it, against measured rows.

Nothing is fitted. The four-node rows reach 95 % of the NIC rate as bus bandwidth, which is 74 % of
it in bytes that a hierarchical all-reduce puts on NICs; the model gets there by the speeds that
NCCL's search tries (48 GB/s of a 50 GB/s NIC) and takes no such figure from the rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from rainier_fast.definitions import Axis, Gpu, Nic, Site, UltraServer
from rainier_fast.definitions.gpu import PROTOCOLS
from rainier_fast.machine import Cluster, Machine
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["p6_b200", "rows"]


def p6_b200(nodes: int, protocols: Sequence[str] | None = None) -> Machine:
    """Return P6-B200 instances on EFA."""
    inputs = read("efa_b200")["inputs"]
    gpu = Gpu(
        inputs["generation"],
        network_latency=inputs["network_latency_s"],
        protocols=tuple(inputs["protocols"] if protocols is None else protocols),
    )
    axis = Axis("x", inputs["gpus_per_node"], "switch", "900 GB/s")
    server = UltraServer("P6-B200", None, (axis,), Nic(inputs["nic_Bps"], 0), gpu=gpu)
    return Cluster([Site("site", nodes, server)])


def rows() -> list[Row]:
    """Return the rows of one node and of four."""
    data = read("efa_b200")
    found = []
    for nodes, name, protocols in (
        ("1", "P6-B200, 1 node", None),
        ("4", "P6-B200, 4 nodes", None),
        ("4", "P6-B200 with all protocols, four nodes", PROTOCOLS),
    ):
        machine, rates = p6_b200(int(nodes), protocols), data["rows"][nodes]
        for size, published in zip(data["sizes"], rates, strict=True):
            result = machine.all_reduce(size, algorithm="nccl")
            found.append(
                Row(
                    name,
                    f"all_reduce of {size} B by {result.algorithm}",
                    "bus bandwidth",
                    "GB/s",
                    published,
                    result.busbw_Bps / 1e9,
                    result.model,
                    data["source"],
                    "nothing fitted",
                )
            )
    return found
