"""Plans that run together, the slow way: by loads on every link, and message by message."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

import rainier_fast as rf
from rainier_fast import _core
from rainier_fast.ask.request import Request


def loads(plan: rf.Plan) -> np.ndarray[Any, Any]:
    return plan.run().link_loads().bytes


def slow_speeds(uses: list[dict[int, Fraction]], active: list[int]) -> dict[int, Fraction]:
    """Progressive filling, link by link, in fractions."""
    speeds: dict[int, Fraction] = {}
    links = {link for at in active for link in uses[at]}
    while len(speeds) < len(active):
        best: tuple[Fraction, list[int]] = (Fraction(1), [at for at in active if at not in speeds])
        for link in links:
            rising = [at for at in active if at not in speeds and link in uses[at]]
            if not rising:
                continue
            free = 1 - sum(speeds[at] * uses[at].get(link, 0) for at in active if at in speeds)
            level = free / sum(uses[at][link] for at in rising)
            if level < best[0]:
                best = (level, rising)
        for at in best[1]:
            speeds[at] = best[0]
    return speeds


def slow_shares(given_plans: list[rf.Plan]) -> list[float]:
    """Seconds of each plan by its loads on every link of the machine."""
    bandwidth = given_plans[0].machine._core.link_bandwidths()
    alone = [Fraction(plan.run().time_s) for plan in given_plans]
    uses = []
    for plan, seconds in zip(given_plans, alone, strict=True):
        busy = loads(plan) / bandwidth
        used = np.flatnonzero(busy).tolist()
        uses.append({link: min(Fraction(1), Fraction(busy[link]) / seconds) for link in used})
    # Links that carry the same are one.
    kinds: dict[tuple[Fraction, ...], int] = {}
    for link in sorted({link for use in uses for link in use}):
        kinds.setdefault(tuple(use.get(link, Fraction(0)) for use in uses), link)
    kept = set(kinds.values())
    uses = [{link: part for link, part in use.items() if link in kept} for use in uses]
    starts = [Fraction(plan.start_s) for plan in given_plans]
    left, now = list(alone), Fraction(0)
    ends: dict[int, Fraction] = {at: starts[at] for at, time in enumerate(alone) if time == 0}
    while len(ends) < len(alone):
        waiting = [at for at in range(len(alone)) if at not in ends and starts[at] > now]
        active = [at for at in range(len(alone)) if at not in ends and starts[at] <= now]
        speeds = slow_speeds(uses, active)
        events = [starts[at] for at in waiting] + [now + left[at] / speeds[at] for at in active]
        following = min(events)
        for at in active:
            left[at] -= speeds[at] * (following - now)
            if left[at] <= alone[at] / 10**11:
                ends[at] = following
        now = following
    return [float(ends[at] - starts[at]) for at in range(len(alone))]


def written(plan: rf.Plan) -> list[tuple[_core.Schedule, list[list[int]]]]:
    request = plan.request
    assert isinstance(request, Request)
    core = plan.machine._core
    row, groups = request._core_row(plan.machine), request.groups.core(core)
    return _core.write_out(core, row, groups, request._routing_row(plan.machine)).parts


Message = tuple[dict[int, Fraction], Fraction, Fraction, list[tuple[int, bool]], Fraction]
"""Shares of links, bytes, latency, (message, whether it must have arrived) before it, delay."""


def messages_of(plan: rf.Plan, first: int) -> list[Message]:
    """The messages of schedules of one stage, with what each waits for."""
    found: list[Message] = []
    machine = plan.machine
    for schedule, groups in written(plan):
        for chips in groups:
            base = first + len(found)
            sends = schedule.sends
            for one in sends:
                before: list[tuple[int, bool]] = []
                for number, other in enumerate(sends):
                    if other[6] == one[6] and other[7] < one[7]:
                        if other[0] == one[0]:
                            before.append((base + number, False))
                        if other[1] == one[0]:
                            before.append((base + number, True))
                route = machine.route(chips[one[0]], chips[one[1]])
                links = zip(route.links.tolist(), route.shares.tolist(), strict=True)
                path = {link: Fraction(share) for link, share in links}
                delay = Fraction(0 if before else plan.start_s)
                row = (path, Fraction(one[3]), Fraction(route.latency_s), before, delay)
                found.append(row)
    return found


def slow_course(machine: rf.Machine, messages: list[Message]) -> list[float]:
    """Arrivals under max-min fair rates, from event to event, in fractions."""
    links = {link for row in messages for link in row[0]}
    capacity = {link: Fraction(machine.link(link).bandwidth_Bps) for link in links}
    left = [row[1] for row in messages]
    sent: dict[int, Fraction] = {}
    now = Fraction(0)

    def start(at: int) -> Fraction | None:
        _, _, _, before, delay = messages[at]
        times = [delay]
        for other, arrived in before:
            if other not in sent:
                return None
            times.append(sent[other] + (messages[other][2] if arrived else 0))
        return max(times)

    while len(sent) < len(messages):
        starts = {at: start(at) for at in range(len(messages)) if at not in sent}
        running = [at for at, time in starts.items() if time is not None and time <= now]
        waiting = [time for time in starts.values() if time is not None and time > now]
        rates: dict[int, Fraction] = {}
        free = dict(capacity)
        while len(rates) < len(running):
            load: dict[int, Fraction] = {}
            for at in running:
                if at not in rates:
                    for link, share in messages[at][0].items():
                        load[link] = load.get(link, Fraction(0)) + share
            level, full = min((free[link] / share, link) for link, share in load.items())
            for at in running:
                if at not in rates and full in messages[at][0]:
                    rates[at] = level
                    for link, share in messages[at][0].items():
                        free[link] -= level * share
        following = min([*waiting, *(now + left[at] / rates[at] for at in running)])
        for at in running:
            left[at] -= rates[at] * (following - now)
            if left[at] == 0:
                sent[at] = following
        now = following
    return [float(sent[at] + messages[at][2]) for at in range(len(messages))]
