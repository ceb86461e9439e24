"""Measured training runs: rows of ``measured/data/training``, checked; `Case` says their fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from rainier_fast.definitions.site import Fabric, Site
from rainier_fast.errors import as_one_of, invalid
from rainier_fast.machine.machine import Cluster, Machine
from rainier_fast.machine.presets import preset
from rainier_fast.measured.training import read
from rainier_fast.workload.models import model, models
from rainier_fast.workload.parts import Experts, Mla, Window
from rainier_fast.workload.transformer import Transformer

SOURCES: Final = (
    "vtrain",
    "megatron_2021",
    "korthikanti",
    "megatron_core",
    "papers",
    "megatron_bridge",
    "moe_modelzoo",
    "torchtitan",
    "maxtext",
)
"""Files of ``measured/data/training`` with times."""

MEMORY: Final = "memory"
"""The file of closed forms of memory."""

CONVENTIONS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "megatron 2021": {"mask": "full", "recompute": "full"},
        "megatron": {"mask": "full"},
        "megatron-bridge": {"mask": "causal", "mtp": True},
        "maxtext": {"mask": "causal"},
        "maxtext, old": {"mask": "full"},
        "unsaid": {"mask": "causal"},
    }
)
"""How sources count FLOPs: arguments of `Transformer.flops_per_token`."""

_OF_A_RACK: Final = 64  # of 72, as MoE layouts of powers of two use it
_PARTS: Final = {"mla": Mla, "experts": Experts, "window": Window}
_NUMBERS: Final = ("step_s", "tokens_per_s", "tflops", "mfu", "hfu", "memory_gib")
_ONES: Final = ("tp", "pp", "cp", "ep", "etp", "virtual")
_REST: Final = """
    family group source software date verified convention note model machine chips shape sequence
    batch precision optimizer recompute attention dropout dispatch zero microbatch schedule
    sequence_parallel context order ends overlap assumed not_run fit size tolerance rounding hides
    compiled counts state_gib activations_gib activations_share
"""
_KNOWN: Final = frozenset([*_NUMBERS, *_ONES, *_REST.split()])


@dataclass(frozen=True, slots=True)
class Case:
    """One measured run.

    Attributes
    ----------
    fields
        What the row says. ``step_s``, ``tokens_per_s`` (of a chip), ``tflops`` (of a chip, by
        ``convention``), ``mfu``, ``hfu`` and ``memory_gib`` (GiB of a chip) are measured;
        ``assumed`` names fields that the source leaves out; ``hides`` says what was hidden beside
        what is by default, ``ends`` that the first and the last chunk have a layer less; ``fit``
        whether constants may be fitted to it; ``not_run`` why it cannot be run; ``verified`` is
        ``"original"`` or ``"second hand"``.
    model
        What was trained.
    """

    fields: Mapping[str, Any]
    model: Transformer

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return a field, or `default` where the row has none."""
        return self.fields.get(name, default)

    @property
    def title(self) -> str:
        """Model, chips and layout in one line."""
        axes = [
            f"{name.upper()} {self[name]}" for name in ("tp", "pp", "cp", "ep") if self[name] > 1
        ]
        more = [str(self[name]) for name in ("overlap",) if self.get(name)]
        eager = ["not compiled"] if self.get("compiled") is False else []
        what = [*axes, f"DP {self.dp}", f"{self['sequence']} x {self['batch']}", self["precision"]]
        return (
            f"{self.model.name} on {self.chips} {self['machine']}: {', '.join(what + more + eager)}"
        )

    @property
    def family(self) -> str:
        """Software and part, by which errors are told together."""
        named = str(self["family"])
        return named if "," in named else f"{named}, {self['machine']}"

    @property
    def chips(self) -> int:
        """Chips of the machine."""
        return int(self.get("chips") or math.prod(self["shape"]))

    @property
    def dp(self) -> int:
        """Replicas: chips over those of tensors, stages and context."""
        group = self["tp"] * self["pp"] * self["cp"]
        if self.chips % group:
            raise invalid("chips", self.chips, f"must be a multiple of tp x pp x cp, {group}")
        return self.chips // int(group)

    @property
    def tokens(self) -> int:
        """Tokens of a step."""
        return int(self["sequence"] * self["batch"])

    @property
    def machine(self) -> Machine:
        """The preset that it ran on; of racks of 72, 64 chips each where all are not used."""
        if "shape" in self.fields:
            return preset(self["machine"], shape=tuple(self["shape"]))
        chips, whole = self.chips, preset(self["machine"])
        if chips % whole.num_chips == 0:
            return preset(self["machine"], chips=chips)
        rack, used = whole.ultraserver, min(chips, _OF_A_RACK)
        if chips % used or used > rack.num_chips:
            allowed = f"must be a whole number of domains of {rack.num_chips} or {_OF_A_RACK}"
            raise invalid("chips", chips, allowed)
        part = replace(rack, axes=(replace(rack.axes[0], size=used),))
        racks = chips // used
        fabric = preset(self["machine"], chips=2 * rack.num_chips).sites[0].fabric
        return Cluster([Site(self["machine"], racks, part, fabric if racks > 1 else Fabric())])

    @property
    def flops_per_token(self) -> float:
        """FLOPs for a token as the source counts them."""
        name = as_one_of("convention", self["convention"], CONVENTIONS)
        return self.model.flops_per_token(sequence=self["sequence"], **CONVENTIONS[name])

    @property
    def step_s(self) -> float:
        """Seconds of a step, measured or worked out of what was."""
        if "step_s" in self.fields:
            return float(self["step_s"])
        if "tokens_per_s" in self.fields:
            return float(self.tokens / (self.chips * self["tokens_per_s"]))
        return self.tokens * self.flops_per_token / (self.chips * self.achieved_flops)

    @property
    def achieved_flops(self) -> float:
        """FLOP/s of a chip as the source counts them, by its TFLOP/s or its MFU."""
        if "tflops" in self.fields:
            return float(self["tflops"] * 1e12)
        return float(self["mfu"] * self.peak_flops)

    @property
    def peak_flops(self) -> float:
        """Peak of a chip in bf16, which MFU is against."""
        machine = self.machine
        return machine.peak_flops("bf16") / machine.num_chips


@cache
def cases(source: str) -> tuple[Case, ...]:
    """Return the runs of one of `SOURCES`, or of `MEMORY`."""
    runs = read(as_one_of("source", source, (*SOURCES, MEMORY)))
    return tuple(case(row, runs.shapes) for row in runs.rows)


def case(fields: Mapping[str, Any], shapes: Mapping[str, Any]) -> Case:
    """Make a run of the fields of a row, its model one of `shapes` or of `models`."""
    known = {**dict.fromkeys(_ONES, 1), **fields}
    known.pop("columns", None)
    if strange := sorted(set(known) - _KNOWN):
        raise invalid("fields", strange[0], f"must be one of {', '.join(sorted(_KNOWN))}")
    return Case(MappingProxyType(known), _shape(known["model"], shapes))


def _shape(name: str, shapes: Mapping[str, Any]) -> Transformer:
    if name not in shapes:
        return model(as_one_of("model", name, [*shapes, *models()]))
    parts = {
        field: _PARTS[field](**value) if field in _PARTS else value
        for field, value in shapes[name].items()
    }
    return Transformer(name=name, **parts)
