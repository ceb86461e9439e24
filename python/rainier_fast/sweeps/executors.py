"""Where the points of a sweep run: processes of this machine, or an executor that was given."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any, Final

from rainier_fast.errors import as_one_of, invalid_type, shown

NAMES: Final = ("processes", "serial", "ray")
_ALLOWED: Final = (
    "must be a concurrent.futures.Executor, with a method submit, or one of 'processes', 'serial', "
    "'ray', or None for processes"
)
_GUARD: Final = (
    "a script that sweeps over processes must do so below if __name__ == '__main__':, or say "
    "executor='serial'"
)
_WIDTH: Final = 8


class Source:
    """An executor and how many batches it runs at once."""

    restarts = False
    """Whether it is started anew when it breaks."""
    mend = ""

    def __init__(self, executor: Executor, width: int, name: str) -> None:
        self.executor, self.width, self.name = executor, width, name

    def restart(self) -> None:
        """Start it anew."""
        raise NotImplementedError

    def close(self, *, stopped: bool) -> None:
        """Let it go; one that was given is its owner's."""


class Processes(Source):
    """Spawned processes of this machine, which end with this one."""

    restarts = True
    mend = _GUARD

    def __init__(self, workers: int | None) -> None:
        count = workers or _cores()
        self._make: Callable[[], Executor] = lambda: _pool(count)
        super().__init__(self._make(), count, f"{count} local processes")

    def restart(self) -> None:
        """End what is left of the pool, and start another."""
        self.close(stopped=True)
        self.executor = self._make()

    def close(self, *, stopped: bool) -> None:
        """Wait for the processes, or end them where the sweep was stopped."""
        if stopped:
            for process in list((getattr(self.executor, "_processes", None) or {}).values()):
                process.kill()
        self.executor.shutdown(wait=not stopped, cancel_futures=True)


class Ray(Source):
    """The cluster of Ray that this process is joined to, or one of this machine."""

    def __init__(self, workers: int | None) -> None:
        from rainier_fast.sweeps.ray_executor import RayExecutor

        made = RayExecutor()
        super().__init__(made, workers or made.width, "ray")

    def close(self, *, stopped: bool) -> None:
        """Leave a cluster that was started for this sweep."""
        self.executor.shutdown(wait=not stopped)


def source_of(executor: object, workers: int | None) -> Source:
    """Return where points run; not for ``"serial"``."""
    if executor is None or isinstance(executor, str):
        name = as_one_of("executor", executor or "processes", NAMES)
        return Ray(workers) if name == "ray" else Processes(workers)
    check(executor)
    assert isinstance(executor, Executor) or callable(getattr(executor, "submit", None))
    given: Any = executor
    return Source(given, workers or _width(given), shown(executor))


def check(executor: object) -> None:
    """Refuse what is no executor."""
    if executor is None or isinstance(executor, str):
        as_one_of("executor", executor or "processes", NAMES)
        return
    try:
        submits = callable(getattr(executor, "submit", None))
    except Exception as error:  # whatever a value's own methods raise
        raise invalid_type("executor", executor, _ALLOWED) from error
    if not submits or hasattr(type(executor), "get_executor"):
        mend = ": give client.get_executor()" if submits else ""
        raise invalid_type("executor", executor, _ALLOWED + mend)


def _width(executor: Any) -> int:  # noqa: ANN401 - any library's
    """Return how many workers an executor has, where it says so."""
    threads = getattr(getattr(executor, "_client", None), "nthreads", None)  # Dask's
    if callable(threads):
        return sum(threads().values()) or _WIDTH
    for name in ("num_workers", "_max_workers"):  # MPI's, and the pools of Python
        count = getattr(executor, name, None)
        if isinstance(count, int) and count > 0:
            return count
    return _WIDTH


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _pool(workers: int) -> Executor:
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ready)


def _ready() -> None:
    """Make a process of a pool: Ctrl-C is its parent's, and it ends with that."""
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("RAINIER_NUM_THREADS", "1")  # there is a process for each core

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
