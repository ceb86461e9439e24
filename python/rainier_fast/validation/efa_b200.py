"""P6-B200 nodes on EFA: NCCL's tuning model with what AWS's plugin tells it, against measured rows.

Nothing is fitted. The four-node rows reach 95 % of the NIC rate as bus bandwidth, which is 74 % of
it in bytes that a hierarchical all-reduce puts on NICs; the model gets there by the speeds that
NCCL's search tries (48 GB/s of a 50 GB/s NIC) and takes no such figure from the rows.
"""

from __future__ import annotations

from rainier_fast.definitions import Axis, Gpu, Nic, Site, UltraServer
from rainier_fast.machine import Cluster, Machine
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

__all__ = ["p6_b200", "rows"]


def p6_b200(nodes: int) -> Machine:
    """Return P6-B200 instances on EFA.

    Parameters
    ----------
    nodes
        Instances of eight GPUs.

    Returns
    -------
    Machine
        With the latency and the protocols that aws-ofi-nccl sets.

    Examples
    --------
    >>> p6_b200(4).all_reduce("1 GiB", algorithm="nccl").algorithm
    'nccl(nvls_tree, simple)'
    """
    inputs = read("efa_b200")["inputs"]
    gpu = Gpu(
        inputs["generation"],
        network_latency=inputs["network_latency_s"],
        protocols=tuple(inputs["protocols"]),
    )
    axis = Axis("x", inputs["gpus_per_node"], "switch", "900 GB/s")
    server = UltraServer("P6-B200", None, (axis,), Nic(inputs["nic_Bps"], 0), gpu=gpu)
    return Cluster([Site("site", nodes, server)])


def rows() -> list[Row]:
    """Return the rows of one node and of four.

    Returns
    -------
    list of Row
        A group for each.

    Examples
    --------
    >>> len(rows())
    8
    """
    data = read("efa_b200")
    found = []
    for nodes, rates in data["rows"].items():
        machine = p6_b200(int(nodes))
        for size, published in zip(data["sizes"], rates, strict=True):
            result = machine.all_reduce(size, algorithm="nccl")
            found.append(
                Row(
                    f"P6-B200, {nodes} node{'s' if nodes != '1' else ''}",
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
