"""Whether a source's TFLOP/s and MFU are its own throughput, counted by its convention."""

from __future__ import annotations

from typing import Final, NamedTuple

from rainier_fast.validation.training_cases import Case

_PRINTED: Final = ("step_s", "tokens_per_s", "tflops", "mfu")


class Check(NamedTuple):
    """Two figures of one row that say the same."""

    case: Case
    what: str
    printed: float
    ours: float
    allowed: float
    """What rounding in the source may make, as a fraction."""

    @property
    def error(self) -> float:
        """``ours / printed - 1``."""
        return self.ours / self.printed - 1


def checks(case: Case) -> list[Check]:
    """Return what can be checked of a row without a model of its time."""
    fields = case.fields
    found: list[Check] = []
    if not case["convention"]:
        return found
    allowed = _allowed(case)
    timed = "step_s" in fields or "tokens_per_s" in fields
    if timed:
        rate = case.flops_per_token * case.tokens / (case.chips * case.step_s)
        if "tflops" in fields:
            found.append(Check(case, "TFLOP/s", case["tflops"], rate / 1e12, allowed))
        if "mfu" in fields:
            found.append(Check(case, "MFU", case["mfu"], rate / case.peak_flops, allowed))
    elif "tflops" in fields and "mfu" in fields:
        share = case.achieved_flops / case.peak_flops
        found.append(Check(case, "MFU", case["mfu"], share, allowed))
    return found


def _allowed(case: Case) -> float:
    """Return 1 %, the row's own tolerance, or half of the last digit that is printed."""
    printed = [case[name] for name in _PRINTED if name in case.fields]
    allowed = [0.01, float(case.get("tolerance", 0))]
    allowed += [_half_digit(value) / value for value in printed]
    if "rounding" in case.fields:
        allowed.append(case["rounding"] / 2 / case["tokens_per_s"])
    return max(allowed)


def _half_digit(value: float) -> float:
    decimals = len(f"{value:.6g}".partition(".")[2])
    return float(0.5 * 10.0**-decimals)
