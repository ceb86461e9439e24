"""The names of a machine's hosts, out of whatever says them."""

from __future__ import annotations

from collections.abc import Sequence

from rainier_fast.definitions.check import as_items
from rainier_fast.errors import invalid_type
from rainier_fast.flows.places import Places
from rainier_fast.placement.ec2 import Ec2Topology
from rainier_fast.placement.hostfile import HostList
from rainier_fast.placement.hostlist import expanded
from rainier_fast.placement.slurm import SlurmTopology
from rainier_fast.placement.torus import Torus
from rainier_fast.placement.units import HostGroups, Units, check_fit, fitted, in_order

_WHAT = {"block": "block", "tree": "leaf switch", "ring": "ring", "torus3d": "torus"}


def named_hosts(hosts: object, machine: Places, units: Units) -> HostGroups:
    """Return hosts by the UltraServers that they share, which the machine must have."""
    found = _groups(hosts, machine, units)
    error = check_fit(found, units)
    if error is not None:
        raise error
    return found


def _groups(hosts: object, machine: Places, units: Units) -> HostGroups:
    if isinstance(hosts, HostGroups):
        return hosts
    if isinstance(hosts, Ec2Topology):
        return hosts.hosts(machine)
    if isinstance(hosts, SlurmTopology):
        return _of_slurm(hosts, units)
    if isinstance(hosts, HostList):
        return in_order(hosts.distinct, units.planes)
    if isinstance(hosts, str):
        return in_order(expanded(hosts, "hosts"), units.planes)
    names = as_items("hosts", hosts, "must be names of hosts, or what says them")
    for at, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise invalid_type(f"hosts[{at}]", name, "must be the name of a host")
    return in_order(names, units.planes)


def _of_slurm(slurm: SlurmTopology, units: Units) -> HostGroups:
    default = slurm.default
    if isinstance(default.network, tuple):
        groups = [group for torus in default.network for group in _of_torus(torus, units.planes)]
        return fitted(groups, units.planes, "block of a torus")
    groups = slurm.groups()
    return fitted(groups, units.planes, _WHAT[default.kind])


def _of_torus(torus: Torus, planes: int) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Return blocks of the shape that has as many nodes as an UltraServer, else nodes in order."""
    for shape in torus.shapes:
        if shape.size == planes:
            blocks = torus.blocks(shape.dims, shape.spacing)
            if sum(map(len, blocks)) == len({node for block in blocks for node in block}):
                return [(f"{torus.name} {at}", block) for at, block in enumerate(blocks)]
    return [(torus.name, torus.nodes)]
