"""Prefill and decoding on workers of their own: mean values of both, and of what lies between."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_HALVINGS: Final = 60  # a rate is then known to the last bit that matters

Floats = NDArray[np.float64]


class Apart(NamedTuple):
    """What workers of both kinds take. Servers are replicas: a worker may have several."""

    prompt_s: float
    """Seconds of a prompt from its coming to its cache."""
    each_s: float
    """Seconds in which it keeps the next one waiting."""
    handover_s: float
    """Seconds of the hand-over of one cache."""
    shown_s: float
    """Those of them that a request waits for."""
    per_prefill: int
    per_decode: int
    pairs: tuple[int, int]
    """Chips of a worker of both kinds; the smaller one bounds a hand-over."""
    decodes: float
    """Tokens of an answer after the first."""
    sizes: Floats
    tpot: Floats
    """Seconds between tokens by sequences of a replica, the last of which is all that fit."""
    padded: bool
    waits: bool
    """Whether requests wait for each other: not of the bound."""

    @property
    def fits(self) -> float:
        """Sequences of a replica that decodes."""
        return float(self.sizes[-1])

    def tpot_at(self, sequences: Floats) -> Floats:
        """Return seconds between tokens with so many sequences a replica."""
        own = np.clip(sequences, 1.0, self.fits)
        if self.padded:
            return self.tpot[np.searchsorted(self.sizes, own, side="left")]
        return np.asarray(np.interp(own, self.sizes, self.tpot))

    def capacity(self, decode: Floats, sequences: Floats) -> Floats:
        """Return requests/s of decode workers with so many sequences a replica."""
        servers = decode * self.per_decode
        return np.asarray(servers * sequences / (self.decodes * self.tpot_at(sequences)))

    def best_capacity(self, decode: Floats, sequences: Floats) -> Floats:
        """Return the same with at most so many: where batches are padded fewer may do more."""
        below = np.searchsorted(self.sizes, sequences, side="right") - 1
        rates = np.maximum.accumulate(self.sizes / self.tpot)
        full = np.where(below >= 0, rates[np.maximum(below, 0)], 0.0)
        most = decode * self.per_decode * full / self.decodes
        return np.asarray(np.maximum(self.capacity(decode, sequences), most))

    def handovers(self, prefill: Floats, decode: Floats) -> Floats:
        """Return hand-overs a second that the chips of the side with fewer can take."""
        chips = np.minimum(prefill * self.pairs[0], decode * self.pairs[1])
        return np.asarray(chips / (min(self.pairs) * self.handover_s))

    def prefills(self, prefill: Floats) -> Floats:
        """Return prompts a second."""
        return np.asarray(prefill * self.per_prefill / self.each_s)


class Split(NamedTuple):
    """What so many workers of both kinds give: a number for each split."""

    prefill: Floats
    decode: Floats
    rate: Floats
    ttft: Floats
    tpot: Floats
    decoding: Floats
    """Sequences of a replica."""
    waiting: Floats
    loads: tuple[Floats, Floats, Floats]
    """Of prefill, hand-over and decoding: the rate over the most that each could give."""

    def at(self, index: int) -> dict[str, Any]:
        """Return one of them."""
        one = {name: float(getattr(self, name)[index]) for name in self._fields if name != "loads"}
        return one | {"loads": tuple(float(load[index]) for load in self.loads)}


def closed(world: Apart, prefill: Floats, decode: Floats, requests: float | Floats) -> Split:
    """Return splits with so many requests at all times: of all alike, or of each."""
    most = np.minimum(world.prefills(prefill), world.handovers(prefill, decode))
    servers = prefill * world.per_prefill
    others = np.maximum(1 - servers / requests, 0.0)

    def first(rate: Floats) -> Floats:
        # Stations in a row that take alike long make requests wait as the slowest alone does.
        busy = np.minimum(rate / most, 1.0) * others * world.waits
        return np.asarray(world.prompt_s + world.shown_s + servers / most * busy / (1 - busy))

    def alive(rate: Floats) -> Floats:
        left = np.maximum(requests - rate * first(rate), 0.0)
        return np.asarray(left / (decode * world.per_decode))

    low, high = np.zeros_like(most), most.copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        could = world.capacity(decode, np.minimum(alive(middle), world.fits))
        low, high = np.where(could > middle, middle, low), np.where(could > middle, high, middle)
    left = alive(low)
    decoding = np.minimum(left, world.fits)
    waiting = (left - decoding) * decode * world.per_decode
    full = np.minimum(requests / (decode * world.per_decode), world.fits)
    ttft = first(low) + waiting / low
    most = world.best_capacity(decode, full)
    return _split(world, prefill, decode, (low, ttft, decoding, waiting, most))


def open_(world: Apart, prefill: Floats, decode: Floats, rate: float) -> Split:
    """Return splits with so many requests a second; a load of 1 or more cannot be served."""
    most = np.minimum(world.prefills(prefill), world.handovers(prefill, decode))
    busy = np.minimum(rate / most, 1 - 1e-12)
    # Pollaczek and Khinchine without spread.
    slowest = prefill * world.per_prefill / most
    ttft = world.prompt_s + world.shown_s + world.waits * slowest * busy / (2 * (1 - busy))
    low, high = np.zeros_like(most), np.full_like(most, world.fits)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        short = world.capacity(decode, middle) < rate
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    full = world.capacity(decode, np.full_like(most, world.fits))
    rates, none = np.full_like(most, rate), np.zeros_like(most)
    return _split(world, prefill, decode, (rates, ttft, high, none, full))


def _split(
    world: Apart,
    prefill: Floats,
    decode: Floats,
    found: tuple[Floats, Floats, Floats, Floats, Floats],
) -> Split:
    rate, ttft, decoding, waiting, full = found
    loads = (
        rate / world.prefills(prefill),
        rate / world.handovers(prefill, decode),
        rate / full,
    )
    tpot = world.tpot_at(decoding)
    return Split(prefill, decode, rate, ttft, tpot, decoding, waiting, loads)


def exposed(handover: float, prompt: float, layers: int, *, write: bool) -> float:
    """Return the seconds of a hand-over that a request waits for.

    Read: all, after the prefill. Write: layers go as they are ready, a pipeline of two stages.
    """
    if not write:
        return handover
    return (handover + (layers - 1) * max(handover - prompt, 0.0)) / layers
