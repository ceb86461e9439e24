"""What is called while a step runs: collectives, and the computation between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from rainier_fast.capture.events import (
    Groups,
    bytes_of,
    caller,
    collective,
    is_collective,
    role_of,
    tensors_in,
)
from rainier_fast.program import ProgramCollective
from rainier_fast.program.numbers import dtype_named

_FREE: Final = frozenset(
    ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "detach",
     "lift_fresh", "_local_scalar_dense", "is_same_size", "sym_size", "sym_stride",)
)  # fmt: skip
"""Operators that neither compute nor move anything."""

_TOLD: Final = ("prim", "profiler")
"""Namespaces of questions and of marks."""


class Log:
    """What was seen of a step."""

    def __init__(self, torch: Any, world: int) -> None:
        from torch.distributed.tensor import DTensor
        from torch.utils.flop_counter import flop_registry

        self.torch, self._spread = torch, DTensor
        self._flops: Mapping[Any, Any] = flop_registry
        self._groups = Groups(torch, world)
        self.collectives: list[ProgramCollective] = []
        self.notes: dict[str, None] = {}
        self._waits: dict[int, int] = {}
        self._kept: list[Any] = []
        self.optimizing = self.quiet = False
        self._was_backward = False
        self._done_flops = self._done_bytes = 0.0

    def start(self) -> None:
        """Forget what was seen, but not what was computed since the last collective."""
        self.collectives.clear()
        self.notes.clear()
        self._waits.clear()
        self._kept.clear()
        self._was_backward = False

    def around(self, *, first: bool) -> None:
        """Count what follows the last collective before the first, if no step before has."""
        if first and self.collectives:
            one, (flops, nbytes) = self.collectives[0], self.tail
            flops, nbytes = flops + (one.after_flops or 0), nbytes + (one.after_bytes or 0)
            self.collectives[0] = replace(one, after_flops=flops, after_bytes=nbytes)

    @property
    def tail(self) -> tuple[float, float]:
        """FLOPs and bytes since the last collective."""
        return self._done_flops, self._done_bytes

    def seen(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Run an operator and write down what it is."""
        if any(issubclass(one, self._spread) for one in types):
            return NotImplemented
        out = func(*args, **kwargs)
        if self.quiet:
            return out
        if is_collective(func):
            self._collective(func, args, kwargs, out)
        elif "wait_tensor" in func.name():
            self._waited(args[0], out)
        else:
            self._computed(func, args, kwargs, out)
        return out

    def _phase(self) -> str:
        if self.optimizing:
            return "optimizer"
        if self.torch._C._current_graph_task_id() != -1:
            self._was_backward = True
            return "bwd"
        if self._was_backward and not self.torch.is_grad_enabled():
            return "clip"
        return "fwd"

    def _collective(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        names = [one.name for one in func._schema.arguments]
        values = dict(zip(names, args, strict=False)) | kwargs
        given = values.get("process_group", values.get("group_name", values.get("group")))
        groups = None if given is None else self._groups.of(given)
        found = collective(func, values, out, groups, self.torch.Tensor)
        if found is None:
            self.notes[f"{func.name()} is no collective that is known: it is left out"] = None
            return
        self.add(found)
        place = len(self.collectives) - 1
        for one in tensors_in(out, self.torch.Tensor):
            self._waits[id(one)] = place
            self._kept.append(one)  # an id stays that of this tensor

    def add(self, found: ProgramCollective) -> None:
        """Write down a collective, with what was computed before it."""
        kind, unit = caller()
        phase = self._phase()
        role = role_of(found.op, kind, phase)
        if phase == "clip" and role == "weights":
            phase = "fwd"
        name = ": ".join(part for part in (unit, found.name) if part) or found.op
        self.collectives.append(
            replace(
                found,
                name=name,
                phase=phase,
                role=role,
                after_flops=self._done_flops,
                after_bytes=self._done_bytes,
            )
        )
        self._done_flops = self._done_bytes = 0.0

    def all_to_all_of(self, tensor: Any, group: Any) -> None:
        """Write down the all-to-all that devices run where CPUs gather."""
        ranks, desc = self._groups.of(group) or (None, "")
        size = bytes_of([tensor])
        found = ProgramCollective(
            desc,
            "all_to_all",
            size,
            size,
            dtype_named(str(tensor.dtype)),
            ranks,
            original="_dtensor::shard_dim_alltoall",
            notes=("as devices run it: CPUs gather, which is not written down",),
        )
        self.add(found)

    def _waited(self, tensor: Any, out: Any) -> None:
        place = self._waits.get(id(tensor))
        last = len(self.collectives) - 1
        if place is not None and place < last:
            one = self.collectives[place]
            if one.waited_by is None:
                # Of the last piece of computation no one knows how much is before the wait.
                self.collectives[place] = replace(one, asynchronous=True, waited_by=last)

    def _computed(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        if func.namespace in _TOLD:
            return
        packet = func._overloadpacket
        if (count := self._flops.get(packet)) is not None:
            self._done_flops += float(count(*args, **kwargs, out_val=out))
        name = func.name().split("::")[1].split(".")[0]
        if func.is_view or name in _FREE:
            return
        tensor = self.torch.Tensor
        touched = {id(one): one for one in tensors_in((*args, *kwargs.values(), out), tensor)}
        self._done_bytes += bytes_of(touched.values())


@contextmanager
def recording(log: Log, fake: Any) -> Iterator[None]:
    """Run what is within with tensors that have no memory, and write down what it calls."""
    from torch.optim.optimizer import (
        register_optimizer_step_post_hook,
        register_optimizer_step_pre_hook,
    )
    from torch.utils._python_dispatch import TorchDispatchMode

    class Seeing(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self,
            func: Any,
            types: Any,
            args: Any = (),
            kwargs: Any = None,
        ) -> Any:
            return log.seen(func, types, args, kwargs or {})

    def before(*_: object) -> None:
        log.optimizing = True

    def after(*_: object) -> None:
        log.optimizing = False

    hooks = [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]
    try:
        with fake, Seeing():
            yield
    finally:
        for hook in hooks:
            hook.remove()
