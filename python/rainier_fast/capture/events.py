"""Calls of torch's collectives: what goes in and out, who takes part, what it moves."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rainier_fast.program import ProgramCollective, ProgramGroups
from rainier_fast.program.numbers import dtype_named
from rainier_fast.reading.pytorch.exchanges import Exchange, exchange
from rainier_fast.reading.pytorch.operations import operation_of

NAMESPACES: Final = (
    "c10d",
    "_c10d_functional",
    "_c10d_functional_autograd",
    "_dtensor",
    "symm_mem",
)
_PASSED: Final = ("wait_tensor", "mesh_get_process_group", "_wrap_tensor_autograd", "check_for_nan")
_INTO: Final = ("input", "inputs", "input_tensor", "input_tensors", "tensors", "tensor")
_OUT: Final = ("output", "outputs", "output_tensor", "output_tensors", "out", "tensors")
_SPLITS: Final = ("input_split_sizes", "output_split_sizes")
_CALLERS: Final = (
    ("torch.distributed.fsdp", "replicas"),
    ("torch.nn.parallel.distributed", "replicas"),
    ("torch.distributed.tensor.experimental._context_parallel", "context"),
    ("torch.distributed.pipelining", "pipeline"),
    ("torch.distributed.tensor", "tensor"),
)
_MOST_FRAMES: Final = 60


def is_collective(func: Any) -> bool:
    """Tell whether an operator moves something between ranks."""
    return func.namespace in NAMESPACES and func.name().split("::")[1].split(".")[0] not in _PASSED


def tensors_in(value: object, tensor: type) -> Iterator[Any]:
    """Yield the tensors of an argument."""
    if isinstance(value, tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_in(one, tensor)


def bytes_of(tensors: Iterable[Any]) -> int:
    """Return the bytes of tensors."""
    return sum(int(one.numel()) * int(one.element_size()) for one in tensors)


class Groups:
    """Groups of process groups, each listed once."""

    def __init__(self, torch: Any, world: int) -> None:
        self._torch, self._world = torch, world
        self._known: dict[str, tuple[ProgramGroups, str]] = {}

    def of(self, given: Any) -> tuple[ProgramGroups, str] | None:
        """Return the ranks of a group, and what torch calls it."""
        dist = self._torch.distributed
        if isinstance(given, str):
            if given in self._known:
                return self._known[given]
            given = dist.distributed_c10d._resolve_process_group(given)
        elif not isinstance(given, dist.ProcessGroup):
            given = dist.ProcessGroup.unbox(given)
        name = str(given.group_name)
        if name not in self._known:
            ranks = dist.get_process_group_ranks(given)
            whole = len(ranks) == self._world
            groups = ProgramGroups.everyone(self._world) if whole else None
            groups = groups or ProgramGroups.own(ranks, world=self._world)
            self._known[name] = groups, str(given.group_desc or name)
        return self._known[name]


def caller() -> tuple[str | None, str | None]:
    """Return what part of torch calls, and the name of the unit that it works on."""
    frame = sys._getframe(1)
    kind = unit = None
    for _ in range(_MOST_FRAMES):
        module = frame.f_globals.get("__name__", "")
        if kind is None:
            kind = next((word for name, word in _CALLERS if module.startswith(name)), kind)
        if unit is None and module.startswith("torch.distributed.fsdp"):
            unit = getattr(frame.f_locals.get("self"), "_module_fqn", None)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return kind, unit


def role_of(op: str, kind: str | None, phase: str) -> str | None:
    """Return what a collective moves, by who calls it."""
    if kind == "replicas":
        return "weights" if op == "all_gather" else "gradients"
    if kind in ("tensor", "context"):
        return kind if phase in ("fwd", "bwd") else None
    return None


def collective(
    func: Any,
    values: Mapping[str, Any],
    out: object,
    groups: tuple[ProgramGroups, str] | None,
    tensor: type,
) -> ProgramCollective | None:
    """Return a call as a collective, without its place in the program; None of one not known."""
    name = func.name().split(".")[0]
    op = operation_of(name)
    if op is None:
        return None
    into, after = _sides(op, values, out, tensor)
    types = {str(one.dtype) for one in (*into, *after)}
    ranks, desc = groups if groups is not None else (None, "")
    sizes = bytes_of(into), bytes_of(after)
    if op in ("barrier", "send", "recv"):
        sizes = {"barrier": (0, 0), "send": (sizes[0], 0), "recv": (0, sizes[1])}[op]
    splits = Exchange()
    if op == "all_to_all":
        split = [list(values.get(side) or ()) for side in _SPLITS]
        splits = exchange((split[0], split[1]), sizes, None)
    notes = list(splits.notes)
    if len(types) > 1:
        notes.append(f"several types at once: {', '.join(sorted(types))}")
    return ProgramCollective(
        desc,
        "collective_permute" if splits.permute else op,
        *sizes,
        dtype_named(min(types)) if len(types) == 1 and op != "barrier" else None,
        ranks,
        in_splits=splits.bytes_in,
        out_splits=splits.bytes_out,
        root=_number(values, "root_rank", "src" if op == "broadcast" else ""),
        peer=splits.peer if splits.permute else _peer(op, values),
        original=name,
        notes=tuple(notes),
    )


def _sides(
    op: str, values: Mapping[str, Any], out: object, tensor: type
) -> tuple[list[Any], list[Any]]:
    into = next((list(tensors_in(values[key], tensor)) for key in _INTO if key in values), [])
    after = next((list(tensors_in(values[key], tensor)) for key in _OUT if key in values), None)
    if after is None:
        after = list(tensors_in(out, tensor))
    return into, after


def _number(values: Mapping[str, Any], *names: str) -> int | None:
    found = next((values[name] for name in names if name in values), None)
    return found if type(found) is int and found >= 0 else None


def _peer(op: str, values: Mapping[str, Any]) -> int | None:
    return _number(values, "dst" if op == "send" else "src") if op in ("send", "recv") else None
