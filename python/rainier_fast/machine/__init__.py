"""Machines, and what can be asked of them."""

from __future__ import annotations

from rainier_fast.ask.groups import Groups
from rainier_fast.ask.options import algorithms
from rainier_fast.collectives.scheduling import schedule
from rainier_fast.faults.faults import Faults
from rainier_fast.machine.cluster import Cluster
from rainier_fast.machine.compare import compare
from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset, presets
from rainier_fast.machine.shapes import domain, full_mesh, switch, torus
from rainier_fast.studies.recovery import policies

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
