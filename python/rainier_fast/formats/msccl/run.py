"""What an algorithm does: its steps run on sets of contributions, which gives its messages.

Each chunk of a buffer is a block of the data with the ranks that it is the sum of. That proves the
algorithm as MSCCL runs it; the messages that come out are proven again by `Schedule.verify`.
"""

from __future__ import annotations

from typing import Final

from rainier_fast.errors import Unsupported
from rainier_fast.formats.msccl.data import Data
from rainier_fast.formats.msccl.order import Node, ordered
from rainier_fast.formats.msccl.rows import ADDS, RECEIVES, SENDS, STORES, Algorithm, Message, fault
from rainier_fast.formats.msccl.slots import Carried, as_messages

Value = tuple[int, int]
"""A block of the data, and the ranks whose part it has as bits."""

_LOCAL: Final = ("cpy", "re")
_MOST_WAITS: Final = 64
_FEW: Final = 10_000


def messages(algorithm: Algorithm, data: Data) -> list[Message]:
    """Run the steps, and return what is sent.

    Raises
    ------
    InvalidArgument
        If a step reads what is not there, or adds something twice; it names the line.
    Unsupported
        If a rank keeps two sums of one chunk.
    """
    steps = ordered(algorithm)
    carried = _run(steps, data)
    data.finish(algorithm)
    waits = _waits(steps)
    sends = [node for node in steps if id(node) in carried]
    numbers = {id(node): at for at, node in enumerate(sends)}
    receivers = {id(node.sender): node for node in steps if node.sender is not None}
    after = [tuple(sorted(numbers[one] for one in waits[id(node)])) for node in sends]
    rows = [
        Carried(node.gpu, receivers[id(node)].gpu, carried[id(node)], node.step.line)
        for node in sends
    ]
    return as_messages(rows, after, data.first)


def _run(steps: list[Node], data: Data) -> dict[int, list[Value]]:
    """Return what each sending step sends."""
    carried: dict[int, list[Value]] = {}
    for node in steps:
        step, gpu = node.step, node.gpu
        if step.kind == "nop":
            continue
        if step.kind in RECEIVES:
            values = carried[id(node.sender)]
            if step.kind in ADDS:
                values = _sum(node, values, data.read(gpu, step.src, step.count, step.line))
            if step.kind in STORES:
                data.write(gpu, step.dst, values, step.line)
        else:
            values = data.read(gpu, step.src, step.count, step.line)
            if step.kind == "re":
                values = _sum(node, values, data.read(gpu, step.dst, step.count, step.line))
            if step.kind in _LOCAL:
                data.write(gpu, step.dst, values, step.line)
        if step.kind in SENDS:
            carried[id(node)] = values
    return carried


def _sum(node: Node, ones: list[Value], others: list[Value]) -> list[Value]:
    made = []
    for (block, ranks), (other, more) in zip(ones, others, strict=True):
        if block != other:
            what = f"chunk {block} added to chunk {other} on gpu {node.gpu}"
            raise fault(node.step.line, "step", what, "must add parts of the same chunk")
        if ranks & more:
            twice = (ranks & more).bit_length() - 1
            what = f"the part of rank {twice} of chunk {block} a second time on gpu {node.gpu}"
            raise fault(node.step.line, "step", what, "must add each part once")
        made.append((block, ranks | more))
    return made


def _waits(steps: list[Node]) -> dict[int, frozenset[int]]:
    """Return the sending steps that each sending step waits for, by `id`."""
    done: dict[int, frozenset[int]] = {}
    waits: dict[int, frozenset[int]] = {}
    nothing: frozenset[int] = frozenset()
    kept = 0
    for node in steps:
        kind = node.step.kind
        before = done[id(node.before)] if node.before is not None else nothing
        needed = done[id(node.needs)] if node.needs is not None else nothing
        came = frozenset((id(node.sender),)) if node.sender is not None else nothing
        if kind in SENDS:
            waits[id(node)] = _least(before | needed | came, waits)
            done[id(node)] = frozenset((id(node),))
        else:
            done[id(node)] = _least(before | needed | came, waits)
        kept += len(done[id(node)])
        if kept > _MOST_WAITS * (len(steps) + _FEW):
            raise Unsupported(
                f"line {node.step.line}: steps of this program wait for more than {_MOST_WAITS} "
                "messages each, which is more than is read: split the program"
            )
    return waits


def _least(found: frozenset[int], waits: dict[int, frozenset[int]]) -> frozenset[int]:
    """Leave out what another of them waits for anyway."""
    if len(found) < 2:
        return found
    return found - frozenset().union(*(waits[one] for one in found))
