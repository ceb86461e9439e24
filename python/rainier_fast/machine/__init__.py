"""Machines, and what can be asked of them."""

from __future__ import annotations

from rainier_fast.machine.cluster import Cluster
from rainier_fast.machine.compare import compare
from rainier_fast.machine.faults import Faults
from rainier_fast.machine.groups import Groups
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset, presets
from rainier_fast.machine.recovery import policies
from rainier_fast.machine.request import algorithms
from rainier_fast.machine.scheduling import schedule
from rainier_fast.machine.shapes import domain, full_mesh, switch, torus

__all__ = [
    "Cluster",
    "Faults",
    "Groups",
    "Machine",
    "algorithms",
    "compare",
    "domain",
    "full_mesh",
    "policies",
    "preset",
    "presets",
    "schedule",
    "switch",
    "torus",
]
