"""What is taken of a training step, or of anything else that takes its time over and over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from rainier_fast.errors import InvalidArgument, Unsupported, invalid, invalid_type
from rainier_fast.topology.base import Base
from rainier_fast.units import Quantity, parse_time


@runtime_checkable
class Timed(Protocol):
    """What takes a time: a training step, or the result of a collective."""

    @property
    def time_s(self) -> float:
        """Seconds that it takes."""


class Yielding(Protocol):
    """What has tokens a second and no step: a service."""

    @property
    def tokens_per_s(self) -> float:
        """Tokens a second."""


Step: TypeAlias = Quantity | Timed
"""A training step, another result with a time, or seconds."""

_ALLOWED: Final = "must be a training step, another result with a time_s, or seconds"
_STATE: Final = ("weights_bytes", "optimizer_bytes")


@dataclass(frozen=True, slots=True)
class Work:
    """A step, as far as it matters here.

    Attributes
    ----------
    seconds
        What it takes.
    chips
        How many take part.
    tokens
        Of a step; None where it does not say.
    parts
        Seconds by what they are spent on; empty where it does not say.
    state
        Bytes of a chip that a checkpoint saves; None where it does not say.
    replicas, islands
        Copies of the model, and groups of them that work by themselves; None where not said.
    is_step
        Whether it is a step with a time of its own; of a service, a second stands for it.
    step
        What was given.
    busy
        Share of the time of its chips in which they compute, of a service whose prefill and
        decoding are apart; None where its parts say it, or all of them compute all the time.
    """

    seconds: float
    chips: int
    tokens: float | None
    parts: tuple[tuple[str, float], ...]
    state: float | None
    replicas: int | None
    islands: int | None
    is_step: bool
    step: object = field(compare=False)
    busy: float | None = None


def as_work(step: object, machine: Base, *, services: bool = False) -> Work:
    """Return what is taken of a step on a machine; `services` may be what has no step."""
    timed = not isinstance(step, str | int | float) and _has(step, "time_s")
    served = services and not timed and _has(step, "tokens_per_s")
    if not (timed or served):
        seconds = parse_time(step, "step")  # type: ignore[arg-type] # which refuses what is none
        chips = machine.num_chips
        return Work(
            _above_zero(seconds), chips, None, (), None, None, None, is_step=True, step=None
        )
    try:
        return _read(step, machine) if timed else _served(step, machine)
    except (InvalidArgument, Unsupported):
        raise
    except Exception as error:  # whatever a value's own attributes raise
        raise invalid_type("step", step, _ALLOWED) from error


def _has(step: object, name: str) -> bool:
    try:
        return isinstance(getattr(step, name, None), float | int)
    except Exception as error:  # whatever a value's own attributes raise
        raise invalid_type("step", step, _ALLOWED) from error


def _above_zero(seconds: float) -> float:
    if seconds == 0:
        raise invalid("step", seconds, "must take a time above 0")
    return seconds


def _read(step: Any, machine: Base) -> Work:  # noqa: ANN401 - any step
    seconds = _above_zero(parse_time(step.time_s, "step"))
    rate = getattr(step, "tokens_per_s", None)
    parts = getattr(step, "parts", None)
    chips = _chips(step, machine)
    layout = getattr(step, "layout", None)
    islands = getattr(layout, "islands", None)
    return Work(
        seconds,
        chips,
        None if rate is None else float(rate) * seconds,
        tuple(parts.items()) if isinstance(parts, Mapping) else (),
        _state(getattr(step, "memory", None)),
        _replicas(layout, chips),
        None if islands in (None, 1) else int(islands),
        is_step=True,
        step=step,
    )


def _served(step: Any, machine: Base) -> Work:  # noqa: ANN401 - any service
    """Return a second of a service; its parts are of steps that are not alike."""
    tokens = float(step.tokens_per_s)
    if not 0 < tokens < math.inf:
        raise invalid("step", tokens, "tokens_per_s: must be a finite number > 0")
    chips = _chips(step, machine)
    busy = getattr(step, "busy_share", None)
    return Work(1.0, chips, tokens, (), None, None, None, is_step=False, step=step, busy=busy)


def _chips(step: Any, machine: Base) -> int:  # noqa: ANN401 - any step
    part = getattr(step, "machine", None)
    if isinstance(part, Base):
        theirs, ours = (one.ultraserver.chip for one in (part, machine))
        if theirs is not None and ours is not None and theirs.name != ours.name:
            allowed = f"is of {theirs.name}: must be of this machine, whose chips are {ours.name}"
            raise invalid("step", step, allowed)
    chips = getattr(step, "chips", None)
    count = machine.num_chips if chips is None else int(chips)
    if not 1 <= count <= machine.num_chips:
        raise invalid(
            "step", count, f"chips: must run on at most the {machine.num_chips} there are"
        )
    return count


def _state(memory: Any) -> float | None:  # noqa: ANN401 - a table, if it is one
    """Return the bytes that the fullest chip saves: weights and what the optimizer keeps."""
    columns = getattr(memory, "columns", {})
    if not all(name in columns for name in _STATE):
        return None
    return float(sum(memory[name] for name in _STATE).max())


def _replicas(layout: Any, chips: int) -> int | None:  # noqa: ANN401 - a layout, if it is one
    """Return the copies of the model: ranks over those that share one."""
    sizes = [getattr(layout, name, None) for name in ("tp", "pp", "cp")]
    if not all(isinstance(size, int) for size in sizes):
        return None
    ranks = chips * int(getattr(layout, "ranks_per_chip", 1) or 1)
    return max(ranks // math.prod(int(size) for size in sizes if size is not None), 1)
