"""Training problems of "How to Scale Your Model" beside our models and presets.

Its answers are closed forms, rounded as a book rounds; ours take parameters from `models`, peak and
link rates from the preset, and nothing else that the row does not say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from rainier_fast.machine.machine import Machine
from rainier_fast.machine.presets import preset
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row
from rainier_fast.workload.models import model
from rainier_fast.workload.transformer import Transformer

SOURCE: Final = "scaling_book"
_Fields = Mapping[str, Any]
_DAY_S: Final = 86_400.0
_BF16: Final = 2
_FLOPS: Final = 6  # for a parameter and token, forward and backward


def rows() -> list[Row]:
    """Return each problem: its published answer and ours."""
    data, found = read(SOURCE), []
    for group in data.pop("groups"):
        given = {**data, **group}
        found += [_row({**given, **line}) for line in given.pop("rows")]
    return found


def rounding(fields: _Fields) -> float:
    """Return what the digits of a published answer leave open, as a fraction."""
    value = fields["published"]
    digit = 10.0 ** (math.floor(math.log10(value)) + 1 - fields["digits"])
    return float(digit / 2 / value)


def _row(fields: _Fields) -> Row:
    machine = preset(fields["machine"])
    note = f"to {fields['digits']} digits"
    return Row(
        group=fields["group"],
        case=fields["ask"],
        quantity="answer",
        unit=fields["unit"],
        published=fields["published"],
        ours=_RULES[fields["rule"]](machine, fields),
        kind="links alone",
        model=fields["rule"],
        source=fields["source"],
        note=f"{note}; {fields['note']}" if "note" in fields else note,
    )


def _peak(machine: Machine) -> float:
    return machine.peak_flops("bf16") / machine.num_chips


def _intensity(machine: Machine) -> float:
    """FLOPs for a byte that a chip passes along one axis, both ways at once."""
    return _peak(machine) / (2 * machine.ultraserver.axes[0].bandwidth_Bps)


def _model(fields: _Fields) -> Transformer:
    return model(fields["model"])


def _flops(fields: _Fields) -> float:
    return float(_FLOPS * _model(fields).parameters)


def _days(machine: Machine, fields: _Fields) -> float:
    rate = fields["chips"] * _peak(machine) * fields["mfu"]
    return float(_flops(fields) * fields["tokens"] / rate / _DAY_S)


def _state_and_rows(_: Machine, fields: _Fields) -> float:
    shape = _model(fields)
    kept = _BF16 * shape.hidden * fields["batch"] * fields["rows_a_layer"] * shape.layers
    return float((fields["per_parameter"] * shape.parameters + kept) / fields.get("over", 1))


def _three_matrices(_: Machine, fields: _Fields) -> float:
    shape = _model(fields)
    return float(_BF16 * shape.layers * fields["batch"] * (shape.hidden + 2 * shape.ffn))


def _best_fsdp(_: Machine, fields: _Fields) -> float:
    return math.sqrt(2 * fields["batch"] * fields["chips"] / _model(fields).ffn)


_RULES: Final[Mapping[str, Callable[[Machine, _Fields], float]]] = {
    "parameters": lambda _, fields: float(_model(fields).parameters),
    "mlp parameters": lambda _, fields: float(_model(fields).layers * _model(fields).numbers.mlp),
    "attention parameters": lambda _, fields: float(
        _model(fields).layers * _model(fields).numbers.attention
    ),
    "flops a token": lambda _, fields: _flops(fields),
    "flops in all": lambda _, fields: _flops(fields) * fields["tokens"],
    "days": _days,
    "state": lambda _, fields: float(fields["per_parameter"] * _model(fields).parameters),
    "kept of three matrices": _three_matrices,
    "state and rows": _state_and_rows,
    "parameters that fit": lambda _, fields: float(fields["hbm"] / fields["per_parameter"]),
    "fsdp": lambda machine, fields: _intensity(machine) / fields["axes"] * fields.get("chips", 1),
    "fsdp chips": lambda machine, fields: fields["batch"] * fields["axes"] / _intensity(machine),
    "tensors": lambda machine, fields: fields["axes"] * _model(fields).ffn / _intensity(machine),
    "both": lambda machine, fields: 2 * _intensity(machine) ** 2 / _model(fields).ffn,
    "best fsdp": _best_fsdp,
    "tokens a chip": lambda _, fields: float(fields["batch"] / fields["chips"]),
    "dcn": lambda machine, fields: float(_peak(machine) * fields["host"] / fields["per_host"]),
}
"""How a problem is answered."""
