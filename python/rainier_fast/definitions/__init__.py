"""What a machine is made of: frozen, checked, hashable, and each ``repr`` evaluates back."""

from __future__ import annotations

from rainier_fast.definitions.axis import Axis, Tier
from rainier_fast.definitions.bucket import Bucket
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.gpu import Gpu
from rainier_fast.definitions.neuron import Neuron
from rainier_fast.definitions.places import ChipAt, LinkAt
from rainier_fast.definitions.rates import FailureRates
from rainier_fast.definitions.routing import (
    DimensionOrder,
    MinimalAdaptive,
    Routing,
    Shortest,
    UpDown,
    Valiant,
    WildFirst,
)
from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.definitions.ultraserver import Nic, UltraServer
from rainier_fast.definitions.wan import Wan

__all__ = [
    "Axis",
    "Bucket",
    "Chip",
    "ChipAt",
    "DimensionOrder",
    "Fabric",
    "FailureRates",
    "Gpu",
    "LinkAt",
    "MinimalAdaptive",
    "Neuron",
    "Nic",
    "Routing",
    "Shortest",
    "Site",
    "Tier",
    "UltraServer",
    "UpDown",
    "Valiant",
    "Wan",
    "WildFirst",
]
