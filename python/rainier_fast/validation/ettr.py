"""What failures leave of a job's time: published figures beside `Machine.goodput`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rainier_fast.ask.runtime import AS_GIVEN
from rainier_fast.definitions.rates import FailureRates
from rainier_fast.machine.presets import preset
from rainier_fast.operations.checkpoint import Checkpoint
from rainier_fast.operations.goodput import Goodput
from rainier_fast.validation.data import read
from rainier_fast.validation.row import Row

SOURCE: Final = "ettr"
"""The name of the reference."""

_NODE: Final = 8
_STEP_S: Final = 1.0
_MINUTE: Final = 60.0
_DAY: Final = 24.0


def rows() -> list[Row]:
    """Return each figure beside ours."""
    return [_row({**group, **line}) for group in read(SOURCE)["groups"] for line in group["rows"]]


def _row(case: Mapping[str, Any]) -> Row:
    found = _goodput(case)
    ours = {
        "interval": found.interval_s / _MINUTE,
        "mtbf": found.mtbf_s / _MINUTE / _MINUTE,
        "goodput": 100 * found.goodput,
    }[case["take"]]
    return Row(
        group=case["group"],
        case=_title(case),
        quantity=_QUANTITIES[case["take"]],
        unit=case["unit"],
        published=100 * _expected(case) if case.get("expected") else case["published"],
        ours=ours,
        kind=AS_GIVEN,
        model="goodput",
        source=case["source"],
        note=case.get("note", ""),
    )


_QUANTITIES: Final = {
    "interval": "best interval",
    "mtbf": "between failures",
    "goodput": "time that counts",
}


def _goodput(case: Mapping[str, Any]) -> Goodput:
    every = case.get("interval_min")
    saved = Checkpoint(
        blocking=case["blocking_min"] * _MINUTE,
        restart=case["restart_min"] * _MINUTE,
        interval=None if every is None else every * _MINUTE,
    )
    machine = preset("h100", chips=case["gpus"])
    return machine.goodput(_STEP_S, rates=_rates(case), checkpoint=saved)


def _rates(case: Mapping[str, Any]) -> str | FailureRates:
    if "rates" in case:
        return str(case["rates"])
    if "mtbf_min" in case:
        return FailureRates(chip_per_hour=_MINUTE / case["mtbf_min"] / case["gpus"])
    return FailureRates(host_per_hour=case["per_node_day"] / _DAY, chips_per_host=_NODE)


def _expected(case: Mapping[str, Any]) -> float:
    failures = case["gpus"] / _NODE * case["per_node_day"] / _DAY / _MINUTE
    lost = failures * (case["restart_min"] + case["interval_min"] / 2)
    return float((1 - lost) / (1 + case["blocking_min"] / case["interval_min"]))


def _title(case: Mapping[str, Any]) -> str:
    if "mtbf_min" in case:
        return f"{case['mtbf_min']:,} min between failures"
    words = [f"{case['gpus']:,} GPUs"]
    if case["take"] == "goodput":
        every = case.get("interval_min")
        words.append("the best interval" if every is None else f"every {every:g} min")
        words.append(f"{case['blocking_min'] * _MINUTE:g} s a checkpoint")
        words.append(f"{case['restart_min']:g} min to restart")
    return ", ".join(words)
