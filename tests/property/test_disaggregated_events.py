"""Mean values of prefill and decoding apart, against requests that are followed one by one."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque

import numpy as np
import pytest

from rainier_fast.serving.apart import Apart, closed, open_


def _world(draw: random.Random) -> tuple[Apart, int, int]:
    fits = draw.choice([8, 16, 64])
    sizes = np.append(2.0 ** np.arange(int(math.log2(fits))), float(fits))
    base, more = draw.uniform(5e-3, 2e-2), draw.uniform(0, 1e-3)
    prompt = draw.uniform(0.02, 1.0)
    world = Apart(
        prompt_s=prompt,
        each_s=prompt,
        handover_s=draw.choice([1e-3, draw.uniform(0.01, 1.5) * prompt]),
        shown_s=0.0,
        per_prefill=1,
        per_decode=1,
        pairs=(4, 4),
        decodes=float(draw.randint(20, 300)),
        sizes=sizes,
        tpot=base + more * sizes,
        padded=False,
        waits=True,
    )
    workers = draw.randint(1, 4), draw.randint(1, 4)
    return world._replace(shown_s=world.handover_s), *workers


class Replay:
    """Prefill workers, their links and decode workers: first come, first served."""

    def __init__(self, world: Apart, workers: tuple[int, int], seed: int) -> None:
        self.world, (self.prefill, self.decode) = world, workers
        self.draw = random.Random(seed)
        self.free = [0.0] * self.prefill
        self.link = [0.0] * min(workers)
        self.running: list[dict[int, float]] = [{} for _ in range(self.decode)]
        self.waiting: deque[int] = deque()
        self.came: dict[int, float] = {}
        self.ready: list[tuple[float, int]] = []
        self.first: dict[int, float] = {}
        self.done: list[tuple[float, float, float]] = []

    def arrive(self, one: int, at: float) -> None:
        world = self.world
        worker = min(range(self.prefill), key=self.free.__getitem__)
        self.free[worker] = max(self.free[worker], at) + world.each_s
        lane = min(range(len(self.link)), key=self.link.__getitem__)
        self.link[lane] = max(self.link[lane], self.free[worker]) + world.handover_s
        self.came[one] = at
        heapq.heappush(self.ready, (self.link[lane], one))

    def step(self, clock: float, coming: float) -> tuple[float, bool]:
        """Go on to the next event, at the latest to `coming`; say whether a request ended."""
        ends = [
            (clock + left * self._tpot(at), at, one)
            for at, held in enumerate(self.running)
            for one, left in [min(held.items(), key=lambda pair: pair[1], default=(-1, 0.0))]
            if one >= 0
        ]
        end = min(ends, default=(math.inf, 0, 0))
        then = min(end[0], self.ready[0][0] if self.ready else math.inf, coming)
        for at, held in enumerate(self.running):
            gone = (then - clock) / self._tpot(at)
            self.running[at] = {one: left - gone for one, left in held.items()}
        ended = then == end[0]
        if ended:
            _, at, one = end
            del self.running[at][one]
            span = then - self.first[one]
            self.done.append((then, self.first[one] - self.came[one], span))
        elif self.ready and then == self.ready[0][0]:
            self.waiting.append(heapq.heappop(self.ready)[1])
        self._admit(then)
        return then, ended

    def _admit(self, then: float) -> None:
        while self.waiting:
            at = min(range(self.decode), key=lambda each: len(self.running[each]))
            if len(self.running[at]) >= self.world.fits:
                return
            one = self.waiting.popleft()
            self.first[one] = then
            self.running[at][one] = self.world.decodes * self.draw.uniform(0.5, 1.5)

    def _tpot(self, at: int) -> float:
        many = max(len(self.running[at]), 1)
        return float(self.world.tpot_at(np.array(float(many))))


@pytest.mark.parametrize("seed", range(40))
def test_a_closed_loop(seed: int) -> None:
    draw = random.Random(seed)
    world, prefill, decode = _world(draw)
    requests = draw.choice([1, 4, 16, 64])
    total = 400 + 10 * requests
    replay, clock, come = Replay(world, (prefill, decode), seed), 0.0, requests
    for one in range(requests):
        replay.arrive(one, 0.0)
    while len(replay.done) < total:
        clock, ended = replay.step(clock, math.inf)
        if ended:
            replay.arrive(come, clock)
            come += 1
    half = replay.done[total // 2 :]
    rate = (len(half) - 1) / (half[-1][0] - half[0][0])
    found = closed(world, np.array([float(prefill)]), np.array([float(decode)]), float(requests))
    tpot = sum(one[2] for one in half) / len(half) / world.decodes
    assert found.rate[0] == pytest.approx(rate, rel=0.16)
    assert found.tpot[0] == pytest.approx(tpot, rel=0.16)


@pytest.mark.parametrize("seed", range(40))
def test_an_open_loop(seed: int) -> None:
    draw = random.Random(seed)
    world, _, _ = _world(draw)
    one, alone = np.array([1.0]), float(world.fits)
    most = min(
        float(world.prefills(one)[0]),
        float(world.handovers(one, one)[0]),
        float(world.capacity(one, np.array([alone]))[0]),
    )
    rate = most * draw.choice([0.2, 0.5])
    replay, clock, come, total = Replay(world, (1, 1), seed), 0.0, 0, 3000
    coming = draw.expovariate(rate)
    while len(replay.done) < total:
        clock, _ = replay.step(clock, coming)
        if clock == coming:
            replay.arrive(come, clock)
            come, coming = come + 1, coming + draw.expovariate(rate)
    ttft = sum(each[1] for each in replay.done) / total
    found = open_(world, one, one, rate)
    assert found.ttft[0] == pytest.approx(ttft, rel=0.06)
