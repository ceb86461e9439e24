"""ASTRA-sim's system file."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass, field
from typing import Any, Final

from rainier_fast.astra_sim.files import listed, settings
from rainier_fast.definitions.check import as_integer
from rainier_fast.errors import (
    InvalidArgument,
    Unsupported,
    as_one_of,
    invalid,
    invalid_type,
    unknown,
)

COLLECTIVES: Final = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all")
_ALGORITHMS: Final = ("ring", "direct", "halvingDoubling", "doubleBinaryTree")
_ALONE: Final = ("oneRing", "oneDirect", "oneHalvingDoubling")
_NAME: Final = re.compile(r"(one)?([A-Za-z]+?)([0-9]{0,5})\Z")
_FLAGS: Final = ("roofline-enabled", "replay-only", "model-shared-bus")
_NUMBERS: Final = {
    "endpoint-delay": "endpoint_delay_ns",
    "active-chunks-per-dimension": "active_chunks",
    "preferred-dataset-splits": "splits",
    "local-mem-bw": "local_memory_gbps",
    "peak-perf": "peak_tflops",
}
_POLICIES: Final = ("LIFO", "FIFO", "EXPLICIT")
_MOST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class System:
    """How collectives are run, as a system file says.

    Attributes
    ----------
    algorithms
        By ``"all-reduce"``, ``"all-gather"``, ``"reduce-scatter"`` and ``"all-to-all"``: a name for
        each dimension, of ``ring``, ``direct`` (``direct4`` for four peers at once),
        ``halvingDoubling`` and ``doubleBinaryTree``, or one of ``oneRing``, ``oneDirect`` and
        ``oneHalvingDoubling`` for all dimensions as one ring.
    scheduling_policy
        Which of several collectives goes first: ``"LIFO"``, ``"FIFO"`` or ``"EXPLICIT"``.
    endpoint_delay_ns
        Between an NPU and its network.
    active_chunks
        Chunks at once in a dimension.
    splits
        Chunks of a collective.
    optimization
        ``"localBWAware"``, or ``"baseline"``: a whole collective in every dimension.
    local_memory_gbps, peak_tflops
        Decimal; None where the file does not say.
    roofline
        Computation takes what a roofline of the two says, in place of what was traced.
    replay
        All nodes take what was traced.
    unused
        Keys of the file that change no time.

    Raises
    ------
    InvalidArgument, InvalidType, Unsupported
        If a value is none of those.

    Examples
    --------
    >>> System.of_algorithm("direct", 2).algorithms["all-reduce"]
    ('direct', 'direct')
    """

    algorithms: dict[str, tuple[str, ...]]
    scheduling_policy: str = "LIFO"
    endpoint_delay_ns: int = 10
    active_chunks: int = 1
    splits: int = 4
    optimization: str = "localBWAware"
    local_memory_gbps: float | None = 1600.0
    peak_tflops: float | None = None
    roofline: bool = False
    replay: bool = False
    unused: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.algorithms, dict):
            raise invalid_type("algorithms", self.algorithms, "must be names by collective")
        for name, row in self.algorithms.items():
            as_one_of("algorithms", name, COLLECTIVES)
            for one in row:
                _algorithm(f"{name}-implementation", one)
        as_one_of("scheduling-policy", self.scheduling_policy, _POLICIES)
        as_integer("endpoint-delay", self.endpoint_delay_ns, 0, _MOST)
        as_integer("active-chunks-per-dimension", self.active_chunks, 1, _MOST)
        as_integer("preferred-dataset-splits", self.splits, 1, _MOST)
        as_one_of("collective-optimization", self.optimization, ("localBWAware", "baseline"))
        for name, value in (
            ("local-mem-bw", self.local_memory_gbps),
            ("peak-perf", self.peak_tflops),
        ):
            if value is None:
                continue
            if type(value) not in (int, float):
                raise invalid_type(name, value, "must be a number")
            if not (math.isfinite(value) and value >= 0):
                raise invalid(name, value, "must be a finite number >= 0")

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_settings(), sort_keys=True))

    @classmethod
    def of_algorithm(cls, name: str, dimensions: int = 1, **others: Any) -> System:  # noqa: ANN401
        """Return one in which all collectives have the same algorithm in all dimensions.

        Examples
        --------
        >>> System.of_algorithm("ring", splits=1).splits
        1
        """
        return cls(dict.fromkeys(COLLECTIVES, (name,) * dimensions), **others)

    @classmethod
    def read(cls, source: str | os.PathLike[str] | dict[str, Any]) -> System:
        """Read a system file, or take its settings as a dict.

        Raises
        ------
        InvalidArgument, InvalidType
            If it is none; the message names file and key.
        Unsupported
            If it asks for what is not modelled: a shared bus, collectives of one's own.

        Examples
        --------
        >>> row = System.of_algorithm("ring").to_settings()
        >>> System.read(row) == System.of_algorithm("ring")
        True
        """
        return cls.of_settings(*settings("system", source))

    @classmethod
    def of_settings(cls, found: dict[str, Any], name: str = "system") -> System:
        """Make one of the settings of a file.

        Examples
        --------
        >>> row = {"preferred-dataset-splits": 2, "all-reduce-implementation": ["ring"]}
        >>> System.of_settings(row).splits
        2
        """
        custom = sorted(key for key in found if "custom" in key)
        if custom:
            raise Unsupported(f"{name}, key {custom[0]}: got a collective of one's own, name ring")
        if _flag(name, found, "model-shared-bus"):
            raise Unsupported(f"{name}, key model-shared-bus: got 1, which is not modelled; use 0")
        if "preferred-dataset-splits" not in found:
            raise InvalidArgument(
                f"{name}: got no key preferred-dataset-splits: the peer divides by it"
            )
        whole = {f"{one}-implementation" for one in COLLECTIVES} | set(_NUMBERS) | set(_FLAGS)
        whole |= {"scheduling-policy", "collective-optimization"}
        algorithms = {
            one: tuple(listed(found[f"{one}-implementation"]))
            for one in COLLECTIVES
            if f"{one}-implementation" in found
        }
        values: dict[str, Any] = {
            to: _whole(found[key]) for key, to in _NUMBERS.items() if key in found
        }
        values.setdefault("local_memory_gbps", None)
        try:
            return cls(
                algorithms,
                scheduling_policy=found.get("scheduling-policy", "LIFO"),
                optimization=found.get("collective-optimization", "localBWAware"),
                roofline=_flag(name, found, "roofline-enabled"),
                replay=_flag(name, found, "replay-only"),
                unused=tuple(sorted(set(found) - whole)),
                **values,
            )
        except InvalidArgument as error:
            raise type(error)(f"{name}, {error}") from error

    def to_settings(self) -> dict[str, Any]:
        """Return the settings of a system file: for JSON.

        Examples
        --------
        >>> System.of_algorithm("ring").to_settings()["all-gather-implementation"]
        ['ring']
        """
        found: dict[str, Any] = {
            "scheduling-policy": self.scheduling_policy,
            "endpoint-delay": self.endpoint_delay_ns,
            "active-chunks-per-dimension": self.active_chunks,
            "preferred-dataset-splits": self.splits,
            "collective-optimization": self.optimization,
            "roofline-enabled": int(self.roofline),
            "replay-only": int(self.replay),
        }
        stated = {"local-mem-bw": self.local_memory_gbps, "peak-perf": self.peak_tflops}
        found |= {key: value for key, value in stated.items() if value is not None}
        named = {f"{name}-implementation": list(row) for name, row in self.algorithms.items()}
        return found | named

    def row(
        self, *, aware: bool, queues: int, rendezvous: bool, injection_scale: float
    ) -> dict[str, Any]:
        """Return it as the core takes it.

        Examples
        --------
        >>> words = dict(aware=False, queues=1, rendezvous=False, injection_scale=2.0)
        >>> System.of_algorithm("ring").row(**words)["endpoint_delay"]
        20
        """
        memory, peak = self.local_memory_gbps, self.peak_tflops
        return {
            "policy": self.scheduling_policy,
            "endpoint_delay": int(self.endpoint_delay_ns * injection_scale),
            "active_chunks": self.active_chunks,
            "splits": self.splits,
            "baseline": self.optimization == "baseline",
            "memory_bandwidth": None if not memory else memory * 1e9,
            "roofline": (peak or 0.0) * 1e12 if self.roofline else None,
            "replay": self.replay,
            "implementations": [
                [_algorithm(name, one) for one in self.algorithms.get(name, ())]
                for name in COLLECTIVES
            ],
            "queues": queues,
            "rendezvous": rendezvous,
            "aware": aware,
        }


def _whole(value: object) -> object:
    """Return a whole number where a file has one with a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _flag(name: str, found: dict[str, Any], key: str) -> bool:
    value = found.get(key, 0)
    if type(value) not in (int, bool):
        raise InvalidArgument(f"{name}, key {key}: got {value!r}, must be 0 or 1")
    return bool(value)


def _algorithm(argument: str, name: object) -> tuple[str, int | None, bool]:
    """Return the algorithm that a name stands for, its window, and whether it is one ring."""
    match = _NAME.match(name) if isinstance(name, str) else None
    if match is None:
        raise unknown(argument, name, (*_ALGORITHMS, *_ALONE))
    one, base, window = match.groups()
    if one:
        base = base[0].lower() + base[1:]
    if base not in _ALGORITHMS or (one and base == "doubleBinaryTree"):
        raise unknown(argument, name, (*_ALGORITHMS, *_ALONE))
    if window and base != "direct":
        raise unknown(argument, name, (*_ALGORITHMS, *_ALONE))
    if window and int(window) == 0:
        raise invalid(argument, name, "must have one peer at least at once")
    return base, int(window) if window else None, bool(one)
