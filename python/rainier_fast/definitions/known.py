"""Scale-up domains that are sold or run, made of the catalogue's figures when asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Final

from rainier_fast.catalog import Entry, catalog
from rainier_fast.catalog.load import assumed
from rainier_fast.definitions.axis import Axis
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.neuron import Neuron
from rainier_fast.definitions.rivals import NODES, PODS, constant_of, node, pod, sharing_of
from rainier_fast.definitions.ultraserver import Nic, UltraServer
from rainier_fast.provenance import AssumedFloat


@cache
def known(name: str) -> UltraServer:
    """Return one of `KNOWN` by its name."""
    return KNOWN[name]()


def _nic(entry: Entry) -> Nic:
    sharing = sharing_of(entry)
    return Nic(
        entry["efa_bandwidth_per_chip"].number * sharing,
        assumed("efa_nic_latency", "efa_end_to_end_latency"),
        assumed("efa_message_overhead"),
        sharing,
    )


def _torus(name: str, axes: str) -> UltraServer:
    entry = catalog()[name]
    hop = assumed("neuronlink_hop_latency")
    rings = tuple(
        Axis(
            axis,
            int(entry[f"extent_{axis}"].number),
            "ring",
            entry[f"link_bandwidth_{axis}"].number,
            hop,
        )
        for axis in axes
    )
    chip = Chip.from_catalog(str(entry["chip"].value))
    # The public table that the parameters are fitted on is of Trainium2.
    neuron = Neuron.from_catalog() if chip.name == "trainium2" else None
    return UltraServer(name, chip, rings, _nic(entry), neuron=neuron)


def _switched(name: str) -> UltraServer:
    """Sled switch, then rack switch over all its sleds, then cables between racks."""
    entry = catalog()[name]
    hop = assumed("neuronlink_hop_latency")
    # A crossing takes the two ports of a switch and the time of one hop.
    port = AssumedFloat(hop / 2, *hop.names)
    racks = int(entry["switch_groups"].number)
    sleds = int(entry["chips"].number) // (racks * _SLED)
    axes = (
        Axis("sled", _SLED, "switch", entry["sled_bandwidth"].number, port),
        Axis("rack", sleds, "spanning_switch", entry["rack_bandwidth"].number, port),
        Axis("group", racks, "full_mesh", entry["rack_to_rack_bandwidth"].number, hop),
    )
    return UltraServer(name, Chip.from_catalog(str(entry["chip"].value)), axes, _nic(entry))


_SLED: Final = 4  # chips on one sled of a Trn3 UltraServer

KNOWN: Final[dict[str, Callable[[], UltraServer]]] = {
    "TRN1_INSTANCE": partial(_torus, "trn1.32xlarge", "xy"),
    "TRN2_INSTANCE": partial(_torus, "trn2.48xlarge", "xy"),
    "TRN2_ULTRASERVER": partial(_torus, "trn2-ultraserver", "xyz"),
    "TRN3_ULTRASERVER_GEN1": partial(_switched, "trn3-ultraserver-gen1"),
    "TRN3_ULTRASERVER_GEN2": partial(_switched, "trn3-ultraserver-gen2"),
    **{constant_of(chip): partial(node, chip) for chip in NODES},
    **{constant_of(chip): partial(pod, chip) for chip in PODS},
}
"""How to make each constant."""
