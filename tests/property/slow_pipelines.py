"""Schedules of pipelines written out from their papers, and simulated the slow way.

An operation is a tuple of parts (kind, chunk, microbatch) that run back to back: it starts when its
stage is free and all that its parts need has come, and what it gives leaves when all of it has
ended. Kinds: F, forward; B, gradient of inputs; W, gradient of weights.
"""

from __future__ import annotations

from collections import deque

Part = tuple[str, int, int]
Operation = tuple[Part, ...]
Times = list[tuple[float, float, float]]


def stage_of(schedule: str, p: int, m: int, chunk: int, microbatch: int) -> int:
    """Which stage runs a chunk for a microbatch."""
    if schedule == "interleaved":
        return chunk % p
    if schedule == "zb-v":
        return min(chunk, 2 * p - 1 - chunk)
    if schedule == "dualpipe" and microbatch >= m // 2:
        return p - 1 - chunk
    return chunk


def _full(chunk: int, microbatch: int) -> Operation:
    return (("B", chunk, microbatch), ("W", chunk, microbatch))


def gpipe(p: int, m: int, i: int) -> list[Operation]:
    """All forwards, then all backwards (arXiv 1811.06965)."""
    return [(("F", i, k),) for k in range(m)] + [_full(i, k) for k in range(m)]


def one_f_one_b(p: int, m: int, i: int) -> list[Operation]:
    """A forward for each stage that follows, then one of each in turn (arXiv 2006.09503)."""
    warm = min(m, p - 1 - i)
    order: list[Operation] = [(("F", i, k),) for k in range(warm)]
    for k in range(m - warm):
        order += [(("F", i, warm + k),), _full(i, k)]
    return order + [_full(i, k) for k in range(m - warm, m)]


def interleaved(p: int, v: int, m: int, i: int) -> list[Operation]:
    """Rounds of p microbatches, each through all chunks of the stage (arXiv 2104.04473)."""
    rounds = range(0, m, p)
    forwards = [(c, k) for r in rounds for c in range(v) for k in range(r, r + p)]
    backwards = [(c, k) for r in rounds for c in reversed(range(v)) for k in range(r, r + p)]
    warm = min(m * v, 2 * (p - 1 - i) + (v - 1) * p)
    order: list[Operation] = []
    for turn in range(warm + m * v):
        if turn < m * v:
            c, k = forwards[turn]
            order.append((("F", c * p + i, k),))
        if turn >= warm:
            c, k = backwards[turn - warm]
            order.append(_full(c * p + i, k))
    return order


def handcrafted(p: int, m: int, i: int, *, h2: bool) -> list[Operation]:
    """ZB-H1 and ZB-H2 (arXiv 2401.10241, section 2).

    Weights wait until the stage holds as many microbatches as the first one does.
    """
    warm = 2 * (p - i) - 1 if h2 else p - i
    hold = 2 * p - 1 if h2 else p
    order: list[Operation] = [(("F", i, k),) for k in range(min(m, warm))]
    forwards, weights = len(order), 0
    for k in range(m):
        order.append((("B", i, k),))
        # The weights of microbatch j come once the backward of j + (hold - warm) is over.
        if k - weights == hold - warm:
            order.append((("W", i, weights),))
            weights += 1
        if forwards < m:
            order.append((("F", i, forwards),))
            forwards += 1
    return order + [(("W", i, k),) for k in range(weights, m)]


def zb_v(p: int, m: int, i: int) -> list[Operation]:
    """The handcrafted V schedule of the authors: `handcrafted_zb_v.py` of their release v0.1.0."""
    n = max(2 * p - 1, m)
    chunk = (i, 2 * p - 1 - i)
    done = {(kind, side): 0 for kind in "FBW" for side in (0, 1)}
    order: list[Operation] = []

    def put(kinds: str, side: int) -> None:
        for kind in kinds:
            if done[kind, side] < m:
                order.append(((kind, chunk[side], done[kind, side]),))
            done[kind, side] += 1

    for _ in range(2 * (p - i) - 1):
        put("F", 0)
    for _ in range(i):
        put("F", 1)
        put("F", 0)
    for _ in range(p - i):
        put("FBW", 1)
    while done["F", 1] < done["F", 0] or done["F", 0] < n:
        put("FBW" if done["F", 0] < n else "BW", 0)
        put("FBW", 1)
    for _ in range(i):
        put("B", 0)
        put("B", 1)
    for _ in range(p - i):
        put("BW", 0)
    while done["W", 1] < done["B", 1]:
        put("W", 1)
    while done["W", 0] < done["B", 0]:
        put("W", 0)
    return order


def dualpipe(p: int, m: int, i: int) -> list[Operation]:
    """The eight steps of `DualPipe.step` (deepseek-ai/DualPipe@3da1bbe).

    Direction 0 of a stage of the second half is the one that comes from the other end.
    """
    half, h = p // 2, min(i, p - 1 - i)
    mirrored = i >= half
    done = {(kind, d): 0 for kind in "FB" for d in (0, 1)}
    store: deque[Part] = deque()
    order: list[Operation] = []

    def part(kind: str, d: int) -> Part:
        k = done[kind, d]
        done[kind, d] += 1
        reverse = d ^ mirrored
        return (kind, p - 1 - i if reverse else i, k + (m // 2 if reverse else 0))

    def forward(d: int) -> None:
        order.append((part("F", d),))

    def backward(d: int, *, zb: bool = False) -> None:
        (_, c, k) = part("B", d)
        if zb:
            order.append((("B", c, k),))
            store.append(("W", c, k))
        else:
            order.append(_full(c, k))

    def weights() -> None:
        order.append((store.popleft(),))

    def both(f: int, b: int) -> None:
        first = part("F", f)
        (_, c, k) = part("B", b)
        order.append((first, *_full(c, k)))

    for _ in range(2 * (half - h - 1)):
        forward(0)
    for _ in range(h + 1):
        forward(0)
        forward(1)
    for _ in range(half - h - 1):
        backward(1, zb=True)
        weights()
        forward(1)
    for turn in range(m // 2 - p + h + 1):
        if turn == 0 and h == half - 1:
            forward(0)
            backward(1)
        else:
            both(0, 1)
        both(1, 0)
    for _ in range(half - h - 1):
        backward(1)
        both(1, 0)
    zb = False
    for turn in range(h + 1):
        zb = zb or (turn == (h + 1) // 2 and h % 2 == 1)
        backward(1, zb=zb)
        zb = zb or (turn == (h + 1) // 2 and h % 2 == 0)
        backward(0, zb=zb)
    for _ in range(half - h - 1):
        weights()
        backward(0, zb=True)
    for _ in range(h + 1):
        weights()
    assert not store
    return order


def orders(schedule: str, p: int, v: int, m: int) -> list[list[Operation]]:
    """What each stage does, in order."""
    makers = {
        "gpipe": lambda i: gpipe(p, m, i),
        "1f1b": lambda i: one_f_one_b(p, m, i),
        "interleaved": lambda i: interleaved(p, v, m, i),
        "zb-h1": lambda i: handcrafted(p, m, i, h2=False),
        "zb-h2": lambda i: handcrafted(p, m, i, h2=True),
        "zb-v": lambda i: zb_v(p, m, i),
        "dualpipe": lambda i: dualpipe(p, m, i),
    }
    return [makers[schedule](i) for i in range(p)]


def run(
    schedule: str, p: int, v: int, m: int, times: Times, transfer: list[float]
) -> dict[Part, tuple[int, float, float]]:
    """(stage, start, end) of each part, by going round the stages until nothing is left."""
    left = [deque(order) for order in orders(schedule, p, v, m)]
    out: dict[Part, float] = {}
    seen: dict[Part, tuple[int, float, float]] = {}
    free = [0.0] * p
    while any(left):
        moved = False
        for i, order in enumerate(left):
            if not order:
                continue
            come = [_arrival(part, order[0], out, transfer) for part in order[0]]
            if any(time is None for time in come):
                continue
            now = max(free[i], *(time for time in come if time is not None))
            parts = order.popleft()
            for part in parts:
                kind, chunk, microbatch = part
                assert part not in seen
                assert i == stage_of(schedule, p, m, chunk, microbatch)
                end = now + times[chunk]["FBW".index(kind)]
                seen[part] = (i, now, end)
                now = end
            free[i] = now
            out.update(dict.fromkeys(parts, now))
            moved = True
        assert moved, "the stages wait for each other"
    return seen


def _arrival(
    part: Part, beside: Operation, out: dict[Part, float], transfer: list[float]
) -> float | None:
    """When all that a part needs is there; None if something is not."""
    kind, chunk, microbatch = part
    if kind == "W":
        gradient = ("B", chunk, microbatch)
        return 0.0 if gradient in beside or gradient in out else None
    needs = []
    if kind == "F" and chunk > 0:
        needs.append((("F", chunk - 1, microbatch), transfer[chunk - 1]))
    if kind == "B":
        needs.append((("F", chunk, microbatch), 0.0))
        if chunk < len(transfer):
            needs.append((("B", chunk + 1, microbatch), transfer[chunk]))
    if any(need not in out for need, _ in needs):
        return None
    return max((out[need] + by for need, by in needs), default=0.0)


def spans(p: int, seen: dict[Part, tuple[int, float, float]]) -> list[tuple[float, float, float]]:
    """(first start, last end, seconds of work) of each stage."""
    rows = []
    for i in range(p):
        own = [(start, end) for stage, start, end in seen.values() if stage == i]
        busy = sum(end - start for start, end in own)
        rows.append((min(start for start, _ in own), max(end for _, end in own), busy))
    return rows


def held(schedule: str, p: int, v: int, m: int) -> list[float]:
    """Most microbatches whose activations a stage holds at once; a chunk is one part in v."""
    answer = []
    for order in orders(schedule, p, v, m):
        now = most = 0
        for parts in order:
            for kind, _, _ in parts:
                now += {"F": 1, "B": 0, "W": -1}[kind]
                most = max(most, now)
        assert now == 0
        answer.append(most / v)
    return answer
