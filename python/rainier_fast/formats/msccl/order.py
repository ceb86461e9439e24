"""Which step of an algorithm comes when: turns of thread blocks, waits, and pairs of messages."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from rainier_fast.formats.msccl.rows import RECEIVES, SENDS, Algorithm, Step, fault


@dataclass(slots=True)
class Node:
    """A step at its place, and what it waits for."""

    gpu: int
    block: int
    step: Step
    before: Node | None
    """The step before in the thread block."""
    needs: Node | None = None
    sender: Node | None = None
    """The step that sends what this one receives."""
    level: int = 0
    """The most steps in turn before it."""
    waiting: int = 0
    then: list[Node] = field(default_factory=list)


def ordered(algorithm: Algorithm) -> list[Node]:
    """Return all steps, each after all that it waits for; by level, then as they stand.

    Raises
    ------
    InvalidArgument
        If a step waits for one that is not there, a message has no other end, or steps wait for
        each other in a circle.
    """
    places = [[_chain(gpu, at, block) for at, block in enumerate(row.blocks)]
              for gpu, row in enumerate(algorithm.gpus)]  # fmt: skip
    nodes = [node for gpu in places for block in gpu for node in block]
    for node in nodes:
        if node.step.needs is not None:
            node.needs = _needed(node, places[node.gpu])
    _pair(algorithm, nodes)
    return _by_level(nodes)


def _chain(gpu: int, at: int, block: object) -> list[Node]:
    made: list[Node] = []
    for step in block.steps:  # type: ignore[attr-defined] # a ThreadBlock
        made.append(Node(gpu, at, step, made[-1] if made else None))
    return made


def _needed(node: Node, blocks: list[list[Node]]) -> Node:
    block, step = node.step.needs or (0, 0)
    if block >= len(blocks) or not 0 <= step < len(blocks[block]):
        what = f"thread block {block}, step {step}, of which gpu {node.gpu} has none"
        raise fault(node.step.line, "depid, deps", what, "must be a step of the same gpu")
    return blocks[block][step]


def _pair(algorithm: Algorithm, nodes: list[Node]) -> None:
    """Find each receive's sender: in turn, of the same two ranks and channel."""
    sent: dict[tuple[int, int, int], list[Node]] = defaultdict(list)
    got: dict[tuple[int, int, int], list[Node]] = defaultdict(list)
    ranks = len(algorithm.gpus)
    for node in nodes:
        block = algorithm.gpus[node.gpu].blocks[node.block]
        if node.step.kind in SENDS:
            _check_peer(node, "send", block.send, ranks)
            sent[node.gpu, block.send, block.channel].append(node)
        if node.step.kind in RECEIVES:
            _check_peer(node, "recv", block.recv, ranks)
            got[block.recv, node.gpu, block.channel].append(node)
    for key in dict.fromkeys((*sent, *got)):
        ours, theirs = sent[key], got[key]
        _check_one_block(key, ours, "send")
        _check_one_block(key, theirs, "recv")
        if len(ours) != len(theirs):
            extra = (ours if len(ours) > len(theirs) else theirs)[min(len(ours), len(theirs))]
            words = f"rank {key[0]} to rank {key[1]} on channel {key[2]}"
            got_words = f"{len(ours)} sends and {len(theirs)} receives from {words}"
            raise fault(extra.step.line, "step", got_words, "must be as many")
        for one, two in zip(ours, theirs, strict=True):
            if one.step.count != two.step.count:
                words = f"{two.step.count} for the {one.step.count} of line {one.step.line}"
                raise fault(two.step.line, "cnt", words, "must be what is sent")
            two.sender = one


def _check_peer(node: Node, end: str, peer: int, ranks: int) -> None:
    if not 0 <= peer < ranks or peer == node.gpu:
        what = f"{end}={peer} for a step {node.step.kind} of gpu {node.gpu}"
        raise fault(node.step.line, "tb", what, f"must be another rank below {ranks}")


def _check_one_block(key: tuple[int, int, int], nodes: list[Node], end: str) -> None:
    for node in nodes:
        if node.block != nodes[0].block:
            what = f"thread blocks {nodes[0].block} and {node.block} of gpu {node.gpu}"
            words = f"{end} of rank {key[0]} to rank {key[1]} on channel {key[2]}"
            raise fault(node.step.line, words, what, "must be one: give each a channel")


def _by_level(nodes: list[Node]) -> list[Node]:
    for node in nodes:
        for cause in (node.before, node.needs, node.sender):
            if cause is not None:
                cause.then.append(node)
                node.waiting += 1
    ready = [node for node in nodes if not node.waiting]
    done: list[Node] = []
    while ready:
        done += ready
        following = []
        for node in ready:
            for other in node.then:
                other.waiting -= 1
                other.level = max(other.level, node.level + 1)
                if not other.waiting:
                    following.append(other)
        ready = following
    if len(done) < len(nodes):
        raise _circle([node for node in nodes if node.waiting])
    return done


def _circle(stuck: list[Node]) -> Exception:
    """Name the steps of a circle: going back from a stuck one must come round."""
    node = stuck[0]
    seen: list[Node] = []
    places: dict[int, int] = {}
    while id(node) not in places:
        places[id(node)] = len(seen)
        seen.append(node)
        causes = (node.before, node.needs, node.sender)
        node = next(one for one in causes if one is not None and one.waiting)
    circle = seen[places[id(node)] :]
    lines = ", ".join(str(one.step.line) for one in circle[:8])
    return fault(node.step.line, "step", f"steps that wait for each other: lines {lines}",
                 "must not wait in a circle")  # fmt: skip
