"""ASTRA-sim's inputs, and its own analytical times to the nanosecond, beside ours.

A compatibility mode: nothing else in the package asks it for a time. Its faults are named in
`faults`, and each answer says which of them it has.

Examples
--------
>>> from rainier_fast import astra_sim
>>> network = astra_sim.Network(("Ring",), (4,), (50.0,), (500.0,))
>>> work = astra_sim.Workload.collective("all_reduce", 2**20, 4)
>>> astra_sim.run(network, astra_sim.System.of_algorithm("ring"), work).end_ns
43000
"""

from rainier_fast.astra_sim.faults import Fault, faults
from rainier_fast.astra_sim.memory import Memory
from rainier_fast.astra_sim.network import Network
from rainier_fast.astra_sim.nodes import Node
from rainier_fast.astra_sim.programs import chakra
from rainier_fast.astra_sim.result import AstraRun
from rainier_fast.astra_sim.run import run
from rainier_fast.astra_sim.schedules import read_schedule, save_schedule
from rainier_fast.astra_sim.system import System
from rainier_fast.astra_sim.workload import Workload

__all__ = [
    "AstraRun",
    "Fault",
    "Memory",
    "Network",
    "Node",
    "System",
    "Workload",
    "chakra",
    "faults",
    "read_schedule",
    "run",
    "save_schedule",
]
