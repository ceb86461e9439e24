"""A service and what it runs on as the plain rows that the core takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from rainier_fast import _core
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.efficiency import Efficiency
from rainier_fast.definitions.operators import MatmulRate
from rainier_fast.errors import Unsupported
from rainier_fast.faults.damaged import Damaged
from rainier_fast.serving.data_files import read_data
from rainier_fast.serving.pace import Pace
from rainier_fast.serving.serving import Serving
from rainier_fast.workload.layout import Layout
from rainier_fast.workload.part import refuse_dead_chips
from rainier_fast.workload.rows import model_row
from rainier_fast.workload.running import ranks_per_chip

_BF16: Final = 2.0
_BATCHES: Final = {"sglang": "vllm", "trtllm": "vllm"}
"""Engines that batch as another one does."""


def service_row(service: Serving, bank: float) -> dict[str, Any]:
    """Return a service, whose ranks have so many bytes of memory, as the core's `Service`."""
    tables, model = read_data("precisions.json"), service.transformer
    guessed = service.speculative
    return {
        "model": model_row(model),
        "input": float(service.input),
        "output": float(service.output),
        "lengths": [list(row) for row in service.lengths],
        "weight_bytes": tables["precisions"][service.precision]["weight"],
        "activation_bytes": _BF16,
        "cache_bytes": tables["caches"][service.kv]["number"],
        "head_bytes": _BF16,
        "window": None if model.window is None else float(model.window.size),
        "engine": _BATCHES.get(service.engine, service.engine),
        "lockstep": service.batching == "lockstep",
        "most_tokens": float(service.most_tokens),
        "chunk": float(service.chunk),
        "prompts": [float(one) for one in service.prompt_buckets],
        "contexts": [float(one) for one in service.context_buckets],
        "batches": [float(one) for one in service.batch_buckets],
        "prefix_hit": service.prefix_hit,
        "speculation": guessed
        and {
            "tokens": guessed.tokens,
            "yields": guessed.tokens_per_step,
            "draft": model_row(guessed.of(model)),
        },
        "imbalance": service.imbalance,
        "bank": bank,
        "taken": service.memory_share,
        "cache_share": service.most_cache,
    }


def runs_row(
    machine: Damaged, service: Serving, layout: Layout, rates: Efficiency, pace: Pace
) -> dict[str, Any]:
    """Return what a service runs on, without how collectives are asked for."""
    refuse_dead_chips(machine)
    per_chip = ranks_per_chip(machine, layout)
    own = rates.part(per_chip) if per_chip > 1 else rates
    bandwidth = float(own.memory.bandwidth_Bps)
    # The core knows collectives among the ranks of a chip where its runtime was measured.
    measured = machine.ultraserver.neuron is not None
    return {
        "per_chip": per_chip,
        "efficiency": efficiency_row(own, service.precision),
        "pace": pace.row(bandwidth, by_host=service.sampling == "host"),
        "unpriced": 1 if measured else per_chip,
    }


def efficiency_row(rates: Efficiency, precision: str) -> _core._EfficiencyRow:
    """Return rates with products of weights of a precision as the core takes them."""
    known = read_data("precisions.json")["precisions"][precision]
    if known["rate"] not in rates.rates():
        raise Unsupported(
            f"precision: got {precision!r}, whose products {rates.chip} has no rate of; it has "
            f"{', '.join(sorted(rates.rates()))}: use 'int8' or 'bf16'"
        )
    rate = rates.rate(known["rate"])
    faster = known.get("peak", {}).get(rates.chip, 1.0)
    own: MatmulRate = replace(
        rate, peak_flops=rate.peak_flops * faster, operand_B=float(known["weight"])
    )
    return own.row(), rates.attention.row(), rates.memory.row()


def ideal(rates: Efficiency, chip: Chip) -> Efficiency:
    """Return the rates of a chip's data sheet."""
    peaks = dict(chip.peak_flops) | dict(chip.tensor_flops)
    free: dict[str, Any] = {
        "ceiling": 1.0,
        "hbm_ceiling": 1.0,
        "launch_s": 0.0,
        "kind": "published",
        "source": "data sheet",
        "residual": None,
    }
    products = {
        name: replace(rate, peak_flops=peaks[name], area=0.0, depth=0.0, conversion_B=0.0, **free)
        for name, rate in rates.rates().items()
    }
    attention = replace(
        rates.attention, few_rows=0.0, score_flops=0.0, row_flops=0.0, backward=1.0, **free
    )
    memory = replace(rates.memory, **{name: free[name] for name in free if name != "ceiling"})
    return replace(rates, matmul=products, attention=attention, memory=memory, stack="data sheet")
