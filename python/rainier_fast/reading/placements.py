"""Where hosts and ranks are: EC2's answers, Slurm's networks, host files."""

from __future__ import annotations

from rainier_fast.placement.ec2 import Ec2Topology
from rainier_fast.placement.hostfile import HostList
from rainier_fast.placement.slurm import SlurmTopology
from rainier_fast.placement.text import check_size
from rainier_fast.reading.content import Content


def ec2(content: Content) -> Ec2Topology:
    """Read one file of EC2's answers, of one page or several."""
    check_size(content.short, len(content.data))
    return Ec2Topology.parse(content.data, name=content.short)


def slurm(content: Content) -> SlurmTopology:
    """Read topology.conf or topology.yaml."""
    check_size(content.short, len(content.data))
    return SlurmTopology.parse(content.data, content.short)


def hosts(content: Content) -> HostList:
    """Read a host file, a node list or a rankfile."""
    check_size(content.short, len(content.data))
    return HostList.parse(content.data, content.short)
