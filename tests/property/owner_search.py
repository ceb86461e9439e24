"""A small search among schedules of an all-reduce over few ranks of several nodes.

    python tests/property/owner_search.py       40 cases of 12 ranks at most, 1,000 schedules each

It knows nothing of ours. A schedule cuts the data into blocks. In every node a block has an owner,
to whom the others of the node send what they have of it; the owners trade; and each sends the sum
round its node. Owners trade at once, each to every other, or by way of the owner of one node.
Blocks go in one wave, or in several that follow each other. Owners, ways, numbers of blocks and
waves are drawn, then changed one at a time.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, replace

import rainier_fast as rf

Node = list[int]


@dataclass(frozen=True)
class Draft:
    """What a schedule of the search is drawn by."""

    owners: tuple[tuple[int, ...], ...]  # by block: the owner's rank in each node
    homes: tuple[int, ...]  # by block: the node by way of which owners trade; -1 for all at once
    waves: int


def nodes_of(machine: rf.Machine, group: list[int]) -> list[Node]:
    """Ranks by node."""
    in_node = machine.ultraserver.num_chips
    nodes: dict[int, Node] = {}
    for rank, chip in enumerate(group):
        nodes.setdefault(chip // in_node, []).append(rank)
    return list(nodes.values())


def sends_of(nodes: list[Node], draft: Draft) -> list[rf.Send]:
    """Write a draft out: one message for each pair of ranks, step and kind."""
    carried: dict[tuple[int, int, int, bool], list[int]] = {}

    def send(src: int, dst: int, block: int, step: int, *, reduce: bool = False) -> None:
        if src != dst:
            carried.setdefault((step, src, dst, reduce), []).append(block)

    for block, (owners, home) in enumerate(zip(draft.owners, draft.homes, strict=True)):
        first = block % draft.waves
        for node, owner in zip(nodes, owners, strict=True):
            for rank in node:
                send(rank, owner, block, first, reduce=True)
                send(owner, rank, block, first + 3)
        for src in owners:
            if home < 0:
                for dst in owners:
                    send(src, dst, block, first + 1, reduce=True)
            else:
                send(src, owners[home], block, first + 1, reduce=True)
                send(owners[home], src, block, first + 2)
    return [
        rf.Send(src, dst, blocks, step, reduce)
        for (step, src, dst, reduce), blocks in sorted(carried.items())
    ]


def draw(random_: random.Random, nodes: list[Node]) -> Draft:
    """Draw a draft: owners in turn, from anywhere, or by lot."""
    sizes = [len(node) for node in nodes]
    waves = random_.choice([1, 1, 2, 4, 8])
    blocks = waves * random_.choice([*sizes, sum(sizes), max(sizes) * min(sizes)])
    by_lot = random_.random() < 0.3
    first = [random_.randrange(size) for size in sizes]

    def owner(node: int, block: int) -> int:
        at = (
            random_.randrange(sizes[node])
            if by_lot
            else first[node] + block * sizes[node] // blocks
        )
        turn = first[node] + block // waves
        return nodes[node][(at if waves == 1 else turn) % sizes[node]]

    owners = tuple(
        tuple(owner(node, block) for node in range(len(nodes))) for block in range(blocks)
    )
    way = random_.choice(["at once", "home", "mixed"])
    homes = tuple(
        -1
        if way == "at once" or (way == "mixed" and random_.random() < 0.5)
        else random_.choices(range(len(nodes)), sizes)[0]
        for _ in range(blocks)
    )
    return Draft(owners, homes, waves)


def changed(random_: random.Random, nodes: list[Node], draft: Draft) -> Draft:
    """Change one owner or one way."""
    block = random_.randrange(len(draft.owners))
    if random_.random() < 0.5:
        homes = list(draft.homes)
        homes[block] = random_.randrange(-1, len(nodes))
        return replace(draft, homes=tuple(homes))
    node = random_.randrange(len(nodes))
    owners = [list(each) for each in draft.owners]
    owners[block][node] = random_.choice(nodes[node])
    return replace(draft, owners=tuple(tuple(each) for each in owners))


def best(machine: rf.Machine, group: list[int], size: int, tries: int, seed: int) -> float:
    """Return the seconds of the fastest of so many schedules; its proof is checked."""
    random_ = random.Random(seed)
    nodes = nodes_of(machine, group)

    def written(draft: Draft) -> rf.Schedule:
        blocks = len(draft.owners)
        sends = sends_of(nodes, draft)
        return rf.Schedule("all_reduce", size, chips=group, sends=sends, blocks=blocks)

    found: tuple[float, Draft] | None = None
    for at in range(tries):
        draft = (
            draw(random_, nodes)
            if found is None or at < tries // 2
            else changed(random_, nodes, found[1])
        )
        seconds = machine.run(written(draft)).time_s
        if found is None or seconds < found[0]:
            found = (seconds, draft)
    assert found is not None
    written(found[1]).verify()
    return found[0]


def cases(count: int, seed: int) -> list[tuple[list[int], int]]:
    """Groups of up to 12 ranks, of 4 nodes of 8, that are not alike in all nodes; and sizes."""
    random_ = random.Random(seed)
    out: list[tuple[list[int], int]] = []
    while len(out) < count:
        nodes = random_.randint(2, 4)
        members = [random_.randint(1, 8) for _ in range(nodes)]
        if len(set(members)) == 1 or sum(members) > 12:
            continue
        group = [
            8 * node + chip
            for node, size in enumerate(members)
            for chip in sorted(random_.sample(range(8), size))
        ]
        out.append((group, 2 ** random_.choice([14, 20, 24, 28, 30])))
    return out


def main() -> int:
    """Compare all cases; 1 where ours is slower by more than 5 %."""
    machine = rf.preset("h100", chips=32)
    worst = 0.0
    for number, (group, size) in enumerate(cases(40, 0)):
        ours = machine.all_reduce(size, group=group)
        found = best(machine, group, size, 1000, number)
        worst = max(worst, ours.time_s / found)
        sizes = [len(node) for node in nodes_of(machine, group)]
        print(
            f"{sizes} {size:>10} B  ours {ours.time_s:.4g} s ({ours.algorithm}), "
            f"{ours.time_s / found:.3f} of the search's",
            flush=True,
        )
    print(f"at most {worst:.3f} of the best of 1,000 schedules")
    return int(worst > 1.05)


if __name__ == "__main__":
    sys.exit(main())
