"""What the core says of a service, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

Parts: TypeAlias = tuple[tuple[str, float], ...]
"""Seconds by what they are spent on."""


@dataclass(frozen=True, slots=True)
class Found:
    """A service as the core found it: seconds, requests, tokens and bytes."""

    ttft: float
    tpot: float
    ttft_p50: float
    ttft_p90: float
    tpot_p50: float
    tpot_p90: float
    rate: float
    running: float
    decoding: float
    waiting: float
    load: float
    batch: float
    context: float
    prompt: float
    weights: float
    request: float
    budget: float
    fits: float
    step: Parts
    prefill: Parts

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Found:
        """Read the core's dict."""
        read = {field.name: told[field.name] for field in fields(cls)}
        for name in ("step", "prefill"):
            read[name] = tuple((part, float(seconds)) for part, seconds in read[name])
        return cls(**read)
