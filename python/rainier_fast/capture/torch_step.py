"""`capture.torch`: every collective of a training step of PyTorch, on no device at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from rainier_fast.capture.fake_world import fake_world
from rainier_fast.capture.needed import needed
from rainier_fast.capture.recorder import Log, recording
from rainier_fast.capture.standins import (
    all_to_alls,
    attention_of_devices,
    no_reducers,
    shared_meshes,
    whole_shapes,
    without_memory,
)
from rainier_fast.definitions.check import as_integer, as_name, as_pairs
from rainier_fast.errors import RainierError, Unsupported, as_one_of, invalid, invalid_type
from rainier_fast.program import Program
from rainier_fast.program.ranks import MOST_MEMBERS

_MOST_WARMUP: Final = 100
_ALWAYS: Final = (
    "what follows the last collective is counted before the first: steps repeat",
    "order of calls of one thread: no streams, kernels or overlap; cost_of hides by rules",
    "bytes touched are those of operators one by one: what a compiler fuses moves less",
    "nothing of what XLA or Neuron would merge, cut or rewrite",
)


def torch(
    build: Callable[[Any], Callable[[], object]],
    *,
    world: int,
    mesh: Mapping[str, int] | None = None,
    rank: int = 0,
    warmup: int = 1,
    device: str = "cpu",
) -> Program:
    """Record every collective of a training step of PyTorch as one rank of many runs it.

    There is no device, no network and no memory for the tensors: a fake process group of `world`
    ranks in this process. Needs the extra ``torch``.

    Parameters
    ----------
    build
        Gets the `torch.distributed.device_mesh.DeviceMesh`, makes model and optimizer, and returns
        a function that runs one step. The model is made on the ``"meta"`` device, parallelized
        there, and given its memory by ``model.to_empty(device=mesh.device_type)``, as large models
        are; here that memory is none. Tensors that the step makes belong on
        ``mesh.device_type``. No value may be read off a tensor (``.item()``).
    world
        Ranks.
    mesh
        Sizes by name of axis, slowest first, one of which may be -1; None for one axis ``"dp"``.
    rank
        The rank that is recorded.
    warmup
        Steps before the one that is recorded: the first is unlike others, such as its buckets.
    device
        Type of the mesh: ``"cpu"``, for which nothing is needed, or ``"cuda"`` where there is one.

    Returns
    -------
    Program
        In order: operation, bytes, type, the rank's own group, phase (``"fwd"``, ``"bwd"``,
        ``"clip"``, ``"optimizer"``), role, and FLOPs and bytes of computation before each, by
        torch's own formulas on the operators that run.

    Raises
    ------
    InvalidArgument, InvalidType
        If an argument is not usable, or axes do not multiply to `world`.
    Unsupported
        If torch is missing or too old, has a process group already, or the step cannot run
        without devices; it says what to change.

    Notes
    -----
    Errors of `build` and of the step itself are raised as they are. What a recording lacks is in
    ``Program.notes``; docs/programs.md has all of it.

    Examples
    --------
    >>> import rainier_fast as rf
    >>> program = rf.capture.torch(build, world=64, mesh={"dp": 8, "tp": 8})  # doctest: +SKIP
    """
    if not callable(build):
        raise invalid_type("build", build, "must be a function of a mesh that returns a step")
    size = as_integer("world", world, 1, MOST_MEMBERS)
    place = as_integer("rank", rank, 0, size - 1)
    axes = {"dp": size} if mesh is None else _axes(mesh, size)
    before = as_integer("warmup", warmup, 0, _MOST_WARMUP)
    kind = as_one_of("device", device, ("cpu", "cuda"))
    package = needed("torch")
    if kind == "cuda" and not package.cuda.is_available():
        raise Unsupported(
            "device: got 'cuda' where no driver is, without which there is no backward pass; "
            "use 'cpu', which records what devices would call"
        )
    with fake_world(package, size, place, axes, kind) as made:
        log = _run(package, build, made, size, before)
    return _program(package.__version__, log, size, place, axes)


def _axes(mesh: object, world: int) -> dict[str, int]:
    pairs = as_pairs("mesh", mesh, "must map names of axes to sizes")
    sizes = {
        as_name("mesh", name): as_integer(f"mesh[{name!r}]", size, -1, world)
        for name, size in pairs
    }
    free = [name for name, size in sizes.items() if size == -1]
    known = math.prod(size for size in sizes.values() if size != -1)
    if not sizes or known == 0 or len(free) > 1:
        raise invalid("mesh", mesh, "must have axes of at least one rank, at most one of them -1")
    if free and world % known == 0:
        sizes[free[0]] = world // known
    elif free or known != world:
        raise invalid("mesh", mesh, f"must multiply to world, {world}")
    return sizes


def _run(
    package: Any,
    build: Callable[[Any], Callable[[], object]],
    mesh: Any,
    world: int,
    warmup: int,
) -> Log:
    from torch._subclasses.fake_tensor import FakeTensorMode

    fake = FakeTensorMode(allow_non_fake_inputs=True)
    log = Log(package, world)
    with ExitStack() as stack:
        stack.enter_context(no_reducers())
        stack.enter_context(shared_meshes())
        log.quiet = True
        with without_memory(fake, package):
            step = build(mesh)
        log.quiet = False
        if not callable(step):
            raise invalid_type("build", step, "must return a function that runs one step")
        stack.enter_context(all_to_alls(log))
        stack.enter_context(whole_shapes(log))
        stack.enter_context(attention_of_devices(log))
        stack.enter_context(recording(log, fake))
        for _ in range(warmup + 1):
            log.start()
            _step(step)
        log.around(first=warmup == 0)
    return log


def _step(step: Callable[[], object]) -> None:
    from torch._subclasses.fake_tensor import DataDependentOutputException

    try:
        step()
    except DataDependentOutputException as error:
        raise Unsupported(
            f"step: it reads a value off a tensor, which has no memory here ({error}); leave out "
            ".item(), print and branches on values"
        ) from error
    except RainierError:
        raise
    except Exception as error:
        if "flash_attention_for_cpu" in str(error):
            raise Unsupported(
                "step: context parallelism has no rule for attention on CPUs; call "
                "torch.ops.aten._scaled_dot_product_flash_attention on the DTensors in place of "
                "scaled_dot_product_attention"
            ) from error
        raise


def _program(version: str, log: Log, world: int, rank: int, axes: Mapping[str, int]) -> Program:
    rows = log.collectives
    flops, nbytes = log.tail
    notes = [*log.notes, *_ALWAYS]
    if any(one.op in ("send", "recv") for one in rows):
        notes.insert(0, f"messages of rank {rank}: other stages need recordings of their own")
    if not rows:
        notes.insert(0, f"no collectives: {flops:.4g} FLOP and {nbytes:.4g} bytes of computation")
    shape = " ".join(f"{name} {length:,}" for name, length in axes.items())
    source = f"a step of PyTorch {version} on {world:,} ranks ({shape}), recorded as rank {rank}"
    return Program(tuple(rows), world, rank, source, tuple(notes))
