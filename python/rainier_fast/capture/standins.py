"""What torch does otherwise without devices, put right while a step is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from rainier_fast.capture.events import caller
from rainier_fast.capture.recorder import Log
from rainier_fast.errors import Unsupported


@contextmanager
def patched(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Put something in place of an attribute for a while."""
    before = vars(owner)[name]  # a static method as such
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def all_to_alls(log: Log) -> Iterator[None]:
    """Write down the all-to-all of a change of shards, which CPUs do by gathering everything."""
    from torch.distributed.tensor import _collective_utils, placement_types

    own = _collective_utils.shard_dim_alltoall

    def instead(tensor: Any, gather_dim: int, shard_dim: int, mesh: Any, mesh_dim: int) -> Any:
        if mesh.device_type != "cpu":
            return own(tensor, gather_dim, shard_dim, mesh, mesh_dim)
        log.all_to_all_of(tensor, mesh.get_group(mesh_dim))
        before, log.quiet = log.quiet, True
        try:
            return own(tensor, gather_dim, shard_dim, mesh, mesh_dim)
        finally:
            log.quiet = before

    if not hasattr(placement_types, "shard_dim_alltoall"):
        log.notes["changes of shards are written down as CPUs do them, by gathering"] = None
        yield
        return
    with patched(placement_types, "shard_dim_alltoall", instead):
        yield


@contextmanager
def shared_meshes() -> Iterator[None]:
    """Make each joined mesh, and each part of one, once: of 524,288 ranks one has 20 MB.

    FSDP makes several for each parameter, all equal.
    """
    from torch.distributed.device_mesh import DeviceMesh

    known: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    join: Any = getattr(DeviceMesh, "_concatenate", None)
    part = DeviceMesh.__getitem__

    def joined(meshes: list[Any]) -> Any:
        key = tuple(map(id, meshes))
        if key not in known:
            known[key] = list(meshes), join(meshes)  # ids stay those of these meshes
        return known[key][1]

    def parted(self: Any, names: Any) -> Any:
        key = id(self), names
        if key not in known:
            known[key] = self, part(self, names)
        return known[key][1]

    with ExitStack() as stack:
        if join is not None:
            stack.enter_context(patched(DeviceMesh, "_concatenate", staticmethod(joined)))
        stack.enter_context(patched(DeviceMesh, "__getitem__", parted))
        yield


@contextmanager
def whole_shapes(log: Log) -> Iterator[None]:
    """Leave out what DTensor works out on whole shapes, to know what comes out: nobody runs it."""
    from torch.distributed.tensor._sharding_prop import ShardingPropagator

    name = "_propagate_tensor_meta_non_cached"
    own = getattr(ShardingPropagator, name, None)
    if own is None:
        log.notes["computation may have shapes that DTensor only works out, not runs"] = None
        yield
        return

    def instead(self: Any, *args: Any, **kwargs: Any) -> Any:
        before, log.quiet = log.quiet, True
        try:
            return own(self, *args, **kwargs)
        finally:
            log.quiet = before

    with patched(ShardingPropagator, name, instead):
        yield


@contextmanager
def no_reducers() -> Iterator[None]:
    """Refuse DistributedDataParallel, whose reducer wants memory and another process group."""
    from torch.nn.parallel import DistributedDataParallel

    def instead(self: Any, *_: Any, **__: Any) -> None:
        raise Unsupported(
            "build: DistributedDataParallel cannot be recorded: its reducer copies into memory, "
            "and its all-reduce fails on a fake process group; use fully_shard, over a mesh of "
            "replicas and a shard axis of 1 for the same traffic in one bucket a unit"
        )

    with patched(DistributedDataParallel, "__init__", instead):
        yield


@contextmanager
def without_memory(fake: Any, torch: Any) -> Iterator[None]:
    """Give what is made of meta tensors no memory (as `Module.to_empty` does), and nothing else."""
    from torch.distributed.tensor import DTensor
    from torch.utils._python_dispatch import TorchDispatchMode

    class Building(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self,
            func: Any,
            types: Any,
            args: Any = (),
            kwargs: Any = None,
        ) -> Any:
            if any(issubclass(one, DTensor) for one in types):
                return NotImplemented
            given = kwargs or {}
            device = given.get("device")
            first = args[0] if args else None
            if (
                func is torch.ops.aten.empty_like.default
                and device is not None
                and torch.device(device).type != "meta"
                and isinstance(first, torch.Tensor)
                and first.device.type == "meta"
            ):
                with fake:
                    return torch.empty_strided(
                        first.size(), first.stride(), dtype=given.get("dtype") or first.dtype,
                        device=device,
                    )  # fmt: skip
            return func(*args, **given)

    with Building():
        yield


@contextmanager
def attention_of_devices(log: Log) -> Iterator[None]:
    """Run attention over spread keys by the operator of devices: CPUs have no rule for theirs."""
    import torch
    from torch.distributed.tensor import DTensor
    from torch.overrides import TorchFunctionMode

    plain = torch.nn.functional.scaled_dot_product_attention

    class Attending(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self,
            func: Any,
            types: Any,
            args: Any = (),
            kwargs: Any = None,
        ) -> Any:
            given = dict(kwargs or {})
            spread = [one for one in args[:3] if isinstance(one, DTensor)]
            if func is not plain or len(spread) < 3 or not _over_context():
                return func(*args, **given)
            if given.get("attn_mask") is not None or len(args) > 3:
                return func(*args, **given)
            log.notes["attention by the flash operator of devices, in place of that of CPUs"] = None
            found = torch.ops.aten._scaled_dot_product_flash_attention(
                *args, given.get("dropout_p", 0.0), given.get("is_causal", False),
                scale=given.get("scale"),
            )  # fmt: skip
            return found[0]

    with Attending():
        yield


def _over_context() -> bool:
    """Tell whether context parallelism calls."""
    return caller()[0] == "context"
