"""Makes the rates of chips of ``catalog/data/efficiency.json``.

``chips`` has an entry a chip: ``stacks`` by name, of which ``default`` is taken, or ``like``, the
chip of the nearest generation whose shares are carried over as guesses. A stack has figures of
``matmul`` by precision, of ``attention`` and of ``memory``, each with its kind, a key of
``sources`` and what its fit left; ``units`` says what figures are in. Peaks and bandwidths are
those of the chip.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from rainier_fast.catalog import catalog
from rainier_fast.definitions.chip import Chip
from rainier_fast.definitions.operators import AttentionRate, MatmulRate, MemoryRate, Residual
from rainier_fast.errors import Unsupported, as_one_of

BYTES: Final = {"bf16": (2.0, 2.0), "fp8": (1.0, 2.0), "fp32": (4.0, 4.0)}
"""Bytes of a number of the operands and of the output, by precision."""

_ABOUT: Final = ("kind", "source", "rows", "fitted", "held_out", "large", "note")
_BACKWARD: Final = ("backward_kind", "backward_source")


@cache
def data() -> dict[str, Any]:
    """Return the file as it is."""
    import json  # needed only once a reader asks
    from importlib import resources  # a tenth of numpy's import time

    file = resources.files("rainier_fast.catalog").joinpath("data", "efficiency.json")
    return dict(json.loads(file.read_text(encoding="utf-8")))


def chip_of(name: object) -> Chip:
    """Return the chip that a name of the catalogue, or one people use for it, stands for."""
    aliases = catalog().aliases() | data()["names"]
    known = [key for key, entry in catalog().items() if entry.kind == "chip"]
    spelled = as_one_of("chip", name, [*known, *aliases])
    return Chip.from_catalog(aliases.get(spelled, spelled))


def entry_of(chip: Chip, like: str | None) -> tuple[str, Mapping[str, Any]]:
    """Return the chip whose table is used, and what is known of it."""
    chips = data()["chips"]
    name = chip.name if like is None else chip_of(like).name
    if name not in chips:
        raise Unsupported(
            f"no efficiency of chip {name!r} is known; pass an Efficiency of your own "
            "(Efficiency(...), or Efficiency.fit of measured products), or name a chip whose "
            f"shares to carry over, Efficiency.of(chip, like='h100'): {', '.join(sorted(chips))}"
        )
    name = chips[name].get("like", name)
    return name, chips[name]


def rates(
    chip: Chip, of: str, stack: str
) -> tuple[dict[str, MatmulRate], AttentionRate, MemoryRate, float]:
    """Return the rates of a stack of one chip's table at the peaks of a chip, and its call."""
    entry = data()["chips"][of]["stacks"][stack]
    peaks = dict(chip.peak_flops) | dict(chip.tensor_flops)
    carried = None if of == chip.name else f"shares of {of}: {chip.name} has no table of its own"
    bandwidth: dict[str, Any] = {"bandwidth_Bps": chip.hbm_bandwidth_Bps}
    matmul = {
        precision: MatmulRate(
            peak_flops=peaks[precision],
            operand_B=operand,
            output_B=output,
            **bandwidth,
            **_read(*_of_precision(entry["matmul"], precision, carried)),
        )
        for precision, (operand, output) in BYTES.items()
        if precision in peaks
    }
    attention = _read(entry["attention"], carried)
    attention["backward_source"] = data()["sources"][attention["backward_source"]]
    memory = _read(entry["memory"], carried)
    return (
        matmul,
        AttentionRate(peak_flops=peaks["bf16"], **bandwidth, **attention),
        MemoryRate(**bandwidth, **memory),
        float(entry.get("call_s", 0.0)),
    )


def _of_precision(
    known: Mapping[str, Any], precision: str, carried: str | None
) -> tuple[Mapping[str, Any], str | None]:
    if precision in known:
        return known[precision], carried
    figures = {name: value for name, value in known["bf16"].items() if name not in _ABOUT}
    return figures, carried or f"shares of bf16: no table of {precision} is public"


def _read(figures: Mapping[str, Any], carried: str | None) -> dict[str, Any]:
    """Return the fields of a rate; what is carried over from elsewhere is a guess."""
    found = {name: value for name, value in figures.items() if name not in _ABOUT}
    if carried is not None:
        return found | {"kind": "guess", "source": carried} | _guessed(found)
    found["kind"], found["source"] = figures["kind"], data()["sources"][figures["source"]]
    if "rows" in figures:
        found["residual"] = Residual(
            figures["rows"], figures["fitted"], figures.get("held_out"), figures.get("large")
        )
    return found


def _guessed(found: Mapping[str, Any]) -> dict[str, str]:
    return {"backward_kind": "guess"} if "backward_kind" in found else {}
