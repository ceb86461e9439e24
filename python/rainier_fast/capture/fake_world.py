"""A process group of any size in one process, which moves nothing, and a mesh over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from rainier_fast.errors import Unsupported

_DISTRIBUTED: Final = "torch.distributed"


@contextmanager
def fake_world(
    torch: Any,
    world: int,
    rank: int,
    mesh: Mapping[str, int],
    device: str,
) -> Iterator[Any]:
    """Yield a mesh over a fake process group, and leave torch as it was afterwards."""
    dist = torch.distributed
    if not dist.is_available():
        raise Unsupported("capture.torch: this build of torch has no torch.distributed")
    if dist.is_initialized():
        raise Unsupported(
            "capture.torch: torch.distributed has a process group in this process already; "
            "destroy_process_group() first, or record in a process of its own"
        )
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import _random
    from torch.testing._internal.distributed.fake_pg import FakeStore

    tracker = getattr(_random, "_rng_tracker", None)
    state = torch.get_rng_state()
    try:
        dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=world)
        yield init_device_mesh(device, tuple(mesh.values()), mesh_dim_names=tuple(mesh))
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
        if hasattr(_random, "_rng_tracker"):
            _random._rng_tracker = tracker
        torch.set_rng_state(state)
